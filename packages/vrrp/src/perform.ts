import type { VrrpInstance } from '@ipvs-director/config'
import { type Address, describeError } from '@ipvs-director/core'
import type { Channel } from './channel.ts'
import type { NotifyState } from './events.ts'
import { announcementsOf, type Devices, extraAnnouncementsOf, holdingOf } from './holding.ts'
import type { Holding } from './link.ts'
import type { InstanceEffect, InstanceEvent, InstanceState, Phase } from './state.ts'
import type { Surroundings } from './surroundings.ts'
import type { Counters } from './tallies.ts'
import type { Voice } from './voice.ts'

/** Carries out what the machine of an instance says. */
export interface Performer {
  readonly perform: (effect: InstanceEffect) => void
  readonly holding: () => Holding
  /** Wall clock of the last change of state. */
  readonly since: () => number
  /** Wall clock when it came out of init or fault; undefined while it is there. */
  readonly upSince: () => number | undefined
  /** A reload removes the instance: its end is told as that. */
  readonly willBeDeleted: () => void
}

/** What the group of an instance hears of its effects. */
interface GroupEar {
  readonly config: { readonly name: string }
  readonly wasTold: (state: NotifyState) => boolean
  readonly want: () => void
  readonly unwant: () => void
  readonly turned: (to: Phase, why: string, resigned: boolean) => void
  readonly heardLower: () => void
}

export interface PerformerOptions {
  readonly key: string
  readonly shared: Surroundings
  readonly voice: Voice
  readonly channel: Channel
  readonly counters: Counters
  readonly config: () => VrrpInstance
  readonly state: () => InstanceState
  readonly group: () => GroupEar | undefined
  readonly devices: () => Devices
  /** Our own address on the instance's own way. */
  readonly source: () => Address | undefined
  readonly dispatch: (event: InstanceEvent) => void
}

const notifyStates: Readonly<Record<Phase, NotifyState | undefined>> = {
  init: undefined,
  backup: 'BACKUP',
  master: 'MASTER',
  fault: 'FAULT',
  stopped: 'STOP',
}

export function createPerformer(options: PerformerOptions): Performer {
  const { key, shared, voice, channel, counters, config, state, group, devices } = options
  const { link, clock, announcer, tell } = shared
  let since = clock.wall()
  let upSince: number | undefined
  let told: NotifyState | undefined
  let deleted = false

  let made: { readonly of: VrrpInstance; readonly on: Devices; readonly holding: Holding } | undefined
  const holding = (): Holding => {
    const [of, on] = [config(), devices()]
    if (made?.of !== of || made.on !== on) made = { of, on, holding: holdingOf(key, of, on) }
    return made.holding
  }

  /** The kernel's refusals come later; nothing waits for them. */
  const complain = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      voice.once('error', 'vrrp.kernel', describeError(error))
    })
  }

  const perform = (effect: InstanceEffect): void => {
    switch (effect.do) {
      case 'advertise':
        channel.advertise(effect.priority)
        return
      case 'hold':
        voice.log('info', 'vrrp.hold', 'setting VIPs')
        complain(link.hold(holding(), effect.lease))
        return
      case 'renew':
        complain(link.renew(holding(), effect.lease))
        return
      case 'release':
        if (told !== undefined) voice.log('info', 'vrrp.release', 'removing VIPs')
        complain(link.release(holding()))
        return
      case 'announce':
        announcer.burst(key, announcementsOf(config(), devices()), effect.repeat)
        return
      case 'announceExtra':
        announcer.burst(key, extraAnnouncementsOf(config(), devices()), 1)
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
        priorityChanged(effect.from, effect.to)
        return
      case 'heardLower': {
        const { source, priority } = effect
        const { name } = config()
        tell({ type: 'rxLowerPriority', name, source, priority, own: state().priority, at: clock.wall() })
        group()?.heardLower()
        return
      }
      case 'wantMaster':
        group()?.want()
        return
      case 'unwant':
        group()?.unwant()
        return
      case 'ask':
        ask()
        return
      case 'alarm':
      case 'calm':
        voice.alarm(effect.do, effect.kind, effect.text)
        return
      case 'log':
        voice.once(effect.level, effect.event, effect.text)
        return
    }
  }

  const announceSource = (): void => {
    const own = options.source()
    const on = config().interface
    if (own !== undefined && on !== undefined) announcer.burst(key, [{ interface: on, address: own }], 1)
  }

  const turned = (from: Phase, to: Phase, why: string, resigned: boolean): void => {
    const { name, notifyDeleted, interface: on } = config()
    since = clock.wall()
    upSince = to === 'backup' || to === 'master' ? (upSince ?? since) : undefined
    if (to === 'master') counters.becameMaster++
    if (from === 'master') counters.releasedMaster++
    const deletedWord = notifyDeleted === undefined ? 'FAULT' : 'DELETED'
    const word = to === 'stopped' && deleted ? deletedWord : notifyStates[to]
    if (word === undefined) return
    const text = `Entering ${word} STATE${from === 'init' ? ' (init)' : ''}: ${why}`
    voice.log(to === 'fault' ? 'warn' : 'info', 'vrrp.state', text, { state: word })
    const mine = group()
    const notify = told === undefined || mine?.wasTold(word) !== true
    const { priority } = state()
    tell({
      type: 'instance',
      name,
      state: word,
      from: told,
      why,
      priority,
      group: mine?.config.name,
      notify,
      interfaceIndex: on === undefined ? undefined : shared.interfaces.get(on)?.index,
      own: options.source(),
      masterReason: state().masterReason,
      at: since,
    })
    told = word
    mine?.turned(to, why, resigned)
  }

  const priorityChanged = (from: number, to: number): void => {
    voice.log('info', 'vrrp.priority', `Changing effective priority from ${from} to ${to}`)
    const now = notifyStates[state().phase]
    tell({ type: 'priority', name: config().name, state: now, from, to, at: clock.wall() })
  }

  /** Any one answer, or every one, in time. */
  const ask = (): void => {
    const { arbitration, interface: on } = config()
    if (arbitration === undefined) return
    const asked = arbitration.addresses.map((address) => link.ask(address, on, arbitration.timeout))
    const answered = arbitration.require === 'all' ? Promise.all(asked).then((all) => all.every(Boolean)) : anyOf(asked)
    void answered.then((yes) => {
      options.dispatch({ type: 'arbitrated', answered: yes })
    })
  }

  return {
    perform,
    holding,
    since: () => since,
    upSince: () => upSince,
    willBeDeleted() {
      deleted = true
    },
  }
}

/** True as soon as one is. */
async function anyOf(asked: readonly Promise<boolean>[]): Promise<boolean> {
  try {
    await Promise.any(asked.map(async (one) => ((await one) ? true : Promise.reject(new Error('silent')))))
    return true
  } catch {
    return false
  }
}
