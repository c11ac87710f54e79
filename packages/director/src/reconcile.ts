import { describeError, inSlices, type Logger } from '@ipvs-director/core'
import {
  diffSteps,
  serviceId,
  type Command,
  type Destination,
  type IpvsClient,
  type IpvsError,
  type Service,
  type ServiceKey,
  type Table,
} from 'ipvs-netlink'
import { describeCommand, describeDrift } from './commands.ts'

/**
 * Makes the kernel's table equal to the wanted one. Start, reload, verdicts, drains, a table flushed by hand and a
 * crash all end here. It keeps what it believes the kernel has, so that a change costs what it changes; every audit
 * reads the kernel and corrects that belief.
 */
export interface Reconciler {
  /** Replaces what is wanted of these services; undefined: none. Written at the next turn of the event loop. */
  want(changes: Iterable<readonly [string, Service | undefined]>): void
  /**
   * Replaces some of the destinations that are wanted of a service, by their ids; undefined: none. It costs what it
   * changes, however many others there are. A service that is not wanted stays so.
   */
  amend(id: string, changes: Iterable<readonly [string, Destination | undefined]>): void
  /** Services that are about to be wanted are ours, which is written down once for all of them. */
  own(ids: Iterable<string>): void
  /** Resolves when everything wanted so far was tried. */
  settled(): Promise<void>
  /** Takes over what the kernel was found to have; services left by an earlier run of ours that nobody wants go. */
  adopt(found: Table): void
  /** Reads the kernel, repairs what differs. */
  audit(): Promise<Audit>
  /** Removes every service that is ours (`all`: empties the whole table by one command). Nothing is wanted any more after it. */
  removeOwn(all: boolean): Promise<void>
  /** Wanted services by id. */
  readonly desired: Table
  /** What the kernel had when it was last read, changed by what was written since. */
  readonly actual: Table
  /** Services found at the last audit that are not ours. */
  readonly foreign: readonly Service[]
  readonly figures: ReconcileFigures
}

export interface Audit {
  readonly at: number
  /** Differences, a line each. */
  readonly drifts: readonly string[]
  /** Whether the kernel took every repair. */
  readonly repaired: boolean
}

export interface ReconcileFigures {
  writes: number
  refused: number
  audits: number
  drifts: number
  auditedAt: number | undefined
  lastError: { readonly at: number; readonly message: string } | undefined
}

/** Remembers across runs which services are ours, so that leftovers of a crash can be told from other people's. */
export interface OwnedServices {
  load(): readonly string[]
  save(ids: readonly string[]): void
}

export interface ReconcilerOptions {
  readonly ipvs: IpvsClient
  readonly logger: Logger
  readonly owned: OwnedServices
  /** Wall clock, milliseconds since 1970. */
  readonly wall: () => number
  /** Nothing that is written arrives: none of it counts. Default false. */
  readonly dry?: boolean
  /** The kernel will not have a service (also not at the second try), or has it now after all (undefined). */
  readonly refusal?: (service: string, words: string | undefined) => void
}

/** Up to so many commands at once are logged one by one. */
const toldOneByOne = 50

/** What could not be written is tried so often, then again with the next change or audit. */
const mostTries = 3

