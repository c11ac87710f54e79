import type { RealServer, VirtualServer } from '@ipvs-director/config'
import { formatEndpoint } from '@ipvs-director/core'
import type { Verdict } from '@ipvs-director/checkers'
import { unsteered, type Steer } from './steer.ts'

/**
 * A virtual server's pool: which of its real servers are alive, and whether their weight makes quorum. Two small pure
 * machines, one per server and one per pool; `Pool` holds their states and feeds one into the other, so that a verdict
 * costs the same in a pool of two and of ten thousand.
 */

/** The kernel refuses weights above this (reference/checkers.md §5). */
export const maxWeight = 2 ** 31 - 1

/** What is known of one checker of one real server. */
export interface CheckHealth {
  readonly up: boolean
  /** False until its first verdict in this run. */
  readonly seen: boolean
  /** Wall clock of the last turn, or of the first verdict; undefined before. */
  readonly since: number | undefined
  readonly verdict: Verdict | undefined
  /** Wall clock of `verdict`. */
  readonly at: number | undefined
}

/** A server's checkers taken together. */
export interface ServerHealth {
  readonly checks: readonly CheckHealth[]
  /** How many checkers are down; the server is alive when none is. */
  readonly failed: number
  /** What dynamic checkers add to the configured weight. */
  readonly contribution: number
  /** Wall clock of the last change of `alive`, or of the first verdict. */
  readonly since: number | undefined
  /** How often `alive` has changed. */
  readonly turns: number
}

export interface QuorumState {
  readonly up: boolean
  /** Σ weight of alive servers. */
  readonly aliveWeight: number
}

/** Quorum as configured, after the fix-ups of reference/checkers.md §5. */
export interface QuorumRule {
  readonly quorum: number
  readonly hysteresis: number
}

/** What happened to a pool that others must hear of. */
export type PoolEffect =
  | {
      readonly kind: 'server'
      readonly server: PoolServer
      readonly up: boolean
      /** False when this only confirms what was assumed at the start. */
      readonly turned: boolean
      readonly verdict: Verdict
    }
  | { readonly kind: 'weight'; readonly server: PoolServer; readonly from: number; readonly to: number }
  /** Too many are down to believe it (`panic_threshold`): all serve; or no more so. */
  | { readonly kind: 'panic'; readonly on: boolean; readonly alive: number; readonly counted: number }
  | {
      readonly kind: 'quorum'
      readonly up: boolean
      /** There was no answer before: no sorry server served. */
      readonly first?: true
      readonly threshold: number
      readonly aliveWeight: number
    }

export interface CheckVerdict {
  readonly checker: number
  readonly up: boolean
  readonly first: boolean
  readonly verdict: Verdict
  readonly at: number
}

export const isAlive = (server: ServerHealth): boolean => server.failed === 0

/**
 * Takes a verdict into a server's health. A dynamic checker's share is what it asks for less the configured weight,
 * so that several add up; a failed one's share is taken back (reference/checkers.md §4.7).
 */
export function serverStep(server: ServerHealth, event: CheckVerdict, configuredWeight: number): ServerHealth {
  const before = server.checks[event.checker]
  if (before === undefined) return server
  const check = checkStep(before, event)
  const checks = server.checks.with(event.checker, check)
  const failed = server.failed + (before.up ? 1 : 0) - (event.up ? 1 : 0)
  const contribution =
    server.contribution -
    shareOf(before.verdict, before.up, configuredWeight) +
    shareOf(event.verdict, event.up, configuredWeight)
  const changed = (failed === 0) !== (server.failed === 0)
  const since = changed || server.since === undefined ? event.at : server.since
  return { checks, failed, contribution, since, turns: server.turns + (changed ? 1 : 0) }
}

/** Takes a verdict into what is known of a check. */
export function checkStep(
  before: CheckHealth | undefined,
  { up, verdict, at }: Pick<CheckVerdict, 'up' | 'verdict' | 'at'>,
): CheckHealth {
  const isAsBefore = before?.seen === true && before.up === up
  return { up, seen: true, since: isAsBefore ? before.since : at, verdict, at }
}

function shareOf(verdict: Verdict | undefined, up: boolean, configuredWeight: number): number {
  return up && verdict?.weight !== undefined ? verdict.weight - configuredWeight : 0
}

/** The weight a server has while alive: configured plus contributions, within what the kernel takes. */
export function effectiveWeight(server: ServerHealth, configuredWeight: number): number {
  return Math.min(Math.max(configuredWeight + server.contribution, 0), maxWeight)
}

/**
 * Quorum with hysteresis: lost when nothing is alive or the weight falls below Q−H, gained when it reaches Q+H
 * (reference/checkers.md §5).
 */
export function quorumStep(state: QuorumState, aliveWeight: number, rule: QuorumRule): QuorumState {
  const { quorum, hysteresis } = rule
  const lost = state.up && (aliveWeight === 0 || aliveWeight < quorum - hysteresis)
  const gained = !state.up && aliveWeight > 0 && aliveWeight >= quorum + hysteresis
  return { up: lost ? false : state.up || gained, aliveWeight }
}

