import type { Config, RealServer, VirtualServer } from '@ipvs-director/config'
import { formatEndpoint, pause, stepwise } from '@ipvs-director/core'
import { idsOf } from './overlay-services.ts'
import { steersFor, type Overlay } from './overlay.ts'
import { copyOf, emptyPool, type Pool } from './pool.ts'
import type { PoolTable } from './pool-table.ts'
import { unsteered, type Steer } from './steer.ts'

/** What is different in a configuration that is to run, found while the one before still runs. */
export interface Generation {
  /** All of the configuration, in its order. */
  readonly pools: readonly Pool[]
  /** Those of them that change, new ones among them. */
  readonly changes: readonly PoolChange[]
  /** Those that run and are in it no more. */
  readonly gone: readonly Pool[]
  /** Services of the kernel that more than one pool has a say in, before or after. */
  readonly shared: ReadonlySet<string>
}

/** What becomes of one pool. */
export interface PoolChange {
  readonly pool: Pool
  readonly config: VirtualServer
  /** The kernel's services that it answers for then. */
  readonly services: readonly string[]
  /** By name, in their new order. */
  readonly servers: ReadonlyMap<string, RealServer>
  /** Names of those that are new or other than they were, */
  readonly others: readonly string[]
  /** and of those that are not in it any more. */
  readonly gone: readonly string[]
  /** They stand in another order. */
  readonly moved: boolean
}

/** Pools that go on as they are do not change; of the others the servers are told that do. `apart`: with copies, to try it on. */
export async function nextGeneration(
  config: Config,
  { pools: running, sharing }: Pick<PoolTable, 'pools' | 'sharing'>,
  overlay: Overlay,
  { now, apart }: { readonly now: number; readonly apart: boolean },
): Promise<Generation> {
  const known = new Map(running.map((pool) => [pool.config.name, pool]))
  const pools: Pool[] = []
  const changes: PoolChange[] = []
  for (const virtual of config.virtualServers) {
    const before = known.get(virtual.name)
    const steers = steersFor(overlay, virtual)
    known.delete(virtual.name)
    if (before?.config === virtual && !before.changing && isSteeredSo(before, steers)) pools.push(before)
    else {
      const change = await stepwise(changeOf(before ?? emptyPool(virtual, now), virtual, steers))
      const pool = apart && before !== undefined ? await stepwise(copyOf(before)) : change.pool
      pools.push(pool)
      changes.push({ ...change, pool })
    }
    const wait = pause()
    if (wait !== undefined) await wait
  }
  const gone = [...known.values()]
  return { pools, changes, gone, shared: await stepwise(sharedServices({ changes, gone }, sharing)) }
}

/** Finds what is different, with a rest after each server. */
function* changeOf(
  pool: Pool,
  config: VirtualServer,
  steers: ReadonlyMap<string, Steer>,
): Generator<undefined, PoolChange, undefined> {
  const servers = new Map<string, RealServer>()
  const there = pool.servers.values()
  let moved = false
  for (const real of config.realServers) {
    const before = there.next().value
    // Mostly it stands where it stood: then its name is there already.
    const name = before?.config === real ? before.name : formatEndpoint(real)
    moved ||= before?.name !== name
    servers.set(name, real)
    yield
  }
  const others: string[] = []
  for (const [name, real] of servers) {
    const before = pool.servers.get(name)
    const isSame = before?.config === real && before.steer === (steers.get(name) ?? unsteered)
    if (!isSame || (before.ramp < 1 && config.slowStart === 0)) others.push(name)
    yield
  }
  const gone: string[] = []
  for (const name of pool.servers.keys()) {
    if (!servers.has(name)) gone.push(name)
    yield
  }
  return { pool, config, services: idsOf(config), servers, others, gone, moved }
}

/** Services of which a pool that changes or goes is not the only one; with a rest after each pool. */
function* sharedServices(
  { changes, gone }: Pick<Generation, 'changes' | 'gone'>,
  sharing: PoolTable['sharing'],
): Generator<undefined, ReadonlySet<string>, undefined> {
  const owners = new Map<string, string>()
  const shared = new Set<string>()
  const own = (services: readonly string[], name: string): void => {
    for (const id of services) {
      for (const each of [name, ...sharing(id).map(({ config }) => config.name)]) {
        if (!owners.has(id)) owners.set(id, each)
        else if (owners.get(id) !== each) shared.add(id)
      }
    }
  }
  for (const { pool, services, config } of changes) {
    own(services, config.name)
    if (pool.config !== config) own(idsOf(pool.config), config.name)
    yield
  }
  for (const { config } of gone) {
    own(idsOf(config), config.name)
    yield
  }
  return shared
}

/** Whether the operators' wishes are those that a pool follows. */
function isSteeredSo({ servers, steered }: Pool, steers: ReadonlyMap<string, Steer>): boolean {
  if (steered === 0 && steers.size === 0) return true
  for (const { name, steer } of servers.values()) if (steer !== (steers.get(name) ?? unsteered)) return false
  return true
}
