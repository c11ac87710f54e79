import { address, millis } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { desiredEntry, desiredService, desiredTable, isServedByAnother, isSimple, serviceKeys } from './desired.ts'
import { createPool, type Pool } from './pool.ts'
import { unsteered } from './steer.ts'
import { realServer, sorryServer, virtualServer } from './testing/config.ts'

/** `10.0.0.1:80=1` for each destination of the pool's first service. */
function destinations(pool: Pool): string[] {
  const [service] = desiredTable([pool]).values()
  return [...service!.destinations].map(([name, { weight }]) => `${name}=${weight}`)
}

function fail(pool: Pool, server: string): void {
  const verdict = { up: false, class: 'refused', reason: '', took: millis(1) } as const
  pool.verdict(server, { checker: 0, up: false, first: false, verdict, at: 1 })
}

function start(overrides: Parameters<typeof virtualServer>[0]): Pool {
  const pool = createPool(virtualServer(overrides), { since: 0 })
  pool.begin(0)
  return pool
}

test('alive servers with their weight, failed ones gone, inhibited ones at zero', () => {
  const realServers = [
    realServer('10.0.0.1:80', { weight: 3 }),
    realServer('10.0.0.2:80'),
    realServer('10.0.0.3:80', { inhibitOnFailure: true }),
  ]
  const pool = start({ realServers })
  expect(destinations(pool)).toEqual(['10.0.0.1:80=3', '10.0.0.2:80=1', '10.0.0.3:80=1'])
  fail(pool, '10.0.0.2:80')
  fail(pool, '10.0.0.3:80')
  expect(destinations(pool)).toEqual(['10.0.0.1:80=3', '10.0.0.3:80=0'])
})

test('when quorum is lost the sorry server serves alone; without one the remaining servers stay', () => {
  const realServers = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'].map((name) => realServer(name))
  const sorry = start({ realServers, quorum: 2, sorryServer: sorryServer('10.0.0.9:80') })
  fail(sorry, '10.0.0.1:80')
  fail(sorry, '10.0.0.2:80')
  expect(destinations(sorry)).toEqual(['10.0.0.9:80=1'])
  const none = start({ realServers, quorum: 2 })
  fail(none, '10.0.0.1:80')
  fail(none, '10.0.0.2:80')
  expect(destinations(none)).toEqual(['10.0.0.3:80=1'])
})

test('without persistence every client is alone, whatever was said of those that share an address', () => {
  const netmask = (persistenceTimeout: number): number | undefined => {
    const persistenceGranularity = 0xffffff00
    const pool = start({ realServers: [realServer('10.0.0.1:80')], persistenceTimeout, persistenceGranularity })
    return [...desiredTable([pool]).values()][0]?.settings.netmask
  }
  expect([netmask(0), netmask(360)]).toEqual([0xffffffff, 0xffffff00])
})

test('an inhibited sorry server waits at weight 0, inhibited servers wait while it serves', () => {
  const pool = start({
    realServers: [realServer('10.0.0.1:80', { inhibitOnFailure: true })],
    sorryServer: sorryServer('10.0.0.9:80', { inhibit: true }),
  })
  expect(destinations(pool)).toEqual(['10.0.0.1:80=1', '10.0.0.9:80=0'])
  fail(pool, '10.0.0.1:80')
  expect(destinations(pool)).toEqual(['10.0.0.1:80=0', '10.0.0.9:80=1'])
})

test('DR and TUN deliver to the port of the service, NAT to that of the server', () => {
  const realServers = [
    realServer('10.0.0.1:8080'),
    realServer('10.0.0.2:8080', { forwarding: { method: 'masq', tunnel: undefined } }),
  ]
  expect(destinations(start({ realServers }))).toEqual(['10.0.0.1:80=1', '10.0.0.2:8080=1'])
})

test('a group makes a service of each entry', () => {
  const virtual = virtualServer({
    target: {
      kind: 'group',
      group: 'web',
      entries: [
        { kind: 'address', address: address('192.0.2.1'), port: 80 },
        { kind: 'fwmark', fwmark: 7, family: 'inet6' },
      ],
    },
    realServers: [realServer('10.0.0.1:80')],
  })
  expect(serviceKeys(virtual)).toEqual([
    { protocol: 'tcp', address: '192.0.2.1', port: 80 },
    { fwmark: 7, family: 'inet6' },
  ])
  expect([...desiredTable([createPool(virtual, { since: 0 })]).keys()]).toEqual(['192.0.2.1:80/tcp', 'fwmark 7/inet6'])
})

test('two virtual servers on one service share it', () => {
  const pools = ['10.0.0.1:80', '10.0.0.2:80'].map((name) =>
    createPool(virtualServer({ name, realServers: [realServer(name)] }), { since: 0 }),
  )
  const [service] = desiredTable(pools).values()
  expect([...service!.destinations.keys()].sort()).toEqual(['10.0.0.1:80', '10.0.0.2:80'])
})