/** The threshold the last answer was measured against: gain when up, loss when down. */
export function thresholdOf(up: boolean, rule: QuorumRule): number {
  return up ? rule.quorum + rule.hysteresis : rule.quorum - rule.hysteresis
}

/** One real server with its health. It stays the same object while its pool has a server of that name. */
export interface PoolServer {
  config: RealServer
  /** `10.0.0.2:80` */
  readonly name: string
  health: ServerHealth
  steer: Steer
  /** Share of its weight that it gets while `slow_start` lasts: above 0, at most 1. */
  ramp: number
}

/** Whether a server takes part: by its checkers unless an operator says otherwise, never when taken out by hand. */
export function isServing({ health, steer }: Pick<PoolServer, 'health' | 'steer'>): boolean {
  if (steer.admin !== undefined) return false
  return steer.force === undefined ? isAlive(health) : steer.force === 'up'
}

/** The weight a server has while it serves, once it has started slowly. */
export function fullWeight({ config, health, steer }: PoolServer): number {
  return steer.weight ?? effectiveWeight(health, config.weight)
}

/** The weight a serving server has now. */
export function servingWeight(server: PoolServer): number {
  const full = fullWeight(server)
  return server.ramp === 1 || full === 0 ? full : Math.max(1, Math.floor(full * server.ramp))
}

/** Whether it would serve if nobody believed its checks. */
const couldServe = ({ steer }: PoolServer): boolean => steer.admin === undefined && steer.force !== 'down'

export interface Pool {
  readonly config: VirtualServer
  /** In the order of the configuration. */
  readonly servers: ReadonlyMap<string, PoolServer>
  /** How many servers operators have a wish for. */
  readonly steered: number
  readonly quorum: QuorumState
  /** The checks are not believed: every server serves that may. */
  readonly panic: boolean
  /** Wall clock of the last change of quorum. */
  readonly since: number
  /** How often quorum has changed. */
  readonly turns: number
  /** From `change` to `begin`. */
  readonly changing: boolean
  /** Takes a verdict in; returns what changed, in the order in which keepalived would tell it. */
  verdict(server: string, event: CheckVerdict): PoolEffect[]
  /** Lays an operator's wish over a server, instead of an earlier one. */
  steer(server: string, steer: Steer, at: number): PoolEffect[]
  /**
   * Another configuration takes the place of this one: servers are put in, set and taken out, with anything else that happens to
   * them in between, and nothing is judged by what is half done. `begin` is the end of it.
   */
  change(config: VirtualServer): void
  /** A new server, behind the others. */
  put(server: PoolServer): void
  /** Changes one of its servers. */
  set(server: PoolServer, change: Partial<Omit<PoolServer, 'name'>>): void
  /** Takes a server out. */
  remove(name: string): void
  /** The same servers, in another order. The map is the pool's from now on. */
  arrange(servers: Map<string, PoolServer>): void
  /**
   * Judges the quorum: for the first time by the gain threshold, and a pool that stays down tells so only with a sorry server;
   * after a change from what it was.
   */
  begin(at: number): PoolEffect[]
}

/** Every real server was taken out and has no connection left. */
export function isDrained({ servers }: Pool): boolean {
  return [...servers.values()].every(({ steer }) => steer.admin?.kind === 'drained')
}

let lastInitial = untold([])

/** Health before any verdict: `up` as believed, per checker. One object for all in a row that begin alike: most do. */
export function initialHealth(up: readonly boolean[]): ServerHealth {
  const { checks } = lastInitial
  if (checks.length !== up.length || !up.every((believed, i) => checks[i]?.up === believed)) lastInitial = untold(up)
  return lastInitial
}

function untold(up: readonly boolean[]): ServerHealth {
  return {
    checks: up.map((believed) => ({ up: believed, seen: false, since: undefined, verdict: undefined, at: undefined })),
    failed: up.filter((believed) => !believed).length,
    contribution: 0,
    since: undefined,
    turns: 0,
  }
}

export interface PoolStart {
  /** Health of a server; default, and where it answers nothing: by its checkers' alpha. */
  readonly health?: (real: RealServer, name: string) => ServerHealth | undefined
  /** What operators asked of servers, by name. */
  readonly steers?: ReadonlyMap<string, Steer>
  readonly since: number
}

/** A pool of everything that its configuration says. */
export function createPool(config: VirtualServer, start: PoolStart): Pool {
  const pool = new RunningPool(config, start.since)
  for (const real of config.realServers) {
    const name = formatEndpoint(real)
    const health = start.health?.(real, name) ?? initialHealth(real.checkers.map((checker) => !checker.timing.alpha))
    pool.put({ config: real, name, health, steer: start.steers?.get(name) ?? unsteered, ramp: 1 })
  }
  return pool
}

/** A pool that nobody is in yet. */
export function emptyPool(config: VirtualServer, since: number): Pool {
  return new RunningPool(config, since)
}

/** The same once more, to try something on; in slices, as there may be very many servers. */
export function* copyOf(pool: Pool): Generator<undefined, Pool, undefined> {
  const copy = new RunningPool(pool.config, pool.since)
  for (const server of pool.servers.values()) {
    copy.put({ ...server })
    yield
  }
  copy.follow(pool)
  return copy
}

