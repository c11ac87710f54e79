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

/** A check, and everybody who asks for it: equal probes are made once. */
export interface PlannedCheck {
  readonly check: Check
  readonly subscribers: readonly Subscriber[]
}

/** By check id. */
export type CheckPlan = ReadonlyMap<string, PlannedCheck>

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
  const plan = new Map<string, PlannedCheck & { readonly subscribers: Subscriber[] }>()
  for (const pool of pools) {
    await inSlices(pool.servers, ([name, server]) => {
      server.config.checkers.forEach((config, index) => {
        const id = checkIdOf(config)
        const subscriber: Subscriber = { pool, server: name, checker: index }
        const known = plan.get(id)
        if (known !== undefined) {
          known.subscribers.push(subscriber)
          return
        }
        const { kind, connection, options, timing } = config
        const initial = initialOf(server.health.checks[index], fresh(subscriber))
        plan.set(id, { check: { id, kind, connection, options, timing, initial }, subscribers: [subscriber] })
      })
    })
  }
  return plan
}

/** The checks of the pools that run. */
export class CheckTable {
  readonly #plan = new Map<string, PlannedCheck>()

  ids(): Iterable<string> {
    return this.#plan.keys()
  }

  subscribers(id: string): readonly Subscriber[] {
    return this.#plan.get(id)?.subscribers ?? []
  }

  /** A check as it is to begin now, whatever was known when it was planned; undefined: nobody asks for it. */
  check(id: string): Check | undefined {
    const planned = this.#plan.get(id)
    if (planned === undefined) return undefined
    const { check, subscribers } = planned
    const [first] = subscribers
    const health = first?.pool.servers.get(first.server)?.health.checks[first.checker]
    const initial = health === undefined ? check.initial : initialOf(health, check.initial.unproven)
    return initial === check.initial ? check : { ...check, initial }
  }

  /** Takes out what some pools ask for, and puts in what is planned for others. Answers the ids that this is about. */
  change(gone: readonly Pool[], come: CheckPlan): ReadonlySet<string> {
    const left = new Set(gone)
    const touched = new Set<string>()
    for (const { servers } of gone) {
      for (const { config } of servers.values()) for (const each of config.checkers) touched.add(checkIdOf(each))
    }
    for (const id of touched) {
      const planned = this.#plan.get(id)
      if (planned === undefined) continue
      const subscribers = planned.subscribers.filter(({ pool }) => !left.has(pool))
      if (subscribers.length === 0) this.#plan.delete(id)
      else this.#plan.set(id, { check: planned.check, subscribers })
    }
    for (const [id, planned] of come) {
      touched.add(id)
      const known = this.#plan.get(id)
      if (known === undefined) this.#plan.set(id, planned)
      else this.#plan.set(id, { check: known.check, subscribers: [...known.subscribers, ...planned.subscribers] })
    }
    return touched
  }
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
