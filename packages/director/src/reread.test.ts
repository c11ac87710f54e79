/** Reading again what changed says the same as reading everything anew, and what means the same stays the object it was. */
import { fc, test } from '@fast-check/vitest'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { loadFile } from './load.ts'
import { createRereader } from './reread.ts'
import { likeness } from './same-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'reread-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
const [main, more, odd] = ['main.conf', 'more.conf', 'odd.conf'].map((name) => join(folder, name)) as [string, string, string] // prettier-ignore
const options = { configId: 'here' }

/** What may stand in a real server. */
const realLines = [
  'weight 5',
  'weight $W',
  '@here weight 7',
  '@there weight 8',
  'notify_up /bin/true',
  'inhibit_on_failure',
  'include odd.conf',
  'TCP_CHECK {\n connect_timeout 2\n }',
  'HTTP_GET {\n url {\n path "/a/long/path/that/is/cut/out"\n }\n }',
  'MISC_CHECK {\n misc_path "/bin/true one"\n }',
  'FILE_CHECK {\n track_file f\n }',
  '# nothing',
  '',
]
const wrong = ['wieght 3', 'weight $nothing', '{']
/** And in a virtual server beside these. */
const serverLines = [
  'delay_loop 7',
  'quorum 9',
  'quorum_up /bin/false',
  'ha_suspend',
  'sorry_server 10.9.9.9 80',
  '$W=6',
]

const usually = (these: readonly string[], rarely: readonly string[]) =>
  fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...these) }, { weight: 1, arbitrary: fc.constantFrom(...rarely) })

const realServer = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.array(usually(realLines, wrong), { maxLength: 3 }))
  .map(([n, lines]) => ` real_server 10.0.0.${n} 80 {\n  ${lines.join('\n  ')}\n }`)
const header = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 60 }).map((n) => `192.0.2.${n} 80`) },
  { weight: 2, arbitrary: fc.constantFrom('fwmark 3', 'group g', '192.0.2.$W 80') },
)
const virtualServer = fc
  .tuple(
    header,
    fc.array(usually(serverLines, ['}', 'sorry_server', 'lb_algo nonsense']), { maxLength: 3 }),
    fc.array(realServer, { maxLength: 3 }),
  )
  .map(
    ([head, lines, reals]) =>
      `virtual_server ${head} {\n ${['lb_algo rr', 'lb_kind NAT', 'protocol TCP', ...lines].join('\n ')}\n${reals.join('\n')}\n}`,
  )
const piece = fc.oneof(
  { weight: 10, arbitrary: virtualServer },
  {
    weight: 3,
    arbitrary: usually(
      [
        '',
        '# a line\n\n',
        '$W=2',
        '$W=3 \\\n 4',
        '@there virtual_server 192.0.2.9 80 {',
        'include more.conf',
        'include m*.conf',
        'include none.conf',
        'global_defs {\n smtp_alert true\n}',
        'global_defs {\n enable_script_security\n checker_log_all_failures true\n}',
        'virtual_server_group g {\n 192.0.2.1 80\n 192.0.2.7 81\n}',
        'track_file f {\n file /tmp/f\n}',
        'vrrp_instance v {\n interface lo\n virtual_router_id 5\n priority 100\n virtual_ipaddress {\n 10.0.0.2\n }\n}',
        '~SEQ(I, 1, 2) virtual_server 192.0.2.5$I 80 { protocol TCP }',
        'virtual_server 192.0.2.8 80 { protocol TCP } virtual_server 192.0.2.9 80 { protocol TCP }',
        '$R=${_RANDOM 1 9}',
      ],
      ['}', 'virtual_server 192.0.2.1 80 {', 'nonsense'],
    ),
  },
)

/** So many real servers that they are taken one by one; nothing is to be said of most of these. */
const large = fc
  .tuple(
    fc.subarray(['delay_loop 7', 'quorum 9', 'virtualhost a', '# nothing']),
    fc.oneof(fc.constant([]), fc.array(fc.tuple(fc.nat(39), usually(realLines, wrong)), { maxLength: 2 })),
  )
  .map(([lines, odd]) => {
    const more = new Map(odd)
    const real = (n: number): string =>
      ` real_server 10.1.0.${n} 80 {\n  TCP_CHECK {\n  }\n  ${more.get(n) ?? 'weight 2'}\n }`
    const servers = Array.from({ length: 40 }, (_, n) => real(n))
    return `virtual_server 192.0.2.99 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n ${[...lines, ...servers].join('\n ')}\n}`
  })

