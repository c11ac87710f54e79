import { address, DecodeError, systemClock } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Alarm } from '../alarms/alarm.ts'
import { realServer, sorryServer, virtualServer } from '../testing/config.ts'
import { allSnmp, snmpSnapshot } from '../testing/snmp-snapshot.ts'
import { globalNodes } from './mib/keepalived-global.ts'
import { serverNodes } from './mib/keepalived-servers.ts'
import { serviceNodes } from './mib/keepalived-services.ts'
import { serviceRows, type SnmpSnapshot } from './mib/snapshot.ts'
import { answerTo } from './answer.ts'
import { compareOid, oid, type Oid } from './oid.ts'
import { notifyPacket, openPacket, pduType, readHeader, readRequest, registerPacket, responsePacket, takePackets } from './packet.ts' // prettier-ignore
import { slicedTable } from './sliced-table.ts'
import { createSnmp, type Snmp } from './snmp.ts'
import { notificationsOf } from './traps.ts'
import { createTree, table, type MibTree } from './tree.ts'
import { counter64, gauge, integer, text, type SnmpValue, type VarBind } from './value.ts'
import { Reader, Writer } from './wire.ts'

const ids = { session: 7, transaction: 8, packet: 9 }

describe('packets', () => {
  test('Open as RFC 2741 §6.2.1 draws it', () => {
    expect(openPacket(ids, 5, oid('1.3.6.1.4.1.9586'), 'abcde').toString('hex')).toBe(
      '01011000' + '00000007' + '00000008' + '00000009' + '0000001c' + // header
        '05000000' + '02040000' + '00000001' + '00002572' + // timeout, 1.3.6.1.4 short, .1.9586
        '00000005' + '6162636465000000', // prettier-ignore
    )
  })
  test('Register: timeout, priority 127, subtree', () => {
    expect(registerPacket(ids, oid('1.3.6.1.4.1')).subarray(20).toString('hex')).toBe('007f0000' + '01040000' + '00000001') // prettier-ignore
  })
  test('Response: a Counter64 with its high half first', () => {
    const bytes = responsePacket(ids, 0, 0, [{ name: oid('1.3.6.1.4.1'), value: counter64(2 ** 32 + 5) }])
    expect(bytes.subarray(20).toString('hex')).toBe('00000000' + '00000000' + '00460000' + '01040000' + '00000001' + '0000000100000005') // prettier-ignore
  })
  test('GetNext of a little-endian master, cut into pieces', () => {
    const payload = Buffer.from('0104000001000000' + '0104000002000000', 'hex')
    const header = Buffer.from('01060000' + '07000000' + '08000000' + '09000000' + '10000000', 'hex')
    const whole = Buffer.concat([header, payload, header.subarray(0, 3)])
    const packets = takePackets(whole)
    const { value } = packets.next() as { value: { header: NonNullable<ReturnType<typeof readHeader>>; payload: Buffer } } // prettier-ignore
    expect(value.header).toMatchObject({ type: pduType.getNext, session: 7, packet: 9 })
    expect(readRequest(value.header, value.payload)).toEqual({
      kind: 'getNext',
      context: false,
      ranges: [{ start: oid('1.3.6.1.4.1'), include: false, end: oid('1.3.6.1.4.2') }],
    })
    expect(packets.next()).toEqual({ done: true, value: header.subarray(0, 3) })
    for (let cut = 0; cut < 36; cut++) expect(takePackets(whole.subarray(0, cut)).next().done).toBe(true)
  })
  test('what is no AgentX ends the session', () => {
    expect(() => readHeader(Buffer.alloc(20))).toThrow(DecodeError)
    expect(() => readHeader(Buffer.from('01060000' + '00'.repeat(12) + '00ffffff', 'hex'))).toThrow(DecodeError)
  })

  const number = fc.nat({ max: 2 ** 32 - 1 })
  const anyOid = fc.oneof(fc.array(number, { maxLength: 20 }), fc.array(number, { maxLength: 20 }).map((rest): Oid => [1, 3, 6, 1, 4, ...rest])) // prettier-ignore
  const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))
  const anyValue: fc.Arbitrary<SnmpValue> = fc.oneof(
    fc.integer().map(integer),
    number.map(gauge),
    fc.bigInt(0n, 2n ** 64n - 1n).map((value): SnmpValue => ({ type: 'counter64', value })),
    bytes.map((value): SnmpValue => ({ type: 'octets', value })),
    anyOid.map((value): SnmpValue => ({ type: 'oid', value })),
    fc.constant<SnmpValue>({ type: 'endOfMibView' }),
  )
  property.prop([anyOid, anyValue])('a variable comes back as it went', (name, value) => {
    const written = new Writer().varBind({ name, value }).bytes()
    expect(written.length % 4).toBe(0)
    expect(new Reader(written, true).varBind()).toEqual({ name, value })
  })
  property.prop([fc.uint8Array({ maxLength: 60 }), fc.constantFrom(5, 6, 7, 8, 12, 18, 99)])(
    'any bytes are read or refused',
    (data, type) => {
      // prettier-ignore
      try {
      readRequest({ type, flags: 0, session: 0, transaction: 0, packet: 0, length: data.length }, Buffer.from(data))
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
    }
    },
  )
})

