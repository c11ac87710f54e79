import type { Config, RealServer, VirtualServer } from '@ipvs-director/config'
import { formatEndpoint } from '@ipvs-director/core'
import { situationOf, wantedWeight } from './desired.ts'
import type { Pool } from './pool.ts'

/** A real server that the file no longer has; it serves the connections it has (`drain_on_removal`). */
export interface LeavingServer {
  readonly service: string
  /** As it was, but not checked any more. */
  readonly real: RealServer
  /** Wall clock. */
  readonly since: number
  readonly deadline: number
}

/** Whether servers that the file has no more may serve on. */
export const isDrainedOnRemoval = ({ drainOnRemoval }: VirtualServer): boolean => drainOnRemoval > 0

/** Who leaves when `next` takes the place of what runs: those who leave already, and those it has no more. */
export function leavingAfter(
  before: readonly Pool[],
  next: Config,
  already: readonly LeavingServer[],
  now: number,
): readonly LeavingServer[] {
  const pools = new Map(before.map((pool) => [pool.config.name, pool]))
  const known = new Map(already.map((each) => [`${each.service} ${formatEndpoint(each.real)}`, each]))
  return next.virtualServers.flatMap((virtual) => {
    const pool = pools.get(virtual.name)
    if (pool === undefined || virtual.drainOnRemoval === 0) return []
    const kept = new Set(virtual.realServers.map(formatEndpoint))
    const situation = situationOf(pool)
    return [...pool.servers.values()].flatMap((server): LeavingServer[] => {
      if (kept.has(server.name)) return []
      const before = known.get(`${virtual.name} ${server.name}`)
      // When its time is over is for the drains to say, which do not go by the wall clock.
      if (before !== undefined) return [before]
      if (wantedWeight(server, situation) === undefined) return []
      const real: RealServer = { ...server.config, checkers: [], notifyUp: undefined, notifyDown: undefined }
      return [{ service: virtual.name, real, since: now, deadline: now + virtual.drainOnRemoval }]
    })
  })
}