export function createReconciler({ ipvs, logger, owned, wall, dry = false, refusal }: ReconcilerOptions): Reconciler {
  const desired = new Map<string, Service>()
  let actual: Map<string, Service> = new Map()
  let foreign: readonly Service[] = []
  let dirty = new Set<string>()
  /** Destinations to be looked at, by service, where not all of them are. */
  let partly = new Map<string, Set<string>>()
  /** Services whose destinations nobody but the one table has: to be changed in place. */
  const own = { desired: new Set<string>(), actual: new Set<string>() }
  /** The kernel is being read: what is wanted may be shared with what is found at any moment. */
  let looking = false
  const ours = new Set(owned.load())
  /** Services that are wanted and refused. */
  const absent = new Set<string>()
  const figures: ReconcileFigures = {
    writes: 0,
    refused: 0,
    audits: 0,
    drifts: 0,
    auditedAt: undefined,
    lastError: undefined,
  }

  let queue: Promise<unknown> = Promise.resolve()
  let flushing: Promise<void> | undefined
  /** In a row. */
  let failures = 0
  /** What was ours has been removed: a change that is still under way brings nothing back. */
  let ended = false
  /** One thing at a time: two writers would undo each other's belief. */
  function serially<T>(work: () => Promise<T>): Promise<T> {
    const run = queue.then(work)
    queue = run.catch(() => undefined)
    return run
  }

  function scheduleFlush(): Promise<void> {
    flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
      serially(async () => {
        flushing = undefined
        const [ids, parts] = [dirty, partly]
        dirty = new Set()
        partly = new Map()
        try {
          await write(ids, parts)
          failures = 0
        } catch (error) {
          fail('the kernel could not be reached', error)
          for (const id of [...ids, ...parts.keys()]) dirty.add(id)
          if (++failures < mostTries) void scheduleFlush()
        }
      }),
    )
    return flushing
  }

  function fail(tried: string, error: unknown): void {
    const message = `${tried}: ${describeError(error)}`
    figures.lastError = { at: wall(), message }
    logger.error('ipvs.failed', message)
  }

  /** Ownership is written down before the kernel is: a crash in between leaves a name too many, never one too few. */
  function remember(ids: Iterable<string>): void {
    const before = ours.size
    for (const id of ids) ours.add(id)
    if (ours.size !== before) saveOwned()
  }

  function disown(ids: Iterable<string>): void {
    let changed = false
    for (const id of ids) if (!desired.has(id) && !actual.has(id)) changed = ours.delete(id) || changed
    if (changed) saveOwned()
  }

  function saveOwned(): void {
    try {
      owned.save([...ours])
    } catch (error) {
      fail('cannot remember which services are ours', error)
    }
  }

  async function write(ids: ReadonlySet<string>, parts: Parts = new Map()): Promise<void> {
    remember([...ids].filter((id) => desired.has(id)))
    const refused = await makeEqual(ids, parts)
    if (refused.size > 0) await retry(refused)
    disown(ids)
  }

  /**
   * Writes what differs between belief and wish, and takes what was done into the belief; returns the services with a
   * refusal. The wish is held fast at the start: what is wanted meanwhile is not what was written.
   */
  async function makeEqual(ids: ReadonlySet<string>, parts: Parts = new Map()): Promise<Map<string, IpvsError>> {
    const whole = new Set(ids)
    const [before, wish] = [new Map<string, Service>(), new Map<string, Service>()]
    for (const [id, names] of parts) {
      const [is, wanted] = [actual.get(id), desired.get(id)]
      if (whole.has(id) || wanted === undefined) continue
      if (is === undefined) whole.add(id)
      else {
        before.set(id, partOf(is, names))
        wish.set(id, partOf(wanted, names))
      }
    }
    for (const id of whole) {
      const [is, wanted] = [actual.get(id), desired.get(id)]
      if (is !== undefined) before.set(id, is)
      if (wanted !== undefined) wish.set(id, wanted)
      own.desired.delete(id)
    }
    const commands: Command[] = []
    await inSlices(diffSteps(before, wish, { owned: (id) => ours.has(id) }), (command) => {
      if (command !== undefined) commands.push(command)
    })
    if (commands.length === 0) return new Map()
    const outcomes = await ipvs.execute(commands)
    if (!dry) figures.writes += commands.length
    const touched = new Set<string>()
    const refused = new Map<string, IpvsError>()
    let [key, id]: [ServiceKey | undefined, string] = [undefined, '']
    await inSlices(commands.entries(), ([i, command]) => {
      const next = serviceOf(command)
      if (next === undefined) return
      // Mostly the commands of a service follow each other, and have one key.
      if (next !== key) [key, id] = [next, serviceId(next)]
      touched.add(id)
      const outcome = outcomes[i]
      if (outcome === undefined) return
      figures.refused++
      figures.lastError = { at: wall(), message: outcome.message }
      if (!refused.has(id)) refused.set(id, outcome)
    })
    tellWritten(commands)
    for (const id of touched) {
      if (refused.has(id)) continue
      const service = wish.get(id)
      if (!whole.has(id)) believe(id, parts.get(id) ?? [], service)
      else {
        own.actual.delete(id)
        if (service === undefined) actual.delete(id)
        else actual.set(id, service)
      }
      if (absent.delete(id)) refusal?.(id, undefined)
    }
    return refused
  }

  /** These destinations are as they were written. */
  function believe(id: string, names: Iterable<string>, written: Service | undefined): void {
    const { destinations } = changeable(actual, own.actual, id) ?? {}
    for (const name of names) put(destinations, name, written?.destinations.get(name))
  }

  /** A full table is not told entry by entry: saying it would take longer than writing it. */
  function tellWritten(commands: readonly Command[]): void {
    if (commands.length > toldOneByOne) logger.debug('ipvs.write', `${commands.length} commands`)
    else for (const command of commands) logger.debug('ipvs.write', describeCommand(command))
  }

  /** A refusal means that the kernel is not as believed: read those services, try once more, say what stays refused. */
  async function retry(refused: ReadonlyMap<string, IpvsError>): Promise<void> {
    for (const error of refused.values())
      logger.warn('ipvs.surprise', `${error.message}; reading the table and trying again`)
    const table = await look()
    for (const id of refused.keys()) {
      own.actual.delete(id)
      const found = table.get(id)
      if (found === undefined) actual.delete(id)
      else actual.set(id, found)
    }
    for (const [id, error] of await makeEqual(new Set(refused.keys()))) {
      logger.error('ipvs.refused', error.message)
      if (actual.has(id) || !desired.has(id)) continue
      absent.add(id)
      refusal?.(id, error.message)
    }
  }

  return {
    desired,
    get actual() {
      return actual
    },
    get foreign() {
      return foreign
    },
    figures,
    want(changes) {
      if (ended) return
      for (const [id, service] of changes) {
        if (service === undefined) desired.delete(id)
        else desired.set(id, service)
        own.desired.delete(id)
        dirty.add(id)
      }
      void scheduleFlush()
    },
    amend(id, changes) {
      const service = ended ? undefined : changeable(desired, looking ? new Set<string>() : own.desired, id)
      if (service === undefined) return
      let names = partly.get(id)
      if (names === undefined) partly.set(id, (names = new Set()))
      for (const [name, destination] of changes) {
        put(service.destinations, name, destination)
        names.add(name)
      }
      void scheduleFlush()
    },
    own: remember,
    async settled() {
      await scheduleFlush()
    },
    adopt(found) {
      take(found, [...found.values()].filter(isForeign))
      for (const id of ours) if (actual.has(id) && !desired.has(id)) dirty.add(id)
      void scheduleFlush()
    },
    audit: () =>
      serially(async () => {
        const found = await look()
        const pending = [...dirty, ...partly.keys()]
        dirty = new Set()
        partly = new Map()
        figures.audits++
        const drifts = await describeDrift(...(await differing(actual, found)), isOurs)
        take(found, await foreignIn(found))
        figures.drifts += drifts.length
        const refusedBefore = figures.refused
        try {
          await write(new Set([...pending, ...(await unequal())]))
        } catch (error) {
          for (const id of pending) dirty.add(id)
          throw error
        }
        return { at: wall(), drifts, repaired: figures.refused === refusedBefore }
      }),
    removeOwn: (all) =>
      serially(async () => {
        desired.clear()
        dirty = new Set()
        partly = new Map()
        ended = true
        if (all) {
          await ipvs.execute([{ do: 'flush' }])
          if (!dry) figures.writes++
          actual = new Map()
        } else {
          await write(new Set(ours))
        }
        disown([...ours])
      }),
  }

  /** What is found equal comes back as the wanted service itself: from here on both tables share it. */
  async function look(): Promise<Table> {
    own.desired.clear()
    looking = true
    try {
      return await ipvs.audit(desired)
    } finally {
      looking = false
    }
  }

  function take(found: Table, others: readonly Service[]): void {
    own.actual.clear()
    own.desired.clear()
    figures.auditedAt = wall()
    actual = new Map(found)
    foreign = others
  }

  async function foreignIn(found: Table): Promise<readonly Service[]> {
    const others: Service[] = []
    await inSlices(found.values(), (service) => {
      if (isForeign(service)) others.push(service)
    })
    return others
  }

  /** Services that are wanted or ours, and that the kernel has in another way, or not as wanted. */
  async function unequal(): Promise<Set<string>> {
    const ids = new Set<string>()
    const look = (id: string): void => {
      if (actual.get(id) !== desired.get(id)) ids.add(id)
    }
    await inSlices(desired.keys(), look)
    await inSlices(ours, look)
    return ids
  }

  function isForeign({ key }: Service): boolean {
    return !isOurs(serviceId(key))
  }

  function isOurs(id: string): boolean {
    return ours.has(id) || desired.has(id)
  }
}

