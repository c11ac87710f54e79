/** Every checker that connects, and every way of a server to waste its time: bounded time, bounded memory, never "local". */
import { address, millis, type Millis } from '@ipvs-director/core'
import { addonAvailable, openSocket } from '@ipvs-director/linux'
import { randomBytes, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import type { VerdictClass } from './checker.ts'
import { checkers } from './checkers.ts'
import { checksum } from './io/icmp.ts'
import { sockaddr } from './io/sockaddr.ts'
import { createNodeIo } from './io/node-io.ts'
import { connectionTo, defaultTiming } from './testing/checks.ts'
import { probeOnce } from './testing/probe.ts'
import { readChecker } from './testing/read.ts'
import { testServers } from './testing/servers.ts'

const servers = testServers()
afterAll(() => servers.close())
const io = createNodeIo()
const timeout = millis(200)

/** Writes as fast as it is taken. */
function flood(socket: Socket, first: string | Buffer, more: Buffer): void {
  socket.write(first)
  const write = (): void => {
    while (!socket.destroyed && socket.write(more));
  }
  socket.on('drain', write)
  write()
}

/** Through TLS only its end: a reset is for those who own the connection. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

/** A piece now and then, for ever. */
function drip(socket: Socket, piece: Buffer): void {
  const timer = setInterval(() => socket.write(piece), 40)
  socket.on('close', () => {
    clearInterval(timer)
  })
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1')
const bomb = gzipSync(Buffer.alloc(50_000_000, 'A'))

const manners: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['closes at once', (socket) => socket.end()],
  ['resets at once', reset],
  ['says nothing', (socket) => socket.resume()],
  ['says one byte and closes', (socket) => socket.end('2')],
  [
    'says one byte and resets',
    (socket) =>
      socket.write('2', () => {
        reset(socket)
      }),
  ],
  ['drips digits', (socket) => drip(socket, text('2'))],
  ['drips line ends', (socket) => drip(socket, text('\r\n'))],
  ['drips zeros', (socket) => drip(socket, Buffer.alloc(1))],
  ['floods zeros', (socket) => flood(socket, '', Buffer.alloc(65_536))],
  ['floods letters', (socket) => flood(socket, '', Buffer.alloc(65_536, 'A'))],
  ['floods line ends', (socket) => flood(socket, '', Buffer.alloc(65_536, '\r\n'))],
  ['floods 250- lines', (socket) => flood(socket, '220-x\r\n', Buffer.alloc(70_000, '250-x\r\n'))],
  ['floods headers', (socket) => flood(socket, 'HTTP/1.1 503 No\r\n', Buffer.alloc(65_536, 'X: y\r\n'))],
  ['floods a body', (socket) => flood(socket, 'HTTP/1.1 503 No\r\n\r\n', Buffer.alloc(65_536, 'x'))],
  ['floods noise', (socket) => flood(socket, '', randomBytes(65_536))],
  ['says a length it does not mean', (socket) => socket.end('HTTP/1.1 503 No\r\nContent-Length: 99999999999\r\n\r\nx')],
  ['begins a TLS record of 16 KiB and stops', (socket) => void socket.write(Buffer.from('1603034000', 'hex'))],
  [
    'begins an HTTP/2 frame of 16 MiB and stops',
    (socket) => void socket.write(Buffer.from('ffffff000000000001', 'hex')),
  ],
]

const blocks = [
  'TCP_CHECK {\n expect "welcome"\n }',
  'HTTP_GET {\n url {\n path /\n regex "welcome"\n }\n }',
  'HTTP_GET {\n url {\n path /\n expect_json $.a 1\n }\n http_protocol 1.1\n }',
  'SSL_GET {\n url {\n path /\n }\n }',
  'SSL_GET {\n url {\n path /\n }\n http_protocol 2\n }',
  'SMTP_CHECK {\n }',
  'AGENT_CHECK {\n agent_required\n }',
  'GRPC_CHECK {\n }',
  'GRPC_CHECK {\n tls\n }',
]

/** One probe of it: bounded time, bounded memory, and a class that is about the server. */
async function endure(block: string, port: number, expected: readonly VerdictClass[] = wrong): Promise<void> {
  const { checker: read } = await readChecker(block)
  const checker = checkers.find(({ keyword }) => keyword === read?.kind)
  if (checker === undefined) throw new Error('there is no such checker')
  const before = process.memoryUsage().rss
  const verdict = await probeOnce(checker, io, connectionTo(port), read?.options, { timeout })
  expect(expected, verdict.reason).toContain(verdict.class)
  expect(verdict.up).toBe(verdict.class === 'ok')
  const deadline: Millis = checker.deadline({ ...defaultTiming, timeout })
  expect(verdict.took).toBeLessThan(deadline + 5000)
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20)
}
const wrong: readonly VerdictClass[] = ['protocol', 'timeout', 'mismatch', 'tls', 'reset']

