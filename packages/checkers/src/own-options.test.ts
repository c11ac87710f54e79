/** Each checker's own keywords: the same server, without the keyword and with it (or with another value). */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer, createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { VerdictClass } from './checker.ts'
import { ask } from './testing/ask.ts'
import type { Around } from './testing/read.ts'
import { certificate, testServers } from './testing/servers.ts'
import { splitName } from './dns/codec.ts'

const servers = testServers()
const http2: Http2Server[] = []
const folder = mkdtempSync(join(tmpdir(), 'own-options-'))
const cert = join(folder, 'cert.pem')
const key = join(folder, 'key.pem')
const both = join(folder, 'both.pem')
beforeAll(() => {
  const pair = certificate()
  writeFileSync(cert, pair.cert)
  writeFileSync(key, pair.key)
  writeFileSync(both, pair.cert + pair.key)
})
afterAll(async () => {
  for (const server of http2) server.close()
  await servers.close()
  rmSync(folder, { recursive: true })
})

/** What one way of writing a check finds. */
type Way = readonly [words: string, expected: VerdictClass, around?: Around]

async function ways(kind: string, port: number, each: readonly Way[]): Promise<void> {
  for (const [words, expected, around] of each) {
    const verdict = await ask(`${kind} {\n connect_ip 127.0.0.1\n connect_port ${port}\n ${words}\n }`, around)
    expect(verdict.class, `${words}: ${verdict.reason}`).toBe(expected)
  }
}

/** Answers each request, of which it is given the whole text. */
const site =
  (answer: (request: string, socket: Socket) => string) =>
  (socket: Socket): void => {
    let request = ''
    socket.on('data', (data) => {
      request += data.toString('latin1')
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0)
      const end = request.indexOf('\r\n\r\n')
      if (end >= 0 && request.length >= end + 4 + length) socket.end(answer(request, socket))
    })
  }

const yes = 'HTTP/1.0 200 OK\r\nX-State: ready\r\n\r\n'
const no = 'HTTP/1.0 503 No\r\n\r\n'
const when = (right: boolean): string => (right ? `${yes}fine` : no)
const at = (words: string, path = '/'): string => `url {\n path ${path}\n ${words}\n }\n`

