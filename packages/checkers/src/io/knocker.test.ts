import type { CheckConnection } from '@ipvs-director/config'
import { addressBytes, address, millis } from '@ipvs-director/core'
import { addonAvailable, openSocket, withinNamespace, type KernelSocket } from '@ipvs-director/linux'
import { decodeSegment, encodeSegment, noNamespaces, ownNamespace } from '@ipvs-director/linux/testing'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import type { Verdict } from '../checker.ts'
import { tcpCheck } from '../tcp.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { readChecker } from '../testing/read.ts'
import { testServers } from '../testing/servers.ts'
import { Knocker } from './knocker.ts'
import { createNodeIo } from './node-io.ts'
import { sockaddr } from './sockaddr.ts'

const able = addonAvailable() && process.getuid?.() === 0
if (!able) console.warn('half-open checks are not tested: they need the native addon and CAP_NET_RAW')
const raw = test.skipIf(!able)

const servers = testServers()
const open: KernelSocket[] = []
afterAll(async () => {
  for (const socket of open) socket.close()
  await servers.close()
})

const io = createNodeIo()
const halfOpen = { send: undefined, expect: undefined, halfOpen: true }
const knock = (port: number, host = '127.0.0.1', timeout = millis(400)): Promise<Verdict> =>
  probeOnce(tcpCheck, io, connectionTo(port, host), halfOpen, { timeout })

