import type { Report } from '@ipvs-director/checkers'
import type { Config, VirtualServer } from '@ipvs-director/config'
import type { Service } from 'ipvs-netlink'
import { carriedHealth } from './carry-over.ts'
import { planChecks, subscribersOf, type CheckPlan, type CheckTable } from './checks.ts'
import { wantedTable } from './data-paths.ts'
import { idsOf } from './overlay-services.ts'
import { steersFor, type Overlay } from './overlay.ts'
import { createPool, type Pool } from './pool.ts'
import type { PoolTable } from './pool-table.ts'
import { inSlices } from './slices.ts'
import { unsteered, type Steer } from './steer.ts'

/** What a configuration will run as, put together while the one before still runs. */
export interface Generation {
  readonly pools: readonly Pool[]
  /** Pools that did not run before, and those that run no more. */
  readonly come: readonly Pool[]
  readonly gone: readonly Pool[]
  /** The checks of those that come. */
  readonly plan: CheckPlan
  /** Takes in a verdict that came meanwhile; those who run have it, and have told of it. */
  replay(report: Report): void
  /** What these pools want; those that go on as they are left out, which want what they wanted, unless `whole`. */
  desired(): Map<string, Service>
  /** Services are shared with pools that go on: all are looked at. */
  readonly whole: boolean
}

export async function nextGeneration(
  config: Config,
  { pools: before, sharing }: Pick<PoolTable, 'pools' | 'sharing'>,
  overlay: Overlay,
  now: number,
  running: CheckTable,
): Promise<Generation> {
  const pools = await successorsOf(config, before, overlay, now, running)
  const [old, next] = [new Set(before), new Set(pools)]
  const come = pools.filter((pool) => !old.has(pool))
  const gone = before.filter((pool) => !next.has(pool))
  const plan = await planChecks(come, () => false)
  const whole = isShared(come, gone, sharing)
  return {
    pools,
    come,
    gone,
    plan,
    whole,
    replay({ id, up, first, verdict, at }) {
      for (const { pool, server, checker } of subscribersOf(plan.get(id))) {
        pool.verdict(server, { checker, up, first, verdict, at })
      }
    },
    desired: () => wantedTable(whole ? pools : come, config),
  }
}

/** Whether those that come or go have a service together with each other or with a pool that goes on. */
function isShared(come: readonly Pool[], gone: readonly Pool[], sharing: PoolTable['sharing']): boolean {
  const left = new Set(gone)
  const taken = new Set<string>()
  const isKept = (id: string): boolean => sharing(id).some((pool) => !left.has(pool))
  for (const pool of come) {
    for (const id of idsOf(pool.config)) {
      if (taken.has(id) || isKept(id)) return true
      taken.add(id)
    }
  }
  return gone.some((pool) => idsOf(pool.config).some(isKept))
}

/** The pools of a configuration, going on with what is known from those that run, and from the checks under way. */
export async function successorsOf(
  config: Config,
  before: readonly Pool[],
  overlay: Overlay,
  now: number,
  running: CheckTable,
): Promise<readonly Pool[]> {
  const known = new Map(before.map((pool) => [pool.config.name, pool]))
  const pools: Pool[] = []
  await inSlices(config.virtualServers, (virtual) => {
    pools.push(successorOf(virtual, known.get(virtual.name), overlay, now, running))
  })
  return pools
}

function successorOf(
  virtual: VirtualServer,
  before: Pool | undefined,
  overlay: Overlay,
  now: number,
  running: CheckTable,
): Pool {
  const steers = steersFor(overlay, virtual)
  if (before?.config === virtual && isSteeredSo(before, steers)) return before
  const health = carriedHealth(virtual, before, running)
  if (before === undefined) return createPool(virtual, { health, steers, since: now })
  return createPool(virtual, { health, steers, quorum: before.quorum, since: before.since, turns: before.turns })
}

/** Whether the operators' wishes are those that a pool follows. */
function isSteeredSo({ servers, steered }: Pool, steers: ReadonlyMap<string, Steer>): boolean {
  if (steered === 0 && steers.size === 0) return true
  for (const { name, steer } of servers.values()) if (steer !== (steers.get(name) ?? unsteered)) return false
  return true
}
