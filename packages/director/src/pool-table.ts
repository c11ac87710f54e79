import type { Destination, Service } from 'ipvs-netlink'
import { desiredEntry, desiredService, desiredTable, isSimple, serviceIdOf, serviceKeys } from './desired.ts'
import { idsOf } from './overlay-services.ts'
import type { Pool, PoolServer } from './pool.ts'
import type { Reconciler } from './reconcile.ts'

/** The pools that run, and their way into the kernel's table. */
export interface PoolTable {
  readonly pools: readonly Pool[]
  /** The one of a virtual server. */
  named(name: string): Pool | undefined
  /** Those that have a service of the kernel, by its id. */
  sharing(service: string): readonly Pool[]
  /** These run from now on; nothing is written by that. `gone` ran before, `come` did not. */
  use(pools: readonly Pool[], gone: readonly Pool[], come: readonly Pool[]): void
  /** Writes what a pool wants at the end of this turn of the event loop; `servers`: nothing else of it has changed. */
  wantSoon(pool: Pool, servers?: readonly PoolServer[]): void
  /** Writes nothing more. */
  stop(): void
}

export function createPoolTable(reconciler: Reconciler): PoolTable {
  let pools: readonly Pool[] = []
  const byService = new Map<string, Pool[]>()
  const byName = new Map<string, Pool>()
  /** With the servers that have changed, where that is all. */
  const changed = new Map<Pool, Set<PoolServer> | undefined>()
  let stopped = false

  function use(next: readonly Pool[], gone: readonly Pool[], come: readonly Pool[]): void {
    pools = next
    for (const pool of gone) {
      byName.delete(pool.config.name)
      for (const id of idsOf(pool.config)) {
        const others = byService.get(id)?.filter((each) => each !== pool) ?? []
        if (others.length > 0) byService.set(id, others)
        else byService.delete(id)
      }
    }
    for (const pool of come) {
      byName.set(pool.config.name, pool)
      for (const id of idsOf(pool.config)) byService.set(id, byService.get(id)?.concat(pool) ?? [pool])
    }
  }

  /** What a pool wants now, together with the pools that share its services. */
  function wishesOf(pool: Pool): [string, Service][] {
    const wishes: [string, Service][] = []
    for (const key of serviceKeys(pool.config)) {
      const id = serviceIdOf(pool.config, key)
      const sharing = byService.get(id) ?? [pool]
      if (sharing.length === 1) wishes.push([id, desiredService(pool, key)])
      else wishes.push(...[...desiredTable(sharing)].filter(([shared]) => shared === id))
    }
    return wishes
  }

  function flush(): void {
    const each = [...changed]
    changed.clear()
    if (stopped) return
    for (const [pool, servers] of each) {
      if (byName.get(pool.config.name) !== pool) continue
      const part = servers === undefined ? undefined : partOf(pool, servers)
      if (part === undefined) reconciler.want(wishesOf(pool))
      else reconciler.amend(part.id, part.changes)
    }
  }

  /** The entries of a few servers, where they hang on nothing else; undefined: the whole service must be looked at. */
  function partOf(
    pool: Pool,
    servers: ReadonlySet<PoolServer>,
  ): { id: string; changes: [string, Destination | undefined][] } | undefined {
    const [key, ...others] = serviceKeys(pool.config)
    if (key === undefined || others.length > 0) return undefined
    const id = serviceIdOf(pool.config, key)
    if ((byService.get(id)?.length ?? 0) !== 1 || !isSimple(pool, key)) return undefined
    return { id, changes: [...servers].map((server) => desiredEntry(pool, server, key)) }
  }

  return {
    get pools() {
      return pools
    },
    named: (name) => byName.get(name),
    sharing: (service) => byService.get(service) ?? [],
    use,
    /** Many verdicts in one turn make one table: a pool of ten thousand that fails at once is written once. */
    wantSoon(pool, servers) {
      if (changed.size === 0) setImmediate(flush)
      const known = changed.get(pool)
      if (servers === undefined || (changed.has(pool) && known === undefined)) changed.set(pool, undefined)
      else if (known === undefined) changed.set(pool, new Set(servers))
      else for (const server of servers) known.add(server)
    },
    stop() {
      stopped = true
    },
  }
}