describe('the tree', () => {
  const cells = fc.dictionary(fc.nat({ max: 6 }).map(String), fc.dictionary(fc.nat({ max: 6 }).map(String), fc.nat({ max: 9 }))) // prettier-ignore
  const somewhere = fc.array(fc.nat({ max: 7 }), { maxLength: 5 })
  property.prop([cells, cells, somewhere, somewhere, fc.boolean()])(
    'finds what a list of all instances would',
    (first, second, start, end, include) => {
      // prettier-ignore
      const nodeOf = (base: Oid, columns: Record<string, Record<string, number>>) => {
      const indexes = [...new Set(Object.values(columns).flatMap((column) => Object.keys(column)))].map(Number).sort((a, b) => a - b) // prettier-ignore
      return table<number>(
        base,
        Object.entries(columns)
          .map(([number, column]) => ({ number: Number(number), value: (index: number) => (column[index] === undefined ? undefined : gauge(column[index])) })) // prettier-ignore
          .sort((a, b) => a.number - b.number),
        indexes.map((index) => ({ index: [index], row: index })),
      )
    }
      const all = [[[1, 3], first], [[2, 1], second]] as const // prettier-ignore
      const flat = all
        .flatMap(([base, columns]) =>
          Object.entries(columns).flatMap(([number, column]) =>
            Object.entries(column).map(([index, value]): VarBind => ({
              name: [...base, Number(number), Number(index)],
              value: gauge(value),
            })),
          ),
        ) // prettier-ignore
        .concat({ name: [1, 9, 0], value: gauge(1) })
        .sort((a, b) => compareOid(a.name, b.name))
      const tree = createTree([...all.map(([base, columns]) => nodeOf(base, columns)), { kind: 'scalar', oid: [1, 9], value: gauge(1) }]) // prettier-ignore
      const wanted = flat.find(({ name }) => (compareOid(name, start) > 0 || (include && compareOid(name, start) === 0)) && (end.length === 0 || compareOid(name, end) < 0)) // prettier-ignore
      expect(tree.next({ start, include, end })).toEqual(wanted ?? { name: start, value: { type: 'endOfMibView' } })
      for (const { name, value } of flat) expect(tree.get(name)).toEqual(value)
      const there = flat.find(({ name }) => compareOid(name, start) === 0)
      expect(tree.get(start).type).toMatch(there === undefined ? /^noSuch/ : /gauge/)
    },
  )
})

const services = [
  virtualServer({ realServers: [realServer('10.0.0.2:80'), realServer('10.0.0.3:80')], sorryServer: sorryServer('10.0.0.9:80'), smtpAlert: true }), // prettier-ignore
  virtualServer({ name: 'fwmark 7/inet6', target: { kind: 'fwmark', fwmark: 7, family: 'inet6' }, scheduler: 'xyz', realServers: [realServer('[2001:db8::2]:80')] }), // prettier-ignore
]
const base = '1.3.6.1.4.1.9586.100.5'

async function treeOf(snapshot: SnmpSnapshot) {
  const rows = await serviceRows(snapshot)
  return createTree([...globalNodes(snapshot), ...(await serviceNodes(snapshot, rows)), ...(await serverNodes(rows))])
}