/** A class: there may be thousands, and functions of its own for each of them are more than most of their servers need. */
class RunningPool implements Pool {
  config: VirtualServer
  servers = new Map<string, PoolServer>()
  quorum: QuorumState = { up: false, aliveWeight: 0 }
  panic = false
  since: number
  turns = 0
  steered = 0
  changing = false
  /** The quorum was judged before. */
  #judged = false
  #weight = 0
  #alive = 0
  #possible = 0
  #counted = 0

  constructor(config: VirtualServer, since: number) {
    this.config = config
    this.since = since
  }

  change(config: VirtualServer): void {
    this.config = config
    this.changing = true
  }

  put(server: PoolServer): void {
    this.servers.set(server.name, server)
    this.#count(server, 1)
    this.#assume()
  }

  set(server: PoolServer, change: Partial<Omit<PoolServer, 'name'>>): void {
    this.#count(server, -1)
    Object.assign(server, change)
    this.#count(server, 1)
    this.#assume()
  }

  remove(name: string): void {
    const server = this.servers.get(name)
    if (server === undefined) return
    this.#count(server, -1)
    this.servers.delete(name)
    this.#assume()
  }

  arrange(servers: Map<string, PoolServer>): void {
    this.servers = servers
  }

  /** Stands where another one stands. */
  follow({ quorum, panic, turns }: Pool): void {
    this.panic = panic
    this.turns = turns
    this.quorum = { up: quorum.up, aliveWeight: this.#weightNow() }
    this.#judged = true
  }

  begin(at: number): PoolEffect[] {
    if (this.changing) this.#assume()
    this.changing = false
    const effects = this.#judge(at)
    const { config, quorum } = this
    const isFirst = !this.#judged
    this.#judged = true
    if (effects.length > 0 || quorum.up || config.sorryServer === undefined || !isFirst) return effects
    return [{ kind: 'quorum', up: false, threshold: thresholdOf(true, config), aliveWeight: this.#weightNow() }]
  }

  verdict(name: string, event: CheckVerdict): PoolEffect[] {
    const server = this.servers.get(name)
    if (server === undefined) return []
    const before = server.health
    const weightBefore = fullWeight(server)
    this.#count(server, -1)
    server.health = serverStep(before, event, server.config.weight)
    this.#count(server, 1)
    const effects: PoolEffect[] = []
    const up = isAlive(server.health)
    const turned = up !== isAlive(before)
    if (turned || (event.first && before.checks[event.checker]?.up === event.up && tellsFirst(server, event))) {
      effects.push({ kind: 'server', server, up, turned, verdict: event.verdict })
    }
    const weight = fullWeight(server)
    if (weight !== weightBefore) effects.push({ kind: 'weight', server, from: weightBefore, to: weight })
    return [...effects, ...this.#judge(event.at)]
  }

  steer(name: string, steer: Steer, at: number): PoolEffect[] {
    const server = this.servers.get(name)
    if (server === undefined) return []
    this.#count(server, -1)
    server.steer = steer
    this.#count(server, 1)
    return this.#judge(at)
  }

  /** Adds a server to the sums, or takes it out of them: before and after whatever changes it. */
  #count(server: PoolServer, sign: 1 | -1): void {
    if (server.steer !== unsteered) this.steered += sign
    if (isServing(server)) {
      this.#weight += sign * fullWeight(server)
      this.#alive += sign
    }
    if (couldServe(server)) {
      this.#possible += sign * fullWeight(server)
      this.#counted += sign
    }
  }

  #inPanic(): boolean {
    return this.#counted > 0 && this.#alive * 100 < this.config.panicThreshold * this.#counted
  }

  #weightNow(): number {
    return this.panic ? this.#possible : this.#weight
  }

  /** Before it is judged for the first time: as if it were down, or in panic, already. */
  #assume(): void {
    if (this.#judged) return
    this.panic = this.#inPanic()
    this.quorum = { up: false, aliveWeight: this.#weightNow() }
  }

  #judge(at: number): PoolEffect[] {
    if (this.changing) return []
    const effects: PoolEffect[] = []
    if (this.#inPanic() !== this.panic) {
      this.panic = !this.panic
      effects.push({ kind: 'panic', on: this.panic, alive: this.#alive, counted: this.#counted })
    }
    const aliveWeight = this.#weightNow()
    const next = quorumStep(this.quorum, aliveWeight, this.config)
    const changed = next.up !== this.quorum.up
    this.quorum = next
    if (!changed) return effects
    this.since = at
    this.turns++
    const threshold = thresholdOf(next.up, this.config)
    const quorum = { kind: 'quorum', up: next.up, threshold, aliveWeight } as const
    return [...effects, this.#judged ? quorum : { ...quorum, first: true }]
  }
}

/** A first verdict that changes nothing is told when it is bad news, or when the checker had to prove itself (§3). */
function tellsFirst(server: PoolServer, event: CheckVerdict): boolean {
  return !event.up || (server.config.checkers[event.checker]?.timing.alpha ?? false)
}
