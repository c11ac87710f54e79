/** `ipvs-ctl` asked by a program: the built one, of a built director, which keeps its table in memory. docs/json.md. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { knownCommands } from './command-names.ts'
import { answersOf, ctlSchema } from './ctl-schema.ts'
import { exitStatusTexts } from './exit-status.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const [director, ctl] = ['ipvs-director', 'ipvs-ctl'].map((name) => join(root, `build/${name}.js`)) as [string, string]
const built = existsSync(director) && existsSync(ctl)
const page = readFileSync(join(root, 'docs/json.md'), 'utf8').replace(/ {2,}/g, ' ')

test('configs/ipvs-ctl.schema.json', async () => {
  await expect(`${JSON.stringify(ctlSchema, undefined, 2)}\n`).toMatchFileSnapshot(
    join(root, 'configs/ipvs-ctl.schema.json'),
  )
})

test('docs/json.md has every command, with what it prints, and the exit statuses', () => {
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \| (.*?) \|/gm)].map(([, name = '', names = '']) => [
    name,
    [...names.matchAll(/`(\w+)`/g)].map(([, one]) => one),
  ])
  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(Object.entries(answersOf).map(([name, { names }]) => [name, [...names]])),
  )
  for (const { name, options } of knownCommands) if (!options.includes('--json')) expect(page).toContain(`\`${name}\``)
  for (const [status, meaning] of exitStatusTexts)
    expect(page.replaceAll('`', '')).toContain(`| ${status} | ${meaning} |`)
})

const config = `virtual_server 127.0.0.9 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    delay_loop 1
    real_server 127.0.0.1 9 { TCP_CHECK { connect_timeout 1 } }
    real_server 127.0.0.2 9 { weight 2 }
}
`
const service = '127.0.0.9:80/tcp'

describe.skipIf(!built)('of a director that runs (skipped without a build)', () => {
  let folder: string
  let daemon: ChildProcess
  let ended: Promise<unknown>
  const ajv = new Ajv2020({ strict: true, allErrors: true })
  ajv.addSchema(ctlSchema)

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'json-'))
    const file = join(folder, 'keepalived.conf')
    writeFileSync(file, config)
    daemon = spawn(process.execPath, [director, '-n', '-f', file, '--state-dir', folder, '--memory-ipvs', '--probers', '1'], { stdio: 'ignore' }) // prettier-ignore
    ended = new Promise((resolve) => daemon.once('exit', resolve))
    await vi.waitFor(
      async () => {
        expect((await ask(['status'])).stdout).toMatch(/127\.0\.0\.1:9 +down/)
      },
      { timeout: 60_000, interval: 300 },
    )
  }, 120_000)
  afterAll(async () => {
    daemon.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true })
  })

  const socket = (): string => join(folder, 'control.sock')

  async function ask(
    words: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    // prettier-ignore
    const usual = { PATH: process.env['PATH'] ?? '', IPVS_DIRECTOR_SOCKET: socket(), ...env }
    return run(process.execPath, [ctl, ...words], { env: usual }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => error as { code: number; stdout: string; stderr: string },
    )
  }

  /** In this order: each finds what the one before has left. */
  const asked: readonly (readonly [words: readonly string[], answer: string | undefined, code?: number])[] = [
    [['status'], 'Status'],
    [['status', '--exit-code'], 'Status', 6],
    [['servers'], 'ServersAnswer'],
    [['servers', '--down'], 'ServersAnswer'],
    [['checks'], 'ChecksAnswer'],
    [['explain', '127.0.0.1:9'], 'ExplainAnswer'],
    [['explain', service], 'ExplainAnswer'],
    [['explain', 'W043'], 'CodeAnswer'],
    [['check'], 'CheckAnswer'],
    [['check', '/nowhere.conf'], 'CheckAnswer', 1],
    [['config'], undefined],
    [['plan'], 'PlanAnswer'],
    [['reload'], 'ReloadAnswer'],
    [['reload', '--confirm', '60s'], 'ReloadAnswer'],
    [['confirm'], 'ConfirmAnswer'],
    [['drain', '127.0.0.2:9'], 'Steered'],
    [['enable', '127.0.0.2:9'], 'Steered'],
    [['disable', '127.0.0.2:9'], 'Steered'],
    [['weight', '127.0.0.2:9', '7'], 'Steered'],
    [['force', 'up', '127.0.0.1:9'], 'Steered'],
    [['maintenance', '127.0.0.2'], 'Steered'],
    [['add', service, '127.0.0.3:9'], 'Steered'],
    [['remove', '127.0.0.3:9'], 'Steered'],
    [['add-service', '127.0.0.8:80', '127.0.0.1:9'], 'Steered'],
    [['status'], 'Status'],
    [['remove-service', '127.0.0.8:80/tcp'], 'Steered'],
    [['add-service', '--file', join(root, 'package.json')], 'SteerRefused', 1],
    [['reset'], 'Steered'],
    [['probers'], 'ProbersAnswer'],
    [['probers', 'restart', '1'], 'ProberDone'],
    [['drift'], 'DriftAnswer'],
    [['drift', '--now'], 'DriftAnswer'],
    [['events'], 'Event'],
    [['version'], 'VersionAnswer'],
    [['doctor'], 'DoctorAnswer', 1],
    [['stop', '--keep'], 'StopAnswer'],
  ]

  test(
    'for people: at most 80 columns, and colour in no pipe unless it is asked for',
    { timeout: 120_000 },
    async () => {
      const wide: string[] = []
      for (const words of [
        ['status'],
        ['status', service],
        ['servers'],
        ['checks'],
        ['explain', service],
        ['explain', '127.0.0.1:9'],
        ['explain', 'W043'],
        ['plan'],
        ['probers'],
        ['drift'],
        ['events'],
        ['doctor', '--all'],
        ['version'],
        ['--help'],
        ['drain', '--help'],
      ]) {
        const { stdout } = await ask(words)
        expect([words, stdout.includes('\x1b'), stdout.trim() === '']).toEqual([words, false, false])
        // A word that is longer than the screen, and commands to be copied, stay whole.
        const lines = stdout.split('\n').filter((line) => line.length > 80 && !/^ *\$ |\S{50}/.test(line))
        wide.push(...lines.map((line) => `${words.join(' ')}: ${line}`))
      }
      expect(wide).toEqual([])
      expect((await ask(['status'], { FORCE_COLOR: '1' })).stdout).toContain('\x1b[')
      expect(
        (await ask(['status'], { COLUMNS: '40' })).stdout
          .split('\n')
          .filter((line) => line.length > 40 && !/\S{30}/.test(line)),
      ).toEqual([])
    },
  )

  test(
    'every command but vrrp: its answer is as its schema says, its status as it should be',
    { timeout: 300_000 },
    async () => {
      // prettier-ignore
      const wrong: unknown[] = []
      for (const [words, answer, code = 0] of asked) {
        const { stdout, stderr, ...end } = await ask([...words, '--json'])
        // What the doctor finds is the machine's.
        if (words[0] !== 'doctor' && (end.code !== code || stderr !== '')) wrong.push([words, end.code, stderr])
        const values = answer === 'Event' ? stdout.trimEnd().split('\n') : [stdout]
        const validate = answer === undefined ? undefined : ajv.getSchema(`${ctlSchema.$id}#/$defs/${answer}`)
        for (const value of values) {
          if (value.trim() === '') wrong.push([words, 'nothing on standard output'])
          else if (validate?.(JSON.parse(value)) === false) wrong.push([words, validate.errors])
        }
      }
      expect(wrong).toEqual([])
      expect(await ended).toBe(0)
      const commands = new Set([...asked.map(([[command]]) => command), 'vrrp'])
      expect([...commands].sort()).toEqual(Object.keys(answersOf).sort())
    },
  )
})