describe.each(blocks)('%s', (block) => {
  test.for(manners)('with a server that %s', { timeout: 15_000 }, async ([, behave]) => {
    const port = await servers.tcp((socket) => {
      socket.on('error', () => undefined)
      behave(socket)
    })
    await endure(block, port)
  })
})

const frame = (type: number, flags: number, stream: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head.set([type, flags], 3)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}
const settings = frame(4, 0, 0, Buffer.alloc(0))
/** `:status: 200` by the static table of HPACK. */
const ok200 = Buffer.from([0x88])
const headers = Buffer.concat([settings, frame(1, 4, 1, ok200)])
/** A header of which more is to come. */
const begun = frame(1, 0, 1, Buffer.concat([ok200, Buffer.from('0001610162', 'hex')]))
const many = (one: Buffer): Buffer => Buffer.concat(Array.from({ length: Math.ceil(65_536 / one.length) }, () => one))

/** What only a server of HTTP/2 can do, beside all the others. */
const http2Manners: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['shakes hands and goes', (socket) => socket.once('data', () => socket.end(settings))],
  ['answers and never ends', (socket) => socket.once('data', () => socket.write(headers))],
  [
    'drips a body',
    (socket) => {
      socket.write(headers)
      drip(socket, frame(0, 0, 1, text('x')))
    },
  ],
  ['floods a body', (socket) => flood(socket, headers, many(frame(0, 0, 1, Buffer.alloc(16_000, 'x'))))],
  ['floods pings', (socket) => flood(socket, settings, many(frame(6, 0, 0, Buffer.alloc(8))))],
  ['floods settings', (socket) => flood(socket, settings, many(settings))],
  ['floods headers', (socket) => flood(socket, Buffer.concat([settings, frame(1, 0, 1, ok200)]), many(frame(9, 0, 1, Buffer.from('0001610162', 'hex'))))], // prettier-ignore
  ['floods empty frames', (socket) => flood(socket, headers, many(frame(0, 0, 1, Buffer.alloc(0))))],
  ['floods window updates', (socket) => flood(socket, settings, many(frame(8, 0, 0, Buffer.from([0, 0, 0, 1]))))],
  ['resets the stream', (socket) => void socket.write(Buffer.concat([settings, frame(3, 0, 1, Buffer.from([0, 0, 0, 2]))]))], // prettier-ignore
  ['says that it goes away', (socket) => void socket.write(Buffer.concat([settings, frame(7, 0, 0, Buffer.alloc(8))]))],
  ['speaks of streams that nobody opened', (socket) => void socket.write(Buffer.concat([settings, frame(1, 5, 99, ok200)]))], // prettier-ignore
  ['goes away within a header', (socket) => void socket.write(Buffer.concat([settings, begun, frame(7, 0, 0, Buffer.alloc(8))]))], // prettier-ignore
  ['resets the stream within a header', (socket) => void socket.write(Buffer.concat([settings, begun, frame(3, 0, 1, Buffer.alloc(4))]))], // prettier-ignore
  ['has a broken header', (socket) => void socket.write(Buffer.concat([settings, frame(1, 5, 1, Buffer.from('ffffffffff', 'hex'))]))], // prettier-ignore
  ['promises pushes', (socket) => void socket.write(Buffer.concat([headers, frame(5, 4, 1, Buffer.from('0000000282', 'hex'))]))], // prettier-ignore
]

const throughTls = [
  ['SSL_GET {\n url {\n path /\n digest 5d41402abc4b2a76b9719d911017c592\n }\n }', undefined],
  ['SSL_GET {\n url {\n path /\n digest 5d41402abc4b2a76b9719d911017c592\n }\n http_protocol 2\n }', ['h2']],
  ['GRPC_CHECK {\n tls\n }', ['h2']],
  ['GRPC_CHECK {\n }', 'plain'],
] as const

describe.each(throughTls)('%s, after the handshake', (block, protocols) => {
  const all = protocols === undefined ? manners : [...manners, ...http2Manners]
  test.for(all)('with a server that %s', { timeout: 15_000 }, async ([, behave]) => {
    const serve = (socket: Socket): void => {
      socket.on('error', () => undefined)
      behave(socket)
    }
    const port =
      protocols === 'plain'
        ? await servers.tcp(serve)
        : await servers.tls(serve, protocols === undefined ? {} : { ALPNProtocols: [...protocols] })
    await endure(block, port)
  })
})

type Reply = (data: Uint8Array) => void
const query = (answer: Buffer, flags: number): Buffer => {
  const bytes = Buffer.from(answer)
  bytes.writeUInt16BE(flags, 2)
  return bytes
}

