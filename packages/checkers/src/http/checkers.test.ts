import { millis } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer, type Http2SecureServer, type IncomingHttpHeaders } from 'node:http2'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { createHash } from 'node:crypto'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict } from '../checker.ts'
import { createNodeIo } from '../io/node-io.ts'
import type { CertificateWish } from '../io/port.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { answering, certificate, testServers } from '../testing/servers.ts'
import { httpGet, sslGet } from './checkers.ts'
import type { HttpOptions, HttpUrl } from './options.ts'
import { defaultStatus } from './status.ts'

const servers = testServers()
const folder = mkdtempSync(join(tmpdir(), 'ssl-'))
beforeAll(() => {
  writeFileSync(join(folder, 'cert.pem'), certificate().cert)
  writeFileSync(join(folder, 'key.pem'), certificate().key)
})
afterAll(async () => {
  await servers.close()
  rmSync(folder, { recursive: true })
})

const plainUrl: HttpUrl = {
  path: '/',
  method: 'GET',
  headers: [],
  body: undefined,
  host: undefined,
  status: defaultStatus,
  digest: undefined,
  regex: undefined,
  serverName: undefined,
  tlsCompliant: false,
}

function options(url: Partial<HttpUrl> = {}, change: Partial<HttpOptions> = {}): Readonly<Record<string, unknown>> {
  const complete: HttpOptions = {
    urls: [{ ...plainUrl, ...url }],
    protocol: '1.0',
    fastRecovery: false,
    tls: undefined,
    ...change,
  }
  return { ...complete }
}
const secure = (url: Partial<HttpUrl> = {}, change: Partial<HttpOptions> = {}): Readonly<Record<string, unknown>> =>
  options(url, { tls: { material: undefined }, ...change })

const regex = (source: string, change: object = {}): HttpUrl['regex'] => ({
  source,
  options: [],
  noMatch: false,
  min: 0,
  max: undefined,
  ...change,
})

const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const helloDigest = '5d41402abc4b2a76b9719d911017c592'
const moved = 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n'

/** What is not ASCII. */
const abroad = { method: 'POST', path: '/健康', body: 'grüß dich' }

/** Answers whoever asks for that, byte by byte; hangs up on others. */
const ifAsked =
  ({ method, path, body }: typeof abroad) =>
  (socket: Socket): void => {
    socket.once('data', (data) => {
      const text = data.toString()
      const isIt = text.startsWith(`${method} ${path} `) && text.endsWith(`Content-Length: 11\r\n\r\n${body}`)
      socket.end(isIt ? hello : '')
    })
  }