function serviceOf(command: Command): ServiceKey | undefined {
  switch (command.do) {
    case 'addService':
    case 'setService':
    case 'deleteService':
      return command.key
    case 'addDestination':
    case 'setDestination':
    case 'deleteDestination':
      return command.service
    case 'flush':
      return undefined
  }
}

type Parts = ReadonlyMap<string, ReadonlySet<string>>
type Changeable = Service & { readonly destinations: Map<string, Destination> }

/** The service with destinations that only this table has; `own`: the ids of those that are so already. */
function changeable(table: Map<string, Service>, own: Set<string>, id: string): Changeable | undefined {
  const service = table.get(id)
  if (service === undefined || own.has(id)) return service as Changeable | undefined
  const copy = { ...service, destinations: new Map(service.destinations) }
  table.set(id, copy)
  own.add(id)
  return copy
}

function put(destinations: Map<string, Destination> | undefined, id: string, value: Destination | undefined): void {
  if (value === undefined) destinations?.delete(id)
  else destinations?.set(id, value)
}

/** Both tables without what is one and the same in them, which is nearly all of them. */
async function differing(some: Table, others: Table): Promise<[Table, Table]> {
  const [left, right] = [new Map<string, Service>(), new Map<string, Service>()]
  await inSlices(some, ([id, service]) => {
    if (others.get(id) !== service) left.set(id, service)
  })
  await inSlices(others, ([id, service]) => {
    if (some.get(id) !== service) right.set(id, service)
  })
  return [left, right]
}

function partOf(service: Service, names: Iterable<string>): Service {
  const destinations = new Map<string, Destination>()
  for (const name of names) {
    const destination = service.destinations.get(name)
    if (destination !== undefined) destinations.set(name, destination)
  }
  return { ...service, destinations }
}
