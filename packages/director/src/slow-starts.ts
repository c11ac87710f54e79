import { millis, type Clock, type Timer } from '@ipvs-director/core'
import type { Pool, PoolServer } from './pool.ts'

/** The weight grows in so many steps. */
const steps = 10

/** `slow_start`: servers that have recovered get their connections back little by little. */
export interface SlowStarts {
  /** A server has turned. */
  turned(pool: Pool, server: PoolServer, up: boolean): void
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

  /** By names: a reload may have taken them out, or put others in their place meanwhile. */
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
    stop() {
      for (const key of [...timers.keys()]) end(key)
    },
  }
}
