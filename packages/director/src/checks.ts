import { checkId, probeIdentity, type Check, type InitialHealth, type Report } from '@ipvs-director/checkers'
import type { CheckerConfig } from '@ipvs-director/config'
import { checkStep, type CheckHealth, type Pool, type PoolServer } from './pool.ts'

/** Where a check's verdicts go: one checker of one real server of one pool. */
export interface Subscriber {
  readonly pool: Pool
  readonly server: string
  readonly checker: number
}

/** A check with the first who asks for it: equal probes are made once. */
interface Asked extends Subscriber {
  readonly check: Check
  /** Who else asks for it. Of very many checks there is nobody: undefined. */
  readonly others: Subscriber[] | undefined
}

/** A check that nobody asks for any more, or not yet again: what it finds meanwhile is not forgotten. */
interface Left {
  readonly check: Check
  readonly health: CheckHealth | undefined
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

/** The checks of the pools that run. */
export class CheckTable {
  readonly #asked = new Map<string, Asked>()
  readonly #left = new Map<string, Left>()
  /** Checks that somebody asked for or left, with who had heard of them before. */
  readonly #touched = new Map<string, string>()

  ids(): Iterable<string> {
    return this.#asked.keys()
  }

  subscribers(id: string): readonly Subscriber[] {
    const asked = this.#asked.get(id)
    return asked === undefined ? [] : [asked, ...(asked.others ?? [])]
  }

  /** A check as it is to begin now; undefined: nobody asks for it. */
  check(id: string): Check | undefined {
    const asked = this.#asked.get(id)
    if (asked === undefined) return undefined
    const { check } = asked
    const health = healthOf(asked)
    const initial = health === undefined ? check.initial : initialOf(health, check.initial.unproven)
    return initial === check.initial ? check : { ...check, initial }
  }

  /** What a check that is under way has found, for whomever it is; undefined: it is not, or there is nothing yet. */
  found(checker: CheckerConfig): CheckHealth | undefined {
    const id = checkIdOf(checker)
    const asked = this.#asked.get(id)
    const health = asked === undefined ? this.#left.get(id)?.health : healthOf(asked)
    return health?.seen === true ? health : undefined
  }

  /** The checkers of a server ask for checks. `fresh`: nothing was known of it before this run. */
  ask(pool: Pool, server: PoolServer, fresh: boolean): void {
    server.config.checkers.forEach((config, checker) => {
      const id = checkIdOf(config)
      const subscriber: Subscriber = { pool, server: server.name, checker }
      const asked = this.#asked.get(id)
      this.#touch(id)
      if (asked?.others !== undefined) asked.others.push(subscriber)
      else if (asked !== undefined) this.#asked.set(id, { ...asked, others: [subscriber] })
      else {
        const { kind, connection, options, timing } = config
        const initial = initialOf(server.health.checks[checker], fresh)
        const check = this.#left.get(id)?.check ?? { id, kind, connection, options, timing, initial }
        this.#left.delete(id)
        this.#asked.set(id, { ...subscriber, check, others: undefined })
      }
    })
  }

  /** Checkers of a server ask no more. To be told before they change. */
  leave(pool: Pool, { name, config, health }: PoolServer): void {
    config.checkers.forEach((checker, i) => {
      const id = checkIdOf(checker)
      const asked = this.#asked.get(id)
      if (asked === undefined) return
      this.#touch(id)
      const isHim = (each: Subscriber): boolean => each.pool === pool && each.server === name && each.checker === i
      const { check, others = [] } = asked
      if (!isHim(asked)) {
        const at = others.findIndex(isHim)
        if (at >= 0) others.splice(at, 1)
        return
      }
      const next = others.shift()
      if (next !== undefined) this.#asked.set(id, { ...next, check, others })
      else {
        this.#asked.delete(id)
        this.#left.set(id, { check, health: health.checks[i] })
      }
    })
  }

  /** What one that was left says. */
  heard(report: Report): void {
    const left = this.#left.get(report.id)
    if (left !== undefined) this.#left.set(report.id, { ...left, health: checkStep(left.health, report) })
  }

  /**
   * All who ask have asked: what was left is forgotten. Answers the checks of which other virtual servers are to hear than the
   * last time, with a rest after each of those that may be.
   */
  *settle(): Generator<undefined, ReadonlySet<string>, undefined> {
    const changed = new Set<string>()
    for (const [id, before] of this.#touched) {
      if (this.#namesOf(id) !== before) changed.add(id)
      yield
    }
    this.#touched.clear()
    this.#left.clear()
    return changed
  }

  #touch(id: string): void {
    if (!this.#touched.has(id)) this.#touched.set(id, this.#namesOf(id))
  }

  /** The virtual servers that hear of a check, each once, as a text. */
  #namesOf(id: string): string {
    const asked = this.#asked.get(id)
    if (asked === undefined) return ''
    if (asked.others === undefined || asked.others.length === 0) return asked.pool.config.name
    return [...new Set(this.subscribers(id).map(({ pool }) => pool.config.name))].sort().join('\n')
  }
}

const healthOf = ({ pool, server, checker }: Subscriber): CheckHealth | undefined =>
  pool.servers.get(server)?.health.checks[checker]

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