/** Group of two ports; both servers are one entry of each. */
function startShared(): Pool {
  const entries = [80, 443].map((port) => ({ kind: 'address', address: address('192.0.2.1'), port }) as const)
  return start({
    target: { kind: 'group', group: 'web', entries },
    realServers: [realServer('10.0.0.1:80', { weight: 2 }), realServer('10.0.0.1:443', { weight: 3 })],
  })
}

test('servers that are one entry, as DR has no port of theirs: the one that wants most of it decides', () => {
  const weights: string[] = []
  for (const order of [
    ['10.0.0.1:80', '10.0.0.1:443'],
    ['10.0.0.1:443', '10.0.0.1:80'],
  ] as const) {
    const pool = startShared()
    weights.push(destinations(pool).join())
    pool.steer(order[0], { ...unsteered, admin: { kind: 'disabled', since: 0 } }, 0)
    weights.push(destinations(pool).join())
    fail(pool, order[1])
    weights.push(destinations(pool).join())
    fail(pool, order[0])
    weights.push(destinations(pool).join())
  }
  expect(weights).toEqual([
    ...['10.0.0.1:80=3', '10.0.0.1:80=3', '10.0.0.1:80=0', ''],
    ...['10.0.0.1:80=3', '10.0.0.1:80=2', '10.0.0.1:80=0', ''],
  ])
})

test('an entry is served by another server only as long as that one serves', () => {
  const pool = startShared()
  const [first, second] = pool.servers.values()
  const [key] = serviceKeys(pool.config)
  expect(isServedByAnother(pool, first!, key!)).toBe(true)
  fail(pool, second!.name)
  expect(isServedByAnother(pool, first!, key!)).toBe(false)
  expect(isServedByAnother(pool, second!, key!)).toBe(true)
})

test('real servers of different virtual servers with one address are entries of their own', () => {
  const target = (host: number) => ({ kind: 'address', address: address(`192.0.2.${host}`), port: 80 }) as const
  const pools = [1, 2].map((host) =>
    start({ name: `vs${host}`, target: target(host), realServers: [realServer('10.0.0.1:80')] }),
  )
  pools[0]!.steer('10.0.0.1:80', { ...unsteered, admin: { kind: 'disabled', since: 0 } }, 0)
  const weights = [...desiredTable(pools).values()].map((service) => service.destinations.get('10.0.0.1:80')?.weight)
  expect(weights).toEqual([0, 1])
})

test('virtual servers on one service agree on an entry of both, whichever stands first', () => {
  const pools = [1, 2].map((n) => start({ name: `vs${n}`, realServers: [realServer('10.0.0.1:80', { weight: n })] }))
  for (const order of [pools, pools.toReversed()]) {
    const [service] = desiredTable(order).values()
    expect(service!.destinations.get('10.0.0.1:80')!.weight).toBe(2)
  }
})

const forwardings = ['droute', 'masq', 'tunnel'] as const
const someServers = fc.uniqueArray(
  fc.record({
    host: fc.integer({ min: 1, max: 5 }),
    port: fc.constantFrom(80, 81),
    method: fc.constantFrom(...forwardings),
    inhibitOnFailure: fc.boolean(),
    degradedWeight: fc.option(fc.nat(2), { nil: undefined }),
    tier: fc.constantFrom(0, 0, 0, 0, 1),
    weight: fc.nat(3),
  }),
  { minLength: 1, maxLength: 5, selector: ({ host, port }) => `${host}:${port}` },
)

property.prop([
  someServers,
  fc.record({ sorry: fc.boolean(), inhibit: fc.boolean(), panicThreshold: fc.constantFrom(0, 50) }),
  fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 12 }),
])(
  'the entry of one server, where it is simple, is that of the whole service',
  (servers, { sorry, inhibit, panicThreshold }, verdicts) => {
    const realServers = servers.map(({ host, port, method, ...rest }) =>
      realServer(`10.0.0.${host}:${port}`, { ...rest, forwarding: { method, tunnel: undefined } }),
    )
    const standIn = sorry ? { sorryServer: sorryServer('10.0.0.1:80', { inhibit }) } : {}
    const pool = start({ realServers, panicThreshold, ...standIn })
    const [key] = serviceKeys(pool.config)
    for (const [n, up] of verdicts) {
      const server = [...pool.servers.values()][n % pool.servers.size]!
      const before = desiredService(pool, key!).destinations
      const verdict = { up, class: up ? 'ok' : 'refused', reason: '', took: millis(1) } as const
      const effects = pool.verdict(server.name, { checker: 0, up, first: false, verdict, at: 1 })
      if (effects.some(({ kind }) => kind === 'quorum' || kind === 'panic') || !isSimple(pool, key!)) continue
      const [id, entry] = desiredEntry(pool, server.name, key!)
      const patched = new Map(before)
      if (entry === undefined) patched.delete(id)
      else patched.set(id, entry)
      expect(patched).toEqual(desiredService(pool, key!).destinations)
    }
  },
)