describe.for(['HTTP_GET', 'SSL_GET'])('%s', (kind) => {
  const serve = (answer: (request: string, socket: Socket) => string): Promise<number> =>
    kind === 'HTTP_GET' ? servers.tcp(site(answer)) : servers.tls(site(answer))
  const body = (text: string): Promise<number> => serve(() => yes + text)

  // shows HTTP_GET|SSL_GET url.path url.method url.header url.body url
  test('what is asked for', async () => {
    await ways(kind, await serve((request) => when(request.startsWith('GET /there HTTP'))), [
      [at(''), 'mismatch'],
      [at('', '/there'), 'ok'],
      [at('', '/there') + at('', '/elsewhere'), 'ok'],
      [at('', '/elsewhere') + at('', '/there'), 'mismatch'],
    ])
    await ways(kind, await serve((request) => when(request.startsWith('HEAD / '))), [
      [at(''), 'mismatch'],
      [at('method HEAD'), 'ok'],
    ])
    await ways(kind, await serve((request) => when(request.includes('\r\nX-Key: a b\r\n'))), [
      [at(''), 'mismatch'],
      [at('header "X-Key: a b"'), 'ok'],
    ])
    await ways(kind, await serve((request) => when(request.endsWith('\r\n\r\nhello'))), [
      [at(''), 'mismatch'],
      [at('body "hello"'), 'ok'],
    ])
  })

  // shows HTTP_GET|SSL_GET url.virtualhost virtualhost
  test('for whom', async () => {
    const host = (name: string) => (request: string) => when(request.includes(`\r\nHost: ${name}\r\n`))
    await ways(kind, await serve(host('url.test')), [
      [at(''), 'mismatch'],
      [at('virtualhost url.test'), 'ok'],
      [`${at('virtualhost url.test')} virtualhost check.test`, 'ok'],
    ])
    await ways(kind, await serve(host('check.test')), [
      [at(''), 'mismatch'],
      [`${at('')} virtualhost check.test`, 'ok'],
      [`${at('')} virtualhost check.test`, 'ok', { realServer: 'virtualhost rs.test' }],
    ])
    await ways(kind, await serve(host('rs.test')), [
      [at(''), 'ok', { realServer: 'virtualhost rs.test', virtualServer: 'virtualhost vs.test' }],
      [at(''), 'mismatch', { virtualServer: 'virtualhost vs.test' }],
    ])
  })

  // shows HTTP_GET|SSL_GET http_protocol
  test('http_protocol', async () => {
    const lines = (version: string, close: boolean) => (request: string) =>
      when(request.startsWith(`GET / HTTP/${version}\r\n`) && request.includes('\r\nConnection: close\r\n') === close)
    const ports = [await serve(lines('1.0', false)), await serve(lines('1.0', true)), await serve(lines('1.1', true))]
    for (const [i, protocol] of ['1.0', '1.0C', '1.1'].entries()) {
      const each = ports.map((_, n): VerdictClass => (n === i ? 'ok' : 'mismatch'))
      for (const [n, port] of ports.entries())
        await ways(kind, port, [[`${at('')} http_protocol ${protocol}`, each[n] ?? 'ok']])
    }
    await ways(kind, ports[0] ?? 0, [[at(''), 'ok']])
  })

  // shows HTTP_GET|SSL_GET url.status_code url.digest
  test('status and digest', async () => {
    await ways(kind, await serve(() => 'HTTP/1.0 302 Moved\r\n\r\n'), [
      [at(''), 'mismatch'],
      [at('status_code 200 301-303'), 'ok'],
      [at('status_code 200\n status_code 302'), 'ok'],
      [at('status_code 301'), 'mismatch'],
    ])
    await ways(kind, await body('hello'), [
      [at('digest 5d41402abc4b2a76b9719d911017c592'), 'ok'],
      [at('digest 5d41402abc4b2a76b9719d911017c593'), 'mismatch'],
    ])
  })

  // shows HTTP_GET|SSL_GET url.regex url.regex_no_match url.regex_options url.regex_min_offset url.regex_max_offset
  test('regex', async () => {
    await ways(kind, await body('line one\nLine two'), [
      [at('regex "two"'), 'ok'],
      [at('regex "three"'), 'mismatch'],
      [at('regex "two"\n regex_no_match'), 'mismatch'],
      [at('regex "three"\n regex_no_match'), 'ok'],
      [at('regex "LINE"'), 'mismatch'],
      [at('regex "LINE"\n regex_options caseless'), 'ok'],
      [at('regex "^Line"'), 'mismatch'],
      [at('regex "^Line"\n regex_options multiline'), 'ok'],
      [at('regex "one.Line"'), 'mismatch'],
      [at('regex "one.Line"\n regex_options dotall'), 'ok'],
      [at('regex "line o n e"\n regex_options extended'), 'mismatch'],
      [at('regex "line[ ]o n e"\n regex_options extended'), 'ok'],
      [at('regex "Line"\n regex_options firstline'), 'mismatch'],
      [at('regex "line"\n regex_min_offset 1'), 'mismatch'],
      [at('regex "line"\n regex_min_offset 0'), 'ok'],
      [at('regex "Line"\n regex_max_offset 8'), 'mismatch'],
      [at('regex "Line"\n regex_max_offset 9'), 'ok'],
      [at('regex "ine"\n regex_min_offset 2\n regex_max_offset 9'), 'mismatch'],
      [at('regex "ine"\n regex_min_offset 2\n regex_max_offset 10'), 'ok'],
      [at('regex "one"\n regex_min_offset 6\n regex_no_match'), 'ok'],
    ])
  })

  // shows HTTP_GET|SSL_GET url.expect_header url.expect_json
  test('expectations', async () => {
    await ways(kind, await body('{"a": {"b": [1, "x"]}}'), [
      [at('expect_header "X-State"'), 'ok'],
      [at('expect_header "X-Other"'), 'mismatch'],
      [at('expect_header "X-State: ^re"'), 'ok'],
      [at('expect_header "X-State: ^no"'), 'mismatch'],
      [at('expect_json $.a.b[1] x'), 'ok'],
      [at('expect_json $.a.b[0] x'), 'mismatch'],
    ])
  })

  // shows HTTP_GET|SSL_GET url.regex_stack
  test('regex_stack is taken, and changes nothing', async () => {
    await ways(kind, await body('hello'), [[at('regex "ell"\n regex_stack 32 64'), 'ok']])
  })
})

