import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { checkers } from './checkers.ts'
import { readChecker, type Around } from './testing/read.ts'

test('each kind once, and the blocks of those that connect have the words for it', () => {
  const keywords = checkers.map((checker) => checker.keyword)
  expect(new Set(keywords).size).toBe(keywords.length)
  for (const { block, connection, watch } of checkers) {
    expect('connectIp' in block.fields).toBe(connection)
    expect('delayLoop' in block.fields).toBe(watch === undefined)
  }
})

test('HTTP_GET with everything', async () => {
  const { checker, remarks } = await readChecker(`HTTP_GET {
      url {
        path "/a?b=c"
        status_code 200 301-302
        status_code 404
        digest 5D41402ABC4B2A76B9719D911017C592
      }
      url {
        path /b
        virtualhost b.test
        regex "up and running"
        regex_no_match
        regex_options caseless multiline
        regex_min_offset 3
        regex_max_offset 40
        regex_stack 32 64
      }
      http_protocol 1.0c
      virtualhost checker.test
      fast_recovery
      retry 4
      connect_timeout 3
      connect_port 8080
    }`)
  expect(remarks).toEqual([])
  expect(checker).toMatchObject({
    kind: 'HTTP_GET',
    timing: { retry: 4, delayBeforeRetry: seconds(3), timeout: seconds(3), delayLoop: seconds(6) },
    connection: { address: '10.0.0.1', port: 8080 },
    options: {
      urls: [
        {
          path: '/a?b=c',
          host: 'checker.test',
          status: [
            { from: 200, to: 200 },
            { from: 301, to: 302 },
            { from: 404, to: 404 },
          ],
          digest: '5d41402abc4b2a76b9719d911017c592',
        },
        {
          path: '/b',
          host: 'b.test',
          status: [{ from: 200, to: 299 }],
          regex: { source: 'up and running', options: ['caseless', 'multiline'], noMatch: true, min: 3, max: 40 },
        },
      ],
      protocol: '1.0C',
      fastRecovery: true,
      tls: undefined,
    },
  })
})

test('our own words for HTTP: method, headers, body, HTTP/2', async () => {
  const { checker, remarks } = await readChecker(`SSL_GET {
      url {
        path /
        method POST
        header "Content-Type: text/plain"
        header "X-Check: a b"
        body "are you there"
      }
      http_protocol 2
    }`)
  expect(remarks).toEqual([])
  expect(checker?.options).toMatchObject({
    protocol: '2',
    urls: [{ method: 'POST', headers: ['Content-Type: text/plain', 'X-Check: a b'], body: 'are you there' }],
  })
})

test('nb_get_retry is retry', async () => {
  const { checker } = await readChecker('HTTP_GET { \n url { \n path / \n } \n nb_get_retry 7 \n }')
  expect(checker?.timing.retry).toBe(7)
})

const url = 'url {\n path /\n'
const vs: Around = { virtualServer: 'virtualhost vs.test' }
const both: Around = { ...vs, realServer: 'virtualhost rs.test' }

test.for([
  ['', {}, undefined, undefined, 'neither'],
  ['', vs, 'vs.test', undefined, 'the virtual server'],
  ['', both, 'rs.test', undefined, 'the real server before it'],
  ['virtualhost c.test', both, 'c.test', undefined, 'the checker before it'],
  ['enable_sni', vs, 'vs.test', 'vs.test', 'SNI by the virtual server'],
  ['enable_sni', both, 'rs.test', 'vs.test', 'the real server counts for Host, not for SNI'],
  ['enable_sni off', both, 'rs.test', undefined, 'no SNI'],
  ['enable_sni\n virtualhost c.test', both, 'c.test', 'c.test', 'SNI by the checker'],
  ['sni_name own.test', both, 'rs.test', 'own.test', 'a name for SNI alone'],
  ['sni_name', both, 'rs.test', 'vs.test', 'sni_name without a name'],
] as const)('SSL_GET with %s in %o: Host %s, SNI %s: %s', async ([words, around, host, serverName]) => {
  const { checker, remarks } = await readChecker(`SSL_GET {\n ${url} }\n ${words}\n}`, around)
  expect(remarks).toEqual([])
  expect(checker?.options.urls).toMatchObject([{ host, serverName }])
})

