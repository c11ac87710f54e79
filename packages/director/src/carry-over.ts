import type { VirtualServer } from '@ipvs-director/config'
import { formatEndpoint } from '@ipvs-director/core'
import { probeIdentityOf } from './checks.ts'
import { isAlive, type CheckHealth, type Pool, type PoolServer, type ServerHealth } from './pool.ts'

/**
 * A pool's health across a reload. A checker's state belongs to what it probes and how: equal probe, equal state,
 * whatever else changed. A checker that is new on a server that was there starts by the server's state
 * (reference/checkers.md §9).
 */
export function carriedHealth(next: VirtualServer, before: Pool): Map<string, ServerHealth> {
  const health = new Map<string, ServerHealth>()
  for (const real of next.realServers) {
    const name = formatEndpoint(real)
    const old = before.servers.get(name)
    if (old === undefined) continue
    const known = checksByProbe(old)
    const wasAlive = isAlive(old.health)
    const checks = real.checkers.map(
      (checker) => known.get(probeIdentityOf(checker)) ?? newCheck(wasAlive || !checker.timing.alpha),
    )
    const failed = checks.filter((check) => !check.up).length
    const contribution = sharesOf(checks, real.weight)
    const since = (failed === 0) === wasAlive ? old.health.since : undefined
    health.set(name, { checks, failed, contribution, since })
  }
  return health
}

function checksByProbe(server: PoolServer): Map<string, CheckHealth> {
  const known = new Map<string, CheckHealth>()
  server.config.checkers.forEach((checker, i) => {
    const check = server.health.checks[i]
    if (check !== undefined) known.set(probeIdentityOf(checker), check)
  })
  return known
}

function newCheck(up: boolean): CheckHealth {
  return { up, seen: false, since: undefined, verdict: undefined, at: undefined }
}

function sharesOf(checks: readonly CheckHealth[], weight: number): number {
  return checks.reduce(
    (sum, { up, verdict }) => sum + (up && verdict?.weight !== undefined ? verdict.weight - weight : 0),
    0,
  )
}