describe.each([
  ['node:net', false],
  ['kernel sockets', true],
])('HTTP_GET over %s', (_, kernelSockets) => {
  const io = createNodeIo({ kernelSockets })
  const skip = kernelSockets && !addonAvailable()

  async function get(reply: string, url: Partial<HttpUrl>): Promise<Verdict> {
    return probeOnce(httpGet, io, connectionTo(await servers.tcp(answering(reply))), options(url))
  }

  test.skipIf(skip).for([
    [hello, {}, 'ok', 'got 200 after'],
    [moved, {}, 'mismatch', 'got 302, wanted 200-299 after'],
    [
      moved,
      {
        status: [
          { from: 200, to: 200 },
          { from: 301, to: 302 },
        ],
      },
      'ok',
      'got 302',
    ],
    ['HTTP/1.1 201 Created\r\n\r\n', { status: [{ from: 200, to: 200 }] }, 'mismatch', 'got 201, wanted 200 after'],
    [hello, { digest: helloDigest }, 'ok', 'got 200'],
    [hello, { digest: helloDigest.replace('5', '6') }, 'mismatch', `got digest ${helloDigest}, wanted 6d41`],
    [moved, { digest: helloDigest }, 'mismatch', 'got 302'],
    [hello, { regex: regex('ell') }, 'ok', 'got 200'],
    [hello, { regex: regex('bye') }, 'mismatch', 'the body does not match the regex after'],
    [hello, { regex: regex('ell', { noMatch: true }) }, 'mismatch', 'the body matches the regex'],
    [hello, { regex: regex('bye', { noMatch: true }) }, 'ok', 'got 200'],
    [hello, { regex: regex('l', { min: 4 }) }, 'mismatch', 'does not match'],
    [hello, { regex: regex('l', { max: 1 }) }, 'mismatch', 'does not match'],
    [hello, { regex: regex('bye'), digest: helloDigest.replace('5', '6') }, 'mismatch', 'got digest'],
    ['', {}, 'protocol', 'closed before a whole header was sent'],
    ['HTTP/1.1 200 OK\r\n', {}, 'protocol', 'closed before a whole header was sent'],
    ['SSH-2.0-x\r\n\r\n', {}, 'protocol', 'not an HTTP answer from 127.0.0.1:'],
    [`HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(40)}b`, { regex: regex('(a+)+$') }, 'mismatch', 'took too long'],
  ] as const)('%j, %o: %s, %s', async ([reply, url, kind, said]) => {
    const verdict = await get(reply, url)
    expect([verdict.class, verdict.up]).toEqual([kind, kind === 'ok'])
    expect(verdict.reason).toContain(said)
  })

  test.skipIf(skip)('a request is sent as UTF-8', async () => {
    const port = await servers.tcp(ifAsked(abroad))
    expect(await probeOnce(httpGet, io, connectionTo(port), options(abroad))).toMatchObject({ class: 'ok' })
  })

  test.skipIf(skip)('the request is keepalived’s', async () => {
    const requests: string[] = []
    const port = await servers.tcp((socket) => {
      socket.on('data', (data) => {
        requests.push(data.toString())
        socket.end(hello)
      })
    })
    await probeOnce(httpGet, io, connectionTo(port), options())
    await probeOnce(httpGet, io, connectionTo(port), options({ path: '/x', host: 'web.test' }, { protocol: '1.1' }))
    expect(requests).toEqual([
      `GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
      'GET /x HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: web.test\r\n\r\n',
    ])
  })

  test.skipIf(skip)('each part of the check is a url of its own, named in the reason', async () => {
    const port = await servers.tcp((socket) => {
      socket.on('data', (data) => socket.end(data.toString().startsWith('GET /bad') ? moved : hello))
    })
    const urls = [plainUrl, { ...plainUrl, path: '/bad' }]
    const [good, bad] = await Promise.all(
      [0, 1].map((part) => probeOnce(httpGet, io, connectionTo(port), options({}, { urls }), { part })),
    )
    expect(good).toMatchObject({ up: true, reason: expect.stringMatching(/for \/$/) as string })
    expect(bad).toMatchObject({ up: false, reason: expect.stringMatching(/for \/bad$/) as string })
  })

  test.skipIf(skip)('the reason tells what was seen, after how long, from where', async () => {
    const port = await servers.tcp(answering('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
    const verdict = await probeOnce(httpGet, io, connectionTo(port), options())
    expect(verdict.reason).toMatch(new RegExp(`^got 503, wanted 200-299 after [\\d.]+ ms from 127.0.0.1:${port}$`))
  })

  test.skipIf(skip)('an answer in many pieces, larger than any buffer', async () => {
    const body = 'x'.repeat(3_000_000)
    const port = await servers.tcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r')
        setTimeout(() => socket.end(`\n\r\n${body}`), 20)
      })
    })
    const digest = 'b5f1b1b6a6bb1f8e5b1d4f5f0f1c1e2d'
    const verdict = await probeOnce(httpGet, io, connectionTo(port), options({ digest }))
    const { createHash } = await import('node:crypto')
    expect(verdict.reason).toContain(createHash('md5').update(body).digest('hex'))
  })

  const hostile: readonly (readonly [string, (socket: Socket) => void, string, string])[] = [
    ['closes at once', (socket) => socket.end(), 'protocol', 'closed before a whole header'],
    ['resets at once', (socket) => socket.resetAndDestroy(), 'reset', 'connection reset'],
    [
      'resets on the request',
      (socket) => socket.on('data', () => socket.resetAndDestroy()),
      'reset',
      'connection reset',
    ],
    ['never answers', (socket) => socket.resume(), 'timeout', 'no answer from 127.0.0.1:'],
    [
      'stops within the body',
      (socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nab')),
      'timeout',
      'no end of the answer from',
    ],
    [
      'keeps the connection open',
      (socket) => socket.once('data', () => socket.write(hello)),
      'timeout',
      'no end of the',
    ],
    [
      'drips bytes of a body',
      (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x'),
      'timeout',
      'no end of the answer',
    ],
    [
      'drips bytes of a header',
      (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'x'),
      'timeout',
      'no end of the answer',
    ],
    ['never ends its header', (socket) => flood(socket, 'HTTP/1.1 200 OK\r\nX: '), 'protocol', 'header longer than'],
    ['never ends its body', (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n'), 'protocol', 'body longer than'],
    ['talks without being asked', (socket) => socket.end(hello), 'ok', 'got 200'],
  ]

  test.skipIf(skip).for(hostile)('a server that %s', { timeout: 20_000 }, async ([, behave, kind, said]) => {
    const port = await servers.tcp(behave)
    const before = process.memoryUsage().rss
    const timeout = millis(400)
    const verdict = await probeOnce(httpGet, io, connectionTo(port), options({ digest: helloDigest }), { timeout })
    if (kind !== 'ok') expect(verdict.class).toBe(kind)
    if (kind !== 'ok') expect(verdict.reason).toContain(said)
    expect(verdict.took).toBeLessThan(3 * timeout + 1000)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })
})

/** A byte every 50 ms, for ever. */
function drip(socket: Socket, first: string, byte: string): void {
  socket.write(first)
  const timer = setInterval(() => socket.write(byte), 50)
  socket.on('close', () => {
    clearInterval(timer)
  })
  socket.resume()
}

/** As much as it will take, for ever. */
function flood(socket: Socket, first: string): void {
  const chunk = Buffer.alloc(256 * 1024, 'y')
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.write(first)
  socket.on('drain', more)
  socket.resume()
  more()
}

describe('SSL_GET with http_protocol 2', () => {
  const io = createNodeIo()
  const servers2: Http2SecureServer[] = []
  const sessions: ServerHttp2Session[] = []
  afterAll(() => {
    for (const session of sessions) session.destroy()
    for (const server of servers2) server.close()
  })

  function h2(behave: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<number> {
    const server = createSecureServer({ ...certificate(), allowHTTP1: false })
    servers2.push(server)
    server.on('session', (session) => sessions.push(session))
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      behave(stream, headers)
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        resolve((server.address() as AddressInfo).port)
      })
    })
  }
  const ask = (port: number, url: Partial<HttpUrl> = {}, timeout = 3000): Promise<Verdict> =>
    probeOnce(sslGet, io, connectionTo(port), secure(url, { protocol: '2' }), { timeout: millis(timeout) })
  const say = (status: number, body: string) => (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': status })
    stream.end(body)
  }

  test.for([
    [200, 'hello', {}, 'ok', 'got 200 after'],
    [503, 'sorry', {}, 'mismatch', 'got 503, wanted 200-299 after'],
    [200, 'hello', { digest: helloDigest }, 'ok', 'got 200'],
    [200, 'other', { digest: helloDigest }, 'mismatch', 'got digest'],
    [200, 'hello', { regex: regex('ell') }, 'ok', 'got 200'],
  ] as const)('%s %s, %o: %s', async ([status, body, url, kind, said]) => {
    const verdict = await ask(await h2(say(status, body)), url)
    expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
  })

  test('the request', async () => {
    const seen: IncomingHttpHeaders[] = []
    const port = await h2((stream, headers) => {
      seen.push(headers)
      say(204, '')(stream)
    })
    await ask(port, { method: 'POST', path: '/x', host: 'web.test', headers: ['X-Check: a b'], body: 'data' })
    expect(seen).toMatchObject([
      {
        ':method': 'POST',
        ':path': '/x',
        ':authority': 'web.test',
        'x-check': 'a b',
        'user-agent': 'KeepAliveClient',
        'content-length': '4',
      },
    ])
  })

  test('a server of HTTP/1 only', async () => {
    const verdict = await ask(await servers.tls(answering(hello)))
    expect(verdict).toMatchObject({ up: false, class: 'tls' })
  })

  test.for([
    ['says nothing', () => undefined, 'timeout', 'no end of the answer from'],
    [
      'never ends',
      (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 200 })
        stream.write('x')
      },
      'timeout',
      'no end of the answer from',
    ],
    [
      'resets the stream',
      (stream: ServerHttp2Stream) => {
        stream.close(2)
      },
      'protocol',
      'HTTP/2: ',
    ],
    [
      'never stops',
      (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 200 })
        const more = (): void => {
          while (!stream.destroyed && stream.write(Buffer.alloc(65_536)));
        }
        stream.on('drain', more)
        more()
      },
      'protocol',
      'body longer than',
    ],
  ] as const)('a server that %s', { timeout: 20_000 }, async ([, behave, kind, said]) => {
    const verdict = await ask(await h2(behave), {}, 500)
    expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
    expect(verdict.took).toBeLessThan(4 * 500 + 2000)
  })

  test('a server that never shakes hands is let go of', async () => {
    let closed: (() => void) | undefined
    const whenClosed = new Promise<void>((resolve) => (closed = resolve))
    const port = await servers.tcp((socket) => {
      socket.resume()
      socket.on('close', () => closed?.())
      socket.on('end', () => socket.end())
    })
    const verdict = await ask(port, {}, 300)
    expect(verdict).toMatchObject({ class: 'timeout' })
    expect(verdict.reason).toContain('no end of the TLS handshake with')
    await whenClosed
  })

  test('garbage, and a closed port', async () => {
    const garbage = await ask(await servers.tcp((socket) => socket.end(Buffer.alloc(500, 7))))
    expect(garbage.class).toBe('tls')
    const raw = await ask(await servers.tls((socket) => socket.end('no frames at all'), { ALPNProtocols: ['h2'] }))
    expect(raw.class).toBe('protocol')
    expect((await ask(await servers.closedPort())).class).toBe('refused')
  })
})

describe.for([['node:tls', false], ...(addonAvailable() ? [['sessions of the addon', true] as const] : [])] as const)(
  'SSL_GET over %s',
  ([, kernelSockets]) => {
    const io = createNodeIo({ kernelSockets })

    async function get(behave: (socket: Socket) => void, url: Partial<HttpUrl> = {}, timeout = 2000): Promise<Verdict> {
      const port = await servers.tls(behave)
      return probeOnce(sslGet, io, connectionTo(port), secure(url), { timeout: millis(timeout) })
    }

    test.for([
      [hello, {}, 'ok', 'got 200'],
      [moved, {}, 'mismatch', 'got 302'],
      [hello, { digest: helloDigest }, 'ok', 'got 200'],
    ] as const)('%j, %o: %s', async ([reply, url, kind, said]) => {
      const verdict = await get(answering(reply), url)
      expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
    })

    test('no server name unless there is one', async () => {
      const names: unknown[] = []
      const behave = (socket: Socket): void => {
        names.push('servername' in socket && socket.servername)
        socket.once('data', () => socket.end(hello))
      }
      await get(behave)
      await get(behave, { serverName: 'web.test' })
      expect(names).toEqual([false, 'web.test'])
    })

    const own = join(folder, 'cert.pem')
    test.for([
      [{ trusted: true }, undefined, 'tls', 'certificate: DEPTH_ZERO_SELF_SIGNED_CERT'],
      [{ trusted: true, ca: own }, undefined, 'ok', 'got 200'],
      [{ trusted: true, ca: own }, 'localhost', 'ok', 'got 200'],
      [{ trusted: true, ca: own }, 'web.test', 'tls', 'certificate: not for web.test'],
      [{ trusted: true, ca: own, name: 'localhost' }, 'web.test', 'ok', 'got 200'],
      [{ trusted: true, ca: own, name: '10.9.9.9' }, undefined, 'tls', 'certificate: not for 10.9.9.9'],
      [{ trusted: true, ca: '/none.pem' }, undefined, 'local', 'none.pem'],
      [{ trusted: false, failureDays: 0 }, undefined, 'ok', 'got 200'],
      [{ trusted: false, failureDays: 7 }, undefined, 'tls', 'certificate: ends in 1 days'],
      [{ trusted: false, warningDays: 7 }, undefined, 'ok', '; certificate ends in 1 days'],
    ] as const)('%o, server name %s: %s, %s', async ([verify, serverName, kind, said]) => {
      const port = await servers.tls(answering(hello))
      for (const protocol of ['1.0', '2'] as const) {
        if (protocol === '2' && kind === 'ok') continue
        const options = secure({ serverName }, { tls: { material: undefined, verify }, protocol })
        const h2 = protocol === '2' ? await servers.tls(answering(hello), { ALPNProtocols: ['h2'] }) : port
        const verdict = await probeOnce(sslGet, io, connectionTo(h2), options)
        expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
      }
    })

    test('an expired certificate', async () => {
      const port = await servers.tls(answering(hello), certificate('expired'))
      const ask = (verify: CertificateWish): Promise<Verdict> =>
        probeOnce(sslGet, io, connectionTo(port), secure({}, { tls: { material: undefined, verify } }))
      expect(await ask({ trusted: false, failureDays: 0 })).toMatchObject({
        class: 'tls',
        reason: expect.stringContaining('certificate: expired') as string,
      })
      expect(await probeOnce(sslGet, io, connectionTo(port), secure())).toMatchObject({ up: true })
    })

    test('the client certificate of the SSL block', async () => {
      const subjects: unknown[] = []
      const port = await servers.tls(
        (socket) => {
          subjects.push(socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.subject : socket)
          socket.once('data', () => socket.end(hello))
        },
        { requestCert: true, rejectUnauthorized: false },
      )
      const material = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
      await probeOnce(sslGet, io, connectionTo(port), secure())
      await probeOnce(sslGet, io, connectionTo(port), secure({}, { tls: { material } }))
      expect(subjects).toEqual([undefined, 'CN=localhost'])
    })

    test.for([
      ['as the client likes it', { honorCipherOrder: false }, 'TLS_AES_128_GCM_SHA256'],
      [
        'as the server likes it',
        { honorCipherOrder: true, ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256' },
        'TLS_AES_256_GCM_SHA384',
      ],
      [
        'the one there is',
        { honorCipherOrder: false, ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
        'TLS_CHACHA20_POLY1305_SHA256',
      ],
    ] as const)('the cipher suite is %s', async ([, settings, wanted]) => {
      let chosen: string | undefined
      const port = await servers.tls((socket) => {
        if (socket instanceof TLSSocket) chosen = socket.getCipher().name
        answering(hello)(socket)
      }, settings)
      expect(await probeOnce(sslGet, io, connectionTo(port), secure())).toMatchObject({ up: true })
      expect(chosen).toBe(wanted)
    })

    test('files that are not there are our own failure', async () => {
      const port = await servers.tls(answering(hello))
      const tls = { material: { certificate: join(folder, 'none.pem') } }
      const verdict = await probeOnce(sslGet, io, connectionTo(port), secure({}, { tls }))
      expect(verdict).toMatchObject({
        up: false,
        class: 'local',
        reason: expect.stringContaining('none.pem') as string,
      })
    })

    // shows SSL_GET url.tls_compliant tls_compliant
    test.for([
      [false, false],
      [true, true],
    ] as const)('tls_compliant %s: close_notify is sent: %s', async ([tlsCompliant, notified]) => {
      const inner = await servers.tls(answering(hello), { maxVersion: 'TLSv1.2' })
      const alerts: number[] = []
      let ended: (() => void) | undefined
      const whenEnded = new Promise<void>((resolve) => (ended = resolve))
      const relay = await servers.tcp((socket) => {
        const onward = connect({ host: '127.0.0.1', port: inner, allowHalfOpen: true })
        onward.on('error', () => undefined)
        socket.on('data', (data) => {
          for (let at = 0; at + 5 <= data.length; at += 5 + data.readUInt16BE(at + 3))
            if (data[at] === 21) alerts.push(at)
          onward.write(data)
        })
        socket.on('close', () => {
          onward.destroy()
          ended?.()
        })
        socket.on('end', () => socket.end())
        onward.pipe(socket)
      })
      const verdict = await probeOnce(sslGet, io, connectionTo(relay), secure({ tlsCompliant }))
      await whenEnded
      expect([verdict.class, alerts.length > 0]).toEqual(['ok', notified])
    })

    test.runIf(addonAvailable() && process.getuid?.() === 0)('through a marked socket', async () => {
      const port = await servers.tls(answering(hello))
      const at = { ...connectionTo(port), fwmark: 9, bindInterface: 'lo' }
      expect(await probeOnce(sslGet, io, at, secure())).toMatchObject({ up: true })
    })

    test.for([
      ['speaks no TLS', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'tls', 'TLS: '],
      ['sends garbage', (socket: Socket) => socket.end(Buffer.alloc(4096, 0xa5)), 'tls', 'TLS: '],
      ['closes in the handshake', (socket: Socket) => socket.once('data', () => socket.end()), 'tls', 'closed within'],
      ['never shakes hands', (socket: Socket) => socket.resume(), 'timeout', 'no end of the TLS handshake with'],
      ['sends an alert', (socket: Socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40])), 'tls', 'TLS: '],
      ['drips garbage', (socket: Socket) => drip(socket, '\x16', '\x03'), 'timeout', 'no end of the TLS handshake'],
    ] as const)('a server that %s', async ([, behave, kind, said]) => {
      const port = await servers.tcp(behave)
      const verdict = await probeOnce(sslGet, io, connectionTo(port), secure(), { timeout: millis(400) })
      expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
      expect(verdict.took).toBeLessThan(4 * 400 + 1000)
    })

    test('a server that shakes hands and never answers', async () => {
      const verdict = await get((socket) => socket.resume(), {}, 400)
      expect(verdict).toMatchObject({ class: 'timeout', reason: expect.stringContaining('no answer from') as string })
    })

    test('a refused port', async () => {
      const verdict = await probeOnce(sslGet, io, connectionTo(await servers.closedPort()), secure())
      expect(verdict.class).toBe('refused')
    })
    test('an answer that comes with the end of the handshake, in many records, and is cut off', async () => {
      const inner = await servers.tls(
        (socket) => {
          socket.write('HTTP/1.0 200 OK\r\n\r\n')
          for (let i = 0; i < 100; i++) socket.write('x'.repeat(100))
          socket.end()
        },
        { maxVersion: 'TLSv1.2' },
      )
      const relay = await servers.tcp((socket) => {
        const onward = connect({ host: '127.0.0.1', port: inner })
        const kept: Buffer[] = []
        let flights = 0
        socket.on('data', (data) => {
          flights++
          onward.write(data)
        })
        onward.on('error', () => undefined)
        onward.on('data', (data) => {
          if (flights > 1) kept.push(data)
          else socket.write(data)
        })
        onward.on('end', () => socket.end(withoutAlerts(Buffer.concat(kept))))
      })
      const digest = createHash('md5').update('x'.repeat(10_000)).digest('hex')
      expect(await probeOnce(sslGet, io, connectionTo(relay), secure({ digest }))).toMatchObject({ class: 'ok' })
    })

    test('a body of 900 KB', async () => {
      const body = 'y'.repeat(900_000)
      const digest = createHash('md5').update(body).digest('hex')
      expect(await get(answering(`HTTP/1.0 200 OK\r\n\r\n${body}`), { digest })).toMatchObject({ class: 'ok' })
    })

    test('a request of 100 KB', async () => {
      let heard = 0
      const body = 'z'.repeat(100_000)
      const verdict = await get(
        (socket) => {
          socket.on('data', (data) => {
            heard += data.length
            if (heard > body.length) socket.end(hello)
          })
        },
        { method: 'POST', body },
      )
      expect(verdict).toMatchObject({ class: 'ok' })
    })

    test('a request is sent as UTF-8', async () => {
      expect(await get(ifAsked(abroad), abroad)).toMatchObject({ class: 'ok' })
    })

    test('a server that wants other key shares than are sent first', async () => {
      const port = await servers.tls(answering(hello), { ecdhCurve: 'P-384' })
      expect(await probeOnce(sslGet, io, connectionTo(port), secure())).toMatchObject({ class: 'ok' })
    })

    test.for(['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const)('a server of %s', async (version) => {
      const settings = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
      const verdict = await probeOnce(sslGet, io, connectionTo(await servers.tls(answering(hello), settings)), secure())
      expect([verdict.class, verdict.reason]).toEqual(
        version === 'TLSv1.1'
          ? ['tls', expect.stringContaining('TLS: tlsv1 alert protocol version: ')]
          : ['ok', expect.stringContaining('got 200')],
      )
    })

    test('a server that wants a certificate of ours', async () => {
      const settings = { requestCert: true, rejectUnauthorized: true }
      const verdict = await probeOnce(sslGet, io, connectionTo(await servers.tls(answering(hello), settings)), secure())
      expect([verdict.up, ['tls', 'protocol', 'reset'].includes(verdict.class)]).toEqual([false, true])
    })
  },
)

/** Records of TLS, but for alerts: close_notify is one (RFC 5246 §7.2). */
function withoutAlerts(records: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let at = 0; at + 5 <= records.length;) {
    const end = at + 5 + records.readUInt16BE(at + 3)
    if (records[at] !== 21) kept.push(records.subarray(at, end))
    at = end
  }
  return Buffer.concat(kept)
}
