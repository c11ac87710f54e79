import { address } from '@ipvs-director/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { IpvsClient } from '../client.ts'
import { defaultDestination, defaultService } from '../defaults.ts'
import { diff } from '../diff.ts'
import { tunnelOf } from '../same.ts'
import { serviceId, type Command, type Destination, type ServiceKey, type Table } from '../table.ts'
import * as any from './arbitraries.ts'

/** What the suite needs of the place it runs in. */
export interface ContractPlace {
  readonly client: IpvsClient
  /** A network interface that is up, for sync daemons. */
  readonly device: string
}

export interface ContractOptions {
  /** Random cases of each property. */
  readonly runs?: number
}

const web: ServiceKey = { protocol: 'tcp', address: address('192.0.2.1'), port: 80 }
const mark: ServiceKey = { fwmark: 7, family: 'inet6' }
const settings = defaultService('inet')
const real = (text: string, port = 80): Destination => ({ ...defaultDestination, address: address(text), port })
const addWeb: Command = { do: 'addService', key: web, settings }
const add = (destination: Destination): Command => ({ do: 'addDestination', service: web, destination })
const set = (destination: Destination): Command => ({ do: 'setDestination', service: web, destination })

/** Each command after the ones before it, and how it is refused. */
const refusals: readonly (readonly [name: string, before: readonly Command[], command: Command, message: string])[] = [
  ['a service twice', [addWeb], addWeb, 'cannot add 192.0.2.1:80/tcp: EEXIST'],
  [
    'a change of an unknown service',
    [],
    { do: 'setService', key: web, settings },
    'cannot change 192.0.2.1:80/tcp: ESRCH (no such service)',
  ],
  [
    'deleting an unknown service',
    [],
    { do: 'deleteService', key: mark },
    'cannot delete fwmark 7/inet6: ESRCH (no such service)',
  ],
  [
    'an unknown scheduler',
    [],
    { do: 'addService', key: web, settings: { ...settings, scheduler: 'foo' } },
    'cannot add 192.0.2.1:80/tcp: ENOENT (no such scheduler "foo")',
  ],
  [
    'a change to an unknown engine',
    [addWeb],
    { do: 'setService', key: web, settings: { ...settings, engine: 'foo' } },
    'cannot change 192.0.2.1:80/tcp: ENOENT (no such scheduler "wlc" or no such persistence engine "foo")',
  ],
  [
    'a prefix length of 0',
    [],
    { do: 'addService', key: mark, settings: { ...settings, netmask: 0 } },
    'cannot add fwmark 7/inet6: EINVAL',
  ],
  [
    'a destination of an unknown service',
    [],
    add(real('10.0.0.2')),
    'cannot add 10.0.0.2:80 to 192.0.2.1:80/tcp: ESRCH (no such service)',
  ],
  [
    'a destination twice',
    [addWeb, add(real('10.0.0.2'))],
    add(real('10.0.0.2')),
    'cannot add 10.0.0.2:80 to 192.0.2.1:80/tcp: EEXIST',
  ],
  [
    'a change of an unknown destination',
    [addWeb],
    set(real('10.0.0.2')),
    'cannot change 10.0.0.2:80 of 192.0.2.1:80/tcp: ENOENT (no such destination)',
  ],
  [
    'deleting an unknown destination',
    [addWeb],
    { do: 'deleteDestination', service: web, destination: { address: address('10.0.0.2'), port: 80 } },
    'cannot delete 10.0.0.2:80 from 192.0.2.1:80/tcp: ENOENT (no such destination)',
  ],
  [
    'a negative weight',
    [addWeb],
    add({ ...real('10.0.0.2'), weight: -1 }),
    'cannot add 10.0.0.2:80 to 192.0.2.1:80/tcp: ERANGE (weight below 0, or lower threshold above upper)',
  ],
  [
    'a lower threshold above the upper',
    [addWeb, add(real('10.0.0.2'))],
    set({ ...real('10.0.0.2'), lowerThreshold: 2, upperThreshold: 1 }),
    'cannot change 10.0.0.2:80 of 192.0.2.1:80/tcp: ERANGE (weight below 0, or lower threshold above upper)',
  ],
]

const invalid: readonly (readonly [name: string, destination: Destination])[] = [
  ['the other family without a tunnel', real('2001:db8::2')],
  ['no address', real('0.0.0.0')],
  ['a group', real('224.0.0.1')],
  ['broadcast', real('255.255.255.255')],
  [
    'gue without a port',
    { ...real('10.0.0.2'), forwarding: 'tunnel', tunnel: { type: 'gue', port: 0, checksum: 'none' } },
  ],
]

