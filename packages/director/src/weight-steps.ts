import type { WeightStep } from '@ipvs-director/control'
import type { Situation } from './desired.ts'
import { effectiveWeight, fullWeight, isAlive, isServing, servingWeight, type PoolServer } from './pool.ts'
import { describeSteer } from './steer.ts'

/**
 * Why a server has the weight that is wanted for it: all that moves it away from the configured one, in order. The last
 * step's weight is `wantedWeight`; without any step that is the configured weight.
 */
export function weightSteps(server: PoolServer, situation: Situation): WeightStep[] {
  const { steer } = server
  const own = [...checkSteps(server), ...handSteps(server)]
  if (steer.admin !== undefined) return own
  const serving = isServing(server)
  if (serving && !situation.sorryActive) return [...own, ...forcedStep(server), ...shareSteps(server, situation)]
  if (situation.panic && steer.force !== 'down' && !situation.sorryActive) {
    const why = 'so many are down that the checks are not believed (panic_threshold), and all serve'
    return [...own, { by: 'panic_threshold', weight: fullWeight(server), why }, ...shareSteps(server, situation)]
  }
  return [...own, ...outSteps(server, situation, serving)]
}

/** Dynamic checks: MISC_CHECK with misc_dynamic, agents. */
function checkSteps(server: PoolServer): WeightStep[] {
  const { config, health } = server
  const weight = effectiveWeight(health, config.weight)
  return config.checkers.flatMap(({ kind }, i): WeightStep[] => {
    const check = health.checks[i]
    const asked = check?.up === true ? check.verdict?.weight : undefined
    if (asked === undefined) return []
    return [{ by: 'check', weight, why: `${kind} asks for ${asked} instead of ${config.weight}` }]
  })
}

function handSteps(server: PoolServer): WeightStep[] {
  const { steer, health, config } = server
  const steps: WeightStep[] = []
  if (steer.weight !== undefined) {
    steps.push({ by: 'hand', weight: steer.weight, why: `${describeSteer({ weight: steer.weight })} by hand` })
  }
  if (steer.admin !== undefined) {
    const stays = steer.admin.kind !== 'drained' && (isAlive(health) || config.inhibitOnFailure)
    steps.push({ by: 'hand', weight: stays ? 0 : undefined, why: `${steer.admin.kind} by hand` })
  }
  return steps
}

function forcedStep(server: PoolServer): WeightStep[] {
  if (server.steer.force === undefined || isAlive(server.health)) return []
  return [{ by: 'force', weight: fullWeight(server), why: 'it counts as up by hand' }]
}

/** What a server that serves gets of its weight. */
function shareSteps(server: PoolServer, { tier }: Situation): WeightStep[] {
  if (server.config.tier > tier) {
    const why = `it is of tier ${server.config.tier} and stands by while those up to tier ${tier} make the quorum`
    return [{ by: 'tier', weight: 0, why }]
  }
  if (server.ramp === 1) return []
  const share = `${Math.round(server.ramp * 100)} % of weight ${fullWeight(server)}`
  const why = `${share}, as it has come back and starts slowly (slow_start)`
  return [{ by: 'slow_start', weight: servingWeight(server), why }]
}

/** Why it does not serve, and what it keeps all the same. */
function outSteps(server: PoolServer, { sorryActive }: Situation, serving: boolean): WeightStep[] {
  const { degradedWeight, inhibitOnFailure } = server.config
  const steps: WeightStep[] = []
  if (sorryActive && (serving || degradedWeight !== undefined)) {
    steps.push({ by: 'sorry_server', weight: undefined, why: 'the sorry server serves until quorum is gained' })
  }
  if (!serving) steps.push(downStep(server))
  if (!sorryActive && degradedWeight !== undefined) {
    const why = 'it keeps a little of its share instead of being taken out (degraded_weight)'
    steps.push({ by: 'degraded_weight', weight: degradedWeight, why })
  } else if (inhibitOnFailure) {
    const why = 'inhibited instead of taken out, so that its connections live on (inhibit_on_failure)'
    steps.push({ by: 'inhibit_on_failure', weight: 0, why })
  }
  return steps
}

function downStep({ steer, health, config }: PoolServer): WeightStep {
  if (steer.force === 'down') return { by: 'force', weight: undefined, why: 'it counts as down by hand' }
  const failed = health.checks.flatMap((check, i) => (check.up ? [] : [{ check, alpha: config.checkers[i]?.timing.alpha }])) // prettier-ignore
  if (failed.some(({ check }) => check.seen)) {
    return { by: 'down', weight: undefined, why: 'it is down' }
  }
  return failed.some(({ alpha }) => alpha === true)
    ? { by: 'alpha', weight: undefined, why: 'it is out until its checks have succeeded once (alpha)' }
    : {
        by: 'adopted',
        weight: undefined,
        why: 'it is out as it was found at the start, until its checks have succeeded',
      }
}