test('SSL_GET: tls_compliant at the checker, and otherwise at a url', async () => {
  const { checker } = await readChecker(`SSL_GET {\n ${url} }\n ${url} tls_compliant off\n }\n tls_compliant\n}`)
  expect(checker?.options.urls).toMatchObject([{ tlsCompliant: true }, { tlsCompliant: false }])
})

test('SSL_GET: what the certificate must be', async () => {
  const words = 'tls_verify\n tls_ca /ca.pem\n tls_name web.test\n tls_expiry_warning 30\n tls_expiry_failure 3'
  const { checker, remarks } = await readChecker(`SSL_GET {\n ${url} }\n ${words}\n}`)
  expect(remarks).toEqual([])
  expect(checker?.options.tls).toEqual({
    material: undefined,
    verify: { trusted: true, ca: '/ca.pem', name: 'web.test', warningDays: 30, failureDays: 3 },
  })
  const plain = await readChecker(`SSL_GET {\n ${url} }\n}`)
  expect(plain.checker?.options.tls).toEqual({ material: undefined })
  const vain = await readChecker(`SSL_GET {\n ${url} }\n tls_ca /ca.pem\n}`)
  expect(vain.remarks.join()).toContain('count only with tls_verify')
})

test.for(['HTTP_GET', 'GRPC_CHECK'])('%s without TLS: what would be about it is remarked on', async (kind) => {
  const words = 'tls_verify\n tls_ca /a\n tls_name b\n tls_certificate /c\n tls_key /d\n tls_expiry_warning 1\n tls_expiry_failure 2' // prettier-ignore
  const base = kind === 'HTTP_GET' ? `${url} }\n` : ''
  const { remarks } = await readChecker(`${kind} {\n ${base} ${words}\n}`)
  expect(remarks.filter((remark) => remark.includes('means nothing here'))).toHaveLength(7)
  expect((await readChecker(`${kind} {\n ${base} enable_sni\n}`)).remarks).toEqual([])
})

test('the SSL block goes to SSL_GET, not to HTTP_GET', async () => {
  const top = 'SSL {\n password secret\n ca /ca.pem\n certificate /cert.pem\n key /key.pem\n}'
  const ssl = await readChecker(`SSL_GET {\n ${url} }\n}`, { top })
  expect(ssl.checker?.options.tls).toEqual({
    material: { password: 'secret', ca: '/ca.pem', certificate: '/cert.pem', key: '/key.pem' },
  })
  const http = await readChecker(`HTTP_GET {\n ${url} }\n}`, { top })
  expect(http.checker?.options.tls).toBeUndefined()
})

test('MISC_CHECK', async () => {
  const { checker, remarks } = await readChecker(
    `MISC_CHECK {
      misc_path "/usr/bin/check 'a b' c"
      misc_timeout 4
      misc_dynamic
      user nobody nogroup
    }`,
    { top: 'global_defs {\n enable_script_security\n}' },
  )
  expect(remarks).toEqual([])
  expect(checker).toMatchObject({
    kind: 'MISC_CHECK',
    connection: undefined,
    timing: { retry: 0, timeout: seconds(4) },
    options: { script: { words: ['/usr/bin/check', 'a b', 'c'], user: 'nobody', group: 'nogroup' }, dynamic: true },
  })
})

test('MISC_CHECK without misc_timeout has the delay_loop of the virtual server', async () => {
  const { checker } = await readChecker('MISC_CHECK {\n misc_path /x\n delay_loop 99\n}')
  expect(checker?.timing).toMatchObject({ timeout: seconds(6), delayLoop: seconds(99) })
})

