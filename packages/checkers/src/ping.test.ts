import { fc, test as property } from '@fast-check/vitest'
import { address, DecodeError, millis } from '@ipvs-director/core'
import { addonAvailable, openSocket, type KernelSocket } from '@ipvs-director/linux'
import { joinedNamespaces, noNamespaces } from '@ipvs-director/linux/testing'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict, VerdictClass } from './checker.ts'
import { checksum, decodeEcho, encodeEcho, skipIpHeader, type Echo } from './io/icmp.ts'
import { sockaddr } from './io/sockaddr.ts'
import { createNodeIo } from './io/node-io.ts'
import { pingCheck } from './ping.ts'
import { ask } from './testing/ask.ts'
import { connectionTo } from './testing/checks.ts'
import { inside } from './testing/inside.ts'
import { probeOnce } from './testing/probe.ts'

test('an echo request, byte by byte', () => {
  const bytes = encodeEcho({ type: 8, id: 0x1234, sequence: 7, data: Buffer.from('abc') })
  expect(bytes.toString('hex')).toBe('0800216212340007616263')
  expect(checksum(bytes)).toBe(0)
})

const word = fc.nat(0xffff)
property.prop([fc.nat(255), word, word, fc.uint8Array({ maxLength: 60 })])(
  'echoes survive the wire',
  (type, id, sequence, data) => {
    const echo = { type, id, sequence, data: Buffer.from(data) }
    const bytes = encodeEcho(echo)
    expect(checksum(bytes)).toBe(0)
    expect(decodeEcho(bytes)).toEqual(echo)
  },
)

property.prop([fc.uint8Array({ maxLength: 80 })])('any bytes decode or are a DecodeError', (bytes) => {
  for (const decode of [decodeEcho, skipIpHeader]) {
    try {
      decode(Buffer.from(bytes))
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
    }
  }
})

const able = addonAvailable() && process.getuid?.() === 0

test.runIf(able)('loopback answers, IPv4 and IPv6', async () => {
  const io = createNodeIo()
  for (const host of ['127.0.0.1', '127.3.2.1', '::1']) {
    const verdict = await probeOnce(pingCheck, io, connectionTo(0, host))
    expect(verdict).toMatchObject({ up: true, reason: expect.stringMatching(`^echo from ${host} after`) as string })
  }
})

