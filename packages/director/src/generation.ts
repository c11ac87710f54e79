import type { Config, RealServer } from '@ipvs-director/config'
import { pause, stepwise } from '@ipvs-director/core'
import type { Service } from 'ipvs-netlink'
import { carriedHealth } from './carry-over.ts'
import { planChecks, subscribersOf, type CheckChange, type CheckTable } from './checks.ts'
import { wantedTable } from './data-paths.ts'
import { idsOf } from './overlay-services.ts'
import { steersFor, type Overlay } from './overlay.ts'
import { growPool, type Pool } from './pool.ts'
import type { PoolTable } from './pool-table.ts'
import { unsteered, type Steer } from './steer.ts'

/** What a configuration will run as, put together while the one before still runs. */
export interface Generation {
  readonly pools: readonly Pool[]
  /** Pools that did not run before, and those that run no more. */
  readonly come: readonly Pool[]
  readonly gone: readonly Pool[]
  /** What becomes of the checks. */
  readonly checks: CheckChange
  /**
   * Catches up with what happened since it was begun, when it is about to run: with checks that were heard of, of which those
   * who run have told, and with what operators want now.
   */
  catchUp(heard: ReadonlySet<string>, overlay: Overlay): void
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
  const checks = await running.plan(gone, plan)
  const whole = isShared(come, gone, sharing)
  return {
    pools,
    come,
    gone,
    checks,
    whole,
    catchUp(heard, latest) {
      const known = new Map(gone.map((pool) => [pool.config.name, pool]))
      for (const id of heard) {
        for (const { pool, server } of subscribersOf(plan.get(id))) {
          const real = pool.servers.get(server)?.config
          const old = known.get(pool.config.name)?.servers.get(server)
          if (real !== undefined) pool.know(server, carriedHealth(real, old, running))
        }
      }
      if (latest !== overlay) for (const pool of come) steerAs(pool, steersFor(latest, pool.config), now)
      succeed(come, gone)
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

/** The pools of a configuration, with what is known from those that run, and from the checks under way; see {@link succeed}. */
export async function successorsOf(
  config: Config,
  before: readonly Pool[],
  overlay: Overlay,
  now: number,
  running: CheckTable,
): Promise<readonly Pool[]> {
  const known = new Map(before.map((pool) => [pool.config.name, pool]))
  const pools: Pool[] = []
  for (const virtual of config.virtualServers) {
    const old = known.get(virtual.name)
    const steers = steersFor(overlay, virtual)
    if (old?.config === virtual && isSteeredSo(old, steers)) pools.push(old)
    else {
      const health = (real: RealServer, name: string) => carriedHealth(real, old?.servers.get(name), running)
      pools.push(await stepwise(growPool(virtual, { health, steers, since: now })))
    }
    const wait = pause()
    if (wait !== undefined) await wait
  }
  return pools
}

/** Pools take the place of others of their names, as these are at that moment. */
export function succeed(come: readonly Pool[], gone: readonly Pool[]): void {
  const known = new Map(gone.map((pool) => [pool.config.name, pool]))
  for (const pool of come) {
    const before = known.get(pool.config.name)
    if (before !== undefined && before !== pool) pool.goOn(before)
  }
}

function steerAs(pool: Pool, steers: ReadonlyMap<string, Steer>, now: number): void {
  for (const { name, steer } of pool.servers.values()) {
    const wanted = steers.get(name) ?? unsteered
    if (wanted !== steer) pool.steer(name, wanted, now)
  }
}

/** Whether the operators' wishes are those that a pool follows. */
function isSteeredSo({ servers, steered }: Pool, steers: ReadonlyMap<string, Steer>): boolean {
  if (steered === 0 && steers.size === 0) return true
  for (const { name, steer } of servers.values()) if (steer !== (steers.get(name) ?? unsteered)) return false
  return true
}
