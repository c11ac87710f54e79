import type { SyncGroup, VrrpInstance } from '@ipvs-director/config'
import { describeError, millis, type Timer } from '@ipvs-director/core'
import { createChannel } from './channel.ts'
import type { NotifyState, VrrpEvent } from './events.ts'
import { announcementsOf, holdingOf } from './holding.ts'
import { identityOf, protocolOf } from './identity.ts'
import { type Plan, plansOf } from './paths.ts'
import { tally, type Tally } from './priority.ts'
import { reachFaults, trackedThings } from './reach.ts'
import { initialState, nextDue, step } from './state-machine.ts'
import type { HeardAdvert, InstanceEffect, InstanceEvent, InstanceState, Phase } from './state.ts'
import { type InstanceStatus, statusOf } from './status.ts'
import type { Surroundings } from './surroundings.ts'
import { newCounters } from './tallies.ts'
import type { Trackers } from './trackers.ts'

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

/** Different remarks between two changes of state; what comes beyond is only counted. */
const saidLimit = 64

const notifyStates: Readonly<Record<Phase, NotifyState | undefined>> = {
  init: undefined,
  backup: 'BACKUP',
  master: 'MASTER',
  fault: 'FAULT',
  stopped: 'STOP',
}

export function createInstance(
  initial: VrrpInstance,
  initialFace: GroupFace | undefined,
  shared: Surroundings,
): Instance {
  const { link, clock, logger, interfaces, trackers, announcer } = shared
  const key = identityOf(initial)
  let config = initial
  let group = initialFace
  let protocol = protocolOf(config, group !== undefined)
  let state = initialState(protocol, clock.now())
  let sum: Tally = tally(config.priority, [])
  let timer: { readonly due: number; readonly handle: Timer } | undefined
  let catchingUp = false
  let sinceWall = clock.wall()
  let told: NotifyState | undefined
  let ownFaulty: boolean | undefined
  let vmacInterface: string | undefined
  let vmacFault: string | undefined
  let plans: readonly (Plan | undefined)[] = []
  let deleted = false
  let said = new Set<string>()
  const counters = newCounters()
  const fields = (): { instance: string; vrid: number } => ({ instance: config.name, vrid: config.virtualRouterId })

  const once = (level: 'info' | 'warn' | 'error', event: string, text: string): void => {
    if (said.size >= saidLimit || said.has(event + text)) return
    said.add(event + text)
    logger[level](event, `(${config.name}) ${text}`, fields())
  }

  const alarm = (doing: 'alarm' | 'calm', kind: Extract<VrrpEvent, { type: 'alarm' }>['kind'], text: string): void => {
    logger[doing === 'alarm' ? 'error' : 'info'](`vrrp.${doing}.${kind}`, `(${config.name}) ${text}`, fields())
    shared.tell({ type: doing, name: config.name, kind, text, at: clock.wall() })
  }

  const channel = createChannel({
    shared,
    counters,
    config: () => config,
    once,
    alarm,
    isMaster: () => state.phase === 'master',
    listens: () => state.phase === 'backup' || state.phase === 'master',
    masterNow: () => state.master?.address,
    hear: (advert: HeardAdvert) => {
      dispatch({ type: 'advert', advert })
    },
  })

  /** `dispatch` may be called from within an effect; the inner step is then complete before the outer goes on. */
  const dispatch = (event: InstanceEvent): void => {
    const before = state
    const done = step(state, protocol, event, clock.now())
    state = done.state
    if (state.phase !== before.phase || state.master?.address !== before.master?.address) said = new Set()
    for (const effect of done.effects) perform(effect)
    arm()
  }

  /** A late timer may have missed what waits in the sockets: silence is believed only after a look at them. */
  const fire = (): void => {
    timer = undefined
    if (state.phase !== 'backup') {
      dispatch({ type: 'tick' })
      return
    }
    catchingUp = true
    link.caughtUp(() => {
      catchingUp = false
      dispatch({ type: 'tick' })
    })
  }

  const arm = (): void => {
    const due = catchingUp ? undefined : nextDue(state)
    if (due === timer?.due) return
    timer?.handle.cancel()
    timer = due === undefined ? undefined : { due, handle: clock.after(millis(Math.max(0, due - clock.now())), fire) }
  }

  const perform = (effect: InstanceEffect): void => {
    switch (effect.do) {
      case 'advertise':
        channel.advertise(effect.priority)
        return
      case 'hold':
        logger.info('vrrp.hold', `(${config.name}) setting VIPs`, fields())
        complain(link.hold(holdingOf(key, config, vmacInterface), effect.lease))
        return
      case 'renew':
        complain(link.renew(holdingOf(key, config, vmacInterface), effect.lease))
        return
      case 'release':
        if (state.started && told !== undefined) logger.info('vrrp.release', `(${config.name}) removing VIPs`, fields())
        complain(link.release(holdingOf(key, config, vmacInterface)))
        return
      case 'announce':
        announcer.burst(key, announcementsOf(config, vmacInterface), effect.repeat)
        return
      case 'announceSource':
        announceSource()
        return
      case 'silence':
        announcer.drop(key)
        return
      case 'turned':
        turned(effect.from, effect.to, effect.why, effect.resigned)
        return
      case 'priorityChanged':
        logger.info(
          'vrrp.priority',
          `(${config.name}) Changing effective priority from ${effect.from} to ${effect.to}`,
          fields(),
        )
        shared.tell({
          type: 'priority',
          name: config.name,
          state: notifyStates[state.phase],
          from: effect.from,
          to: effect.to,
          at: clock.wall(),
        })
        return
      case 'heardLower':
        shared.tell({
          type: 'rxLowerPriority',
          name: config.name,
          source: effect.source,
          priority: effect.priority,
          own: state.priority,
          at: clock.wall(),
        })
        group?.heardLower()
        return
      case 'wantMaster':
        group?.want()
        return
      case 'unwant':
        group?.unwant()
        return
      case 'ask':
        ask()
        return
      case 'alarm':
      case 'calm':
        alarm(effect.do, effect.kind, effect.text)
        return
      case 'log':
        once(effect.level, effect.event, effect.text)
        return
    }
  }

  const complain = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      once('error', 'vrrp.kernel', describeError(error))
    })
  }

  const announceSource = (): void => {
    const own = plans[0]?.own
    if (own !== undefined && config.interface !== undefined)
      announcer.burst(key, [{ interface: config.interface, address: own }], 1)
  }

  const turned = (from: Phase, to: Phase, why: string, resigned: boolean): void => {
    sinceWall = clock.wall()
    if (to === 'master') counters.becameMaster++
    if (from === 'master') counters.releasedMaster++
    const word = to === 'stopped' && deleted ? deletedWord() : notifyStates[to]
    if (word === undefined) return
    const text = `(${config.name}) Entering ${word} STATE${from === 'init' ? ' (init)' : ''}: ${why}`
    logger[to === 'fault' ? 'warn' : 'info']('vrrp.state', text, { ...fields(), state: word })
    const notify = told === undefined || group?.wasTold(word) !== true
    shared.tell({
      type: 'instance',
      name: config.name,
      state: word,
      from: told,
      why,
      priority: state.priority,
      group: group?.config.name,
      notify,
      at: sinceWall,
    })
    told = word
    group?.turned(to, why, resigned)
  }

  const deletedWord = (): NotifyState => (config.notifyDeleted === undefined ? 'FAULT' : 'DELETED')

  /** Any one answer, or every one, in time. */
  const ask = (): void => {
    const { arbitration } = config
    if (arbitration === undefined) return
    const asked = arbitration.addresses.map((address) => link.ask(address, config.interface, arbitration.timeout))
    const answered =
      arbitration.require === 'all'
        ? Promise.all(asked).then((all) => all.every(Boolean))
        : Promise.any(asked.map(async (one) => ((await one) ? true : Promise.reject(new Error('silent'))))).catch(
            () => false,
          )
    void answered.then((yes) => {
      dispatch({ type: 'arbitrated', answered: yes })
    })
  }

  const refresh = (): void => {
    if (state.phase === 'stopped') return
    plans = plansOf(config, {
      get: (name) => interfaces.get(name),
      sourceTowards: (destination) => link.sourceTowards(destination),
      isVirtual: shared.isVirtual,
      vmacInterface: config.vmac?.transmitBase === true ? undefined : vmacInterface,
    })
    const deaf = channel.open(plans)
    const knowledge = {
      get: (name: string) => interfaces.get(name),
      status: (kind: Parameters<Trackers['status']>[0], name: string) => trackers.status(kind, name),
      source: plans[0]?.own ?? config.sourceAddress,
    }
    sum = tally(config.priority, trackedThings(config.track, group?.config, knowledge))
    const reach = reachFaults(config, knowledge)
    const faults = [
      ...reach,
      ...(vmacFault === undefined ? [] : [vmacFault]),
      ...(deaf && reach.length === 0 ? ['no socket to listen on'] : []),
      ...sum.faults,
    ]
    if (group !== undefined && ownFaulty !== faults.length > 0) {
      ownFaulty = faults.length > 0
      group.faulty(ownFaulty)
    }
    if (group?.isFaulty() === true && faults.length === 0) faults.push(`sync group ${group.config.name} has a fault`)
    const waiting = sum.waiting.length > 0
    const same = state.priority === sum.priority && state.waiting === waiting && sameTexts(state.faults, faults)
    if (!same) dispatch({ type: 'tracked', priority: sum.priority, faults, waiting })
  }

  const makeInterface = (): void => {
    const { vmac, ipvlan, interface: on } = config
    if ((vmac === undefined && ipvlan === undefined) || on === undefined || vmacInterface !== undefined) return
    vmacFault = 'its interface is being made'
    const request = {
      instance: config.name,
      family: config.family,
      on,
      virtualRouterId: config.virtualRouterId,
      vmac,
      ipvlan,
    }
    link.createInterface(request).then(
      (name) => {
        vmacInterface = name
        vmacFault = undefined
        interfaces.report(name, link.interface(name))
        refresh()
      },
      (error: unknown) => {
        vmacFault = `cannot make its interface: ${describeError(error)}`
        logger.error('vrrp.vmac', `(${config.name}) ${vmacFault}`, fields())
        refresh()
      },
    )
  }

  makeInterface()
  return {
    key,
    config: () => config,
    state: () => state,
    dispatch,
    refresh,
    reconfigure(now, face) {
      const before = holdingOf(key, config, vmacInterface)
      config = now
      if (face?.config.name !== group?.config.name) ownFaulty = undefined
      group = face
      channel.configure()
      const next = protocolOf(config, group !== undefined)
      const after = holdingOf(key, config, vmacInterface)
      const addressesChanged = JSON.stringify(withoutPlaces(before)) !== JSON.stringify(withoutPlaces(after))
      dispatch({ type: 'reconfigured', protocol: next, addressesChanged })
      protocol = next
      refresh()
    },
    status: () =>
      statusOf({
        config,
        protocol,
        state,
        sum,
        counters,
        peers: channel.peers(),
        sinceWall,
        group: group?.config.name,
        plans,
        now: clock.now(),
        wall: clock.wall(),
      }),
    stop(why, keep) {
      deleted = why === 'deleted'
      dispatch({ type: 'stop', keep })
      timer?.handle.cancel()
      channel.close()
      if (!keep) announcer.drop(key)
      if (vmacInterface !== undefined && !keep) complain(link.removeInterface(vmacInterface))
    },
  }
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i])

const withoutPlaces = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (name, each: unknown) => (name === 'place' || name === 'instance' ? undefined : each)),
  )
