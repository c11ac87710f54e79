/** What happens between the slices of a reload counts, and what is written on the way leaves nobody without a server. */
import { fc, test as property } from '@fast-check/vitest'
import type { CheckerConfig, RealServer, VirtualServer } from '@ipvs-director/config'
import { address } from '@ipvs-director/core'
import { workPerTurn, type WorkPerTurn } from '@ipvs-director/core/testing'
import { destinationId, memoryIpvs, serviceId, type Command, type IpvsClient, type Table } from 'ipvs-netlink'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { initialHealth, createPool } from './pool.ts'
import { desiredTable } from './desired.ts'
import { steersFor } from './overlay.ts'
import { config, realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'
import { overlayInMemory } from './testing/overlay.ts'
import { world } from './testing/world.ts'

/** Each look at the clock finds that others must have their turn. */
let work: WorkPerTurn
beforeEach(() => {
  work = workPerTurn()
})
afterEach(() => {
  work.stop()
})

const hosts = [1, 2, 3, 4, 5] as const
const nameOf = (host: number): string => `10.0.0.${host}:80`
const sharedTarget = '10.0.0.9:9'
const targets = [...hosts.map(nameOf), sharedTarget]

const server = fc.record({
  host: fc.constantFrom(...hosts),
  weight: fc.integer({ min: 0, max: 3 }),
  inhibit: fc.boolean(),
  tier: fc.constantFrom(0, 0, 0, 1),
  shared: fc.boolean(),
})
type Server = ReturnType<typeof server.generate>['value']

const service = fc.record({
  servers: fc.uniqueArray(server, { selector: ({ host }) => host, maxLength: 5 }),
  quorum: fc.integer({ min: 1, max: 4 }),
  panicThreshold: fc.constantFrom(0, 50),
  scheduler: fc.constantFrom('rr', 'wrr'),
  sorry: fc.constantFrom(undefined, undefined, 'plain', 'inhibit'),
})
type Service = ReturnType<typeof service.generate>['value']

/** Of three virtual servers; the third is a group, which has services of its own, of the others, or both. */
const file = fc.record({
  first: fc.option(service),
  second: fc.option(service),
  group: fc.option(fc.tuple(fc.subarray([1, 2, 3], { minLength: 1 }), service)),
})
type File = ReturnType<typeof file.generate>['value']

/** What is equal is one object, as the reader has it. */
const made = new Map<string, unknown>()
function once<T>(what: unknown, make: () => T): T {
  const key = JSON.stringify(what)
  if (!made.has(key)) made.set(key, make())
  return made.get(key) as T
}

const checkersOf = (host: number, shared: boolean): readonly CheckerConfig[] =>
  once(['checkers', host, shared], () => [nameOf(host), ...(shared ? [sharedTarget] : [])].map((at) => tcpChecker(at)))

const realOf = ({ host, weight, inhibit, tier, shared }: Server): RealServer =>
  once(['real', host, weight, inhibit, tier, shared], () =>
    realServer(nameOf(host), { weight, inhibitOnFailure: inhibit, tier, checkers: checkersOf(host, shared) }),
  )

const entryOf = (n: number) => ({ kind: 'address' as const, address: address(`192.0.2.${n}`), port: 80 })

function virtualOf(name: string, target: VirtualServer['target'], { servers, sorry, ...rest }: Service): VirtualServer {
  return once([name, target, servers, sorry, rest], () =>
    virtualServer({
      ...rest,
      name,
      target,
      realServers: servers.map(realOf),
      sorryServer: sorry === undefined ? undefined : sorryServer('10.0.0.8:80', { inhibit: sorry === 'inhibit' }),
    }),
  )
}

function virtualsOf({ first, second, group }: File): VirtualServer[] {
  return [
    ...(first === null ? [] : [virtualOf('192.0.2.1:80/tcp', entryOf(1), first)]),
    ...(group === null
      ? []
      : [virtualOf('group g', { kind: 'group', group: 'g', entries: group[0].map(entryOf) }, group[1])]),
    ...(second === null ? [] : [virtualOf('192.0.2.2:80/tcp', entryOf(2), second)]),
  ]
}

const plain = (table: Table): unknown =>
  Object.fromEntries(
    [...table].map(([id, { settings, destinations }]) => [
      id,
      {
        scheduler: settings.scheduler,
        weights: Object.fromEntries([...destinations].map(([name, { weight }]) => [name, weight])),
      },
    ]),
  )

const happening = fc.oneof(
  { weight: 5, arbitrary: fc.record({ target: fc.constantFrom(...targets), up: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constantFrom('disable' as const, 'enable' as const),
      server: fc.constantFrom(...hosts.map(nameOf)),
    }),
  },
)
type Happening = ReturnType<typeof happening.generate>['value']

property.prop(
  [
    file,
    fc.array(happening, { maxLength: 6 }),
    fc.array(fc.tuple(file, fc.array(fc.option(happening), { minLength: 30, maxLength: 90, size: 'max' })), {
      maxLength: 3,
    }),
  ],
  { numRuns: 300 },
)('verdicts and wishes between the slices', async (first, before, reloads) => {
  const overlay = overlayInMemory()
  const w = world(config(virtualsOf(first)), { overlay })
  await w.director.start()
  /** By target, of checks that are made. */
  const found = new Map<string, boolean>()
  const asked: Promise<unknown>[] = []
  const isMade = (target: string): boolean =>
    w.prober().checks.some(({ connection }) => connection !== undefined && nameOfConnection(connection) === target)
  const happens = (what: Happening): void => {
    if ('action' in what) asked.push(w.director.steer(what))
    else if (isMade(what.target) && found.get(what.target) !== what.up) {
      found.set(what.target, what.up)
      w.prober().saw(what.target, what.up)
    }
  }
  before.forEach(happens)
  let last = first
  for (const [next, turns] of reloads) {
    last = next
    w.use(config(virtualsOf(next)))
    const reloaded = w.director.reload()
    for (const each of turns) {
      if (each !== null) happens(each)
      await nextTurn()
    }
    expect((await reloaded).ok).toBe(true)
    for (const target of targets) if (!isMade(target)) found.delete(target)
  }
  await Promise.all(asked)
  for (let turn = 0; turn < 300; turn++) await nextTurn()

  const wishes = overlay.load().overlay
  const pools = virtualsOf(last).map((virtual) => {
    const pool = createPool(virtual, {
      health: ({ checkers }) => initialHealth(checkers.map(({ connection }) => found.get(nameOfConnection(connection)) ?? true)), // prettier-ignore
      steers: steersFor(wishes, virtual),
      since: 0,
    })
    pool.begin(0)
    return pool
  })
  expect(plain(await w.ipvs.table())).toEqual(plain(desiredTable(pools)))
  const { virtualServers } = await w.director.status()
  expect(
    virtualServers.map(({ name, state, aliveWeight, servers }) => [
      name,
      state,
      aliveWeight,
      servers.map((each) => each.name),
    ]),
  ).toEqual(
    pools.map(({ config: { name }, quorum, servers }) => [name, quorum.up ? 'up' : 'down', quorum.aliveWeight, [...servers.keys()]]), // prettier-ignore
  )
  expect((await w.director.audit()).found).toEqual([])
  const settled = w.prober().checks.map(({ id }) => id)
  expect(new Set(settled).size).toBe(settled.length)
  expect(targets.filter(isMade)).toEqual(
    targets.filter((target) =>
      pools.some(({ config: { realServers } }) =>
        realServers.some(({ checkers }) => checkers.some(({ connection }) => nameOfConnection(connection) === target)),
      ),
    ),
  )
})

property.prop([fc.array(file, { minLength: 2, maxLength: 4 })], { numRuns: 200 })(
  'a plan says what a reload does, and no service that has a server before and after is without one in between',
  async ([first, ...others]) => {
    const real = memoryIpvs()
    const seen = watched(real)
    const w = world(config(virtualsOf(first!)), { ipvs: seen.ipvs })
    await w.director.start()
    for (const next of others) {
      w.use(config(virtualsOf(next)))
      const plan = await w.director.plan(undefined)
      const before = await real.table()
      seen.forget()
      const { changes } = await w.director.reload()
      expect(changes).toEqual(plan.changes)
      const after = await real.table()
      const lasting = [...before].filter(([id, each]) => serves(each) && serves(after.get(id))).map(([id]) => id)
      expect(seen.without().filter((id) => lasting.includes(id))).toEqual([])
    }
  },
)

const three: Service = {
  servers: [1, 2, 3].map((host) => ({ host: host as 1, weight: 1, inhibit: false, tier: 0, shared: false })),
  quorum: 1,
  panicThreshold: 0,
  scheduler: 'rr',
  sorry: undefined,
}
const [one, ...others] = three.servers as [Server, ...Server[]]

test.for<[string, Service]>([
  ['all of it is written', { ...three, scheduler: 'wrr' }],
  ['a weight is', { ...three, servers: [one, ...others.map((each) => ({ ...each, weight: 3 }))] }],
  ['servers come and go', { ...three, servers: [one, { ...one, host: 4 }, { ...one, host: 5 }] }],
  ['its quorum is another', { ...three, quorum: 3 }],
  [
    'its quorum grows with it',
    { ...three, quorum: 4, servers: [...three.servers, { ...one, host: 4 }, { ...one, host: 5 }] },
  ],
])('a verdict at any turn of a reload counts, where %s', async ([, next]) => {
  for (let turn = 0; turn < 60; turn++) {
    const w = world(config(virtualsOf({ first: three, second: null, group: null })))
    await w.director.start()
    w.use(config(virtualsOf({ first: next, second: null, group: null })))
    const reloaded = w.director.reload()
    for (let i = 0; i < turn; i++) await nextTurn()
    w.prober().saw(nameOf(1), false)
    await reloaded
    for (let i = 0; i < 60; i++) await nextTurn()
    const [table] = (await w.ipvs.table()).values()
    expect([...(table?.destinations.keys() ?? [])]).toEqual(next.servers.slice(1).map(({ host }) => nameOf(host)))
    const [status] = (await w.director.status()).virtualServers
    expect(status?.state).toBe(next.quorum === 3 ? 'down' : 'up')
    // Of what was half done nothing was judged.
    expect(status?.turns).toBe(next.quorum === 3 ? 2 : 1)
  }
})

const serves = (
  service: { readonly destinations: ReadonlyMap<string, { readonly weight: number }> } | undefined,
): boolean => service !== undefined && [...service.destinations.values()].some(({ weight }) => weight > 0)

/** Notes the services that are without a destination of positive weight after some command, or gone. */
function watched(real: IpvsClient): { ipvs: IpvsClient; forget: () => void; without: () => readonly string[] } {
  const without = new Set<string>()
  const idOf = (command: Command): string =>
    command.do === 'flush' ? '' : serviceId('key' in command ? command.key : command.service)
  return {
    ipvs: {
      ...real,
      async execute(commands) {
        const outcomes = []
        for (const command of commands) {
          outcomes.push(...(await real.execute([command])))
          const id = idOf(command)
          if (!serves((await real.table()).get(id))) without.add(id)
        }
        return outcomes
      },
    },
    forget: () => {
      without.clear()
    },
    without: () => [...without],
  }
}

const nameOfConnection = (connection: CheckerConfig['connection']): string =>
  connection === undefined ? '' : destinationId({ address: connection.address, port: connection.port })
