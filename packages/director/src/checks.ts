import { checkId, probeIdentity, type Check, type InitialHealth } from '@ipvs-director/checkers'
import type { CheckerConfig } from '@ipvs-director/config'
import { inSlices } from '@ipvs-director/core'
import type { CheckHealth, Pool } from './pool.ts'

/** Where a check's verdicts go: one checker of one real server of one pool. */
export interface Subscriber {
  readonly pool: Pool
  readonly server: string
  readonly checker: number
}

/** A check with the first who asks for it: equal probes are made once. */
export interface PlannedCheck extends Subscriber {
  readonly check: Check
  /** Who else asks for it. Of very many checks there is nobody: undefined. */
  readonly others: Subscriber[] | undefined
}

/** By check id. */
export type CheckPlan = ReadonlyMap<string, PlannedCheck>

/** Everybody who asks for a check. */
export function subscribersOf(planned: PlannedCheck | undefined): readonly Subscriber[] {
  return planned === undefined ? [] : [planned, ...(planned.others ?? [])]
}

function plannedFor(check: Check, first: Subscriber, others: Subscriber[]): PlannedCheck {
  const { pool, server, checker } = first
  return { pool, server, checker, check, others: others.length === 0 ? undefined : others }
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
  const plan = new Map<string, PlannedCheck & { others: Subscriber[] | undefined }>()
  for (const pool of pools) {
    await inSlices(pool.servers, ([name, server]) => {
      server.config.checkers.forEach((config, index) => {
        const id = checkIdOf(config)
        const subscriber: Subscriber = { pool, server: name, checker: index }
        const known = plan.get(id)
        if (known !== undefined) {
          known.others ??= []
          known.others.push(subscriber)
          return
        }
        const { kind, connection, options, timing } = config
        const initial = initialOf(server.health.checks[index], fresh(subscriber))
        plan.set(id, plannedFor({ id, kind, connection, options, timing, initial }, subscriber, []))
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
    return subscribersOf(this.#plan.get(id))
  }

  /** A check as it is to begin now, whatever was known when it was planned; undefined: nobody asks for it. */
  check(id: string): Check | undefined {
    const planned = this.#plan.get(id)
    if (planned === undefined) return undefined
    const { check, pool, server, checker } = planned
    const health = pool.servers.get(server)?.health.checks[checker]
    const initial = health === undefined ? check.initial : initialOf(health, check.initial.unproven)
    return initial === check.initial ? check : { ...check, initial }
  }

  /** What changes when some pools go and others come with what is planned for them. */
  async plan(gone: readonly Pool[], come: CheckPlan): Promise<CheckChange> {
    const left = new Set(gone)
    const after = new Map<string, PlannedCheck | undefined>()
    for (const { servers } of gone) {
      await inSlices(servers.values(), ({ config }) => {
        for (const id of config.checkers.map(checkIdOf)) {
          const planned = this.#plan.get(id)
          if (planned === undefined || after.has(id)) continue
          const [first, ...others] = subscribersOf(planned).filter(({ pool }) => !left.has(pool))
          after.set(id, first === undefined ? undefined : plannedFor(planned.check, first, others))
        }
      })
    }
    const touched = new Set<string>()
    await inSlices(come, ([id, planned]) => {
      const known = after.has(id) ? after.get(id) : this.#plan.get(id)
      if (known === undefined) after.set(id, planned)
      else after.set(id, plannedFor(known.check, known, [...(known.others ?? []), ...subscribersOf(planned)]))
    })
    await inSlices(after, ([id, planned]) => {
      if (namesOf(planned) !== namesOf(this.#plan.get(id))) touched.add(id)
    })
    return { after, touched }
  }

  /** Makes a change that was planned since the last one. */
  change({ after }: CheckChange): void {
    for (const [id, planned] of after) {
      if (planned === undefined) this.#plan.delete(id)
      else this.#plan.set(id, planned)
    }
  }
}

/** What becomes of checks, by their ids; undefined: nobody asks for it any more. */
export interface CheckChange {
  readonly after: ReadonlyMap<string, PlannedCheck | undefined>
  /** Those of which other virtual servers are to hear than before. */
  readonly touched: ReadonlySet<string>
}

/** The virtual servers that hear of a check, each once, as a text. */
function namesOf(planned: PlannedCheck | undefined): string {
  if (planned === undefined) return ''
  if (planned.others === undefined) return planned.pool.config.name
  return [...new Set(subscribersOf(planned).map(({ pool }) => pool.config.name))].sort().join('\n')
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