/** Ways of a server of datagrams; some are an answer to one kind and not to the other. */
const datagramManners: readonly (readonly [string, (data: Buffer, reply: Reply) => void])[] = [
  ['says nothing', () => undefined],
  ['answers with nothing', (_, reply) => { reply(Buffer.alloc(0)) }], // prettier-ignore
  ['answers with one byte', (_, reply) => { reply(Buffer.from([1])) }], // prettier-ignore
  ['answers with the query', (data, reply) => { reply(data) }], // prettier-ignore
  ['answers with 60 KB', (data, reply) => { reply(Buffer.concat([data, Buffer.alloc(60_000)])) }], // prettier-ignore
  ['answers with noise', (_, reply) => { for (let i = 0; i < 2000; i++) reply(randomBytes(512)) }], // prettier-ignore
  ['counts what is not there', (data, reply) => { const lie = query(data, 0x8180); lie.fill(0xff, 4, 12); reply(lie) }], // prettier-ignore
  ['drips', (_, reply) => { for (let i = 0; i < 20; i++) setTimeout(() => { reply(Buffer.from('x')) }, 40 * i) }], // prettier-ignore
]

describe.each(['DNS_CHECK {\n name www.test\n }', 'UDP_CHECK {\n require_reply 7e7e7e7e7e\n max_reply_length 100\n }'])(
  '%s',
  (block) => {
    test.for(datagramManners)('with a server that %s', { timeout: 15_000 }, async ([name, behave]) => {
      // DNS: an answer without an error is one, whatever it counts; 2.2.7 takes it, too.
      // UDP_CHECK, as with keepalived: what is shorter than the pattern need only agree as far as it goes.
      const fine = name === (block.startsWith('DNS') ? 'counts what is not there' : 'answers with nothing')
      await endure(block, await servers.udp(behave), fine ? ['ok'] : ['timeout', 'mismatch'])
    })

    test('a stranger who knows the port, but not what was asked', async () => {
      const stranger = createSocket('udp4')
      const port = await servers.udp((data, _, from) => {
        const answer = block.startsWith('DNS') ? query(data, 0x8180) : Buffer.from('~~~~~')
        stranger.send(answer, from.port, '127.0.0.1')
      })
      await endure(block, port, ['timeout'])
      stranger.close()
    })
  },
)

const raw = addonAvailable() && process.getuid?.() === 0
if (!raw) console.warn('forged ICMP is not tried: it needs the native addon and CAP_NET_RAW')

/** An ICMP "port unreachable" about a packet from `from` to `to`, as if 127.0.0.1 had sent it. */
function unreachable(protocol: number, from: number, to: number): Buffer {
  const inner = Buffer.alloc(28)
  inner.set([0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, protocol], 0)
  inner.set([127, 0, 0, 1, 127, 0, 0, 1], 12)
  inner.writeUInt16BE(from, 20)
  inner.writeUInt16BE(to, 22)
  const message = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), inner])
  message.writeUInt16BE(checksum(message), 2)
  return message
}

test.runIf(raw).for([
  ['DNS_CHECK {\n }', 17],
  ['UDP_CHECK {\n require_reply\n }', 17],
  ['TCP_CHECK {\n half_open\n }', 6],
  ['TCP_CHECK {\n }', 6],
  ['HTTP_GET {\n url {\n path /\n }\n }', 6],
] as const)('%s, forged ICMP from who does not know the port of ours', async ([block, protocol]) => {
  const port = protocol === 17 ? await servers.udp(() => undefined) : await servers.deaf()
  const forger = openSocket({ domain: 2, type: 3, protocol: 1 }, { message: () => undefined, error: () => undefined })
  const timer = setInterval(() => {
    for (let n = 0; n < 50; n++) {
      // Below the ports that the kernel gives: the right one would be believed, as it should be.
      const guess = randomInt(1024, 32_768)
      forger.send(unreachable(protocol, guess, port), sockaddr(address('127.0.0.1'), 0))
    }
  }, 10)
  try {
    await endure(block, port, ['timeout'])
  } finally {
    clearInterval(timer)
    forger.close()
  }
})

test('what would unpack to fifty megabytes is not unpacked', async () => {
  const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`
  const port = await servers.tcp((socket) => {
    socket.write(head)
    socket.end(bomb)
  })
  const { checker: read } = await readChecker('HTTP_GET {\n url {\n path /\n regex "A{100}"\n }\n }')
  const http = checkers.find(({ keyword }) => keyword === 'HTTP_GET')
  const verdict = http && (await probeOnce(http, io, connectionTo(port), read?.options, { timeout: millis(3000) }))
  expect(verdict?.class).toBe('mismatch')
})
