/** Every checker that connects, and every way of a server to waste its time: bounded time, bounded memory, never "local". */
import { millis, type Millis } from '@ipvs-director/core'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { checkers } from './checkers.ts'
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
  ['resets at once', (socket) => socket.resetAndDestroy()],
  ['says nothing', (socket) => socket.resume()],
  ['says one byte and closes', (socket) => socket.end('2')],
  ['says one byte and resets', (socket) => socket.write('2', () => socket.resetAndDestroy())],
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

describe.each(blocks)('%s', (block) => {
  test.for(manners)('with a server that %s', { timeout: 15_000 }, async ([, behave]) => {
    const { checker: read } = await readChecker(block)
    const checker = checkers.find(({ keyword }) => keyword === read?.kind)
    if (checker === undefined) throw new Error('there is no such checker')
    const port = await servers.tcp((socket) => {
      socket.on('error', () => undefined)
      behave(socket)
    })
    const before = process.memoryUsage().rss
    const verdict = await probeOnce(checker, io, connectionTo(port), read?.options, { timeout })
    expect(verdict).toMatchObject({ up: false })
    expect(['protocol', 'timeout', 'mismatch', 'tls', 'reset']).toContain(verdict.class)
    const deadline: Millis = checker.deadline({ ...defaultTiming, timeout })
    expect(verdict.took).toBeLessThan(deadline + 5000)
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20)
  })
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