test('TCP_CHECK: nothing of its own, or what to send and expect', async () => {
  const plain = await readChecker('TCP_CHECK {\n}')
  expect(plain.remarks).toEqual([])
  expect(plain.checker?.options).toEqual({ send: undefined, expect: undefined })
  const text = await readChecker('TCP_CHECK {\n send "PING\\r\\n"\n expect "+PONG"\n}')
  expect(text.remarks).toEqual([])
  expect(text.checker?.options).toEqual({ send: '50494e470d0a', expect: { kind: 'text', hex: '2b504f4e47' } })
  const hex = await readChecker('TCP_CHECK {\n send_hex 00 ff\n expect_hex 0x 1\n}')
  expect(hex.checker?.options).toEqual({
    send: '00ff',
    expect: { kind: 'bytes', pattern: { bytes: '0001', mask: 'f0ff' } },
  })
  const regex = await readChecker('TCP_CHECK {\n expect_regex "^[0-9]+ ready"\n}')
  expect(regex.checker?.options.expect).toEqual({ kind: 'regex', pattern: { source: '^[0-9]+ ready', options: [] } })
})

test('SMTP_CHECK, with hosts: each is a check of its own, and the block itself only if it says where to connect', async () => {
  const plain = await readChecker('SMTP_CHECK {\n helo_name me.test\n}')
  expect(plain.remarks).toEqual([])
  expect(plain.checkers).toMatchObject([{ kind: 'SMTP_CHECK', options: { heloName: 'me.test' } }])
  const hosts = 'host {\n connect_ip 10.0.0.9\n connect_timeout 2\n }\n host {\n connect_port 26\n }'
  const { checkers } = await readChecker(`SMTP_CHECK {\n retry 7\n ${hosts}\n helo_name me.test\n}`)
  const common = { kind: 'SMTP_CHECK', options: { heloName: 'me.test' } }
  expect(checkers).toMatchObject([
    { ...common, connection: { address: '10.0.0.9', port: 80 }, timing: { retry: 7, timeout: seconds(2) } },
    { ...common, connection: { address: '10.0.0.1', port: 26 }, timing: { retry: 7, timeout: seconds(5) } },
  ])
  const itself = await readChecker(`SMTP_CHECK {\n bindto 10.0.0.3\n connect_timeout 3\n ${hosts}\n}`)
  expect(itself.checkers.map(({ connection, timing }) => [connection?.bindAddress, timing.timeout])).toEqual([
    ['10.0.0.3', 3000],
    [undefined, 2000],
    [undefined, 3000],
  ])
})

test('DNS_CHECK', async () => {
  const plain = await readChecker('DNS_CHECK {\n}')
  expect(plain.checker).toMatchObject({
    timing: { retry: 3, delayBeforeRetry: seconds(6) },
    options: { type: 'SOA', labels: [] },
  })
  const { checker, remarks } = await readChecker('DNS_CHECK {\n type aaaa\n name www.example.org\n}')
  expect(remarks).toEqual([])
  expect(checker?.options).toEqual({ type: 'AAAA', labels: ['www', 'example', 'org'] })
})

test('UDP_CHECK', async () => {
  const plain = await readChecker('UDP_CHECK {\n}')
  expect(plain.checker?.options.reply).toBeUndefined()
  expect(String(plain.checker?.options.payload)).toHaveLength(64)
  const { checker, remarks } = await readChecker(
    'UDP_CHECK {\n payload 0a 0b0c\n require_reply 0a xX\n min_reply_length 2\n max_reply_length 20\n}',
  )
  expect(remarks).toEqual([])
  expect(checker?.options).toEqual({
    payload: '0a0b0c',
    reply: { pattern: { bytes: '0a00', mask: 'ff00' }, min: 2, max: 20 },
  })
  const bare = await readChecker('UDP_CHECK {\n require_reply\n}')
  expect(bare.checker?.options.reply).toEqual({ pattern: undefined, min: 0, max: 255 })
})

