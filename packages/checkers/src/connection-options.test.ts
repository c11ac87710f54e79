/** Where a check connects to and from, for every kind that connects: the same server, with the option and without it. */
import { millis } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { noNamespaces, ownNamespace, type OwnNamespace } from '@ipvs-director/linux/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNodeIo } from './io/node-io.ts'
import { ask, checkerOf } from './testing/ask.ts'
import { inside } from './testing/inside.ts'
import { probeOnce } from './testing/probe.ts'
import { readChecker } from './testing/read.ts'
import { wellServers, type Takes } from './testing/well.ts'

const well = wellServers()
afterAll(() => well.close())

const root = addonAvailable() && process.getuid?.() === 0
if (!root) console.warn('half_open and PING_CHECK are not tried: they need the native addon and CAP_NET_RAW')

/** As it stands in the file; `connect_ip` and `connect_port` go before everything else. */
const blockOf = (kind: string, words: string): string => `${kind} {\n ${words}\n }`
const plain = [false, ...(addonAvailable() ? [true] : [])]

describe.for(plain)('kernel sockets: %s', (kernelSockets) => {
  describe.for(well.all)('$kind { $words }', ({ kind, words, serve }) => {
    const probe = async (more: string): Promise<boolean> => {
      const verdict = await ask(blockOf(kind, `${words}\n ${more}`), {}, createNodeIo({ kernelSockets }))
      expect(verdict.class).not.toBe('local')
      return verdict.up
    }
    const fails = async (more: string): Promise<boolean> => !(await probe(`${more}\n connect_timeout 0.3`))
    const at = (port: number): string => `connect_ip 127.0.0.1\n connect_port ${port}`

    // shows TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|DNS_CHECK|UDP_CHECK|AGENT_CHECK|GRPC_CHECK bindto
    test('bindto', async () => {
      const port = await serve((address) => address === '127.0.0.9')
      expect(await fails(at(port))).toBe(true)
      expect(await probe(`${at(port)}\n bindto 127.0.0.9`)).toBe(true)
    })

    // shows TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|DNS_CHECK|UDP_CHECK|AGENT_CHECK|GRPC_CHECK bind_port
    test('bind_port', async () => {
      const own = await well.servers.closedPort()
      const port = await serve((_, from) => from === own)
      expect(await fails(at(port))).toBe(true)
      expect(await probe(`${at(port)}\n bind_port ${own}`)).toBe(true)
    })

    // shows TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|DNS_CHECK|UDP_CHECK|AGENT_CHECK|GRPC_CHECK connect_ip connect_port
    test('connect_ip and connect_port', async () => {
      const port = await serve(() => true)
      expect(await probe(at(port))).toBe(true)
      expect(await fails(at(await well.servers.closedPort()))).toBe(true)
      expect(await fails(`connect_ip 127.0.0.9\n connect_port ${port}`)).toBe(true)
    })

    // shows TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|DNS_CHECK|UDP_CHECK|AGENT_CHECK|GRPC_CHECK connect_timeout
    test('connect_timeout', async () => {
      const { servers } = well
      const silent = /^(?:DNS|UDP)/.test(kind) ? servers.udp(() => undefined) : servers.tcp((socket) => socket.resume())
      const block = blockOf(kind, `${words}\n ${at(await silent)}\n connect_timeout 0.1`)
      const verdict = await ask(block, {}, createNodeIo({ kernelSockets }))
      expect(verdict.class).toBe('timeout')
      expect(verdict.took).toBeGreaterThanOrEqual(100)
      expect(verdict.took).toBeLessThan(2500)
    })
  })
})

if (noNamespaces !== undefined) console.warn(`interfaces and marks are not tried: ${noNamespaces}`)

/**
 * Two ways to one address: eth0, where the routes lead, has nobody with it; eth1 has the server. Mark 7 is routed there,
 * too.
 */
