import type { SyncGroup, VrrpInstance } from '@ipvs-director/config'
import { describeError, type Millis, type Timer } from '@ipvs-director/core'
import { beatOf } from './agenda.ts'
import { createChannel } from './channel.ts'
import type { NotifyState } from './events.ts'
import { sameHolding } from './holding.ts'
import { identityOf, protocolOf } from './identity.ts'
import { createMadeInterfaces } from './made-interfaces.ts'
import { type Plan, plansOf } from './paths.ts'
import { createPerformer } from './perform.ts'
import { tally, type Tally } from './priority.ts'
import { reachFaults, trackedThings } from './reach.ts'
import { initialState, nextDue, step } from './state-machine.ts'
import type { InstanceEvent, InstanceState, Phase } from './state.ts'
import { type InstanceStatus, statusOf } from './status.ts'
import type { Surroundings } from './surroundings.ts'
import { newCounters } from './tallies.ts'
import type { TrackerKind } from './trackers.ts'
import { createVoice } from './voice.ts'

/** What an instance needs of its group. */
export interface GroupFace {
  readonly config: SyncGroup
  readonly isFaulty: () => boolean
  /** Whether the group was last told to have this state. */
  readonly wasTold: (state: NotifyState) => boolean
  readonly want: () => void
  readonly unwant: () => void
  readonly turned: (to: Phase, why: string, resigned: boolean) => void
  readonly faulty: (faulty: boolean) => void
  readonly heardLower: () => void
}

/** The driver of one instance: it owns its timer and its ways, and has no opinion about the protocol. */
export interface Instance {
  readonly key: string
  readonly config: () => VrrpInstance
  readonly state: () => InstanceState
  readonly dispatch: (event: InstanceEvent) => void
  /** Something it may depend on changed: interfaces, trackers, its group. */
  readonly refresh: () => void
  readonly reconfigure: (config: VrrpInstance, group: GroupFace | undefined) => void
  readonly status: () => InstanceStatus
  /** The end: by a reload (`deleted`), or with the program; `keep`: addresses stay. */
  readonly stop: (why: 'deleted' | 'stopped', keep: boolean) => void
}