test('PING_CHECK', async () => {
  const { checker, remarks } = await readChecker('PING_CHECK {\n connect_timeout 2\n}')
  expect(remarks).toEqual([])
  expect(checker).toMatchObject({ kind: 'PING_CHECK', timing: { timeout: seconds(2) } })
})

test.for([
  ['HTTP_GET {\n}', 'there is no url', 'no url'],
  ['HTTP_GET {\n url {\n status_code 200\n }\n}', 'path', 'no path'],
  [`HTTP_GET {\n ${url} digest 123\n }\n}`, '"123" is not an MD5', 'a digest of the wrong length'],
  [`HTTP_GET {\n ${url} status_code 99\n }\n}`, '"99" is not a status code', 'a status code too small'],
  [`HTTP_GET {\n ${url} status_code 300-200\n }\n}`, '"300-200" is not', 'a range the wrong way'],
  [`HTTP_GET {\n ${url} regex "(?R)"\n }\n}`, 'is not supported', 'a regex that JavaScript cannot do'],
  [`HTTP_GET {\n ${url} regex a++\n regex_options caseles\n }\n}`, 'possessive', 'remarks on a regex'],
  [`HTTP_GET {\n ${url} regex a\n regex_options caseles\n }\n}`, '"caseles" is not a regex option', 'its options'],
  [
    `HTTP_GET {\n ${url} regex a\n regex_min_offset 9\n regex_max_offset 8\n }\n}`,
    'regex_min_offset 9 is above regex_max_offset 8',
    'offsets the wrong way',
  ],
  [`HTTP_GET {\n ${url} regex_no_match\n }\n}`, 'regex_no_match has no effect without regex', 'a regex forgotten'],
  [`HTTP_GET {\n ${url} regex_options utf\n }\n}`, 'regex_options has no effect', 'options of none'],
  ['TCP_CHECK {\n connect_ip fe80::1\n}', 'W058 fe80::1 is link-local: bind_if must name', 'a link-local address'],
  [`HTTP_GET {\n ${url} }\n http_protocol 2\n}`, 'use SSL_GET', 'HTTP/2 without TLS'],
  [`HTTP_GET {\n ${url} header "Host: x"\n }\n}`, 'Host is set by the checker itself', 'a header of ours'],
  [`HTTP_GET {\n ${url} header "no header"\n }\n}`, 'is not a header', 'no header'],
  ['TCP_CHECK {\n send a\n send_hex 00\n}', 'exclude each other', 'two things to send'],
  ['TCP_CHECK {\n expect a\n expect_hex 00\n}', 'only one of expect', 'two things to expect'],
  ['TCP_CHECK {\n expect_regex "(?R)"\n}', 'is not supported', 'a regex that cannot be done'],
  ['MISC_CHECK {\n}', 'misc_path', 'no script'],
  ['DNS_CHECK {\n name a..b\n}', 'is not a domain name', 'an empty label'],
  ['DNS_CHECK {\n type ANY\n}', '"ANY" is not one of', 'a type that is not known'],
  ['UDP_CHECK {\n payload 0x1\n}', 'is not pairs of hexadecimal digits', 'no hexadecimal data'],
  [
    'UDP_CHECK {\n require_reply 00\n min_reply_length 9\n max_reply_length 8\n}',
    'larger than',
    'lengths the wrong way',
  ],
] as const)('%j is told: %s', async ([block, said]) => {
  const { remarks } = await readChecker(block)
  expect(remarks.join('\n')).toContain(said)
})

test('a remark on one of many urls points at the line in it', async () => {
  const fine = 'url {\n path /\n regex ok\n }'
  const { remarks, lines } = await readChecker(
    `HTTP_GET {\n ${fine}\n url {\n path /\n regex "a(b"\n }\n ${fine}\n url {\n path /\n expect_json x 1\n }\n}`,
  )
  expect(remarks).toEqual(['E063 regex "a(b": Unterminated group', 'E063 "x" is not a path such as $.a.b[0]'])
  expect(lines).toEqual(['regex "a(b"', 'expect_json x 1'])
})

