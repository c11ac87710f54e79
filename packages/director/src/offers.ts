import type { Logger } from '@ipvs-director/core'
import { serviceId } from 'ipvs-netlink'
import { serviceKeys } from './desired.ts'
import type { EventLog } from './events.ts'
import type { Pool, PoolEffect } from './pool.ts'

export interface OffersOptions {
  /** Those that have a service of the kernel. */
  readonly sharing: (service: string) => readonly Pool[]
  readonly logger: Logger
  readonly events: EventLog
  /** Whether a virtual server is offered may have changed. */
  readonly changed: (pool: Pool) => void
  /** Tells what was held back. */
  readonly tell: (pool: Pool, effect: PoolEffect) => void
}

/**
 * A virtual server with quorum that the kernel refuses (its scheduler's module is not there) serves nobody: its quorum is not
 * told to be gained, and no script is run for it, before the kernel takes it.
 */
export interface Offers {
  /** The kernel's words about a service it will not have; undefined: it has taken it. */
  heard(service: string, refusal: string | undefined): void
  /** Why a virtual server is not offered; undefined: it is, as far as the kernel is concerned. */
  refusal(pool: Pool): string | undefined
  /** Whether an effect is to be told now. */
  tellable(pool: Pool, effect: PoolEffect): boolean
}

export function createOffers({ sharing, logger, events, changed, tell }: OffersOptions): Offers {
  /** By service in the kernel. */
  const refusals = new Map<string, string>()
  /** Quorums gained and not told, by virtual server. */
  const held = new Map<string, PoolEffect>()

  function refusal(pool: Pool): string | undefined {
    if (refusals.size === 0) return undefined
    return serviceKeys(pool.config)
      .map((key) => refusals.get(serviceId(key)))
      .find((each) => each !== undefined)
  }

  function say(level: 'info' | 'error', event: string, message: string, service: string): void {
    logger[level](event, message, { service })
    events.add(event, message, { service })
  }

  return {
    refusal,
    heard(service, words) {
      if (refusals.get(service) === words) return
      if (words === undefined) refusals.delete(service)
      else refusals.set(service, words)
      for (const pool of sharing(service)) {
        const { name } = pool.config
        changed(pool)
        if (words !== undefined) {
          say('error', 'service.refused', `VS ${name} is NOT OFFERED: the kernel refuses it: ${words}`, name)
          continue
        }
        if (refusal(pool) !== undefined) continue
        say('info', 'service.accepted', `VS ${name} is offered: the kernel has taken ${service}`, name)
        const effect = held.get(name)
        held.delete(name)
        if (effect !== undefined && pool.quorum.up) tell(pool, effect)
      }
    },
    tellable(pool, effect) {
      if (effect.kind !== 'quorum') return true
      const { name } = pool.config
      const waiting = held.delete(name)
      // What was never told to be gained is not lost either.
      if (!effect.up) return !waiting
      if (refusal(pool) === undefined) return true
      held.set(name, effect)
      return false
    },
  }
}