describe.skipIf(noNamespaces !== undefined || !root)('an interface, or a mark that is routed there', () => {
  let [ours, theirs]: OwnNamespace[] = []
  const address = '10.77.0.1'
  beforeAll(async () => {
    ours = await ownNamespace()
    theirs = await ownNamespace()
    const other = theirs.path.split('/')[2] ?? ''
    await ours.run(
      [
        'ip link set lo up',
        ...['eth0', 'eth1'].map((each) => `ip link add ${each} type veth peer name ${each} netns ${other}`),
        'ip link set eth0 up',
        'ip link set eth1 up',
        'ip addr add 10.77.0.2/32 dev eth0',
        'ip addr add 10.77.0.3/32 dev eth1',
        `ip route add ${address} dev eth0 metric 1`,
        `ip route add ${address} dev eth1 metric 2`,
        'ip rule add fwmark 7 table 7',
        `ip route add ${address} dev eth1 table 7`,
        // A virtual address, to which only the packets of checks along the data path are routed.
        'ip rule add fwmark 0x4000/0x4000 table 8',
        'ip route add 192.0.2.1 dev eth1 table 8',
        'ip route add 10.0.0.1 dev eth1',
        // So that nothing says that nobody is there.
        `ip neigh add ${address} lladdr 02:00:00:00:00:01 dev eth0 nud permanent`,
        'ip addr add fd77::2/64 dev eth1 nodad',
        'ip addr add fe80::2/64 dev eth1 nodad',
      ].join(' && '),
    )
    await theirs.run(
      [
        'ip link set lo up',
        'ip link set eth0 up arp off',
        'ip link set eth1 up',
        `ip addr add ${address}/32 dev eth1`,
        'ip addr add 192.0.2.1/32 dev eth1',
        'ip addr add fe80::1/64 dev eth1 nodad',
        'ip route add 10.77.0.0/24 dev eth1',
      ].join(' && '),
    )
  })
  afterAll(() => {
    ours?.close()
    theirs?.close()
  })

  const kinds = [
    ...well.all,
    { kind: 'TCP_CHECK', words: 'half_open', serve: well.all[0]?.serve },
    { kind: 'PING_CHECK', words: '', serve: undefined },
  ]

  // shows TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|DNS_CHECK|UDP_CHECK|AGENT_CHECK|GRPC_CHECK|PING_CHECK bind_if fwmark
  test.for(kinds)('$kind { $words }', async ({ kind, words, serve }) => {
    const everybody: Takes = () => true
    const port = serve === undefined ? 1 : await inside(theirs?.path ?? '', () => serve(everybody, address))
    const io = createNodeIo()
    const probe = async (more: string, patience = ''): Promise<string> => {
      const text = `${words}\n connect_ip ${address}\n connect_port ${port}\n ${more}\n ${patience}`
      return inside(ours?.path ?? '', async () => (await ask(blockOf(kind, text), {}, io)).class)
    }
    expect(await probe('', 'connect_timeout 0.3')).toBe('timeout')
    expect(await probe('bind_if eth1')).toBe('ok')
    expect(await probe('bind_if eth0', 'connect_timeout 0.3')).toBe('timeout')
    expect(await probe('fwmark 7')).toBe('ok')
    expect(await probe('fwmark 8', 'connect_timeout 0.3')).toBe('timeout')
  })

  test.for(kinds)('$kind { $words }: a link-local address', async ({ kind, words, serve }) => {
    const port = serve === undefined ? 1 : await inside(theirs?.path ?? '', () => serve(() => true, 'fe80::1%eth1'))
    const io = createNodeIo()
    const probe = async (more: string): Promise<string> => {
      const text = `${words}\n connect_ip fe80::1\n connect_port ${port}\n ${more}`
      return inside(ours?.path ?? '', async () => (await ask(blockOf(kind, text), {}, io)).class)
    }
    expect(await probe('bind_if eth1')).toBe('ok')
    expect(await probe('bind_if eth1\n bindto fe80::2')).toBe('ok')
  })

  // shows TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|DNS_CHECK|UDP_CHECK|AGENT_CHECK|GRPC_CHECK data_path
  test.for(well.all)('$kind { $words }: data_path', async ({ kind, words, serve }) => {
    const port = await inside(theirs?.path ?? '', () => serve(() => true, '192.0.2.1'))
    const around = { top: 'global_defs {\n data_path_marks 16384 32767\n }', virtualServer: 'lb_kind DR' }
    const probe = async (more: string): Promise<string> => {
      const text = blockOf(kind, `${words}\n connect_port ${port}\n bindto 10.77.0.3\n connect_timeout 1\n ${more}`)
      const { checker: read } = await readChecker(text, around)
      const { connection, options, timing } = read ?? {}
      // Marks are given to servers when the whole table is made.
      const at = connection?.through === undefined ? connection : { ...connection, fwmark: 0x4001 }
      const timeout = timing?.timeout ?? millis(1000)
      return inside(ours?.path ?? '', async () => (await probeOnce(checkerOf(kind), createNodeIo(), at, options, { timeout })).class) // prettier-ignore
    }
    expect(await probe('data_path')).toBe('ok')
    expect(await probe('')).not.toBe('ok')
  })

  // shows SMTP_CHECK host.bind_if host.fwmark
  test('a host of SMTP_CHECK', async () => {
    const mail = well.all.find(({ kind }) => kind === 'SMTP_CHECK')
    const port = await inside(theirs?.path ?? '', async () => mail?.serve(() => true, address))
    const probe = async (more: string): Promise<string> => {
      const host = `host {\n connect_ip ${address}\n connect_port ${port}\n connect_timeout 0.3\n ${more}\n }`
      return inside(ours?.path ?? '', async () => (await ask(blockOf('SMTP_CHECK', host))).class)
    }
    expect(await probe('')).toBe('timeout')
    expect(await probe('connect_timeout 3\n bind_if eth1')).toBe('ok')
    expect(await probe('connect_timeout 3\n fwmark 7')).toBe('ok')
  })

  // shows PING_CHECK connect_timeout
  test('PING_CHECK: connect_timeout', async () => {
    const block = blockOf('PING_CHECK', `connect_ip ${address}\n connect_timeout 0.1`)
    const verdict = await inside(ours?.path ?? '', () => ask(block))
    expect(verdict.class).toBe('timeout')
    expect(verdict.took).toBeLessThan(2500)
  })
})

// shows PING_CHECK connect_ip bindto
test.skipIf(!root)('PING_CHECK', async () => {
  expect(await ask('PING_CHECK {\n connect_ip 127.0.0.1\n }')).toMatchObject({ class: 'ok' })
  expect(await ask('PING_CHECK {\n connect_ip ::1\n }')).toMatchObject({ class: 'ok' })
  const from = 'PING_CHECK {\n connect_ip 127.0.0.1\n bindto'
  expect(await ask(`${from} 127.0.0.9\n }`)).toMatchObject({ class: 'ok' })
  expect(await ask(`${from} 192.0.2.9\n }`)).toMatchObject({ class: 'local' })
  expect(await ask('PING_CHECK {\n connect_ip ::1\n bindto ::1\n }')).toMatchObject({ class: 'ok' })
})