/** An HTTP/2 server for gRPC: SERVING for requests that are right. */
function grpc(right: (body: string, headers: IncomingHttpHeaders) => boolean, secure?: object): Promise<number> {
  const server = secure === undefined ? createServer() : createSecureServer({ ...certificate(), ...secure })
  http2.push(server)
  server.on('sessionError', () => undefined)
  server.on('session', (session) => {
    session.unref()
  })
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      const serving = right(Buffer.concat(parts).toString('latin1'), headers) ? '01' : '02'
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' })
      })
      stream.end(Buffer.from(`000000000208${serving}`, 'hex'))
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
}

describe.for([
  ['SSL_GET', at('')],
  ['SSL_GET', `${at('')} http_protocol 2\n`],
  ['GRPC_CHECK', 'tls\n'],
] as const)('TLS of %s { %s }', ([kind, base]) => {
  /** Where `right` is false the server answers, but wrongly. */
  function serve(right: (socket: TLSSocket) => boolean, options = {}): Promise<number> {
    const judge = (socket: object): boolean => right(socket as TLSSocket)
    if (kind === 'SSL_GET' && !base.includes('2\n'))
      return servers.tls((socket) => {
        site(() => when(judge(socket)))(socket)
      }, options)
    let fine = false
    const server = createSecureServer({ ...certificate(), ...options })
    http2.push(server)
    server.on('sessionError', () => undefined)
    server.on('secureConnection', (socket: TLSSocket) => {
      fine = judge(socket)
    })
    server.on('session', (session) => {
      session.unref()
    })
    server.on('stream', (stream) => {
      stream.on('error', () => undefined)
      if (kind === 'SSL_GET') {
        stream.respond({ ':status': fine ? 200 : 503 })
        stream.end('fine')
        return
      }
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' })
      })
      stream.end(Buffer.from(`000000000208${fine ? '01' : '02'}`, 'hex'))
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        resolve((server.address() as AddressInfo).port)
      })
    })
  }
  const named = (name: string | false) => (socket: TLSSocket) => socket.servername === name

  // shows SSL_GET|GRPC_CHECK enable_sni sni_name
  test('server name', async () => {
    const host = base.startsWith('url') ? base.replace('path /', 'path /\n virtualhost web.test') : `${base} virtualhost web.test\n` // prettier-ignore
    await ways(kind, await serve(named(false)), [
      [base, 'ok'],
      [host, 'ok'],
    ])
    await ways(kind, await serve(named('web.test')), [
      [host, 'mismatch'],
      [`${host} enable_sni`, 'ok'],
      [`${host} enable_sni off`, 'mismatch'],
      [`${host} sni_name`, 'ok'],
      [`${base} sni_name web.test`, 'ok'],
    ])
  })

  // shows SSL_GET|GRPC_CHECK tls_verify tls_ca tls_name
  test('the certificate of the server', async () => {
    const port = await serve(() => true)
    await ways(kind, port, [
      [base, 'ok'],
      [`${base} tls_verify`, 'tls'],
      [`${base} tls_verify\n tls_ca ${cert}`, 'ok'],
      [`${base} tls_verify\n tls_ca ${cert}\n tls_name localhost`, 'ok'],
      [`${base} tls_verify\n tls_ca ${cert}\n tls_name other.test`, 'tls'],
    ])
  })

  // shows SSL_GET|GRPC_CHECK tls_expiry_warning tls_expiry_failure
  test('its end', async () => {
    const port = await serve(() => true)
    await ways(kind, port, [
      [`${base} tls_expiry_failure 0`, 'ok'],
      [`${base} tls_expiry_failure 30`, 'tls'],
    ])
    const block = `${kind} {\n connect_ip 127.0.0.1\n connect_port ${port}\n ${base} tls_expiry_warning`
    expect((await ask(`${block} 30\n }`)).reason).toMatch(/certificate ends in \d days$/)
    expect((await ask(`${block} 0\n }`)).reason).not.toContain('certificate')
  })

  // shows SSL_GET|GRPC_CHECK tls_certificate tls_key
  test('our own certificate', async () => {
    const ours = new X509Certificate(readFileSync(cert)).fingerprint256
    const port = await serve((socket) => socket.getPeerX509Certificate()?.fingerprint256 === ours, {
      requestCert: true,
      rejectUnauthorized: false,
    })
    const top = `SSL {\n certificate ${cert}\n key ${key}\n }`
    await ways(kind, port, [
      [base, 'mismatch'],
      [base, 'ok', { top }],
      [`${base} tls_certificate ${cert}\n tls_key ${key}`, 'ok'],
      [`${base} tls_certificate ${both}`, 'ok'],
      [`${base} tls_certificate ${cert}`, 'local'],
      [`${base} tls_certificate ${cert}\n tls_key ${join(folder, 'none')}`, 'local'],
    ])
  })
})

