import type { Report } from '@ipvs-director/checkers'
import type { Config, VirtualServer } from '@ipvs-director/config'
import type { Service } from 'ipvs-netlink'
import { carriedHealth } from './carry-over.ts'
import { planChecks, type CheckPlan } from './checks.ts'
import { wantedTable } from './data-paths.ts'
import { idsOf } from './overlay-services.ts'
import { steersFor, type Overlay } from './overlay.ts'
import { createPool, type Pool } from './pool.ts'
import { inSlices } from './slices.ts'
import { unsteered, type Steer } from './steer.ts'

/** What a configuration will run as, put together while the one before still runs. */
export interface Generation {
  readonly pools: readonly Pool[]
  readonly plan: CheckPlan
  /** Takes in a verdict that came meanwhile; those who run have it, and have told of it. */
  replay(report: Report): void
  /** What these pools want; those that go on as they are left out, which want what they wanted. */
  desired(): Map<string, Service>
  /** Services that are wanted as before. */
  readonly kept: ReadonlySet<string>
}

export async function nextGeneration(
  config: Config,
  before: readonly Pool[],
  overlay: Overlay,
  now: number,
  running: CheckPlan['subscribers'],
): Promise<Generation> {
  const pools = await successorsOf(config, before, overlay, now, running)
  const plan = await planChecks(pools, () => false)
  const old = new Set(before)
  const { fresh, kept } = await split(pools, (pool) => old.has(pool))
  return {
    pools,
    plan,
    kept,
    replay({ id, up, first, verdict, at }) {
      for (const { pool, server, checker } of plan.subscribers.get(id) ?? []) {
        if (!old.has(pool)) pool.verdict(server, { checker, up, first, verdict, at })
      }
    },
    desired: () => wantedTable(fresh, config),
  }
}

/** Pools that are new, and the services of the others; where pools share a service, all of them count as new. */
async function split(
  pools: readonly Pool[],
  isOld: (pool: Pool) => boolean,
): Promise<{ readonly fresh: readonly Pool[]; readonly kept: ReadonlySet<string> }> {
  const kept = new Set<string>()
  const fresh: Pool[] = []
  const seen = new Set<string>()
  let services = 0
  await inSlices(pools, (pool) => {
    const old = isOld(pool)
    if (!old) fresh.push(pool)
    for (const id of idsOf(pool.config)) {
      services++
      seen.add(id)
      if (old) kept.add(id)
    }
  })
  return seen.size < services ? { fresh: pools, kept: new Set() } : { fresh, kept }
}

/** The pools of a configuration, going on with what is known from those that run, and from the checks under way. */
export async function successorsOf(
  config: Config,
  before: readonly Pool[],
  overlay: Overlay,
  now: number,
  running: CheckPlan['subscribers'],
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
  running: CheckPlan['subscribers'],
): Pool {
  const steers = steersFor(overlay, virtual)
  if (before?.config === virtual && isSteeredSo(before, steers)) return before
  const health = carriedHealth(virtual, before, running)
  if (before === undefined) return createPool(virtual, { health, steers, since: now })
  return createPool(virtual, { health, steers, quorum: before.quorum, since: before.since })
}

/** Whether the operators' wishes are those that a pool follows. */
function isSteeredSo({ servers }: Pool, steers: ReadonlyMap<string, Steer>): boolean {
  for (const { name, steer } of servers.values()) if (steer !== (steers.get(name) ?? unsteered)) return false
  return true
}