describe('KEEPALIVED-MIB', () => {
  let tree: MibTree
  beforeAll(async () => {
    tree = await treeOf(snmpSnapshot(services))
  })
  test.for<[string, string, SnmpValue | undefined]>([
    ['version', '1.1.0', text('ipvs-director 0.1.0')],
    ['routerId', '1.2.0', text('LVS_1')],
    ['virtualServerType', '3.3.1.2.1', integer(2)],
    ['virtualServerFwMark', '3.3.1.4.2', gauge(7)],
    ['virtualServerFwMark of an address', '3.3.1.4.1', undefined],
    ['virtualServerAddress', '3.3.1.6.1', { type: 'octets', value: Uint8Array.of(192, 0, 2, 1) }],
    ['virtualServerLoadBalancingAlgo wrr', '3.3.1.9.1', integer(2)],
    ['virtualServerLoadBalancingAlgo of its own', '3.3.1.9.2', integer(99)],
    ['virtualServerRealServersTotal', '3.3.1.20.1', gauge(2)],
    ['virtualServerQuorumStatus', '3.3.1.23.1', integer(1)],
    ['virtualServerStatsConns stays at the top', '3.3.1.27.1', gauge(2 ** 32 - 1)],
    ['virtualServerStatsInBytes', '3.3.1.30.1', counter64(9_000_000_000)],
    ['realServerType of the sorry server, which comes first', '3.4.1.2.1.1', integer(2)],
    ['realServerStatus of the sorry server', '3.4.1.6.1.1', undefined],
    ['realServerAddress', '3.4.1.4.2.1', { type: 'octets', value: Uint8Array.of(0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 2) }], // prettier-ignore
    ['realServerPort', '3.4.1.5.1.2', gauge(80)],
    ['realServerWeight', '3.4.1.7.1.2', integer(1)],
    ['realServerWeight of the sorry server', '3.4.1.7.1.1', undefined],
    ['realServerWeight of nobody', '3.4.1.7.1.4', undefined],
    ['virtualServerAddrType of a mark', '3.3.1.5.2', integer(2)],
    ['virtualServerProtocol of a mark', '3.3.1.8.2', undefined],
    ['virtualServerRateInPPS', '3.3.1.33.1', gauge(11)],
    ['virtualServerRateInPPSLow', '3.3.1.43.1', gauge(11)],
    ['virtualServerRateInPPSHigh', '3.3.1.44.1', gauge(0)],
    ['virtualServerStatsInPkts', '3.3.1.28.1', { type: 'counter32', value: 13 }],
    ['virtualServerStatsConns64', '3.3.1.38.1', counter64(5_000_000_000)],
    ['realServerStatsConns of the sorry server', '3.4.1.14.1.1', gauge(2 ** 32 - 1)],
    ['realServerStatsActiveConns', '3.4.1.15.1.2', gauge(3)],
    ['lvsSyncDaemonEnabled', '3.6.1.0', integer(2)],
    ['dbus', '1.9.0', integer(2)],
  ])('%s', ([, name, value]) => {
    const got = tree.get(oid(`${base}.${name}`))
    if (value === undefined) expect(got.type).toBe('noSuchInstance')
    else expect(got.type === 'octets' ? { ...got, value: [...got.value] } : got).toEqual(value.type === 'octets' ? { ...value, value: [...value.value] } : value) // prettier-ignore
  })
})