test.for([
  ['TCP_CHECK {\n}', '', ['W059 no port is known for this TCP_CHECK: connect_port must say it']],
  ['TCP_CHECK {\n connect_port 80\n}', '', []],
  ['PING_CHECK {\n}', '', []],
  ['MISC_CHECK {\n misc_path /bin/true\n}', '', []],
  ['TCP_CHECK {\n}', '80', []],
] as const)('%s of real server "%s" of a fwmark: %o', async ([block, port, expected]) => {
  const text = `virtual_server fwmark 5 {\n lb_algo rr\n lb_kind DR\n real_server 10.0.0.1 ${port} {\n ${block}\n }\n}`
  const read = filesInMemory(new Map([['/test.conf', text]]))
  const { diagnostics } = await loadConfig('/test.conf', { checkers, read })
  const told = diagnostics.filter(({ code }) => code !== 'W029' && code !== 'W045')
  expect(told.map(({ code, text: said }) => `${code} ${said}`)).toEqual(expected)
})

test('a link-local address with its interface is nothing to remark on', async () => {
  expect((await readChecker('TCP_CHECK {\n connect_ip fe80::1\n bind_if eth0\n}')).remarks).toEqual([])
})

test('lengths of a reply count only with data, and so does what is wrong with them', async () => {
  expect((await readChecker('UDP_CHECK {\n require_reply\n min_reply_length 300\n}')).remarks).toEqual([])
})

test.for([
  ['', '', '', { retry: 1 }, 'nothing of our own: nothing is said of it'],
  ['', '', 'fall 3', { retry: 2 }, 'fall counts the failure that decides'],
  ['', '', 'fall 3 \n retry 7', { retry: 2 }, 'and replaces retry'],
  ['', 'fall 3', 'retry 7', { retry: 7 }, 'of the nearest block that says one of them'],
  ['fall 5', 'retry 4', '', { retry: 4 }, 'in whatever words'],
  ['rise 3', '', '', { retry: 1, rise: 3 }, 'rise is inherited'],
  ['rise 3', 'rise 2', 'rise 1', { retry: 1 }, 'the nearest counts'],
  ['jitter 20', 'delay_loop_changing 0.5', '', { retry: 1, jitter: 0.2, changing: 500 }, 'and so are the others'],
] as const)('virtual server "%s", real server "%s", checker "%s": %o: %s', async ([vs, rs, own, expected]) => {
  const around: Around = { virtualServer: vs, realServer: rs }
  const { checker, remarks } = await readChecker(`TCP_CHECK {\n ${own} \n }`, around)
  expect(remarks).toEqual([])
  const { retry, rise, jitter, changing } = checker?.timing ?? {}
  expect(JSON.parse(JSON.stringify({ retry, rise, jitter, changing }))).toEqual(expected)
})

const ssl = 'SSL {\n password secret\n ca /ca.pem\n certificate /c.pem\n key /k.pem\n }'

test.for([
  ['', { password: 'secret', ca: '/ca.pem', certificate: '/c.pem', key: '/k.pem' }],
  ['tls_certificate /own.pem', { password: 'secret', ca: '/ca.pem', certificate: '/own.pem', key: '/own.pem' }],
  [
    'tls_certificate /own.pem\n tls_key /own.key',
    { password: 'secret', ca: '/ca.pem', certificate: '/own.pem', key: '/own.key' },
  ],
] as const)('SSL_GET with "%s" has %o', async ([words, material]) => {
  const { checker } = await readChecker(`SSL_GET {\n url {\n path /\n }\n ${words}\n }`, { top: ssl })
  expect(checker?.options).toMatchObject({ tls: { material } })
})

test('a key without a certificate is an error', async () => {
  const { remarks } = await readChecker('SSL_GET {\n url {\n path /\n }\n tls_key /own.key\n }')
  expect(remarks).toContain('E063 tls_key needs a tls_certificate')
})
