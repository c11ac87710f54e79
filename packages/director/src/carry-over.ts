import type { RealServer } from '@ipvs-director/config'
import { probeIdentityOf, type CheckTable } from './checks.ts'
import { isAlive, type CheckHealth, type PoolEffect, type PoolServer, type ServerHealth } from './pool.ts'

/**
 * A server's health across a reload. A checker's state belongs to what it probes and how: equal probe, equal state,
 * whatever else changed. A checker that is new on a server that was there starts by the server's state
 * (reference/checkers.md §9). A check that is under way already, for whomever, is told of again only when it turns: who asks
 * for it now begins by what it has found.
 */
export function carriedHealth(real: RealServer, old: PoolServer | undefined, running: CheckTable): ServerHealth {
  if (old?.config.checkers === real.checkers && old.config.weight === real.weight) return old.health
  const known = old === undefined ? new Map<string, CheckHealth>() : checksByProbe(old)
  const wasAlive = old === undefined ? undefined : isAlive(old.health)
  const checks = real.checkers.map(
    (checker) =>
      running.found(checker) ??
      known.get(probeIdentityOf(checker)) ??
      newCheck((wasAlive ?? false) || !checker.timing.alpha),
  )
  const failed = checks.filter((check) => !check.up).length
  const contribution = sharesOf(checks, real.weight)
  const isAsBefore = old !== undefined && (failed === 0) === wasAlive
  const since = isAsBefore ? old.health.since : sinceOf(checks)
  const turns = old === undefined ? 0 : old.health.turns + (isAsBefore ? 0 : 1)
  return { checks, failed, contribution, since, turns }
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

/** Since when the server has been as its checks say; undefined: not all of that is known. */
function sinceOf(checks: readonly CheckHealth[]): number | undefined {
  const failed = checks.filter(({ up }) => !up)
  const times = (failed.length > 0 ? failed : checks).map(({ since }) => since)
  const known = times.filter((since) => since !== undefined)
  if (known.length === 0 || (failed.length === 0 && known.length < times.length)) return undefined
  return failed.length > 0 ? Math.min(...known) : Math.max(...known)
}

/** What is to be told of a server that is new in a pool, where it is not as one without any verdict would be. */
export function inheritedEffects(server: PoolServer): readonly PoolEffect[] {
  const up = isAlive(server.health)
  const assumed = server.config.checkers.every(({ timing }) => !timing.alpha)
  const verdict = server.health.checks.find((check) => check.up === up && check.verdict !== undefined)?.verdict
  return up === assumed || verdict === undefined ? [] : [{ kind: 'server', server, up, turned: true, verdict }]
}

function sharesOf(checks: readonly CheckHealth[], weight: number): number {
  return checks.reduce(
    (sum, { up, verdict }) => sum + (up && verdict?.weight !== undefined ? verdict.weight - weight : 0),
    0,
  )
}