/** An edit of one of the files: pieces put in at a place instead of as many as are told. */
const edit = fc.record({
  file: fc.constantFrom(main, main, more, odd),
  at: fc.nat(10),
  gone: fc.nat(2),
  put: fc.array(fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: large }), { maxLength: 2 }),
})

/** An edit within a piece, of lines; at a line so far down, of all. */
const editOfLines = fc.record({
  file: fc.constantFrom(main, main, more),
  piece: fc.nat(10),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  gone: fc.nat(4),
  put: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 4,
      arbitrary: fc.array(usually([...realLines, ...serverLines], [...wrong.slice(0, 2), '}']), { maxLength: 2 }),
    },
    { weight: 1, arbitrary: realServer.map((text) => text.split('\n')) },
    { weight: 1, arbitrary: fc.constant([' }', ' real_server 10.1.0.77 80 {', '  weight 4']) },
    { weight: 1, arbitrary: fc.constant(['}', 'virtual_server 192.0.2.98 80 {', ' lb_algo rr', ' lb_kind NAT', ' protocol TCP']) }, // prettier-ignore
  ),
})

type Edit = typeof edit | typeof editOfLines extends fc.Arbitrary<infer T> ? T : never

async function check(start: readonly string[], edits: readonly Edit[]): Promise<void> {
  const files = new Map<string, string[]>([[main, ['$W=1', 'track_file f {\n file /tmp/f\n}', ...start]], [more, []], [odd, []]]) // prettier-ignore
  const save = (): void => {
    for (const [path, pieces] of files) writeFileSync(path, pieces.map((each) => `${each}\n`).join(''))
  }
  save()
  const reader = createRereader(main, options)
  let before = (await reader.first()).config?.virtualServers ?? []
  for (const each of edits) {
    const pieces = files.get(each.file) ?? []
    if ('piece' in each) {
      const i = each.piece % Math.max(1, pieces.length)
      const lines = pieces[i]?.split('\n') ?? []
      lines.splice(Math.floor(each.at * (lines.length + 1)), each.gone, ...each.put)
      pieces.splice(i, 1, lines.join('\n'))
    } else {
      // What is included into a block is no block itself.
      pieces.splice(each.at, each.gone, ...(each.file === odd ? each.put.map(() => 'weight 4') : each.put))
    }
    save()
    const [fast, whole] = [await reader.again(), await loadFile(main, options)]
    expect(fast.diagnostics).toEqual(whole.diagnostics)
    expect(fast.errors).toBe(whole.errors)
    expect(fast.blank).toBe(whole.blank)
    if (fast.errors > 0) continue
    expect(fast.config).toEqual(whole.config)
    const known = new Map(before.map((each) => [each.name, each]))
    for (const each of fast.config?.virtualServers ?? []) {
      const old = known.get(each.name)
      if (old !== undefined && likeness(old, each) !== 'other') expect(each).toBe(old)
    }
    before = fast.config?.virtualServers ?? []
  }
}

test.prop([fc.array(piece, { maxLength: 8 }), fc.array(edit, { maxLength: 8 })], { numRuns: 150 })(
  'random edits of files that include each other, remarks included',
  check,
)

const usualPiece = fc.constantFrom(...[1, 2, 3].map((n) => `virtual_server 192.0.2.10${n} 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.0.0.${n} 80 {\n  TCP_CHECK {\n  }\n }\n}`)) // prettier-ignore
test.prop(
  [
    fc.tuple(fc.array(usualPiece, { maxLength: 3 }), large).map(([others, one]) => [...new Set(others), one]),
    fc.array(fc.oneof({ weight: 1, arbitrary: edit }, { weight: 3, arbitrary: editOfLines }), { maxLength: 6 }),
  ],
  { numRuns: 150 },
)('random edits of lines in a virtual server with many real servers', check)

test('a pipe is no file that could be read again, and is not waited for', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const held = openSync(pipe, 'r+')
  const refused = { config: undefined, errors: 1 }
  const said = (path: string): unknown => expect.stringContaining(`cannot read ${path}: it is no regular file`)
  try {
    writeFileSync(main, 'include pipe\n')
    const reader = createRereader(main, options)
    expect(await reader.first()).toMatchObject({ errors: 0 })
    for (const path of [pipe, '/dev/null'])
      expect(await reader.again(path)).toMatchObject({ ...refused, diagnostics: [said(path)] })
    expect(await createRereader(pipe, options).first()).toMatchObject({ ...refused, diagnostics: [said(pipe)] })
  } finally {
    closeSync(held)
  }
})
