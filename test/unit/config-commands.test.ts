/** The programs as their users run them on configuration files: statuses, streams and files, from outside. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../lab/root.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-commands-'))
const banner = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`

beforeAll(async () => {
  await build({
    absWorkingDir: root,
    entryPoints: ['packages/director/src/bin/ipvs-director.ts', 'packages/director/src/bin/ipvs-ctl.ts'],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['source'],
    banner: { js: banner },
    logLevel: 'silent',
  })
  // The director itself is a script beside its program.
  const { bundleDirector } = (await import(join(root, 'scripts/bundle/director.mjs'))) as {
    readonly bundleDirector: (places: { readonly root: string; readonly output: string }) => Promise<string[]>
  }
  await bundleDirector({ root, output: folder })
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

function run(program: 'ipvs-director' | 'ipvs-ctl', ...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, `${program}.mjs`), ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env['PATH'], IPVS_DIRECTOR_SOCKET: join(folder, 'none.sock'), NO_COLOR: '1' },
  })
  return { status, out: stdout, err: stderr }
}

function file(text: string, name = 'test.conf'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const server = (more = ''): string => `virtual_server 192.0.2.1 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
${more}
    real_server 192.0.2.2 80 {
        TCP_CHECK {
        }
    }
}
`

test.for([
  ['fine', server(), 0, 'fine, 0 errors, 0 warnings'],
  ['an unknown keyword', server('    quorom 1'), 5, 'did you mean "quorum"?'],
  ['what keepalived calls an error, and corrects', server('    hysteresis 3'), 5, '[W044]'],
  ['what keepalived does not mind', server('    persistence_granularity 255.0.255.0'), 0, '[W056]'],
  ['scripts without security', server('    quorum_up /bin/true'), 6, '[W029]'],
  ['scripts hide errors', server('    quorum_up /bin/true\n    quorom 1'), 6, '[E030]'],
] as const)('ipvs-director -t: %s', ([, text, wanted, said]) => {
  const { status, out, err } = run('ipvs-director', '-t', '-f', file(text))
  expect([status, out]).toEqual([wanted, ''])
  expect(err).toContain(said)
})

test('ipvs-director -t: no file', () => {
  const { status, err } = run('ipvs-director', '-t', '-f', join(folder, 'nowhere.conf'))
  expect([status, err]).toEqual([4, expect.stringContaining('nowhere.conf: cannot run')])
})

test('ipvs-director --config-test=FILE says it there', () => {
  const report = join(folder, 'report')
  const { status, err } = run('ipvs-director', `--config-test=${report}`, '-f', file(server('    quorom 1')))
  expect([status, err]).toEqual([5, ''])
  expect(readFileSync(report, 'utf8')).toContain('without virtual_server 192.0.2.1 80')
  const refused = run('ipvs-director', '--config-test=/nowhere/report', '-f', file(server()))
  expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('cannot write /nowhere/report')])
})

test('ipvs-director -i ID chooses the lines of that machine', () => {
  const text = server('@one quorom 1\n@^one quorum 1')
  expect(run('ipvs-director', '-t', '-i', 'two', '-f', file(text)).status).toBe(0)
  expect(run('ipvs-director', '-t', '-i', 'one', '-f', file(text)).status).toBe(5)
})

test('--strict makes warnings errors', () => {
  const warned = file(server('    persistence_granularity 255.0.255.0'))
  const { status, err } = run('ipvs-director', '-t', '--strict', '-f', warned)
  expect([status, err]).toEqual([5, expect.stringContaining('1 error, 0 warnings; without virtual_server')])
  expect(run('ipvs-ctl', 'check', warned).status).toBe(0)
  const strict = run('ipvs-ctl', 'check', '--strict', warned)
  expect([strict.status, strict.out]).toEqual([1, expect.stringContaining('left out: virtual_server 192.0.2.1')])
})

test('ipvs-ctl check --json: every remark with its place, and the effective configuration', () => {
  const { status, out } = run('ipvs-ctl', 'check', '--json', file(server('    hysteresis 3')))
  expect(status).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    schema: 1,
    ok: true,
    diagnostics: [{ code: 'W044', severity: 'warning', place: { line: 5, column: 5 }, excerpt: '    hysteresis 3' }],
    config: { virtualServers: [{ name: '192.0.2.1:80/tcp', hysteresis: 0, delayLoop: 60_000 }], vrrp: {} },
  })
})

test('ipvs-ctl convert and config: there and back again', () => {
  const conf = file(`$PORT=80\n${server().replaceAll(' 80 ', ' $PORT ')}`)
  const json = run('ipvs-ctl', 'convert', conf)
  expect([json.status, json.err]).toEqual([0, ''])
  const back = run('ipvs-ctl', 'convert', file(json.out, 'test.json'))
  expect([back.status, back.out]).toEqual([0, run('ipvs-ctl', 'config', conf).out])
  expect(back.out).toContain('real_server 192.0.2.2 80 {')
  expect(run('ipvs-ctl', 'config', '--json', conf).out).toBe(json.out)
})

test('ipvs-ctl fmt keeps comments', () => {
  const ugly = file('virtual_server   192.0.2.1 80\n{  # the web\nlb_algo rr }\n')
  expect(run('ipvs-ctl', 'fmt', '--check', ugly)).toEqual({ status: 1, out: `${ugly}\n`, err: '' })
  expect(run('ipvs-ctl', 'fmt', '-w', ugly)).toEqual({ status: 0, out: '', err: '' })
  expect(readFileSync(ugly, 'utf8')).toBe('virtual_server 192.0.2.1 80 { # the web\n    lb_algo rr\n}\n')
})

test('ipvs-ctl fmt: standard input', () => {
  const { stdout } = spawnSync(process.execPath, [join(folder, 'ipvs-ctl.mjs'), 'fmt'], {
    encoding: 'utf8',
    input: 'a   b\n',
  })
  expect(stdout).toBe('a b\n')
})

test('ipvs-ctl explain CODE', () => {
  const { status, out } = run('ipvs-ctl', 'explain', 'w044')
  expect([status, out]).toEqual([0, expect.stringMatching(/^W044: .*\n {2}It is lowered/)])
  expect(run('ipvs-ctl', 'explain', 'W999').status).toBe(1)
})
