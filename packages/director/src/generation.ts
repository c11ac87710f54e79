import type { Report } from '@ipvs-director/checkers'
import type { Config, VirtualServer } from '@ipvs-director/config'
import type { Service } from 'ipvs-netlink'
import { carriedHealth } from './carry-over.ts'
import { planChecks, type CheckPlan } from './checks.ts'
import { wantedTable } from './data-paths.ts'
import { steersFor, type Overlay } from './overlay.ts'
import { createPool, type Pool } from './pool.ts'
import { inSlices } from './slices.ts'

/** What a configuration will run as, put together while the one before still runs. */
export interface Generation {
  readonly pools: readonly Pool[]
  readonly plan: CheckPlan
  /** Takes in a verdict that came meanwhile; those who run have told of it already. */
  replay(report: Report): void
  desired(): Map<string, Service>
}

export async function nextGeneration(
  config: Config,
  before: readonly Pool[],
  overlay: Overlay,
  now: number,
): Promise<Generation> {
  const pools = await successorsOf(config, before, overlay, now)
  const plan = await planChecks(pools, () => false)
  return {
    pools,
    plan,
    replay({ id, up, first, verdict, at }) {
      for (const { pool, server, checker } of plan.subscribers.get(id) ?? []) {
        pool.verdict(server, { checker, up, first, verdict, at })
      }
    },
    desired: () => wantedTable(pools, config),
  }
}

/** The pools of a configuration, going on with what is known from those that run. */
export async function successorsOf(
  config: Config,
  before: readonly Pool[],
  overlay: Overlay,
  now: number,
): Promise<readonly Pool[]> {
  const known = new Map(before.map((pool) => [pool.config.name, pool]))
  const pools: Pool[] = []
  await inSlices(config.virtualServers, (virtual) => {
    pools.push(successorOf(virtual, known.get(virtual.name), overlay, now))
  })
  return pools
}

function successorOf(virtual: VirtualServer, before: Pool | undefined, overlay: Overlay, now: number): Pool {
  const steers = steersFor(overlay, virtual)
  if (before === undefined) return createPool(virtual, { steers, since: now })
  const health = carriedHealth(virtual, before)
  return createPool(virtual, { health, steers, quorum: before.quorum, since: before.since })
}
