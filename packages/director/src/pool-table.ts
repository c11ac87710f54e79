import { serviceId, type Service } from 'ipvs-netlink'
import { desiredService, desiredTable, serviceKeys } from './desired.ts'
import type { Pool } from './pool.ts'
import type { Reconciler } from './reconcile.ts'

/** The pools that run, and their way into the kernel's table. */
export interface PoolTable {
  readonly pools: readonly Pool[]
  /** These run from now on; nothing is written by that. */
  use(pools: readonly Pool[]): void
  /** Writes what a pool wants at the end of this turn of the event loop. */
  wantSoon(pool: Pool): void
  /** Writes nothing more. */
  stop(): void
}

export function createPoolTable(reconciler: Reconciler): PoolTable {
  let pools: readonly Pool[] = []
  let byService = new Map<string, Pool[]>()
  const changed = new Set<Pool>()
  let stopped = false

  function use(next: readonly Pool[]): void {
    pools = next
    byService = new Map()
    for (const pool of next) {
      for (const key of serviceKeys(pool.config)) {
        const id = serviceId(key)
        const sharing = byService.get(id)
        if (sharing === undefined) byService.set(id, [pool])
        else sharing.push(pool)
      }
    }
  }

  /** What a pool wants now, together with the pools that share its services. */
  function wishesOf(pool: Pool): [string, Service][] {
    const wishes: [string, Service][] = []
    for (const key of serviceKeys(pool.config)) {
      const id = serviceId(key)
      const sharing = byService.get(id) ?? [pool]
      if (sharing.length === 1) wishes.push([id, desiredService(pool, key)])
      else wishes.push(...[...desiredTable(sharing)].filter(([shared]) => shared === id))
    }
    return wishes
  }

  return {
    get pools() {
      return pools
    },
    use,
    /** Many verdicts in one turn make one table: a pool of ten thousand that fails at once is written once. */
    wantSoon(pool) {
      if (changed.size === 0) {
        setImmediate(() => {
          const each = [...changed]
          changed.clear()
          if (stopped) return
          const current = new Set(pools)
          for (const one of each) if (current.has(one)) reconciler.want(wishesOf(one))
        })
      }
      changed.add(pool)
    },
    stop() {
      stopped = true
    },
  }
}