describe('notifications', () => {
  const at = { at: 0, class: 'refused', reason: 'x' }
  const turned: Alarm = { kind: 'server', service: services[0]!, server: services[0]!.realServers[1]!, checker: undefined, up: false, ...at } // prettier-ignore
  const names = (alarm: Alarm) => notificationsOf(alarm, snmpSnapshot(services).config).map((binds) => binds.map(({ name }) => name.join('.').replace(`${base}.`, ''))) // prettier-ignore
  test('realServerStateChange carries server, state, service and counts, routerId; no index, as keepalived', () => {
    expect(names(turned)).toEqual([
      ['1.3.6.1.6.3.1.1.4.1.0', '3.4.1.3', '3.4.1.4', '3.4.1.5', '3.4.1.6', ...['2', '5', '6', '7', '8', '21', '20'].map((n) => `3.3.1.${n}`), '1.2.0'], // prettier-ignore
    ])
    const [binds = []] = notificationsOf(turned, snmpSnapshot(services).config)
    expect(binds[0]?.value).toEqual({ type: 'oid', value: oid(`${base}.3.5.0.1`) })
    expect(binds[4]?.value).toEqual(integer(2))
  })
  test('virtualServerQuorumStateChange has the state of the quorum, and who is up', () => {
    const [binds = []] = notificationsOf({ kind: 'quorum', service: services[1]!, up: false, threshold: 1, aliveWeight: 0, serversUp: () => 7, at: 0 }, snmpSnapshot(services).config) // prettier-ignore
    const value = (name: string) => binds.find((each) => each.name.join('.') === `${base}.${name}`)?.value
    expect(value('3.3.1.23')).toEqual(integer(2))
    expect(value('3.3.1.4')).toEqual(gauge(7))
    expect(value('3.3.1.8')).toEqual(integer(2))
    expect(value('3.3.1.21')).toEqual(gauge(7))
  })
  test('the end of a service is quorum state 3', () => {
    const [binds = []] = notificationsOf({ kind: 'service-gone', service: services[0]!, why: 'Shutting down', quiet: true, at: 0 }, snmpSnapshot(services).config) // prettier-ignore
    expect(binds.find(({ name }) => name.join('.') === `${base}.3.3.1.23`)?.value).toEqual(integer(3))
  })
})

describe('a session', () => {
  let folder: string
  let server: Server
  let snmp: Snmp | undefined
  const sockets = new Set<Socket>()
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentx-'))
  })
  afterEach(async () => {
    snmp?.stop()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })

  /** A master that answers everything with no error, and keeps what it got. */
  async function master(error = 0) {
    const got: { type: number; payload: Buffer; socket: Socket }[] = []
    server = createServer((socket) => {
      sockets.add(socket)
      let rest: Buffer = Buffer.alloc(0)
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        const packets = takePackets(Buffer.concat([rest, chunk]))
        for (;;) {
          const { done, value } = packets.next()
          if (done === true) {
            rest = Buffer.from(value)
            return
          }
          got.push({ type: value.header.type, payload: Buffer.from(value.payload), socket })
          if (value.header.type < pduType.response) socket.write(responsePacket({ ...value.header, session: 42 }, error, 0, [])) // prettier-ignore
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(join(folder, 'master'), resolve))
    return got
  }
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  function start() {
    const logger = arrayLogger()
    const { config, status } = snmpSnapshot(services)
    snmp = createSnmp({ status: async () => status, clock: systemClock, logger, enable: false, socket: join(folder, 'master') }) // prettier-ignore
    snmp.apply(config)
    return { logger, snmp, config }
  }

  test('opens, registers its three subtrees, answers, notifies, closes', async () => {
    const got = await master()
    const { snmp: agent } = start()
    await until(() => got.length === 4)
    expect(got.map(({ type }) => type)).toEqual([pduType.open, pduType.register, pduType.register, pduType.register])
    const ask = new Writer()
      .oid(oid(`${base}.1.2.0`))
      .oid([])
      .bytes()
    const header = new Writer().u8(1, pduType.get, 0x10, 0).u32(42).u32(1).u32(2).u32(ask.length).bytes()
    got[0]?.socket.write(Buffer.concat([header, ask]))
    await until(() => got.length === 5)
    const answer = new Reader(got[4]!.payload, true)
    expect([answer.u32(), answer.u16(), answer.u16()]).toEqual([0, 0, 0])
    expect(answer.varBind()).toEqual({ name: oid(`${base}.1.2.0`), value: { type: 'octets', value: Buffer.from('LVS_1') } }) // prettier-ignore
    agent.tell({ kind: 'quorum', service: services[0]!, up: true, threshold: 1, aliveWeight: 1, at: 0 })
    await until(() => got.length === 6)
    expect(got[5]?.type).toBe(pduType.notify)
    agent.stop()
    await until(() => got.length === 7)
    expect(got[6]?.type).toBe(pduType.close)
  })

  test('a master that is not there, or goes, is told once and tried again', async () => {
    const got = await master()
    const { logger, snmp: agent } = start()
    await until(() => agent.connected)
    got[0]?.socket.destroy()
    await until(() => logger.lines.some(({ event }) => event === 'snmp.trouble'))
    expect(agent.connected).toBe(false)
    await until(() => agent.connected)
    expect(logger.lines.map(({ event }) => event)).toEqual(['snmp.connected', 'snmp.trouble', 'snmp.connected'])
  })

  test('what is told before there is a session is sent when there is one', async () => {
    const { snmp: agent, logger } = start()
    agent.tell({ kind: 'quorum', service: services[0]!, up: true, threshold: 1, aliveWeight: 1, at: 0 })
    await until(() => logger.lines.some(({ event }) => event === 'snmp.trouble'))
    const got = await master()
    await until(() => got.some(({ type }) => type === pduType.notify))
    expect(got.filter(({ type }) => type === pduType.notify)).toHaveLength(1)
  })

  test('what is told before the first configuration is sent too', async () => {
    const got = await master()
    const { config, status } = snmpSnapshot(services)
    snmp = createSnmp({ status: async () => status, clock: systemClock, logger: arrayLogger(), enable: false, socket: join(folder, 'master') }) // prettier-ignore
    snmp.tell({ kind: 'quorum', service: services[0]!, up: true, threshold: 1, aliveWeight: 1, at: 0 })
    snmp.apply(config)
    await until(() => got.some(({ type }) => type === pduType.notify))
  })

  test('nothing enabled: no session; a reload ends one', async () => {
    const got = await master()
    const { snmp: agent, config } = start()
    await until(() => agent.connected)
    agent.apply({
      ...config,
      snmp: { ...allSnmp, traps: false, vrrp: false, checker: false, rfcV2: false, rfcV3: false },
    })
    expect(agent.connected).toBe(false)
    await until(() => got.at(-1)?.type === pduType.close)
  })
})

