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
  /** The pools from now on, in the order of the configuration; nothing is written by that. */
  use(pools: readonly Pool[]): void
  /**
   * A pool runs from now on, or is about to change; it answers for these services of the kernel. What it wants is not written
   * before `release`.
   */
  hold(pool: Pool, services: readonly string[]): void
  /** It is as it was meant to be, and that is wanted: what has happened to it meanwhile is, too. */
  release(pool: Pool): void
  /** It runs no more, and nothing is written for it. */
  drop(pool: Pool): void
  /** Writes what a pool wants at the end of this turn of the event loop; `servers`: nothing else of it has changed. */
  wantSoon(pool: Pool, servers?: readonly PoolServer[]): void
  /** Writes nothing more. */
  stop(): void
}

export function createPoolTable(reconciler: Reconciler): PoolTable {
  let pools: readonly Pool[] = []
  const byService = new Map<string, Pool[]>()
  const byName = new Map<string, Pool>()
  /** With the names of the servers that have changed, where that is all. */
  const changed = new Map<Pool, Set<string> | undefined>()
  const held = new Set<Pool>()
  let flushing = false
  let stopped = false

  const runs = (pool: Pool): boolean => byName.get(pool.config.name) === pool

  function serve(pool: Pool, ids: readonly string[]): void {
    const before = runs(pool) ? idsOf(pool.config) : []
    for (const id of before) {
      if (ids.includes(id)) continue
      const others = byService.get(id)?.filter((each) => each !== pool) ?? []
      if (others.length > 0) byService.set(id, others)
      else byService.delete(id)
    }
    for (const id of ids) if (!before.includes(id)) byService.set(id, byService.get(id)?.concat(pool) ?? [pool])
  }

  /** What a pool wants now, together with the pools that share its services. */
  function wishesOf(pool: Pool): [string, Service][] {
    const wishes: [string, Service][] = []
    for (const key of serviceKeys(pool.config)) {
      const id = serviceIdOf(pool.config, key)
      const sharing = new Set(byService.get(id))
      if (sharing.size === 1) wishes.push([id, desiredService(pool, key)])
      else
        wishes.push(...[...desiredTable(pools.filter((each) => sharing.has(each)))].filter(([shared]) => shared === id))
    }
    return wishes
  }

  function flush(): void {
    flushing = false
    for (const pool of [...changed.keys()]) if (!held.has(pool)) write(pool)
  }

  function write(pool: Pool): void {
    const servers = changed.get(pool)
    changed.delete(pool)
    if (stopped || !runs(pool)) return
    const part = servers === undefined ? undefined : partOf(pool, servers)
    if (part === undefined) reconciler.want(wishesOf(pool))
    else reconciler.amend(part.id, part.changes)
  }

  /** The entries of a few servers, where they hang on nothing else; undefined: the whole service must be looked at. */
  function partOf(
    pool: Pool,
    servers: ReadonlySet<string>,
  ): { id: string; changes: [string, Destination | undefined][] } | undefined {
    const [key, ...others] = serviceKeys(pool.config)
    if (key === undefined || others.length > 0) return undefined
    const id = serviceIdOf(pool.config, key)
    if ((byService.get(id)?.length ?? 0) !== 1 || !isSimple(pool, key)) return undefined
    return { id, changes: [...servers].map((name) => desiredEntry(pool, name, key)) }
  }

  return {
    get pools() {
      return pools
    },
    named: (name) => byName.get(name),
    sharing: (service) => byService.get(service) ?? [],
    use(next) {
      pools = next
    },
    hold(pool, services) {
      held.add(pool)
      serve(pool, services)
      byName.set(pool.config.name, pool)
    },
    release(pool) {
      held.delete(pool)
      if (changed.has(pool)) write(pool)
    },
    drop(pool) {
      serve(pool, [])
      byName.delete(pool.config.name)
      held.delete(pool)
      changed.delete(pool)
    },
    /** Many verdicts in one turn make one table: a pool of ten thousand that fails at once is written once. */
    wantSoon(pool, servers) {
      if (!flushing) setImmediate(flush)
      flushing = true
      const known = changed.get(pool)
      if (servers === undefined || (changed.has(pool) && known === undefined)) changed.set(pool, undefined)
      else {
        const names = known ?? new Set()
        for (const { name } of servers) names.add(name)
        changed.set(pool, names)
      }
    },
    stop() {
      stopped = true
    },
  }
}
