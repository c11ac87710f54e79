/** Checks against servers that somebody else wrote, where they are installed: nginx, OpenSSL, unbound. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { realServers, testAgainst } from './testing/real-servers.ts'

const { folder, servers, start, ask, pem, close } = realServers()
afterAll(() => close())

const url = (words = ''): string => `url {\n path /\n ${words}\n }`

testAgainst('nginx', ['nginx'], async () => {
  const [plain, secure] = [await servers.closedPort(), await servers.closedPort()]
  const { cert, key } = pem('valid')
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
http {
  access_log off; ${temp.join(' ')}
  server {
    listen 127.0.0.1:${plain};
    listen 127.0.0.1:${secure} ssl http2;
    ssl_certificate ${cert}; ssl_certificate_key ${key};
    location = / { add_header X-State ready; default_type application/json; return 200 '{"state":"ready"}'; }
    location = /broken { return 503; }
  }
}
`,
  )
  await start(plain, 'nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log'))
  expect(await ask('TCP_CHECK {\n }', plain)).toMatchObject({ class: 'ok' })
  expect(
    await ask(`HTTP_GET {\n ${url('expect_header "X-State: ready"\n expect_json $.state ready')}\n }`, plain),
  ).toMatchObject({ class: 'ok' })
  expect(await ask(`HTTP_GET {\n ${url('regex "re..y"')}\n http_protocol 1.1\n }`, plain)).toMatchObject({
    class: 'ok',
  })
  expect((await ask('HTTP_GET {\n url {\n path /broken\n }\n }', plain)).reason).toMatch(/^got 503, wanted 200-299/)
  for (const protocol of ['1.0', '1.1', '2']) {
    const text = `SSL_GET {\n ${url()}\n http_protocol ${protocol}\n tls_verify\n tls_ca ${cert}\n tls_name localhost\n }`
    expect(await ask(text, secure)).toMatchObject({ class: 'ok' })
  }
  expect(await ask(`HTTP_GET {\n ${url()}\n }`, secure)).toMatchObject({ class: 'mismatch' })
  expect(await ask(`SSL_GET {\n ${url()}\n }`, plain)).toMatchObject({ class: 'tls' })
  expect(await ask('SMTP_CHECK {\n }', plain)).toMatchObject({ up: false })
  expect(await ask('GRPC_CHECK {\n tls\n }', secure)).toMatchObject({ class: 'mismatch' })
})

testAgainst('openssl s_server: certificates that are over, or for somebody else', ['openssl'], async () => {
  const serve = async (kind: 'valid' | 'expired', ...more: string[]): Promise<number> => {
    const port = await servers.closedPort()
    const { cert, key } = pem(kind)
    await start(
      port,
      'openssl',
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-cert',
      cert,
      '-key',
      key,
      '-www',
      ...more,
    )
    return port
  }
  const [valid, expired, old] = [await serve('valid'), await serve('expired'), await serve('valid', '-tls1_2')]
  const get = (words = ''): string => `SSL_GET {\n ${url()}\n ${words}\n }`
  const ca = (kind: 'valid' | 'expired'): string => `tls_verify\n tls_ca ${join(folder, `${kind}.pem`)}`
  expect(await ask(get(), valid)).toMatchObject({ class: 'ok' })
  expect(await ask(get(ca('valid')), valid)).toMatchObject({ class: 'ok' })
  expect(await ask(get(`${ca('valid')}\n tls_name other.test`), valid)).toMatchObject({ class: 'tls' })
  expect(await ask(get('tls_verify'), valid)).toMatchObject({ class: 'tls' })
  expect((await ask(get('tls_expiry_warning 30'), valid)).reason).toMatch(/certificate ends in \d days$/)
  expect(await ask(get(), expired)).toMatchObject({ class: 'ok' })
  expect(await ask(get(ca('expired')), expired)).toMatchObject({
    class: 'tls',
    reason: expect.stringMatching(/expired/i) as string,
  })
  expect(await ask(get('tls_expiry_failure 0'), expired)).toMatchObject({ class: 'tls' })
  expect(await ask(get(), old)).toMatchObject({ class: 'ok' })
})

testAgainst('unbound', ['unbound'], async () => {
  const port = await servers.closedPort()
  writeFileSync(
    join(folder, 'unbound.conf'),
    `server:
  interface: 127.0.0.1@${port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  access-control: 127.0.0.0/8 allow
  local-zone: "test." static
  local-data: "www.test. A 192.0.2.7"
  local-zone: "refused.example." refuse
remote-control:
  control-enable: no
`,
  )
  await start(port, 'unbound', '-d', '-p', '-c', join(folder, 'unbound.conf'))
  expect(await ask('DNS_CHECK {\n type A\n name www.test\n }', port)).toMatchObject({ class: 'ok' })
  expect(await ask('DNS_CHECK {\n type A\n name none.test\n }', port)).toMatchObject({ class: 'mismatch' })
  expect(await ask('DNS_CHECK {\n type A\n name refused.example\n }', port)).toMatchObject({ class: 'mismatch' })
  const query = '000101000001000000000000037777770474657374000001 0001'.replace(' ', '')
  expect(await ask(`UDP_CHECK {\n payload ${query}\n require_reply 0001xx80\n }`, port)).toMatchObject({ class: 'ok' })
})