const invalidV6 = ['::', 'ff02::1', 'fe80::1', '::ffff:192.0.2.1']

/** Refused before the kernel could take them for something else. */
const beyond: readonly (readonly [name: string, command: Command, code: string])[] = [
  ['mark 0', { do: 'addService', key: { fwmark: 0, family: 'inet' }, settings }, 'ERANGE'],
  ['a port of 65536', { do: 'addService', key: { ...web, port: 65536 }, settings }, 'ERANGE'],
  [
    'persistence that wraps round',
    { do: 'addService', key: web, settings: { ...settings, persistence: 2 ** 32 / 1000 } },
    'ERANGE',
  ],
  [
    'a name of 16 bytes',
    { do: 'addService', key: web, settings: { ...settings, scheduler: 'a'.repeat(16) } },
    'EINVAL',
  ],
  ['a weight of 2^31', add({ ...real('10.0.0.2'), weight: 2 ** 31 }), 'ERANGE'],
  ['half a threshold', add({ ...real('10.0.0.2'), upperThreshold: 0.5 }), 'ERANGE'],
]

/** One suite for everything that calls itself an IpvsClient. It empties the table before each test. */
export function ipvsContract(name: string, open: () => Promise<ContractPlace>, options: ContractOptions = {}): void {
  const numRuns = options.runs ?? 100

  describe(`${name} keeps the contract of IpvsClient`, () => {
    let client: IpvsClient
    let device: string

    beforeEach(async () => {
      ;({ client, device } = await open())
      await done([{ do: 'flush' }])
    })
    afterEach(() => {
      client.close()
    })

    /** Carries out commands of which none may be refused. */
    async function done(commands: readonly Command[]): Promise<void> {
      const errors = (await client.execute(commands)).filter((error) => error !== undefined)
      expect(errors.map(({ message }) => message)).toEqual([])
    }

    async function become(desired: Table): Promise<void> {
      await done(diff(await client.table(), desired, { owned: () => true }))
    }

    test.for(refusals)('refuses %s', async ([, before, command, message]) => {
      await done(before)
      const table = await client.table()
      const [error] = await client.execute([command])
      expect(error?.message).toBe(message)
      expect(await client.table()).toEqual(table)
    })

    test.for(invalid)('refuses a destination: %s', async ([, destination]) => {
      await done([addWeb])
      const [error] = await client.execute([add(destination)])
      expect(error).toMatchObject({ code: 'EINVAL', errno: 22 })
    })

    test.for(invalidV6)('refuses a destination at %s', async (text) => {
      await done([{ do: 'addService', key: mark, settings: defaultService('inet6') }])
      const [error] = await client.execute([{ do: 'addDestination', service: mark, destination: real(text) }])
      expect(error).toMatchObject({ code: 'EINVAL', errno: 22 })
    })

    test.for(beyond)('refuses %s', async ([, command, code]) => {
      const [error] = await client.execute([command])
      expect(error).toMatchObject({ code })
      expect(await client.table()).toEqual(new Map())
    })

    test('goes on after a refused command and tells each result at its place', async () => {
      const results = await client.execute([
        addWeb,
        addWeb,
        add(real('10.0.0.2')),
        set(real('10.0.0.9')),
        add(real('10.0.0.3')),
      ])
      expect(results.map((error) => error?.code)).toEqual([undefined, 'EEXIST', undefined, 'ENOENT', undefined])
      expect((await client.destinations(web)).map(({ destination }) => destination)).toEqual([
        real('10.0.0.2'),
        real('10.0.0.3'),
      ])
    })

    test('carries out nothing', async () => {
      expect(await client.execute([])).toEqual([])
    })

    test('carries out more commands than fit one datagram, refused ones among them', async () => {
      const destinations = Array.from({ length: 1500 }, (_, i) => real(`10.1.${i >> 8}.${i & 255}`))
      const commands = [addWeb, ...destinations.flatMap((destination) => [add(destination), add(destination)])]
      const results = await client.execute(commands)
      expect(results).toHaveLength(commands.length)
      expect(results.every((error, i) => error?.code === (i > 0 && i % 2 === 0 ? 'EEXIST' : undefined))).toBe(true)
      expect(await client.destinations(web)).toHaveLength(1500)
    })

    test('lists destinations by address and port, and none of a service that is not there', async () => {
      const sorted = [real('9.0.0.1'), real('10.0.0.2', 79), real('10.0.0.2'), real('10.0.0.10')]
      await done([addWeb, ...sorted.toReversed().map(add)])
      expect((await client.destinations(web)).map(({ destination }) => destination)).toEqual(sorted)
      expect(await client.destinations(mark)).toEqual([])
    })

    test('finds one service, or none', async () => {
      await done([addWeb])
      expect(await client.service(web)).toMatchObject({ key: web, settings, statistics: { connections: 0n } })
      expect(await client.service(mark)).toBeUndefined()
    })

    test('one mark is a service in each family', async () => {
      const other: ServiceKey = { fwmark: 7, family: 'inet' }
      const six = { ...defaultService('inet6'), scheduler: 'rr' }
      await done([
        { do: 'addService', key: mark, settings: six },
        { do: 'addService', key: other, settings },
        { do: 'addDestination', service: mark, destination: real('2001:db8::2', 0) },
        { do: 'addDestination', service: other, destination: real('10.0.0.2', 0) },
      ])
      const table = await client.table()
      expect([...table.keys()].toSorted()).toEqual(['fwmark 7/inet', 'fwmark 7/inet6'])
      expect(table.get('fwmark 7/inet6')?.destinations.size).toBe(1)
      expect(await client.audit(table)).toEqual(table)
      const glances = await client.glance()
      expect(glances.get('fwmark 7/inet6')?.has('[2001:db8::2]:0')).toBe(true)
      expect(glances.get('fwmark 7/inet')?.has('10.0.0.2:0')).toBe(true)
    })

    test('flush removes every service', async () => {
      await done([addWeb, add(real('10.0.0.2')), { do: 'flush' }])
      expect(await client.table()).toEqual(new Map())
    })

    test('zero wants a service that is there', async () => {
      await done([addWeb])
      await client.zero()
      await client.zero(web)
      await expect(client.zero(mark)).rejects.toThrow('cannot zero the counters of fwmark 7/inet6: ESRCH')
    })

    test('a timeout of 0 stays as it is', async () => {
      const before = await client.timeouts()
      await client.setTimeouts({ tcp: 901, tcpFin: 0, udp: 301 })
      expect(await client.timeouts()).toEqual({ tcp: 901, tcpFin: before.tcpFin, udp: 301 })
      await client.setTimeouts(before)
      expect(await client.timeouts()).toEqual(before)
      await expect(client.setTimeouts({ ...before, udp: 2 ** 31 })).rejects.toThrow('cannot set the timeouts: EINVAL')
    })

    test('a sync daemon of each kind', async () => {
      const group = address('224.1.1.1')
      await client.startDaemon({ state: 'master', interface: device, syncId: 3 })
      await client.startDaemon({
        state: 'backup',
        interface: device,
        syncId: 255,
        maxLength: 1400,
        group,
        port: 9999,
        ttl: 3,
      })
      const again = client.startDaemon({ state: 'master', interface: device, syncId: 3 })
      await expect(again).rejects.toThrow(`cannot start the master sync daemon on ${device}: EEXIST`)
      expect(await client.daemons()).toMatchObject([
        { state: 'master', interface: device, syncId: 3, group: '224.0.0.81', port: 8848, ttl: 1 },
        { state: 'backup', interface: device, syncId: 255, maxLength: 1400, group, port: 9999, ttl: 3 },
      ])
      await client.stopDaemon({ state: 'backup', syncId: 255 })
      await client.stopDaemon({ state: 'master', syncId: 3 })
      expect(await client.daemons()).toEqual([])
      const gone = client.stopDaemon({ state: 'master', syncId: 3 })
      await expect(gone).rejects.toThrow('cannot stop the master sync daemon: ESRCH')
    })

    test('a sync daemon and a destination of the other family rule each other out', async () => {
      const mixed: Destination = { ...real('2001:db8::2'), forwarding: 'tunnel' }
      const daemon = { state: 'master', interface: device, syncId: 1 } as const
      await done([addWeb, add(mixed)])
      await expect(client.startDaemon(daemon)).rejects.toThrow('EINVAL')
      await done([{ do: 'flush' }, addWeb])
      await client.startDaemon(daemon)
      expect((await client.execute([add(mixed)]))[0]?.code).toBe('EINVAL')
      await client.stopDaemon(daemon)
      await done([add(mixed)])
    })

    test('a sync daemon over IPv6', async () => {
      const daemon = { state: 'master', interface: device, syncId: 1, group: address('ff02::81') } as const
      await client.startDaemon(daemon)
      expect(await client.daemons()).toMatchObject([daemon])
      await client.stopDaemon(daemon)
    })

    test('says which IPVS it is', async () => {
      const { version, connectionTableSize } = await client.info()
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
      expect(connectionTableSize).toBeGreaterThan(0)
    })

    test('after close every method rejects', async () => {
      client.close()
      await expect(client.services()).rejects.toThrow('closed')
      await expect(client.execute([addWeb])).rejects.toThrow('closed')
    })

    test('the commands of diff lead from any table to any other, and then there are none', async () => {
      const property = fc.asyncProperty(any.table, any.table, async (actual, desired) => {
        await become(actual)
        await done(diff(actual, desired, { owned: () => true }))
        const reached = await client.table()
        expect(reached).toEqual(desired)
        expect(diff(reached, desired, { owned: () => true })).toEqual([])
      })
      await fc.assert(property, { numRuns })
    })

    test('no step of diff leaves a service without an available destination that has one before and after', async () => {
      const pairs = fc.oneof(any.shift, any.shift, fc.tuple(any.table, any.table))
      const property = fc.asyncProperty(pairs, async ([actual, desired]) => {
        await become(actual)
        const lasting = [...desired.values()].filter(
          (service) =>
            isAvailable(service.destinations) && isAvailable(actual.get(serviceId(service.key))?.destinations),
        )
        for (const command of diff(actual, desired, { owned: () => true })) {
          await done([command])
          const now = await client.glance()
          for (const { key } of lasting) expect(isAvailable(now.get(serviceId(key)))).toBe(true)
        }
      })
      await fc.assert(property, { numRuns })
    })

    test('an audit finds what the table has, whatever was expected', async () => {
      const property = fc.asyncProperty(any.table, any.table, async (actual, expected) => {
        await become(actual)
        expect(untold(await client.audit(expected), expected)).toEqual(untold(await client.table(), expected))
        expect(await client.audit(actual)).toEqual(actual)
      })
      await fc.assert(property, { numRuns })
    })

    test('what an audit finds as expected is what was expected, and nothing else is', async () => {
      const property = fc.asyncProperty(any.table, async (actual) => {
        await become(actual)
        const found = await client.audit(actual)
        for (const [id, service] of actual) expect(found.get(id)).toBe(service)
        const others = await client.audit(await client.table())
        for (const [id, service] of actual) expect(others.get(id)?.destinations).not.toBe(service.destinations)
      })
      await fc.assert(property, { numRuns: Math.ceil(numRuns / 5) })
    })

    test('a glance shows weights and connections of every destination', async () => {
      const property = fc.asyncProperty(any.table, async (actual) => {
        await become(actual)
        const glances = await client.glance()
        expect([...glances.keys()].toSorted()).toEqual([...actual.keys()].toSorted())
        for (const [id, { destinations }] of actual) {
          const shown = [...destinations].map(([name, { forwarding, weight }]) => [
            name,
            {
              forwarding: forwarding === 'bypass' ? 'masq' : forwarding,
              weight,
              activeConnections: 0,
              inactiveConnections: 0,
            },
          ])
          expect(glances.get(id)).toEqual(new Map(shown as [string, unknown][]))
        }
      })
      await fc.assert(property, { numRuns: Math.ceil(numRuns / 5) })
    })
  })
}

const isAvailable = (destinations: ReadonlyMap<string, { weight: number }> | undefined): boolean =>
  destinations !== undefined && [...destinations.values()].some(({ weight }) => weight > 0)

/**
 * The table without what an audit need not notice: thresholds, tunnel options and bypass of a destination for which
 * none of these is expected and the rest of which is as expected.
 */
function untold(table: Table, expected: Table): unknown {
  const shown = [...table].map(([id, { settings, destinations }]): [string, unknown] => {
    const told = [...destinations].map(([name, destination]): [string, unknown] => {
      const wanted = expected.get(id)?.destinations.get(name)
      return [name, wanted === undefined || !isPlain(wanted) ? destination : withoutHidden(destination)]
    })
    return [id, { settings, destinations: new Map(told) }]
  })
  return new Map(shown)
}

const isPlain = (destination: Destination): boolean =>
  destination.upperThreshold === 0 && destination.forwarding !== 'bypass' && tunnelOf(destination) === undefined

const withoutHidden = ({ address: at, port, weight, forwarding }: Destination) => ({
  at,
  port,
  weight,
  forwarding: forwarding === 'bypass' ? 'masq' : forwarding,
})
