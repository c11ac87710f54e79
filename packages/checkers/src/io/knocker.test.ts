import { addressBytes, address, millis } from '@ipvs-director/core'
import { addonAvailable, openSocket, withinNamespace, type KernelSocket } from '@ipvs-director/linux'
import { noNamespaces, ownNamespace } from '@ipvs-director/linux/testing'
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
import { decodeSegment, encodeSyn, sign } from './segment.ts'
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
        if (syn.to !== port || !syn.syn || syn.ack) return
        const answer = encodeSyn(port, syn.from, 1)
        answer[13] = 0x12
        answer.writeUInt32BE((syn.sequence + 1 + off) >>> 0, 8)
        out.setsockopt(0, 8, Buffer.from([1, 0, 0, 0]))
        const control = Buffer.alloc(32)
        control.writeUInt32LE(28, 0)
        control.writeInt32LE(8, 12)
        control.set(from, 20)
        out.send(sign(answer, from, me), sockaddr(address('127.0.0.1'), 0), control)
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
