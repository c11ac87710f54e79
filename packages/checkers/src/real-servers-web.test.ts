/** HTTP_GET and SSL_GET against Apache httpd, and TLS of stunnel, where they are installed. */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Verdict } from './checker.ts'
import { realServers, testAgainst } from './testing/real-servers.ts'

const real = realServers()
const { folder, servers, write, start, ask, signed, authority } = real
afterAll(() => real.close())

const modules = '/usr/lib/apache2/modules'
const apache = { name: 'apache2', foundBy: `command -v apache2 && test -d ${modules}` }
const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
const block = (kind: string, url: string, words = ''): string => `${kind} {\n url {\n ${url}\n }\n ${words}\n }`

interface Row {
  readonly what: string
  readonly url: string
  readonly words?: string
  readonly around?: string
  readonly expected: Verdict['class'] | RegExp
}

async function compare(kind: string, port: number, rows: readonly Row[]): Promise<void> {
  for (const { what, url, words, around, expected } of rows) {
    const verdict = await ask(block(kind, url, words), port, around === undefined ? {} : { realServer: around })
    if (typeof expected === 'string') expect(verdict.class, `${what}: ${verdict.reason}`).toBe(expected)
    else expect(verdict.reason, what).toMatch(expected)
  }
}

testAgainst('Apache httpd', [apache, 'openssl'], async () => {
  const [plain, secure, strict] = [await servers.closedPort(), await servers.closedPort(), await servers.closedPort()]
  for (const each of ['one', 'two']) mkdirSync(join(folder, each), { recursive: true })
  const [one, two] = ['the first page\n', 'the second page\n'] as const
  write('one/index.html', one)
  write('two/index.html', two)
  write('one/state.json', '{"state": {"ready": true, "nodes": [1, 2]}}')
  const [first, second] = [signed('good', 'one.test'), signed('good', 'two.test')]
  const client = signed('clients', 'prober')
  const loaded = ['mpm_event', 'authz_core', 'rewrite', 'headers', 'dir', 'mime', 'ssl', 'http2', 'alias']
  write(
    'apache.conf',
    `ServerRoot ${folder}
${loaded.map((each) => `LoadModule ${each}_module ${modules}/mod_${each}.so`).join('\n')}
PidFile ${folder}/apache.pid
Mutex file:${folder} default
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/apache.log
ServerName one.test
Listen 127.0.0.1:${plain}
Listen 127.0.0.1:${secure}
Listen 127.0.0.1:${strict}
TypesConfig /dev/null
DirectoryIndex index.html
StartServers 1
<Directory ${folder}>
  Require all granted
</Directory>
<VirtualHost *:${plain}>
  ServerName one.test
  DocumentRoot ${folder}/one
  Header always set X-State ready
  Redirect 503 /broken
  Redirect 301 /moved http://127.0.0.1:${plain}/
  <Location /keyed>
    Redirect 204 /keyed
    Require expr "%{HTTP:X-Key} == 'sesame'"
  </Location>
  RewriteEngine on
  RewriteCond %{REQUEST_METHOD} !=POST
  RewriteRule ^/post$ - [R=405,L]
  RewriteRule ^/post$ - [R=200,L]
  RewriteCond %{HTTP:Content-Length} !=11
  RewriteRule ^/eleven$ - [R=411,L]
  RewriteRule ^/eleven$ - [R=200,L]
  RewriteCond %{THE_REQUEST} !HTTP/1.1$
  RewriteRule ^/modern$ - [R=426,L]
  RewriteRule ^/modern$ - [R=200,L]
</VirtualHost>
<VirtualHost *:${plain}>
  ServerName two.test
  DocumentRoot ${folder}/two
</VirtualHost>
<VirtualHost *:${secure}>
  ServerName one.test
  DocumentRoot ${folder}/one
  Protocols h2 http/1.1
  SSLEngine on
  SSLCertificateFile ${first.cert}
  SSLCertificateKeyFile ${first.key}
</VirtualHost>
<VirtualHost *:${secure}>
  ServerName two.test
  DocumentRoot ${folder}/two
  SSLEngine on
  SSLCertificateFile ${second.cert}
  SSLCertificateKeyFile ${second.key}
</VirtualHost>
<VirtualHost *:${strict}>
  ServerName one.test
  DocumentRoot ${folder}/one
  SSLEngine on
  SSLCertificateFile ${first.cert}
  SSLCertificateKeyFile ${first.key}
  SSLCACertificateFile ${authority('clients')}
  SSLVerifyClient require
</VirtualHost>
`,
  )
  await start(plain, 'apache2', '-d', folder, '-f', join(folder, 'apache.conf'), '-D', 'FOREGROUND')
  const root = 'path /'
  const at = (path: string, words = ''): string => `path ${path}\n ${words}`
  await compare('HTTP_GET', plain, [
    { what: 'a page', url: root, expected: 'ok' },
    { what: 'none', url: at('/none'), expected: /^got 404, wanted 200-299/ },
    { what: 'broken', url: at('/broken'), expected: 'mismatch' },
    { what: 'status_code', url: at('/broken', 'status_code 500-503'), expected: 'ok' },
    { what: 'moved', url: at('/moved'), expected: /^got 301/ },
    { what: 'digest', url: at('/', `digest ${md5(one)}`), expected: 'ok' },
    { what: 'another digest', url: at('/', `digest ${md5(two)}`), expected: 'mismatch' },
    { what: 'virtualhost of the url', url: at('/', `digest ${md5(two)}\n virtualhost two.test`), expected: 'ok' },
    { what: 'of the check', url: at('/', `digest ${md5(two)}`), words: 'virtualhost two.test', expected: 'ok' },
    { what: 'of the server', url: at('/', `digest ${md5(two)}`), around: 'virtualhost two.test', expected: 'ok' },
    { what: 'regex', url: at('/', 'regex "first"'), expected: 'ok' },
    { what: 'regex that is not there', url: at('/', 'regex "second"'), expected: 'mismatch' },
    { what: 'regex_no_match', url: at('/', 'regex "second"\n regex_no_match'), expected: 'ok' },
    { what: 'regex_min_offset', url: at('/', 'regex "the"\n regex_min_offset 5'), expected: 'mismatch' },
    { what: 'regex_max_offset', url: at('/', 'regex "page"\n regex_max_offset 5'), expected: 'mismatch' },
    { what: 'header', url: at('/keyed', 'header "X-Key: sesame"'), expected: 'ok' },
    { what: 'without the header', url: at('/keyed'), expected: /^got 403/ },
    { what: 'GET where POST is wanted', url: at('/post'), expected: /^got 405/ },
    { what: 'method', url: at('/post', 'method POST'), expected: 'ok' },
    { what: 'body', url: at('/eleven', 'method POST\n body "hello world"'), expected: 'ok' },
    { what: 'another body', url: at('/eleven', 'method POST\n body "hello"'), expected: /^got 411/ },
    { what: 'expect_header', url: at('/', 'expect_header "X-State: ^ready$"'), expected: 'ok' },
    { what: 'another one', url: at('/', 'expect_header "X-State: busy"'), expected: 'mismatch' },
    { what: 'expect_json', url: at('/state.json', 'expect_json $.state.nodes[1] 2'), expected: 'ok' },
    { what: 'another value', url: at('/state.json', 'expect_json $.state.ready false'), expected: 'mismatch' },
    { what: 'no JSON', url: at('/', 'expect_json $.state 1'), expected: 'mismatch' },
    { what: 'http_protocol', url: at('/modern'), words: 'http_protocol 1.1', expected: 'ok' },
    { what: 'HTTP/1.0', url: at('/modern'), expected: /^got 426/ },
  ])
  const ca = `tls_verify\n tls_ca ${authority('good')}`
  await compare('SSL_GET', secure, [
    { what: 'a page', url: at('/', `digest ${md5(one)}`), expected: 'ok' },
    {
      what: 'enable_sni',
      url: at('/', `digest ${md5(two)}\n virtualhost two.test`),
      words: 'enable_sni',
      expected: 'ok',
    },
    { what: 'chain and name', url: root, words: `${ca}\n sni_name one.test`, expected: 'ok' },
    { what: 'sni_name is the name wanted', url: root, words: `${ca}\n tls_name two.test`, expected: 'tls' },
    { what: 'chain', url: root, words: `tls_verify\n tls_ca ${authority('bad')}\n tls_name one.test`, expected: 'tls' },
    {
      what: 'HTTP/2',
      url: at('/', `digest ${md5(one)}`),
      words: 'http_protocol 2\n sni_name one.test',
      expected: 'ok',
    },
    { what: 'no HTTP/2', url: root, words: 'http_protocol 2\n sni_name two.test', expected: 'tls' },
  ])
  const own = `tls_certificate ${client.cert}\n tls_key ${client.key}`
  await compare('SSL_GET', strict, [
    { what: 'a client that shows itself', url: root, words: own, expected: 'ok' },
    { what: 'one that does not', url: root, expected: 'tls' },
  ])
  expect(await ask(block('SSL_GET', root), strict, { top: `SSL {\n certificate ${client.cert}\n key ${client.key}\n }` })).toMatchObject({ class: 'ok' }) // prettier-ignore
})