export function createInstance(
  initial: VrrpInstance,
  initialFace: GroupFace | undefined,
  shared: Surroundings,
): Instance {
  const { link, clock, interfaces, trackers, announcer } = shared
  const key = identityOf(initial)
  let config = initial
  let group = initialFace
  let protocol = protocolOf(config, group !== undefined)
  let state = initialState(protocol, clock.now())
  let sum: Tally = tally(config.priority, [])
  let timer: { readonly due: number; readonly handle: Timer } | undefined
  let catchingUp = false
  /** As the last advertisement was heard: more since then, and another one may have been among them. */
  let droppedBefore = 0
  let ownFaulty: boolean | undefined
  let plans: readonly (Plan | undefined)[] = []
  const counters = newCounters()
  const voice = createVoice(shared, () => config)

  const channel = createChannel({
    shared,
    counters,
    voice,
    config: () => config,
    isMaster: () => state.phase === 'master',
    listens: () => state.phase === 'backup' || state.phase === 'master',
    masterNow: () => state.master?.address,
    hear: (advert) => {
      droppedBefore = channel.dropped()
      dispatch({ type: 'advert', advert })
    },
  })
  const made = createMadeInterfaces(
    shared,
    () => config,
    voice,
    () => {
      refresh()
    },
  )
  const performer = createPerformer({
    key,
    shared,
    voice,
    channel,
    counters,
    config: () => config,
    state: () => state,
    group: () => group,
    devices: made.devices,
    source: () => plans[0]?.own,
    dispatch: (event) => {
      dispatch(event)
    },
  })

  /** May be called from within an effect: the inner step is then complete before the outer goes on. */
  const dispatch = (event: InstanceEvent): void => {
    if (event.type !== 'woke') shared.wakeUp()
    const before = state
    const done = step(state, protocol, event, clock.now())
    state = done.state
    if (state.phase !== before.phase || state.master?.address !== before.master?.address) voice.forget()
    for (const effect of done.effects) performer.perform(effect)
    arm()
  }

  /**
   * A late timer may have missed what waits in the sockets: silence is believed only after a look at them. An early one
   * was not set anew at each advertisement that put the moment off.
   */
  const fire = (): void => {
    timer = undefined
    const due = moment()
    if (due !== undefined && due > clock.now()) {
      arm()
      return
    }
    if (state.phase !== 'backup') {
      dispatch({ type: 'tick' })
      return
    }
    catchingUp = true
    link.caughtUp(() => {
      catchingUp = false
      const before = droppedBefore
      droppedBefore = channel.dropped()
      dispatch({ type: 'tick', missed: droppedBefore > before })
    })
  }

  /** When the machine wants to be looked at next; its advertisements go together with others'. */
  const moment = (): Millis | undefined => {
    const due = nextDue(state)
    return due !== undefined && due === state.due.advert ? beatOf(due, protocol.interval) : due
  }

  const arm = (): void => {
    const due = catchingUp ? undefined : moment()
    if (due === timer?.due || (due !== undefined && timer !== undefined && timer.due < due)) return
    timer?.handle.cancel()
    timer = due === undefined ? undefined : { due, handle: shared.agenda.at(due, fire) }
  }

  const knowledge = () => ({
    get: (name: string) => interfaces.get(name),
    status: (kind: TrackerKind, name: string) => trackers.status(kind, name),
    source: plans[0]?.own ?? config.sourceAddress,
  })

  const waitsForInterface = (): boolean => state.phase === 'init' && made.isBeingMade()

  /** Opens what can be opened, and tells why it cannot work at all. */
  const reach = (): readonly string[] => {
    const faultsOfInterfaces = made.ensure()
    plans = plansOf(config, {
      get: (name) => interfaces.get(name),
      sourceTowards: (destination) => link.sourceTowards(destination),
      isVirtual: shared.isVirtual,
      vmacInterface: config.vmac?.transmitBase === true ? undefined : made.devices().own,
    })
    const deaf = channel.open(plans)
    const faults = reachFaults(config, knowledge())
    if (waitsForInterface()) return faults
    if (faultsOfInterfaces.length > 0) return [...faults, ...faultsOfInterfaces]
    return faults.length === 0 && (deaf || plans[0] === undefined) ? ['no socket to listen on'] : faults
  }

  const refresh = (): void => {
    if (state.phase === 'stopped') return
    const unreachable = reach()
    sum = tally(config.priority, trackedThings(config.track, group?.config, knowledge()))
    const faults = [...unreachable, ...sum.faults]
    if (group !== undefined && ownFaulty !== faults.length > 0) {
      ownFaulty = faults.length > 0
      group.faulty(ownFaulty)
    }
    if (group?.isFaulty() === true && faults.length === 0) faults.push(`sync group ${group.config.name} has a fault`)
    const waiting = sum.waiting.length > 0 || waitsForInterface()
    const same = state.priority === sum.priority && state.waiting === waiting && sameTexts(state.faults, faults)
    if (!same) dispatch({ type: 'tracked', priority: sum.priority, faults, waiting })
  }

  return {
    key,
    config: () => config,
    state: () => state,
    dispatch,
    refresh,
    reconfigure(now, face) {
      const before = performer.holding()
      config = now
      if (face?.config.name !== group?.config.name) ownFaulty = undefined
      group = face
      channel.configure()
      // Priority and ways first, so that what is said next is said with them.
      refresh()
      const next = protocolOf(config, group !== undefined)
      dispatch({ type: 'reconfigured', protocol: next, addressesChanged: !sameHolding(before, performer.holding()) })
      protocol = next
    },
    status: () =>
      statusOf({
        config,
        protocol,
        state,
        sum,
        counters,
        strays: shared.straysOf(key),
        peers: channel.peers(),
        sinceWall: performer.since(),
        upSince: performer.upSince(),
        protocolError: channel.protocolError(),
        group: group?.config.name,
        plans,
        now: clock.now(),
        wall: clock.wall(),
      }),
    stop(why, keep) {
      if (why === 'deleted') performer.willBeDeleted()
      dispatch({ type: 'stop', keep, ...(why === 'deleted' ? { why: 'the configuration has it no more' } : {}) })
      timer?.handle.cancel()
      channel.close()
      if (keep) return
      announcer.drop(key)
      made.remove().catch((error: unknown) => {
        voice.once('error', 'vrrp.kernel', describeError(error))
      })
    },
  }
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i])
