import { millis, seconds, systemClock } from '@ipvs-director/core'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createEngine } from './engine.ts'
import { createNodeIo } from './io/node-io.ts'
import { scriptIdentities } from './io/script.ts'
import { miscCheck, type MiscOptions } from './misc.ts'
import { checkOf, recordedEvents } from './testing/checks.ts'
import { probeOnce } from './testing/probe.ts'

const folder = mkdtempSync(join(tmpdir(), 'misc-'))
chmodSync(folder, 0o777)
afterAll(() => {
  rmSync(folder, { recursive: true })
})
const io = createNodeIo()
const sh = (
  body: string,
  change: Partial<MiscOptions['script']> = {},
  dynamic = false,
): Readonly<Record<string, unknown>> => ({
  script: { words: ['/bin/sh', '-c', body], ...change },
  dynamic,
})

test.for([
  ['exit 0', false, { up: true, class: 'ok' }, 'exited with 0'],
  ['exit 1', false, { up: false, class: 'mismatch' }, 'exited with 1'],
  ['exit 2', false, { up: false, class: 'mismatch' }, 'exited with 2'],
  ['exit 255', false, { up: false, class: 'mismatch' }, 'exited with 255'],
  ['exit 0', true, { up: true, class: 'ok' }, 'exited with 0'],
  ['exit 1', true, { up: false, class: 'mismatch' }, 'exited with 1'],
  ['exit 2', true, { up: true, class: 'ok', weight: 0 }, 'weight 0'],
  ['exit 255', true, { up: true, class: 'ok', weight: 253 }, 'weight 253'],
  ['kill -TERM $$', false, { up: false, class: 'mismatch' }, 'ended by SIGTERM'],
  ['kill -KILL $$', true, { up: false, class: 'mismatch' }, 'ended by SIGKILL'],
  ['sleep 100', false, { up: false, class: 'timeout' }, 'did not end within 300 ms'],
] as const)('%s (dynamic %s): %o, %s', async ([body, dynamic, expected, said]) => {
  const verdict = await probeOnce(miscCheck, io, undefined, sh(body, {}, dynamic), { timeout: millis(300) })
  expect(verdict).toMatchObject(expected)
  expect(verdict.reason).toContain(said)
  expect(verdict.reason).toContain('/bin/sh')
})

test.for([
  [{ words: ['/nonexistent/script'] }, 'ENOENT'],
  [{ words: ['/etc/passwd'] }, 'EACCES'],
  [{ words: ['/bin/true'], user: 'nosuchuser' }, 'there is no user "nosuchuser"'],
  [{ words: ['/bin/true'], user: 'root', group: 'nosuchgroup' }, 'there is no group "nosuchgroup"'],
] as const)('%o cannot run, which is our own failure: %s', async ([script, said]) => {
  const verdict = await probeOnce(miscCheck, io, undefined, { script, dynamic: false })
  expect(verdict).toMatchObject({ up: false, class: 'local', reason: expect.stringContaining(said) as string })
})

test.runIf(process.getuid?.() === 0)('the user of the script, else script_user', async () => {
  const nobody = createNodeIo({ scriptIdentity: scriptIdentities({ user: 'nobody' }) })
  await probeOnce(miscCheck, nobody, undefined, sh(`id -un > ${folder}/default`))
  await probeOnce(miscCheck, nobody, undefined, sh(`id -un > ${folder}/own`, { user: 'daemon' }))
  expect([readFileSync(join(folder, 'default'), 'utf8'), readFileSync(join(folder, 'own'), 'utf8')]).toEqual([
    'nobody\n',
    'daemon\n',
  ])
})

test('stopping the engine ends the scripts', async () => {
  const events = recordedEvents()
  const checkers = [miscCheck]
  const engine = createEngine({ clock: systemClock, random: () => 0, io, checkers, events, firstWait: millis(0) })
  const body = `echo $$ > ${folder}/pid; exec sleep 1000`
  engine.setChecks([checkOf('MISC_CHECK', undefined, sh(body), { timing: { timeout: seconds(60) } })])
  await expect.poll(() => existsSync(join(folder, 'pid')) && engine.busy).toBe(1)
  await engine.stop()
  await expect.poll(() => existsSync(`/proc/${readFileSync(join(folder, 'pid'), 'utf8').trim()}`)).toBe(false)
  expect(events.reports).toEqual([])
})

test.for([
  ['floods its output', 'yes', 'timeout'],
  ['does not care for SIGTERM', 'trap "" TERM; while :; do sleep 0.1; done', 'timeout'],
  ['leaves somebody behind', 'sleep 300 & exit 0', 'ok'],
  ['reads what nobody says', 'cat; exit 3', 'mismatch'],
  ['kills its whole group', 'kill -KILL 0', 'mismatch'],
  ['stops itself', 'kill -STOP $$', 'timeout'],
] as const)('a script that %s', { timeout: 20_000 }, async ([, body, kind]) => {
  const before = process.memoryUsage().rss
  const verdict = await probeOnce(miscCheck, io, undefined, sh(body), { timeout: millis(500) })
  expect(verdict.class, verdict.reason).toBe(kind)
  // Two seconds of patience before SIGKILL.
  expect(verdict.took).toBeLessThan(500 + 2000 + 5000)
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20)
})

test('a script in a file', async () => {
  const file = join(folder, 'check.sh')
  writeFileSync(file, '#!/bin/sh\n[ "$1" = "a b" ] && [ $# = 2 ]\n')
  chmodSync(file, 0o755)
  const verdict = await probeOnce(miscCheck, io, undefined, { script: { words: [file, 'a b', 'c'] }, dynamic: false })
  expect(verdict).toMatchObject({ up: true })
})
