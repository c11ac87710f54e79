import { delaysOf } from '@ipvs-director/checkers'
import type { CheckerConfig } from '@ipvs-director/config'
import { formatDuration, formatEndpoint, millis, type Millis } from '@ipvs-director/core'
import { situationOf } from '../desired.ts'
import { fullWeight, isServing, type Pool, type PoolServer } from '../pool.ts'
import { describeSteer, isUnsteered } from '../steer.ts'

/** Why we would give a server the weight we would: what its checks say, and what else its weight hangs on. */
export function whyServer(pool: Pool, server: PoolServer, now: number): string {
  const { health, steer, config } = server
  if (!isUnsteered(steer)) return `asked for by hand: ${describeSteer(steer)}`
  const failed = config.checkers.flatMap((checker, i) => {
    const check = health.checks[i]
    if (check === undefined || check.up) return []
    const target = checker.connection === undefined ? '' : ` ${formatEndpoint(checker.connection)}`
    const since = check.since === undefined ? '' : ` for ${formatDuration(now - check.since)}`
    return [`${checker.kind}${target} fails${since}: ${check.verdict?.reason ?? 'no verdict yet, believed down'}`]
  })
  if (failed.length > 0) return failed.join('; ')
  const known = health.checks.every(({ seen }) => seen)
  return [known ? 'its checks pass' : 'not every check has given a verdict yet', ...weightParts(pool, server)].join(
    ', ',
  )
}

function weightParts(pool: Pool, server: PoolServer): string[] {
  const { config, health, ramp } = server
  const { sorryActive, panic, tier } = situationOf(pool)
  return [
    `configured weight ${config.weight}`,
    ...(health.contribution === 0 ? [] : [`its checks add ${health.contribution}, which makes ${fullWeight(server)}`]),
    ...(ramp === 1 ? [] : ['it starts slowly (slow_start)']),
    ...(config.tier > tier ? [`it stands by (tier ${config.tier})`] : []),
    ...(panic && !isServing(server) ? ['the checks are not believed (panic_threshold)'] : []),
    ...(sorryActive ? [quorumText(pool)] : []),
  ]
}

/** Why we would, or would not, have the sorry server. */
export function quorumText({ quorum, config }: Pool): string {
  const need = quorum.up ? config.quorum - config.hysteresis : config.quorum + config.hysteresis
  return `quorum is ${quorum.up ? 'there' : 'lost'}: weight ${quorum.aliveWeight}, ${quorum.up ? 'lost below' : 'wanted'} ${need}`
}

/**
 * How far apart two programs may rightly be over one server: each finds a failure, or a recovery, up to one whole check
 * after the other.
 */
export function patienceOf({ config }: PoolServer): Millis {
  return millis(Math.max(0, ...config.checkers.map(noticeTime)))
}

/** Of several urls each has its turn: that, and probes of a server that is well but slow. */
function noticeTime(config: CheckerConfig): number {
  const { delayLoop, retry, delayBeforeRetry, timeout, rise = 1, jitter = 0 } = config.timing
  const failing = delayLoop + timeout + retry * (delayBeforeRetry + timeout)
  const rising = rise * (delayLoop + timeout)
  const { silent = 0, recovered = 0, successes = 0 } = delaysOf(config) ?? {}
  const walk = Math.max(Number.isFinite(silent) ? silent : 0, recovered + successes * timeout)
  return Math.max(failing * (1 + jitter), rising * (1 + jitter), walk)
}

/** What may pass at the start before a first verdict. */
export function warmupOf(pools: readonly Pool[]): Millis {
  let longest = 0
  for (const { config } of pools)
    for (const { checkers } of config.realServers)
      for (const { timing } of checkers) longest = Math.max(longest, timing.warmup + timing.timeout)
  return millis(longest)
}