// shows GRPC_CHECK service tls virtualhost
test('GRPC_CHECK', async () => {
  await ways('GRPC_CHECK', await grpc((body) => body.includes('web')), [
    ['', 'mismatch'],
    ['service web', 'ok'],
    ['service mail', 'mismatch'],
  ])
  await ways('GRPC_CHECK', await grpc((_, headers) => headers[':authority'] === 'web.test'), [
    ['', 'mismatch'],
    ['virtualhost web.test', 'ok'],
    ['', 'ok', { virtualServer: 'virtualhost web.test' }],
  ])
  const secure = await grpc(() => true, {})
  expect((await ask(`GRPC_CHECK {\n connect_ip 127.0.0.1\n connect_port ${secure}\n }`)).up).toBe(false)
  await ways('GRPC_CHECK', secure, [['tls', 'ok']])
  await ways('GRPC_CHECK', await grpc(() => true), [
    ['tls', 'tls'],
    ['tls off', 'ok'],
  ])
})

/** Says this once it has heard that; before it has, nothing. */
const answers =
  (heard: string, said: string) =>
  (socket: Socket): void => {
    let text = ''
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (text === heard) socket.end(said, 'latin1')
    })
  }

// shows TCP_CHECK send send_hex expect expect_hex expect_regex
test('TCP_CHECK', async () => {
  await ways('TCP_CHECK', await servers.tcp(answers('PING\r\n', '+PONG\x01')), [
    ['', 'ok'],
    ['connect_timeout 0.3\n expect "+PONG"', 'timeout'],
    ['connect_timeout 0.3\n send "PING"\n expect "+PONG"', 'timeout'],
    ['send "PING\\r\\n"\n expect "+PONG"', 'ok'],
    ['send "PING\\r\\n"\n expect "+PUNG"', 'mismatch'],
    ['send_hex 50494e47 0d0a\n expect_hex 2b50', 'ok'],
    ['send_hex 50494e47 0d0a\n expect_hex 2b51', 'mismatch'],
    ['send_hex 50494e47 0d0a\n expect_hex 2bxx 4f', 'ok'],
    ['send "PING\\r\\n"\n expect_regex "P[ANO]+G"', 'ok'],
    ['send "PING\\r\\n"\n expect_regex "P[ANI]+G"', 'mismatch'],
  ])
})

// shows AGENT_CHECK send agent_required
test('AGENT_CHECK', async () => {
  const port = await servers.tcp(answers('web1\n', 'down\n'))
  await ways('AGENT_CHECK', port, [
    ['connect_timeout 0.3', 'ok'],
    ['connect_timeout 0.3\n agent_required', 'timeout'],
    ['send "web1\\n"', 'mismatch'],
  ])
})

// shows SMTP_CHECK helo_name host host.connect_ip host.connect_port host.connect_timeout host.bindto host.bind_port
test('SMTP_CHECK', async () => {
  const mail =
    (right: (line: string, socket: Socket) => boolean) =>
    (socket: Socket): void => {
      socket.write('220 mx\r\n')
      socket.on('data', (line) => socket.write(right(line.toString(), socket) ? '250 ok\r\n' : '550 no\r\n'))
    }
  const knows = (name: string): Promise<number> =>
    servers.tcp(mail((line) => line === `HELO ${name}\r\n` || line === 'QUIT\r\n'))
  await ways('SMTP_CHECK', await knows('me.test'), [
    ['', 'mismatch'],
    ['helo_name me.test', 'ok'],
  ])
  await ways('SMTP_CHECK', await knows('smtpchecker.keepalived.org'), [['', 'ok']])
  const [own, bad] = [await servers.closedPort(), await servers.tcp((socket) => socket.end('554 no\r\n'))]
  const local = await servers.tcp(mail((_, socket) => socket.remoteAddress === '127.0.0.9'))
  const fixed = await servers.tcp(mail((_, socket) => socket.remotePort === own))
  const host = (port: number, words = ''): string => `host {\n connect_ip 127.0.0.1\n connect_port ${port}\n ${words}\n }` // prettier-ignore
  const silent = await ask(`SMTP_CHECK {\n ${host(await servers.tcp(() => undefined), 'connect_timeout 0.2')}\n }`)
  expect(silent.class).toBe('timeout')
  expect(silent.took).toBeLessThan(4000)
  expect((await ask(`SMTP_CHECK {\n ${host(bad)}\n }`)).class).toBe('mismatch')
  for (const [words, expected] of [
    [host(local), 'mismatch'],
    [host(local, 'bindto 127.0.0.9'), 'ok'],
    [host(fixed), 'mismatch'],
    [host(fixed, `bind_port ${own}`), 'ok'],
    [`${host(local, 'bindto 127.0.0.9')}\n ${host(fixed)}`, 'mismatch'],
    [host(local, 'bindto 127.0.0.9').repeat(2), 'ok'],
  ] as const) {
    const verdict = await ask(`SMTP_CHECK {\n ${words}\n }`)
    expect(verdict.class, `${words}: ${verdict.reason}`).toBe(expected)
  }
})

