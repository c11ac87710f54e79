/** SMTP_CHECK, DNS_CHECK and GRPC_CHECK against servers that somebody else wrote, where they are installed. */
import { afterAll, expect } from 'vitest'
import { realServers, testAgainst } from './testing/real-servers.ts'

const real = realServers()
const { folder, servers, write, start, ask, signed, authority } = real
afterAll(() => real.close())

testAgainst('bind', ['named'], async () => {
  const port = await servers.closedPort()
  const zone =
    '$TTL 60\n@ SOA ns.test. me.test. 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.7\nmail MX 10 www\n'
  write(
    'named.conf',
    `options { directory "${folder}"; pid-file none; session-keyfile "${folder}/session.key"; recursion no; dnssec-validation no;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; allow-query { 127.0.0.1; }; };
controls { };
zone "test" { type primary; file "${write('zone', zone)}"; };
zone "broken.example" { type primary; file "${folder}/none"; };
`,
  )
  await start(port, 'named', '-f', '-c', `${folder}/named.conf`, '-n', '1')
  for (const [words, expected] of [
    ['type A\n name www.test', 'ok'],
    ['type MX\n name mail.test', 'ok'],
    ['type SOA\n name test', 'ok'],
    ['type A\n name none.test', 'mismatch'],
    ['type A\n name www.broken.example', 'mismatch'],
    ['type A\n name www.elsewhere.example', 'mismatch'],
  ] as const) {
    const verdict = await ask(`DNS_CHECK {\n ${words}\n }`, port)
    expect(verdict.class, `${words}: ${verdict.reason}`).toBe(expected)
  }
  expect((await ask('DNS_CHECK {\n type A\n name none.test\n }', port)).reason).toMatch(/NXDOMAIN/)
})

testAgainst(
  'OpenSMTPD',
  [
    { name: 'OpenSMTPD that does not run already', foundBy: 'smtpd -h 2>&1 | grep -q OpenSMTPD && ! pgrep -x smtpd' },
    { name: 'root', foundBy: 'test $(id -u) = 0' },
  ],
  async () => {
    const port = await servers.closedPort()
    const file = write(
      'smtpd.conf',
      `listen on 127.0.0.1 port ${port} hostname mx.test\naction "none" relay\nmatch for any reject\n`,
    )
    await start(port, 'smtpd', '-d', '-f', file)
    expect(await ask('SMTP_CHECK {\n }', port)).toMatchObject({ class: 'ok' })
    expect(await ask('SMTP_CHECK {\n helo_name director.test\n }', port)).toMatchObject({ class: 'ok' })
    expect((await ask('SMTP_CHECK {\n helo_name bad/name\n }', port)).reason).toMatch(/^got 50\d, wanted 250 \(HELO\)/)
    expect(await ask('TCP_CHECK {\n expect "220 mx.test"\n }', port)).toMatchObject({ class: 'ok' })
    expect(await ask('TCP_CHECK {\n expect "220 other.test"\n }', port)).toMatchObject({ up: false })
    const quit = 'send "QUIT\\r\\n"\n expect_regex "(?s)^220 .*\\r\\n221 "'
    expect(await ask(`TCP_CHECK {\n ${quit}\n }`, port)).toMatchObject({ class: 'ok' })
    expect(await ask('HTTP_GET {\n url {\n path /\n }\n }', port)).toMatchObject({ class: 'protocol' })
  },
)

/** grpc.health.v1.Health/Check by a handler for bytes: field 1 is a name, and the answer's field 1 the state. */
const python = `
import grpc, sys
from concurrent import futures
def check(request, context):
    name = request[2:].decode()
    if name == '': return b'\\x08\\x01'
    if name == 'down': return b'\\x08\\x02'
    if name == 'empty': return b''
    context.abort(grpc.StatusCode.NOT_FOUND, 'no ' + name)
class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == '/grpc.health.v1.Health/Check': return grpc.unary_unary_rpc_method_handler(check)
server = grpc.server(futures.ThreadPoolExecutor(2))
if sys.argv[1] == 'health': server.add_generic_rpc_handlers((Handler(),))
read = lambda name: open(name, 'rb').read()
server.add_insecure_port('127.0.0.1:' + sys.argv[2])
server.add_secure_port('127.0.0.1:' + sys.argv[3], grpc.ssl_server_credentials(((read(sys.argv[5]), read(sys.argv[4])),)))
server.start()
server.wait_for_termination()
`

testAgainst(
  'gRPC in C++, by Python',
  ['openssl', { name: 'python3-grpcio', foundBy: '/usr/bin/python3 -c "import grpc"' }],
  async () => {
    const script = write('server.py', python)
    const { cert, key } = signed('good', 'grpc.test')
    const [plain, secure, bare, bareSecure] = [
      await servers.closedPort(),
      await servers.closedPort(),
      await servers.closedPort(),
      await servers.closedPort(),
    ]
    await start(secure, '/usr/bin/python3', script, 'health', `${plain}`, `${secure}`, cert, key)
    await start(bareSecure, '/usr/bin/python3', script, 'none', `${bare}`, `${bareSecure}`, cert, key)
    const verify = `tls\n tls_verify\n tls_ca ${authority('good')}\n`
    for (const [words, port, expected] of [
      ['', plain, /^SERVING/],
      ['service down', plain, /NOT_SERVING/],
      ['service other', plain, /NOT_FOUND/],
      ['service empty', plain, /UNKNOWN/],
      ['', bare, /UNIMPLEMENTED/],
      ['', secure, /closed|HTTP\/2|reset/],
      ['tls', secure, /^SERVING/],
      [`${verify} tls_name grpc.test`, secure, /^SERVING/],
      [`${verify} tls_name other.test`, secure, /other\.test/],
      [`tls\n tls_verify\n tls_ca ${authority('bad')}\n tls_name grpc.test`, secure, /issuer|chain|certificate/],
      ['tls', plain, /TLS|tls|SSL|ssl/],
    ] as const) {
      const verdict = await ask(`GRPC_CHECK {\n ${words}\n }`, port)
      expect(verdict.reason, `${words} at ${port === secure ? 'TLS' : 'plain'}`).toMatch(expected)
      expect(verdict.up).toBe(String(expected) === '/^SERVING/')
    }
  },
)
