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

const ids = new WeakMap<CheckerConfig, string>()

/** Worked out once for each checker: it costs as much as all the rest of a status. */
export function checkIdOf(checker: CheckerConfig): string {
  let id = ids.get(checker)
  if (id === undefined) {
    id = checkId(checker.kind, checker.connection, checker.options, checker.timing)
    ids.set(checker, id)
  }
  return id
}

/** What is probed and how, without the timing: a reload keeps a checker's state exactly when this is equal. */
export const probeIdentityOf = (checker: CheckerConfig): string =>
  probeIdentity(checker.kind, checker.connection, checker.options)

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
  return health === undefined ? check : { ...check, initial: initialOf(health, check.initial.unproven) }
}

function initialOf(health: CheckHealth | undefined, fresh: boolean): InitialHealth {
  const seen = health?.seen ?? false
  return { up: health?.up ?? true, unproven: fresh && !seen, seen }
}