test('50,000 servers are all walked, and no answer has more than 250 variables, whatever is asked for', async () => {
  const realServers = Array.from({ length: 5000 }, (_, i) => realServer(`10.0.${i >> 8}.${i & 255}:80`))
  const many = Array.from({ length: 10 }, (_, i) => virtualServer({ name: `v${i}`, target: { kind: 'address', address: address('192.0.2.1'), port: i }, realServers })) // prettier-ignore
  const tree = await treeOf(snmpSnapshot(many))
  let start: Oid = oid(`${base}.3.4.1.62`)
  let rows = 0
  let longest = 0
  for (;;) {
    const answer = answerTo({ kind: 'getBulk', context: false, nonRepeaters: 0, maxRepetitions: 65_535, ranges: [{ start, include: false, end: oid(`${base}.3.4.1.63`) }] }, tree) // prettier-ignore
    const found = answer?.binds.filter(({ value }) => value.type !== 'endOfMibView') ?? []
    longest = Math.max(longest, answer?.binds.length ?? 0)
    rows += found.length
    if (found.length < (answer?.binds.length ?? 0)) break
    start = found.at(-1)?.name ?? start
  }
  expect([rows, longest]).toEqual([50_000, 250])
})

test('a walk that comes by empty columns does not look at every row of them', async () => {
  let looks = 0
  const column = (number: number, has: (row: number) => boolean) => ({ number, value: (row: number) => (looks++, has(row) ? gauge(row) : undefined) }) // prettier-ignore
  const rows = Array.from({ length: 50_000 }, (_, i) => ({ index: [i + 1], row: i + 1 }))
  const columns = [column(1, () => true), column(2, () => false), column(3, (row) => row === 40_000), column(4, () => true)] // prettier-ignore
  const tree = createTree([await slicedTable([1], columns, rows, [2, 3])])
  looks = 0
  const next = (...start: number[]) => tree.next({ start, include: false, end: [] }).name
  expect([next(1, 1, 50_000), next(1, 3, 7), next(1, 3, 40_000), next(1, 4, 50_000)]).toEqual([[1, 3, 40_000], [1, 3, 40_000], [1, 4, 1], [1, 4, 50_000]]) // prettier-ignore
  expect(looks).toBeLessThan(10)
})

test('notifications leave as one packet each', () => {
  expect(readHeader(notifyPacket(ids, [{ name: [1, 3], value: { type: 'null' } }]))?.type).toBe(pduType.notify)
})