// shows DNS_CHECK type name
test('DNS_CHECK', async () => {
  const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, MX: 15, TXT: 16, AAAA: 28, RRSIG: 46, DNSKEY: 48 } as const
  /** Knows this question alone. */
  const knows = (type: number, name: string): Promise<number> =>
    servers.udp((query, reply) => {
      const labels = (splitName(name) ?? []).flatMap((label) => [label.length, ...Buffer.from(label)])
      const question = Buffer.from([...labels, 0, 0, type, 0, 1])
      query[2] = 0x81
      query[3] = query.subarray(12).equals(question) ? 0 : 3
      reply(query)
    })
  for (const [type, number] of Object.entries(types)) {
    const other = type === 'A' ? 'AAAA' : 'A'
    await ways('DNS_CHECK', await knows(number, 'www.test'), [
      [`type ${type}\n name www.test`, 'ok'],
      [`type ${type.toLowerCase()}\n name www.test.`, 'ok'],
      [`type ${type}\n name web.test`, 'mismatch'],
      [`type ${other}\n name www.test`, 'mismatch'],
    ])
  }
  await ways('DNS_CHECK', await knows(types.SOA, '.'), [
    ['', 'ok'],
    ['type A', 'mismatch'],
  ])
})

// shows UDP_CHECK payload require_reply min_reply_length max_reply_length
test('UDP_CHECK', async () => {
  const port = await servers.udp((data, reply) => {
    if (data.toString('hex') === '70696e67') reply(Buffer.from('pong!'))
  })
  const sent = 'payload 7069 6e67\n connect_timeout 2'
  await ways('UDP_CHECK', port, [
    ['connect_timeout 0.2', 'ok'],
    ['connect_timeout 0.2\n require_reply', 'timeout'],
    [`${sent}\n require_reply`, 'ok'],
    [`${sent}\n require_reply 706f`, 'ok'],
    [`${sent}\n require_reply 70xx6e`, 'ok'],
    [`${sent}\n require_reply 71`, 'mismatch'],
    [`${sent}\n require_reply 70\n min_reply_length 5`, 'ok'],
    [`${sent}\n require_reply 70\n min_reply_length 6`, 'mismatch'],
    [`${sent}\n require_reply 70\n max_reply_length 5`, 'ok'],
    [`${sent}\n require_reply 70\n max_reply_length 4`, 'mismatch'],
  ])
})

// shows MISC_CHECK misc_path misc_timeout misc_dynamic user
test('MISC_CHECK', async () => {
  const root = process.getuid?.() === 0
  const run = (words: string, body: string): ReturnType<typeof ask> =>
    ask(`MISC_CHECK {\n misc_path "/bin/sh -c '${body}'"\n ${words}\n }`)
  expect(await run('', 'exit 0')).toMatchObject({ up: true })
  expect(await run('', 'exit 1')).toMatchObject({ up: false })
  expect(await run('', 'exit 9')).toMatchObject({ up: false })
  expect(await run('misc_dynamic', 'exit 9')).toMatchObject({ up: true, weight: 7 })
  expect(await run('misc_timeout 1', 'sleep 100')).toMatchObject({ class: 'timeout' })
  expect(await run('misc_timeout 100', 'sleep 1')).toMatchObject({ class: 'ok' })
  if (!root) return
  expect(await run('user nobody', '[ $(id -un) = nobody ]')).toMatchObject({ up: true })
  expect(await run('user root', '[ $(id -un) = nobody ]')).toMatchObject({ up: false })
  expect(await run('user nobody daemon', '[ $(id -gn) = daemon ]')).toMatchObject({ up: true })
  expect(await run('user nobody', '[ $(id -gn) = daemon ]')).toMatchObject({ up: false })
})
