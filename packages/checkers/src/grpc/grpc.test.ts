import { DecodeError, millis } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { constants, createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import type { Verdict } from '../checker.ts'
import { createNodeIo } from '../io/node-io.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { readChecker } from '../testing/read.ts'
import { certificate, testServers } from '../testing/servers.ts'
import { grpcCheck, type GrpcOptions } from './checker.ts'
import { decodeHealthResponse, encodeHealthRequest } from './health.ts'

test.for([
  ['', '0000000000'],
  ['web', '00000000050a03776562'],
] as const)('a question about "%s" in bytes', ([service, hex]) => {
  expect(encodeHealthRequest(service).toString('hex')).toBe(hex)
})

test.for([
  ['0000000000', 'UNKNOWN'],
  ['00000000020801', 'SERVING'],
  ['00000000020802', 'NOT_SERVING'],
  ['00000000020803', 'SERVICE_UNKNOWN'],
  ['00000000020809', 'UNKNOWN'],
  ['000000000712037879 7a0801'.replace(' ', ''), 'SERVING'],
] as const)('%s is %s', ([hex, status]) => {
  expect(decodeHealthResponse(Buffer.from(hex, 'hex'))).toBe(status)
})

test.for(['', '00', '0100000000', '0000000005', '000000000108', '00000000030880', '0000000002120f', '00000000010f'])(
  '%s is no answer',
  (hex) => {
    expect(() => decodeHealthResponse(Buffer.from(hex, 'hex'))).toThrow(DecodeError)
  },
)

property.prop([fc.uint8Array({ maxLength: 40 })])('any bytes are an answer or a DecodeError', (bytes) => {
  try {
    decodeHealthResponse(Buffer.from(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
})

const servers = testServers()
const http2Servers: Http2Server[] = []
afterAll(async () => {
  for (const server of http2Servers) server.close()
  await servers.close()
})

type Behave = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>, body: Buffer) => void

/** A gRPC server as far as one request needs it. */
function serve(behave: Behave, secure = false): Promise<number> {
  const server = secure ? createSecureServer(certificate()) : createServer()
  http2Servers.push(server)
  server.on('sessionError', () => undefined)
  server.on('session', (session) => {
    session.unref()
  })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      behave(stream, headers, Buffer.concat(parts))
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Answers with this message and these trailers. */
const answering =
  (hex: string, trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' }): Behave =>
  (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => {
      stream.sendTrailers(trailers)
    })
    stream.end(Buffer.from(hex, 'hex'))
  }

const io = createNodeIo()
const optionsOf = (change: Partial<GrpcOptions> = {}): Readonly<Record<string, unknown>> => ({
  service: '',
  host: undefined,
  tls: undefined,
  serverName: undefined,
  ...change,
})
const ask = (port: number, change: Partial<GrpcOptions> = {}): Promise<Verdict> =>
  probeOnce(grpcCheck, io, connectionTo(port), optionsOf(change), { timeout: millis(500) })

const serving = answering('00000000020801')
const tls = { material: undefined }

test.for([
  ['serving', serving, 'ok', 'SERVING after'],
  ['not serving', answering('00000000020802'), 'mismatch', 'got NOT_SERVING, wanted SERVING after'],
  [
    'unknown service',
    answering('', { 'grpc-status': '5', 'grpc-message': 'no web' }),
    'mismatch',
    'got grpc-status 5 NOT_FOUND (no web)',
  ],
  ['no health service', answering('', { 'grpc-status': '12' }), 'mismatch', 'got grpc-status 12 UNIMPLEMENTED after'],
  ['garbage', answering('ffffffffff'), 'protocol', 'a compressed message'],
  ['cut off', answering('00000000ff08'), 'protocol', 'a message of 255 bytes is cut off'],
  ['no status', answering('00000000020801', {}), 'protocol', 'an answer without grpc-status'],
  [
    'trailers only',
    (stream) => {
      stream.respond({ ':status': 200, 'grpc-status': '14' }, { endStream: true })
    },
    'mismatch',
    'got grpc-status 14 UNAVAILABLE',
  ],
  [
    'another status',
    (stream) => {
      stream.respond({ ':status': 503 }, { endStream: true })
    },
    'mismatch',
    'got HTTP 503, wanted 200',
  ],
  [
    'reset',
    (stream) => {
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
    },
    'protocol',
    'HTTP/2',
  ],
  ['never answers', () => undefined, 'timeout', 'no end of the answer from'],
  [
    'endless answer',
    (stream) => {
      stream.respond({ ':status': 200 })
      const more = (): void => {
        while (!stream.destroyed && stream.write(Buffer.alloc(65_536)));
      }
      stream.on('drain', more)
      more()
    },
    'protocol',
    'answer longer than',
  ],
  [
    'a byte now and then',
    (stream) => {
      stream.respond({ ':status': 200 })
      setInterval(() => stream.destroyed || stream.write('x'), 100).unref()
    },
    'timeout',
    'no end of the answer from',
  ],
] as const satisfies readonly (readonly [string, Behave, string, string])[])('%s', async ([, behave, kind, said]) => {
  const verdict = await ask(await serve(behave))
  expect([verdict.class, verdict.up]).toEqual([kind, kind === 'ok'])
  expect(verdict.reason).toContain(said)
  expect(verdict.took).toBeLessThan(2300)
})

test('what is asked for', async () => {
  const seen: unknown[] = []
  const port = await serve((stream, headers, body) => {
    const { ':path': path, ':method': method, ':authority': host, te, 'content-type': type } = headers
    seen.push(path, method, host, te, type, body.toString('hex'))
    serving(stream, headers, body)
  })
  await ask(port, { service: 'web', host: 'web.test' })
  expect(seen).toEqual([
    '/grpc.health.v1.Health/Check',
    'POST',
    'web.test',
    'trailers',
    'application/grpc',
    '00000000050a03776562',
  ])
})

test('through TLS, and what is wrong with it', async () => {
  const port = await serve(serving, true)
  expect(await ask(port, { tls })).toMatchObject({ class: 'ok' })
  const verify = { trusted: true }
  expect(await ask(port, { tls: { ...tls, verify } })).toMatchObject({ class: 'tls' })
  expect(await ask(port)).toMatchObject({ up: false })
  const plain = await servers.tls((socket) => socket.end('hello'))
  expect((await ask(plain, { tls })).reason).toContain('does not speak HTTP/2')
})

test.for([
  ['closed', async () => servers.closedPort(), 'refused'],
  ['closes at once', async () => servers.tcp((socket) => socket.end()), 'protocol'],
  ['speaks HTTP/1', async () => servers.tcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')), 'protocol'],
  ['resets', async () => servers.tcp((socket) => socket.resetAndDestroy()), 'reset'],
  ['accepts and is silent', async () => servers.tcp(() => undefined), 'timeout'],
  ['drops', async () => servers.deaf(), 'timeout'],
] as const)('a server that %s', async ([, port, kind]) => {
  const verdict = await ask(await port())
  expect([verdict.class, verdict.up]).toEqual([kind, false])
  expect(verdict.took).toBeLessThan(2300)
})

test('as it is written', async () => {
  const text = 'GRPC_CHECK {\n service web\n tls\n enable_sni\n tls_certificate /c.pem\n tls_expiry_failure 3\n }'
  const { checker, remarks } = await readChecker(text, { virtualServer: 'virtualhost www.test' })
  expect(remarks).toEqual([])
  expect(checker?.options).toEqual({
    service: 'web',
    host: 'www.test',
    tls: { material: { certificate: '/c.pem', key: '/c.pem' }, verify: { trusted: false, failureDays: 3 } },
    serverName: 'www.test',
  })
})
