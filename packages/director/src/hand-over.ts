import type { VirtualServer } from '@ipvs-director/config'
import { inPortions, inSlices, stepwise } from '@ipvs-director/core'
import { diffSteps, type Destination, type Service, type ServiceKey, type Table } from 'ipvs-netlink'
import { carriedHealth, inheritedEffects } from './carry-over.ts'
import type { CheckTable } from './checks.ts'
import { describeCommand } from './commands.ts'
import { desiredEntry, desiredTable, growService, isSetAs, isSimple, serviceIdOf, serviceKeys } from './desired.ts'
import type { Generation, PoolChange } from './generation.ts'
import { idsOf } from './overlay-services.ts'
import { steersFor, type Overlay } from './overlay.ts'
import type { Pool, PoolServer } from './pool.ts'
import type { PoolTable } from './pool-table.ts'
import type { Reconciler } from './reconcile.ts'
import { unsteered, type Steer } from './steer.ts'
import { describeServiceChange, type ServerChange, type Tables } from './service-changes.ts'
import { tellGoneSteps, tellRemoved, type EffectOfPool, type Tellers } from './transitions.ts'

/** Real servers that are gone, as they were last, by virtual server and name. */
export type Removed = ReadonlyMap<string, PoolServer>

/** What a generation goes by when it takes over. */
export interface Surroundings {
  readonly now: number
  /** What of it was there before comes back with what was known of it. */
  readonly known: Removed
  /** What operators want at this moment: a drain may end between two slices. */
  readonly overlay: () => Overlay
  /** Checks that are under way. */
  readonly checks: CheckTable
  /** What is wanted of the kernel so far. */
  readonly desired: Table
  /** Services for data paths, before and from now on. */
  readonly dataPaths: Tables
}

/** Who is told of each step; a plan, which tries it on copies, tells nobody. */
export interface Receivers {
  readonly table: PoolTable
  readonly reconciler: Reconciler
  readonly tellers: Tellers
}

/** What has come of it. */
export interface HandedOver {
  /** What changes, first in the kernel's table, a line each. */
  readonly changes: readonly string[]
  /** To be told once it is written. */
  readonly effects: readonly EffectOfPool[]
  readonly removed: Removed
}

/**
 * Makes pools what the next generation says, one after the other and each in slices: whoever has something to do has a turn in
 * between, and verdicts, drains and slow starts count for what is there at that moment. While a pool changes its quorum is not
 * judged and nothing is written for it. Services that somebody else has a say in, and those that nobody wants any more,
 * come last.
 */
export async function handOver(next: Generation, by: Surroundings, to?: Receivers): Promise<HandedOver> {
  try {
    return await new HandOver(by, next.shared, to).carryOut(next)
  } catch (error) {
    if (to !== undefined) settle(next, by.now, to.table)
    throw error
  }
}

/** Something threw halfway: what is there by then counts and is written, and the next generation finds what is missing. */
function settle({ pools, gone }: Generation, now: number, table: PoolTable): void {
  const running = [...pools, ...gone].filter((pool) => table.named(pool.config.name) === pool)
  table.use(running)
  for (const pool of running) {
    if (pool.changing) pool.begin(now)
    table.wantSoon(pool)
    table.release(pool)
  }
}

class HandOver {
  readonly #by: Surroundings
  readonly #shared: ReadonlySet<string>
  readonly #to: Receivers | undefined
  /** That asks and leaves; undefined: nobody does. */
  readonly #checks: CheckTable | undefined
  readonly #changes: string[] = []
  /** What changes beside the table. */
  readonly #settings: string[] = []
  readonly #effects: EffectOfPool[] = []
  /** Services that nobody wants any more. */
  readonly #left = new Set<string>()
  readonly #removed = new Map<string, PoolServer>()
  /** Pools that wait for the services they share. */
  readonly #waiting = new Set<Pool>()

  constructor(by: Surroundings, shared: ReadonlySet<string>, to: Receivers | undefined) {
    this.#by = by
    this.#shared = shared
    this.#to = to
    this.#checks = to === undefined ? undefined : by.checks
  }