testAgainst('stunnel: certificates that are over, for others, by others', ['stunnel4', 'openssl'], async () => {
  const behind = await servers.tcp((socket) => {
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nfine'))
  })
  const certificates = {
    valid: signed('good', 'www.test'),
    stranger: signed('bad', 'www.test'),
    other: signed('good', 'other.test'),
    expired: real.pem('expired'),
    strict: signed('good', 'www.test'),
  }
  const ports: Record<string, number> = {}
  const services: string[] = []
  for (const [name, { cert, key }] of Object.entries(certificates)) {
    const port = (ports[name] = await servers.closedPort())
    const more = name === 'strict' ? `verifyChain = yes\nCAfile = ${authority('clients')}\n` : ''
    services.push(
      `[${name}]\naccept = 127.0.0.1:${port}\nconnect = 127.0.0.1:${behind}\ncert = ${cert}\nkey = ${key}\n${more}`,
    )
  }
  await start(
    ports['strict'] ?? 0,
    'stunnel4',
    write('stunnel.conf', `foreground = yes\npid =\nsyslog = no\n${services.join('')}`),
  )
  const get = (words = ''): string => block('SSL_GET', 'path /', words)
  const verify = `tls_verify\n tls_ca ${authority('good')}\n tls_name www.test`
  const client = signed('clients', 'prober')
  const own = `tls_certificate ${client.cert}\n tls_key ${client.key}`
  for (const [name, words, expected] of [
    ['valid', '', 'ok'],
    ['valid', verify, 'ok'],
    ['valid', 'tls_expiry_failure 30', 'tls'],
    ['stranger', '', 'ok'],
    ['stranger', verify, 'tls'],
    ['other', '', 'ok'],
    ['other', verify, 'tls'],
    ['other', verify.replace('www', 'other'), 'ok'],
    ['expired', '', 'ok'],
    ['expired', `tls_verify\n tls_ca ${certificates.expired.cert}`, 'tls'],
    ['expired', 'tls_expiry_failure 0', 'tls'],
    ['strict', verify, 'tls'],
    ['strict', `${verify}\n ${own}`, 'ok'],
  ] as const) {
    const verdict = await ask(get(words), ports[name] ?? 0)
    expect(verdict.class, `${name} ${words}: ${verdict.reason}`).toBe(expected)
  }
})
