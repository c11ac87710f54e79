import { checkId, probeIdentity, type Check, type InitialHealth } from '@ipvs-director/checkers'
import type { CheckerConfig } from '@ipvs-director/config'
import type { CheckHealth, Pool } from './pool.ts'
import { inSlices } from './slices.ts'

/** Where a check's verdicts go: one checker of one real server of one pool. */
export interface Subscriber {
  readonly pool: Pool
  readonly server: string
  readonly checker: number
}

export interface CheckPlan {
  readonly checks: readonly Check[]
  /** By check id: equal probes are made once and told to everybody who asked. */
  readonly subscribers: ReadonlyMap<string, readonly Subscriber[]>
}

export const checkIdOf = remembered((checker) =>
  checkId(checker.kind, checker.connection, checker.options, checker.timing),
)

/** What is probed and how, without the timing: a reload keeps a checker's state exactly when this is equal. */
export const probeIdentityOf = remembered((checker) => probeIdentity(checker.kind, checker.connection, checker.options))

/** Digests are what a reload and a status would spend most of their time with: each checker has them made once. */
function remembered(make: (checker: CheckerConfig) => string): (checker: CheckerConfig) => string {
  const made = new WeakMap<CheckerConfig, string>()
  return (checker) => {
    let text = made.get(checker)
    if (text === undefined) made.set(checker, (text = make(checker)))
    return text
  }
}

/** Every distinct check of the pools, with who wants to hear of it. `fresh`: nothing was known before this run. */
export async function planChecks(
  pools: Iterable<Pool>,
  fresh: (subscriber: Subscriber) => boolean,
): Promise<CheckPlan> {
  const checks = new Map<string, Check>()
  const subscribers = new Map<string, Subscriber[]>()
  for (const pool of pools) {
    await inSlices(pool.servers, ([name, server]) => {
      server.config.checkers.forEach((config, index) => {
        const id = checkIdOf(config)
        const subscriber: Subscriber = { pool, server: name, checker: index }
        const others = subscribers.get(id)
        if (others !== undefined) {
          others.push(subscriber)
          return
        }
        subscribers.set(id, [subscriber])
        checks.set(id, {
          id,
          kind: config.kind,
          connection: config.connection,
          options: config.options,
          timing: config.timing,
          initial: initialOf(server.health.checks[index], fresh(subscriber)),
        })
      })
    })
  }
  return { checks: [...checks.values()], subscribers }
}

/** A check as it is to begin now, whatever was known when it was planned. */
export function asOfNow(check: Check, plan: CheckPlan): Check {
  const [first] = plan.subscribers.get(check.id) ?? []
  const health = first?.pool.servers.get(first.server)?.health.checks[first.checker]
  const initial = health === undefined ? check.initial : initialOf(health, check.initial.unproven)
  return initial === check.initial ? check : { ...check, initial }
}

function initialOf(health: CheckHealth | undefined, fresh: boolean): InitialHealth {
  const seen = health?.seen ?? false
  return believed(health?.up ?? true, fresh && !seen, seen)
}

/** All there are, by their bits: very many checks share them. */
const beliefs: readonly InitialHealth[] = Array.from({ length: 8 }, (_, bits) =>
  Object.freeze({ up: (bits & 1) !== 0, unproven: (bits & 2) !== 0, seen: (bits & 4) !== 0 }),
)

function believed(up: boolean, unproven: boolean, seen: boolean): InitialHealth {
  return beliefs[(up ? 1 : 0) | (unproven ? 2 : 0) | (seen ? 4 : 0)] ?? { up, unproven, seen }
}
