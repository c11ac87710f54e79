import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@ipvs-director/core'
import { afterEach, expect, test } from 'vitest'
import { createEngine, type Engine } from './engine.ts'
import { readNumber, type FileOptions } from './file.ts'
import { checkOf, recordedEvents } from './testing/checks.ts'
import { readChecker } from './testing/read.ts'
import { until } from './testing/until.ts'

test.for([
  ['0', 0],
  ['1\n', 1],
  ['  -12 and more', -12],
  ['+7', 7],
  ['0x1F', 31],
  ['017', 15],
  ['08', 0],
  ['0xg', 0],
  ['', 0],
  ['up', 0],
  ['2147483647', 2_147_483_647],
  ['-2147483648', -2_147_483_648],
  ['2147483648', undefined],
  ['-99999999999999999999', undefined],
] as const)('"%s" is %s', ([text, number]) => {
  expect(readNumber(text)).toBe(number)
})

let directory = ''
const running: Engine[] = []

afterEach(async () => {
  for (const engine of running.splice(0)) await engine.stop()
  if (directory !== '') await rm(directory, { recursive: true, force: true })
})

async function watching(change: Partial<FileOptions>, content?: string, initial = {}) {
  directory = await mkdtemp(join(tmpdir(), 'file-check-'))
  const path = join(directory, 'state')
  if (content !== undefined) await writeFile(path, content)
  const events = recordedEvents()
  const engine = createEngine({ clock: systemClock, events })
  running.push(engine)
  const options: FileOptions = { path, factor: 0, reverse: false, weight: 10, ...change }
  engine.setChecks([checkOf('FILE_CHECK', undefined, { ...options }, { initial })])
  const states = (): string[] =>
    events.reports.map(
      ({ up, verdict }) => `${up ? 'up' : 'down'}${verdict.weight === undefined ? '' : ` ${verdict.weight}`}`,
    )
  return { path, engine, events, states }
}

test.for([
  [{ factor: 0 }, '0', 'up'],
  [{ factor: 0 }, '3', 'down'],
  [{ factor: 0, reverse: true }, '0', 'down'],
  [{ factor: 0, reverse: true }, '-1', 'up'],
  [{ factor: 0 }, undefined, 'up'],
  [{ factor: 0, reverse: true }, undefined, 'down'],
  [{ factor: 1 }, '5', 'up 15'],
  [{ factor: -2 }, '4', 'up 2'],
  [{ factor: 2, reverse: true }, '4', 'up 2'],
  [{ factor: 1 }, undefined, 'up 10'],
  [{ factor: 2_147_483_647 }, '-1', 'up -2147483637'],
  [{ factor: 2_147_483_647 }, '-2', 'down'],
  [{ factor: 1 }, '-2147483648', 'down'],
  [{ factor: 1 }, '-2147483647', 'up -2147483637'],
] as const)('%o, "%s": %s', async ([change, content, state]) => {
  const { states } = await watching(change, content)
  await until(() => states().length > 0)
  expect(states()).toEqual([state])
})

test('follows the file: written again, replaced, removed, and so its directory', async () => {
  const { path, states, engine } = await watching({}, '0')
  const next = async (count: number): Promise<string | undefined> => {
    await until(() => states().length >= count)
    return states().at(-1)
  }
  expect(await next(1)).toBe('up')
  await writeFile(path, '1')
  expect(await next(2)).toBe('down')
  await writeFile(`${path}.new`, '0')
  await rename(`${path}.new`, path)
  expect(await next(3)).toBe('up')
  await writeFile(path, '99999999999')
  await writeFile(path, '7')
  expect(await next(4)).toBe('down')
  await rm(path)
  expect(await next(5)).toBe('up')
  await rename(directory, `${directory}.old`)
  await mkdir(directory)
  await writeFile(path, '1')
  expect(await next(6)).toBe('down')
  await rm(`${directory}.old`, { recursive: true })
  expect((await engine.figures())[0]).toMatchObject({ up: false, nextIn: undefined, last: { class: 'mismatch' } })
})

test('what cannot be read is our own failure, and told', async () => {
  const { path, events, engine } = await watching({}, undefined)
  await mkdir(path)
  await until(() => events.troubles.length > 0)
  expect(events.troubles[0]).toMatch(/^FILE_CHECK: cannot read .*EISDIR/)
  expect((await engine.figures())[0]).toMatchObject({ up: true, last: { class: 'local' } })
})

test('a pipe that nobody writes to is our own failure, and holds nothing up', async () => {
  const { path, events, engine } = await watching({}, undefined)
  execFileSync('mkfifo', [path])
  await until(() => events.troubles.length > 0)
  expect(events.troubles[0]).toMatch(/^FILE_CHECK: cannot read /)
  expect((await engine.figures())[0]).toMatchObject({ up: true, last: { class: 'local' } })
})

const top = 'track_file state {\n file /run/state\n weight 2 reverse\n }'

// shows FILE_CHECK track_file weight
test.for([
  ['FILE_CHECK {\n track_file state\n }', { path: '/run/state', factor: 2, reverse: true, weight: 5 }],
  ['FILE_CHECK {\n track_file state\n weight -3\n }', { path: '/run/state', factor: -3, reverse: false, weight: 5 }],
] as const)('%s', async ([text, options]) => {
  expect((await readChecker(text, { top, realServer: 'weight 5' })).checker?.options).toEqual(options)
})

test('a track_file may stand anywhere, but must be there', async () => {
  const text = 'FILE_CHECK {\n track_file nowhere\n }'
  expect((await readChecker(text, { top })).remarks).toContain('E063 no track_file is named "nowhere"')
})
