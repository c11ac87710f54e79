import { millis, type Clock, type Timer } from '@ipvs-director/core'
import type { Pool, PoolServer } from './pool.ts'

/** The weight grows in so many steps. */
const steps = 10

/** `slow_start`: servers that have recovered get their connections back little by little. */
export interface SlowStarts {
  /** A server has turned. */
  turned(pool: Pool, server: PoolServer, up: boolean): void
  /** Pools that take the place of others: who was starting goes on. */
  carry(before: readonly Pool[], next: readonly Pool[]): void
  stop(): void
}

/** `grown` is called with a pool whose weights have changed. */
export function createSlowStarts(
  clock: Clock,
  named: (service: string) => Pool | undefined,
  grown: (pool: Pool) => void,
): SlowStarts {
  const timers = new Map<string, Timer>()

  function end(key: string): void {
    timers.get(key)?.cancel()
    timers.delete(key)
  }

  /** By names: a reload may have put others in their place meanwhile. */
  function grow(service: string, name: string): void {
    const key = `${service} ${name}`
    const pool = named(service)
    const server = pool?.servers.get(name)
    timers.delete(key)
    if (pool === undefined || server === undefined || server.ramp === 1) return
    const step = Math.round(server.ramp * steps) + 1
    server.ramp = pool.config.slowStart === 0 || step >= steps ? 1 : step / steps
    grown(pool)
    if (server.ramp < 1) later(pool, server)
  }

  function later(pool: Pool, { name }: PoolServer): void {
    const service = pool.config.name
    const wait = millis(pool.config.slowStart / (steps - 1))
    timers.set(
      `${service} ${name}`,
      clock.after(wait, () => {
        grow(service, name)
      }),
    )
  }

  return {
    turned(pool, server, up) {
      end(`${pool.config.name} ${server.name}`)
      if (!up || pool.config.slowStart === 0) {
        server.ramp = 1
        return
      }
      server.ramp = 1 / steps
      later(pool, server)
    },
    carry(before, next) {
      const known = new Map(before.map((pool) => [pool.config.name, pool]))
      for (const pool of next) {
        for (const server of known.get(pool.config.name)?.servers.values() ?? []) {
          const successor = server.ramp === 1 ? undefined : pool.servers.get(server.name)
          if (successor !== undefined && pool.config.slowStart > 0) successor.ramp = server.ramp
        }
      }
    },
    stop() {
      for (const key of [...timers.keys()]) end(key)
    },
  }
}
