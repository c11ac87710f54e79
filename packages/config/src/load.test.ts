import { expect, test, vi } from 'vitest'
import { fc, test as property } from '@fast-check/vitest'
import { seconds } from '@ipvs-director/core'
import { codes } from './codes.ts'
import { testStatus } from './diagnostics.ts'
import { effectiveJson } from './effective.ts'
import { allCodes, explain } from './explain.ts'
import { loadConfig } from './load.ts'
import { filesInMemory } from './read-file.ts'
import { renderDiagnostic } from './render.ts'
import { testCheckers } from './testing/checkers.ts'
import { brief, convertText, loadText } from './testing/load-text.ts'

// Many runs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const service = (address: string, inside = ''): string => `virtual_server ${address} 80 {
  delay_loop 6
  lb_algo rr
  lb_kind DR
  protocol TCP
  ${inside}
  real_server 10.0.0.1 80 {
    TCP_CHECK {
      connect_timeout 3
    }
  }
}
`

test('a missing main file is an error, and nothing can run', async () => {
  const { config, diagnostics } = await loadConfig('/none', { checkers: testCheckers, read: filesInMemory(new Map()) })
  expect(config).toBeUndefined()
  expect(diagnostics.map(brief)).toEqual(['E001 1:1'])
  expect(testStatus(diagnostics, false)).toBe(4)
})

test('an empty file is a configuration without anything', async () => {
  const { config, diagnostics, blank } = await loadText('')
  expect(diagnostics.map(brief)).toEqual(['W011 1:1'])
  expect(blank).toBe(true)
  expect(config?.virtualServers).toEqual([])
  expect(config?.globals.reconcileInterval).toBe(seconds(30))
})

test('an error takes its virtual server out, not the others', async () => {
  const text = service('192.0.2.1') + service('192.0.2.2', 'delay_lop 3') + service('192.0.2.3')
  const { config, leftOut } = await loadText(text)
  expect(config?.virtualServers.map((each) => each.name)).toEqual(['192.0.2.1:80/tcp', '192.0.2.3:80/tcp'])
  expect(leftOut).toEqual(['virtual_server 192.0.2.2 80'])
})

test('an error of the text itself does so, too', async () => {
  const { leftOut } = await loadText(service('192.0.2.1') + service('192.0.2.2', 'virtualhost "a'))
  expect(leftOut).toEqual(['virtual_server 192.0.2.2 80'])
})

test('an error in a group takes out who uses it', async () => {
  const { leftOut, config } = await loadText(
    `virtual_server_group g {\n x\n}\n${service('group g').replace('g 80', 'g')}`,
  )
  expect(leftOut).toEqual(['virtual_server group g'])
  expect(config?.virtualServers).toEqual([])
})

test('settings count wherever they stand', async () => {
  const settings = 'global_defs {\n checker_log_all_failures\n smtp_alert\n}\n'
  const group = 'virtual_server_group g {\n 192.0.2.9 80\n}\n'
  const user = service('group g').replace('g 80', 'g')
  const [before, after] = await Promise.all([
    loadText(settings + group + service('192.0.2.1') + user),
    loadText(service('192.0.2.1') + user + group + settings),
  ])
  expect(after.diagnostics.map((each) => each.code)).toEqual(before.diagnostics.map((each) => each.code))
  expect(plain(after.config)).toEqual(plain(before.config))
  expect(after.config?.virtualServers[0]?.realServers[0]?.checkers[0]?.timing.logAllFailures).toBe(true)
})

test('what is random is the same when settings come late', async () => {
  let n = 0
  const text = `${service('192.0.2.1').replace('connect_timeout 3', 'retry ${_RANDOM 1 1000}')}global_defs {\n smtp_alert\n}\n`
  const { config } = await loadText(text, { random: () => (n += 0.001) })
  expect(n).toBeCloseTo(0.001)
  expect(config?.virtualServers[0]?.realServers[0]?.checkers[0]?.timing.retry).toBe(2)
})

test.for([
  ['', {}, 'W005'],
  ['', { allIncludes: true }, 'E016'],
  ['global_defs {\n include_check match\n}\n', {}, 'E016'],
  ['global_defs {\n include_check read\n}\n', {}, 'W005'],
  ['global_defs {\n include_check +match -read\n}\n', {}, 'E016'],
  ['$A=match\nglobal_defs {\n include_check $A\n include_check read\n}\n', {}, 'W005'],
] as const)('what include insists on: %j %j', async ([text, options, code]) => {
  const { diagnostics } = await loadText(`${text}include nowhere\n`, options)
  expect(diagnostics.map((each) => each.code)).toContain(code)
})

test('every file that was read is named', async () => {
  const { files } = await loadText({ '/etc/test.conf': 'include a\ninclude a', '/etc/a': '' })
  expect(files).toEqual(['/etc/test.conf', '/etc/a'])
})

test.for([
  ['fine', service('192.0.2.1'), 0],
  ['an error', service('192.0.2.1', 'delay_lop 3'), 5],
  ['what keepalived calls an error', service('192.0.2.1').replace('lb_algo rr', ''), 5],
  [
    'a warning of our own',
    service('192.0.2.1', 'quorum 1\n quorum 1').replace('connect_timeout 3', 'connect_timeout 9'),
    0,
  ],
  ['a note', 'global_defs {\n vrrp_garp_interval 0\n}\n', 0],
  ['scripts without security', service('192.0.2.1', 'quorum_up /bin/true'), 6],
  ['which hides errors', service('192.0.2.1', 'quorum_up /bin/true\n delay_lop 3'), 6],
  [
    'scripts with security',
    `global_defs {\n enable_script_security\n}\n${service('192.0.2.1', 'quorum_up /bin/true')}`,
    0,
  ],
] as const)('the exit status of -t: %s', async ([, text, status]) => {
  expect(testStatus((await loadText(text)).diagnostics)).toBe(status)
})

test('secrets are not shown', async () => {
  const { config } = await loadText('SSL {\n password secret\n}\n')
  expect(config).toBeDefined()
  const shown = effectiveJson({ ...config, ssl: { password: 'secret' } } as never)
  expect(JSON.stringify(shown)).not.toContain('secret')
})

test.for([
  'vrrp_instance VI {\n authentication {\n auth_pass hush hidden\n }\n}',
  'vrrp_instance VI {\n authentication {\n auth_pass "hush // hidden\n }\n}',
  'vrrp_instance VI {\n authentication { auth_pass hush hidden }\n}',
  'vrrp_instance VI {\n auth_hmac {\n key 1 hush hidden\n }\n}',
  'SSL {\n password hush hidden\n nonsense\n}',
  'vrrp_instance VI {\n auth_pass hush hidden\n}',
  '{"SSL": {"password": "hush hidden", "nonsense": 1}}',
  '{"vrrp_instance": [{"name": "VI", "auth_hmac": {"key": [{"id": 1, "value": "hush"}], "nonsense": 1}}]}',
])('remarks do not show secrets: %j', async (text) => {
  const { diagnostics } = await loadText(text)
  expect(diagnostics.length).toBeGreaterThan(0)
  const said = JSON.stringify(diagnostics) + diagnostics.map((each) => renderDiagnostic(each)).join()
  expect(said).not.toMatch(/hush|hidden/)
})

test('every code is explained', () => {
  for (const { code, title, doc, severity } of allCodes()) {
    expect(code).toMatch(/^[EWN]\d{3}$/)
    expect(title).not.toMatch(/\.$/)
    expect(doc).toMatch(/\.$/)
    expect(severity).toBe({ E: 'error', W: 'warning', N: 'note' }[code[0] ?? ''])
  }
  expect(explain('w043')?.title).toBe(codes.W043.title)
  expect(explain('X1')).toBeUndefined()
})

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, each: unknown) => (key === 'place' ? undefined : each)))

const lines = (service('192.0.2.1', 'quorum_up "/bin/a b"') + service('192.0.2.2', 'sorry_server 10.0.0.9 80')).split(
  '\n',
)
const insertion = fc.constantFrom('', '   ', '# { note', '! x }', '\t', ' # "')

property.prop([fc.array(fc.tuple(fc.nat(lines.length), insertion), { maxLength: 20 })])(
  'a comment or empty line anywhere changes nothing',
  async (insertions) => {
    const noisy = [...lines]
    for (const [at, text] of insertions) noisy.splice(at, 0, text)
    const [a, b] = await Promise.all([loadText(lines.join('\n')), loadText(noisy.join('\n'))])
    expect(plain(b.config)).toEqual(plain(a.config))
    expect(b.diagnostics.map((each) => each.text)).toEqual(a.diagnostics.map((each) => each.text))
  },
)

property.prop([fc.uint8Array({ maxLength: 300 })])('any bytes are answered', async (bytes) => {
  const { config, diagnostics } = await loadText(bytes)
  expect(config ?? diagnostics).toBeDefined()
})

const words = fc.constantFrom(
  ...'virtual_server real_server TCP_CHECK HTTP_GET url { } { } \n \n \n 10.0.0.1 80 fwmark group g weight 1 -1 x lb_algo rr lb_kind DR TUN type gue protocol TCP quorum 9 vrrp_instance VI { virtual_ipaddress 10.0.0.2/24 dev eth0 } global_defs lvs_sync_daemon virtual_server_group 10.0.0.1-5 track_script vrrp_script script "a $X ${Y} // # include SSL'.split(
    ' ',
  ),
)

property.prop([fc.array(words, { maxLength: 80 }).map((all) => all.join(' '))], { numRuns: 500 })(
  'any words of the language are answered, and every remark has its place',
  async (text) => {
    const { diagnostics, config } = await loadText(text)
    expect(config).toBeDefined()
    for (const { place } of diagnostics) expect(place.line).toBeGreaterThan(0)
    expect(typeof (await convertText(text)).conf).toBe('string')
  },
)