test.runIf(able)('two thousand over one socket, a hundred at a time', async () => {
  const io = createNodeIo()
  const verdicts: Promise<Verdict>[] = []
  for (let i = 0; i < 2000; i++) {
    const at = connectionTo(0, `127.9.${i >> 8}.${i & 255}`)
    verdicts.push(probeOnce(pingCheck, io, at, {}, { timeout: millis(3000) }))
    if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect((await Promise.all(verdicts)).filter((verdict) => !verdict.up)).toEqual([])
})

test.runIf(able)('from an address, through an interface, with a mark', async () => {
  const io = createNodeIo()
  const at = { ...connectionTo(0), bindAddress: connectionTo(0, '127.0.0.5').address, bindInterface: 'lo', fwmark: 3 }
  expect(await probeOnce(pingCheck, io, at)).toMatchObject({ up: true })
  expect(await probeOnce(pingCheck, io, { ...at, bindInterface: 'nosuch0' })).toMatchObject({ class: 'local' })
})

if (noNamespaces !== undefined) console.warn(`forged echoes are not tried: ${noNamespaces}`)
const walled = able && noNamespaces === undefined

describe.runIf(walled)('a neighbour of bad manners', () => {
  let ends: Awaited<ReturnType<typeof joinedNamespaces>> | undefined
  const open: KernelSocket[] = []
  beforeAll(async () => {
    ends = await joinedNamespaces()
    await ends.left.run('ip addr add 10.76.0.1/24 dev eth0 && ip -6 addr add 2001:db8:76::1/64 dev eth0 nodad')
    await ends.right.run(
      [
        'ip addr add 10.76.0.2/24 dev eth0',
        'ip addr add 10.76.0.3/24 dev eth0',
        'ip -6 addr add 2001:db8:76::2/64 dev eth0 nodad',
        'mount -t proc none /proc',
        'echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all',
        'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
        'ip -6 route add prohibit 2001:db8:77::/64',
      ].join(' && '),
    )
    await ends.left.run('ip -6 route add 2001:db8:77::/64 via 2001:db8:76::2')
  })
  afterAll(() => {
    for (const socket of open) socket.close()
    ends?.close()
  })

  /** What the neighbour makes of a request; from another of its addresses where `from` says so. */
  const manners: readonly (readonly [string, (echo: Echo) => Buffer[], string, VerdictClass])[] = [
    ['as it should', (echo) => [encodeEcho({ ...echo, type: 0 })], '10.76.0.2', 'ok'],
    ['with other data', (echo) => [encodeEcho({ ...echo, type: 0, data: Buffer.alloc(16) })], '10.76.0.2', 'timeout'],
    ['without data', (echo) => [encodeEcho({ ...echo, type: 0, data: Buffer.alloc(0) })], '10.76.0.2', 'timeout'],
    [
      'another number',
      (echo) => [encodeEcho({ ...echo, type: 0, sequence: echo.sequence ^ 1 })],
      '10.76.0.2',
      'timeout',
    ],
    ['for somebody else', (echo) => [encodeEcho({ ...echo, type: 0, id: echo.id ^ 1 })], '10.76.0.2', 'timeout'],
    ['with the request', (echo) => [encodeEcho(echo)], '10.76.0.2', 'timeout'],
    ['as somebody else', (echo) => [encodeEcho({ ...echo, type: 0 })], '10.76.0.3', 'timeout'],
    ['cut off', (echo) => [encodeEcho({ ...echo, type: 0 }).subarray(0, 7)], '10.76.0.2', 'timeout'],
    ['with much noise', (echo) => Array.from({ length: 500 }, () => encodeEcho({ ...echo, type: 0, data: randomBytes(900) })), '10.76.0.2', 'timeout'], // prettier-ignore
  ]

  test.for(manners)('answers %s', async ([, answer, from, kind]) => {
    const forger = await inside(ends?.right.path ?? '', () => {
      const socket: KernelSocket = openSocket(
        { domain: 2, type: 3, protocol: 1 },
        {
          message: (data) => {
            const echo = decodeEcho(skipIpHeader(data))
            if (echo.type !== 8) return
            for (const bytes of answer(echo)) socket.send(bytes, sockaddr(address('10.76.0.1'), 0))
          },
          error: () => undefined,
        },
      )
      socket.bind(sockaddr(address(from), 0))
      // Bound to one of its addresses it sends from there, and hears only what is for it: another one hears the rest.
      return Promise.resolve(socket)
    })
    const ear =
      from === '10.76.0.2' ? forger : await inside(ends?.right.path ?? '', () => Promise.resolve(relay(forger, answer)))
    open.push(forger, ear)
    forger.start()
    if (ear !== forger) ear.start()
    const verdict = await inside(ends?.left.path ?? '', () =>
      probeOnce(pingCheck, createNodeIo(), connectionTo(0, '10.76.0.2'), {}, { timeout: millis(400) }),
    )
    expect(verdict.class, verdict.reason).toBe(kind)
    forger.close()
    if (ear !== forger) ear.close()
  })

  /** Hears requests, and has them answered by somebody else. */
  function relay(by: KernelSocket, answer: (echo: Echo) => Buffer[]): KernelSocket {
    return openSocket(
      { domain: 2, type: 3, protocol: 1 },
      {
        message: (data) => {
          const echo = decodeEcho(skipIpHeader(data))
          if (echo.type === 8) for (const bytes of answer(echo)) by.send(bytes, sockaddr(address('10.76.0.1'), 0))
        },
        error: () => undefined,
      },
    )
  }

  test.for([
    'TCP_CHECK {\n }',
    'TCP_CHECK {\n half_open\n }',
    'HTTP_GET {\n url {\n path /\n }\n }',
    'SSL_GET {\n url {\n path /\n }\n }',
    'GRPC_CHECK {\n }',
    'DNS_CHECK {\n }',
    'UDP_CHECK {\n }',
  ])('a router that prohibits it by ICMPv6 is no failure of ours: %s', async (block) => {
    for (const kernelSockets of [true, false]) {
      const text = block.replace('{\n', '{\n connect_ip 2001:db8:77::9\n connect_port 80\n')
      const verdict = await inside(ends?.left.path ?? '', () => ask(text, {}, createNodeIo({ kernelSockets })))
      expect(verdict, verdict.reason).toMatchObject({ up: false, class: 'unreachable' })
      expect(verdict.reason).toContain('administratively prohibited')
    }
  })
})
