import type { VrrpConfig } from '@ipvs-director/config'
import { type Address, type Clock, formatDuration, type Logger, millis, type Timer } from '@ipvs-director/core'
import type { LinkInterface } from './link.ts'

/** The interfaces as VRRP believes them, after `interface_up_down_delays`. */
export interface Interfaces {
  /** Undefined: there is none of that name. */
  get(name: string): LinkInterface | undefined
  /** All that are believed to be there. */
  all(): readonly LinkInterface[]
  /** What the kernel says, now. */
  report(name: string, now: LinkInterface | undefined): void
  configure(delays: VrrpConfig['linkDelays']): void
  close(): void
}

/** Addresses that come and go with instances say nothing about an interface: a thousand of them are a thousand reports. */
type IsVirtual = (address: Address) => boolean

/** `changed` is called when belief changed: up or down at the end of its delay, everything else at once. */
export function createInterfaces(
  clock: Clock,
  logger: Logger,
  isVirtual: IsVirtual,
  changed: (name: string) => void,
): Interfaces {
  const believed = new Map<string, LinkInterface>()
  const real = new Map<string, LinkInterface>()
  const waiting = new Map<string, Timer>()
  let delays: VrrpConfig['linkDelays'] = []

  const believe = (name: string, now: LinkInterface | undefined): void => {
    const before = believed.get(name)
    if (now === undefined) believed.delete(name)
    else believed.set(name, now)
    if (same(before, now, isVirtual)) return
    if (before?.up !== now?.up && before !== undefined) {
      logger.info('vrrp.link', `Netlink reports ${name} ${now === undefined ? 'is gone' : now.up ? 'up' : 'down'}`, {
        interface: name,
      })
    }
    changed(name)
  }

  const settle = (name: string): void => {
    waiting.get(name)?.cancel()
    waiting.delete(name)
    believe(name, real.get(name))
  }

  return {
    get: (name) => believed.get(name),
    all: () => [...believed.values()],
    report(name, now) {
      if (now === undefined) real.delete(name)
      else real.set(name, now)
      const before = believed.get(name)
      const delay = delays.find((each) => each.interface === name)
      const wait = delay === undefined || now === undefined || before === undefined ? 0 : now.up ? delay.up : delay.down
      if (now?.up === before?.up || wait === 0 || now === undefined || before === undefined) {
        settle(name)
        return
      }
      believe(name, { ...now, up: before.up })
      if (waiting.has(name)) return
      logger.info('vrrp.link', `${name} is ${now.up ? 'up' : 'down'}: believed in ${formatDuration(wait)}`, {
        interface: name,
      })
      waiting.set(
        name,
        clock.after(millis(wait), () => {
          settle(name)
        }),
      )
    },
    configure(now) {
      delays = now
    },
    close() {
      for (const timer of waiting.values()) timer.cancel()
      waiting.clear()
    },
  }
}

function same(a: LinkInterface | undefined, b: LinkInterface | undefined, isVirtual: IsVirtual): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.up !== b.up || a.index !== b.index || a.mac !== b.mac || a.mtu !== b.mtu || a.announces !== b.announces)
    return false
  const [own, others] = [a, b].map(({ addresses }) => addresses.filter((each) => !isVirtual(each)))
  return own?.length === others?.length && own?.every((each, i) => each === others?.[i]) === true
}