  async carryOut({ pools, changes, gone }: Generation): Promise<HandedOver> {
    const { before, after } = this.#by.dataPaths
    this.#to?.reconciler.own([...changes.flatMap(({ services }) => services), ...after.keys()])
    this.#to?.table.use(pools)
    // Before anything is probed through them.
    this.#to?.reconciler.want(after)
    for (const id of this.#shared)
      for (const pool of this.#to?.table.sharing(id) ?? []) this.#hold(pool, idsOf(pool.config))
    for (const change of changes) await this.#change(change)
    for (const pool of gone) await this.#dissolve(pool)
    await this.#wantShared(pools)
    await this.#describe({ before: new Map([...before].filter(([id]) => after.has(id))), after })
    for (const id of before.keys()) if (!after.has(id)) this.#left.add(id)
    await this.#wantNothing()
    for (const pool of this.#waiting) this.#to?.table.release(pool)
    return { changes: [...this.#changes, ...this.#settings], effects: this.#effects, removed: this.#removed }
  }

  #hold(pool: Pool, services: readonly string[]): void {
    this.#to?.table.hold(pool, services)
    if (services.some((id) => this.#shared.has(id))) this.#waiting.add(pool)
  }

  async #change(change: PoolChange): Promise<void> {
    const { pool, config, services, servers, others, gone, moved } = change
    const before = pool.config
    const key = this.#keyOfFew(change)
    this.#hold(pool, services)
    for (const id of idsOf(before)) if (!services.includes(id) && !this.#shared.has(id)) this.#left.add(id)
    const changes: ServerChange[] = []
    const note = (name: string): void => {
      if (before !== config) changes.push({ name, before: pool.servers.get(name)?.config, after: servers.get(name) })
    }
    pool.change(config)
    await inSlices(others, (name) => {
      note(name)
      this.#put(change, name)
    })
    await inSlices(gone, (name) => {
      note(name)
      this.#remove(pool, name)
    })
    if (moved) pool.arrange(await stepwise(arranged(pool, servers.keys())))
    const effects = pool.begin(this.#by.now)
    for (const effect of effects) this.#effects.push({ pool, effect })
    const isFew = key !== undefined && effects.length === 0 && isSimple(pool, key)
    const tables = await (isFew ? this.#amend(pool, key, [...others, ...gone]) : this.#want(pool))
    if (before !== config) this.#settings.push(...(await stepwise(describeServiceChange({ before, after: config, servers: changes, tables })))) // prettier-ignore
    if (!this.#waiting.has(pool)) this.#to?.table.release(pool)
  }

  /** The one service that a pool has and keeps, where only entries of single servers may change in it. */
  #keyOfFew({ pool, config, services: [id, ...others] }: PoolChange): ServiceKey | undefined {
    const [key] = serviceKeys(pool.config)
    if (id === undefined || key === undefined || others.length > 0 || this.#shared.has(id)) return undefined
    const service = this.#by.desired.get(id)
    const isKept = service !== undefined && idsOf(pool.config).length === 1 && serviceIdOf(pool.config, key) === id
    return isKept && isSetAs(service, config, key) && isSimple(pool, key) ? key : undefined
  }

  /** A server that is new in its pool, or other than it was. */
  #put({ pool, config: virtual, servers }: PoolChange, name: string): void {
    const { checks, known } = this.#by
    const config = servers.get(name)
    const before = pool.servers.get(name)
    if (config === undefined) return
    const health = carriedHealth(config, before ?? known.get(placeOf(virtual, name)), checks)
    const steer = this.#steersFor(virtual).get(name) ?? unsteered
    if (before === undefined) {
      const server: PoolServer = { config, name, health, steer, ramp: 1 }
      pool.put(server)
      for (const effect of inheritedEffects(server)) this.#effects.push({ pool, effect })
      this.#checks?.ask(pool, server, false)
      return
    }
    const isCheckedAsBefore = config.checkers === before.config.checkers
    if (!isCheckedAsBefore) this.#checks?.leave(pool, before)
    pool.set(before, { config, health, steer, ramp: virtual.slowStart > 0 ? before.ramp : 1 })
    if (!isCheckedAsBefore) this.#checks?.ask(pool, before, false)
  }

  #remove(pool: Pool, name: string): void {
    const server = pool.servers.get(name)
    if (server === undefined) return
    this.#checks?.leave(pool, server)
    this.#removed.set(placeOf(pool.config, name), server)
    pool.remove(name)
    if (this.#to !== undefined) tellRemoved(pool, server, this.#to.tellers)
  }

  #steers:
    { readonly overlay: Overlay; readonly virtual: VirtualServer; readonly all: ReadonlyMap<string, Steer> } | undefined

  /** Looked for anew when there are others. */
  #steersFor(virtual: VirtualServer): ReadonlyMap<string, Steer> {
    const overlay = this.#by.overlay()
    if (this.#steers?.overlay !== overlay || this.#steers.virtual !== virtual)
      this.#steers = { overlay, virtual, all: steersFor(overlay, virtual) }
    return this.#steers.all
  }

  /**
   * Wants these entries of a pool, portion by portion: first those that come or get more weight, so that at no time a service
   * is without a destination that has one before and after.
   */
  async #amend(pool: Pool, key: ServiceKey, names: readonly string[]): Promise<Tables> {
    const id = serviceIdOf(pool.config, key)
    const service = this.#by.desired.get(id)
    if (service === undefined) throw new Error(`nothing is wanted of ${id}`)
    const before = new Map<string, Destination>()
    const after = new Map<string, Destination>()
    const [first, last]: [Entry[], Entry[]] = [[], []]
    await inSlices(names, (name) => {
      const is = service.destinations.get(name)
      const entry = desiredEntry(pool, name, key)
      const [, wanted] = entry
      if (is !== undefined) before.set(name, is)
      if (wanted !== undefined) after.set(name, wanted)
      if (wanted !== undefined && wanted.weight > (is?.weight ?? 0)) first.push(entry)
      else last.push(entry)
    })
    const tables = {
      before: new Map([[id, { ...service, destinations: before }]]),
      after: new Map([[id, { ...service, destinations: after }]]),
    }
    await this.#describe(tables)
    for (const entries of [first, last]) await inPortions(entries, (some) => this.#to?.reconciler.amend(id, some))
    return tables
  }

  /** Wants all that a pool wants, but for what it shares. */
  async #want(pool: Pool): Promise<Tables> {
    const [before, after] = [new Map<string, Service>(), new Map<string, Service>()]
    for (const key of serviceKeys(pool.config)) {
      const id = serviceIdOf(pool.config, key)
      const known = this.#by.desired.get(id)
      const service = await stepwise(growService(pool, key))
      if (known !== undefined) before.set(id, known)
      after.set(id, service)
      if (!this.#shared.has(id)) await this.#wantService(id, service)
    }
    return { before, after }
  }

  async #wantService(id: string, service: Service): Promise<void> {
    const before = this.#by.desired.get(id)
    await this.#describe({
      before: new Map(before === undefined ? [] : [[id, before]]),
      after: new Map([[id, service]]),
    })
    this.#to?.reconciler.want([[id, service]])
  }

  /** A pool that goes: it is at work until everybody has been told. */
  async #dissolve(pool: Pool): Promise<void> {
    const services = idsOf(pool.config)
    for (const id of services) if (!this.#shared.has(id)) this.#left.add(id)
    if (this.#to === undefined) return
    this.#hold(pool, services)
    pool.change(pool.config)
    await inSlices(tellGoneSteps(pool, 'Removing', this.#to.tellers), () => undefined)
    await inSlices(pool.servers.values(), (server) => {
      this.#checks?.leave(pool, server)
      this.#removed.set(placeOf(pool.config, server.name), server)
    })
    this.#to.table.drop(pool)
  }

  async #wantShared(pools: readonly Pool[]): Promise<void> {
    if (this.#shared.size === 0) return
    const sharing = pools.filter((pool) => idsOf(pool.config).some((id) => this.#shared.has(id)))
    const wanted = desiredTable(sharing)
    for (const id of this.#shared) {
      const service = wanted.get(id)
      if (service === undefined) this.#left.add(id)
      else await this.#wantService(id, service)
    }
  }

  async #wantNothing(): Promise<void> {
    const { desired, dataPaths } = this.#by
    const left = new Map<string, Service>()
    for (const id of this.#left) {
      const service = desired.get(id)
      if (service !== undefined && !dataPaths.after.has(id)) left.set(id, service)
    }
    await this.#describe({ before: left, after: new Map() })
    this.#to?.reconciler.want([...left.keys()].map((id) => [id, undefined]))
  }

  async #describe({ before, after }: Tables): Promise<void> {
    await inSlices(diffSteps(before, after, { owned: () => true }), (command) => {
      if (command !== undefined) this.#changes.push(describeCommand(command))
    })
  }
}

const placeOf = (virtual: VirtualServer, server: string): string => `${virtual.name} ${server}`

type Entry = readonly [string, Destination | undefined]

/** The servers of a pool in the order of these names, with a rest after each. */
function* arranged(pool: Pool, names: Iterable<string>): Generator<undefined, Map<string, PoolServer>, undefined> {
  const servers = new Map<string, PoolServer>()
  for (const name of names) {
    const server = pool.servers.get(name)
    if (server !== undefined) servers.set(name, server)
    yield
  }
  return servers
}