// shows TCP_CHECK half_open
raw.for(['127.0.0.1', '::1'])('%s: an open port answers, and has nothing to accept', async (host) => {
  let accepted = 0
  const server = createServer(() => accepted++)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  for (let i = 0; i < 20; i++) {
    const verdict = await knock(port, host)
    expect(verdict).toMatchObject({ up: true, class: 'ok' })
    expect(verdict.reason).toMatch(/would connect after/)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(accepted).toBe(0)
  await new Promise((resolve) => server.close(resolve))
})

raw.for(['127.0.0.1', '::1'])('%s: a closed port refuses', async (host) => {
  const port = await servers.closedPort()
  expect(await knock(port, host)).toMatchObject({ up: false, class: 'refused' })
})

raw('who drops it is silent', async () => {
  const verdict = await knock(await servers.deaf())
  expect(verdict).toMatchObject({ up: false, class: 'timeout' })
  expect(verdict.reason).toMatch(/^no connection to 127.0.0.1:\d+ after \d/)
})

raw('two hundred servers at once by one socket, and one server for several checks', async () => {
  const port = await servers.tcp((socket) => socket.destroy(), '0.0.0.0')
  const hosts = Array.from({ length: 200 }, (_, n) => `127.1.${n >> 6}.${(n & 63) + 1}`)
  const verdicts = await Promise.all([...hosts, ...hosts].map((host) => knock(port, host, millis(4000))))
  expect(verdicts.filter(({ up }) => !up)).toEqual([])
})

/** Answers SYNs to this port by a forgery: as if from this address, and with the number they want plus `off`. */
function forge(port: number, source: string, off: number): void {
  const from = addressBytes(address(source))
  const me = addressBytes(address('127.0.0.1'))
  const out = openSocket({ domain: 2, type: 3, protocol: 6, bufferBytes: 1 }, { error: () => undefined })
  const ear = openSocket(
    { domain: 2, type: 3, protocol: 6 },
    {
      message: (data) => {
        const syn = decodeSegment(data.subarray(20))
        if (syn.to !== port || syn.flags !== 0x02) return
        const answer = { from: port, to: syn.from, sequence: 1, acknowledged: syn.sequence + 1 + off, flags: 0x12 }
        out.setsockopt(0, 8, Buffer.from([1, 0, 0, 0]))
        const control = Buffer.alloc(32)
        control.writeUInt32LE(28, 0)
        control.writeInt32LE(8, 12)
        control.set(from, 20)
        out.send(encodeSegment(answer, { source: from, destination: me }), sockaddr(address('127.0.0.1'), 0), control)
      },
      error: () => undefined,
    },
  )
  open.push(out, ear)
  ear.start()
}

raw('a forged answer counts only if the forger could see the SYN', async () => {
  const silent = [await servers.deaf(), await servers.deaf(), await servers.deaf()] as const
  forge(silent[0], '127.0.0.1', 0)
  forge(silent[1], '127.0.0.1', 1)
  forge(silent[2], '127.0.0.7', 0)
  expect(await knock(silent[0])).toMatchObject({ up: true })
  expect(await knock(silent[1])).toMatchObject({ up: false, class: 'timeout' })
  expect(await knock(silent[2])).toMatchObject({ up: false, class: 'timeout' })
})

/** SYNs to this port, with their IP headers. */
function overhear(port: number): Buffer[] {
  const heard: Buffer[] = []
  const ear = openSocket(
    { domain: 2, type: 3, protocol: 6 },
    {
      message: (data) => {
        const syn = decodeSegment(data.subarray(20))
        if (syn.to === port && syn.flags === 0x02) heard.push(data)
      },
      error: () => undefined,
    },
  )
  open.push(ear)
  ear.start()
  return heard
}

function listen(): {
  readonly knocker: Knocker
  readonly told: string[]
  readonly until: (...said: string[]) => Promise<void>
} {
  const told: string[] = []
  const knocker = new Knocker((place, failure) => told.push(`${place} ${failure?.message ?? 'open'}`))
  const until = async (...said: string[]): Promise<void> => {
    await expect.poll(() => [...told].sort(), { timeout: 5000 }).toEqual([...said].sort())
  }
  return { knocker, told, until }
}

raw('two checks of one server: one SYN, and each is told until it gives up', async () => {
  const silent = await servers.deaf()
  const port = await servers.tcp((socket) => socket.destroy())
  const [heard, reached] = [overhear(silent), overhear(port)]
  const { knocker, told, until } = listen()
  const [at, same, other] = [connectionTo(silent), connectionTo(silent), connectionTo(port)]
  knocker.ask(0, at)
  knocker.go()
  knocker.ask(1, same)
  knocker.ask(2, at)
  knocker.go()
  await expect.poll(() => heard).toHaveLength(1)
  knocker.giveUp(0)
  forgeOnce(heard[0])
  await until('1 open', '2 open')
  // The place of the first is another check's now.
  told.length = 0
  knocker.ask(0, other)
  knocker.ask(1, other)
  knocker.ask(2, same)
  knocker.giveUp(2)
  knocker.go()
  await until('0 open', '1 open')
  await expect.poll(() => reached).toHaveLength(1)
  expect(heard).toHaveLength(1)
  // Who is left is told as before.
  told.length = 0
  knocker.ask(2, same)
  knocker.go()
  await expect.poll(() => heard).toHaveLength(2)
  forgeOnce(heard[1])
  await until('2 open')
})

raw.for([0, 1, 2])('three checks of one server: %i comes to ask another, the rest are told as before', async (goes) => {
  const [at, other] = [await openPort(), await openPort()]
  const { knocker, told, until } = listen()
  for (const place of [0, 1, 2]) knocker.ask(place, at)
  knocker.go()
  await until('0 open', '1 open', '2 open')
  told.length = 0
  knocker.ask(goes, other)
  knocker.go()
  await until(`${goes} open`)
  told.length = 0
  const rest = [0, 1, 2].filter((place) => place !== goes)
  for (const place of rest) knocker.ask(place, at)
  knocker.go()
  await until(...rest.map((place) => `${place} open`))
})

async function openPort(): Promise<CheckConnection> {
  return connectionTo(await servers.tcp((socket) => socket.destroy()))
}

/** The SYN-ACK to this packet. */
function forgeOnce(packet: Buffer | undefined): void {
  if (packet === undefined) return
  const syn = decodeSegment(packet.subarray(20))
  const [destination, source] = [packet.subarray(12, 16), packet.subarray(16, 20)]
  const answer = { from: syn.to, to: syn.from, sequence: 1, acknowledged: syn.sequence + 1, flags: 0x12 }
  const out = openSocket({ domain: 2, type: 3, protocol: 6, bufferBytes: 1 }, { error: () => undefined })
  open.push(out)
  out.send(encodeSegment(answer, { source, destination }), sockaddr(address('127.0.0.1'), 0))
}

raw.for([
  [3, 'connection refused'],
  [1, 'host unreachable'],
  [8, 'host isolated'],
] as const)('ICMP "unreachable" with code %i: %s', async ([code, said]) => {
  const silent = await servers.deaf()
  const heard = overhear(silent)
  const { knocker, told, until } = listen()
  knocker.ask(0, connectionTo(silent))
  knocker.go()
  await expect.poll(() => heard).toHaveLength(1)
  const icmp = openSocket({ domain: 2, type: 3, protocol: 1, bufferBytes: 1 }, { error: () => undefined })
  open.push(icmp)
  const wrong = Buffer.from(heard[0] ?? '')
  wrong.writeInt32BE(wrong.readInt32BE(24) ^ 1, 24)
  icmp.send(unreachable(0, wrong), sockaddr(address('127.0.0.1'), 0))
  icmp.send(unreachable(code, heard[0] ?? wrong), sockaddr(address('127.0.0.1'), 0))
  await expect.poll(() => told).not.toEqual([])
  await until(`0 ${said}: 127.0.0.1:${silent}`)
})

/** RFC 792: the beginning of the packet comes back. */
function unreachable(code: number, packet: Buffer): Buffer {
  const message = Buffer.concat([Buffer.of(3, code, 0, 0, 0, 0, 0, 0), packet.subarray(0, 40)])
  let sum = 0
  for (let at = 0; at < message.length; at += 2) sum += message.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  message.writeUInt16BE(~sum & 0xffff, 2)
  return message
}

test('as it is written', async () => {
  expect((await readChecker('TCP_CHECK {\n half_open\n }')).checker?.options).toEqual({ halfOpen: true })
  const { remarks } = await readChecker('TCP_CHECK {\n half_open\n send "x"\n }')
  expect(remarks).toContain('E063 with half_open nothing can be sent or expected')
})

if (noNamespaces !== undefined) console.warn(`the address we send from is not taken away: ${noNamespaces}`)
test.skipIf(!able || noNamespaces !== undefined)(
  'the address we send from leaves: the next SYN is from another one',
  async () => {
    const space = await ownNamespace()
    const server = createServer((socket) => socket.destroy())
    try {
      const route = (source: string): string => `ip route replace local 10.88.1.0/24 dev lo src ${source}`
      await space.run(`ip link set lo up && ip addr add 10.88.0.1/32 dev lo && ip addr add 10.88.0.2/32 dev lo && ${route('10.88.0.1')}`) // prettier-ignore
      withinNamespace(space.path, () => server.listen(0))
      await new Promise((resolve) => (server.listening ? resolve(undefined) : server.once('listening', resolve)))
      const at = connectionTo((server.address() as AddressInfo).port, '10.88.1.5')
      const told: (string | undefined)[] = []
      const knocker = new Knocker((_, failure) => told.push(failure?.message ?? 'open'))
      const knockAgain = async (): Promise<void> => {
        const before = told.length
        withinNamespace(space.path, () => {
          knocker.ask(0, at)
          knocker.go()
        })
        await expect.poll(() => told.length, { timeout: 5000 }).toBe(before + 1)
      }
      await knockAgain()
      await knockAgain()
      expect(told).toEqual(['open', 'open'])
      await space.run(`ip addr del 10.88.0.1/32 dev lo && ${route('10.88.0.2')}`)
      await knockAgain()
      expect(told.slice(2)).toEqual(['open'])
    } finally {
      server.close()
      space.close()
    }
  },
)
