import type { TrackProcess } from '@ipvs-director/config'
import { millis, systemClock } from '@ipvs-director/core'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fakeClock } from '@ipvs-director/core/testing'
import { matches, watchFile, watchProcesses, type ProcessFacts } from './tracking.ts'

let folder: string
let watched: { close(): void } | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'track-'))
})
afterEach(() => {
  watched?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a file: what it says now, each change, also by renaming, and its end', async () => {
  const path = join(folder, 'weight')
  const seen: (string | undefined)[] = []
  watched = watchFile(systemClock, path, (text) => seen.push(text))
  await until(() => seen.length === 1)
  writeFileSync(path, '5\n')
  await until(() => seen.length === 2)
  writeFileSync(`${path}.new`, '7\n')
  renameSync(`${path}.new`, path)
  await until(() => seen.length === 3)
  writeFileSync(`${path}.other`, '9\n') // not ours
  rmSync(path)
  await until(() => seen.length === 4)
  expect(seen).toEqual([undefined, '5\n', '7\n', undefined])
})

test('a folder that is replaced, as those of packages and of /run are', async () => {
  const path = join(folder, 'app/weight')
  mkdirSync(join(folder, 'app'))
  writeFileSync(path, '1')
  const seen: (string | undefined)[] = []
  const fast = { ...systemClock, after: (delay: number, action: () => void) => systemClock.after(millis(delay / 50), action) } // prettier-ignore
  watched = watchFile(fast, path, (text) => seen.push(text))
  await until(() => seen.length === 1)
  for (const [text, end] of [
    [
      '2',
      () => {
        rmSync(join(folder, 'app'), { recursive: true })
      },
    ],
    [
      '3',
      () => {
        renameSync(join(folder, 'app'), join(folder, 'old'))
      },
    ],
  ] as const) {
    // prettier-ignore
    await new Promise((resolve) => setTimeout(resolve, 20))
    end()
    await until(() => seen.at(-1) === undefined)
    mkdirSync(join(folder, 'app'))
    writeFileSync(path, text)
    await until(() => seen.at(-1) === text)
  }
  expect(seen).toEqual(['1', undefined, '2', undefined, '3'])
})

test('a folder that is not there yet is looked for again', async () => {
  const path = join(folder, 'later/weight')
  const seen: (string | undefined)[] = []
  const fast = { ...systemClock, after: (delay: number, action: () => void) => systemClock.after(millis(delay / 50), action) } // prettier-ignore
  watched = watchFile(fast, path, (text) => seen.push(text))
  await until(() => seen.length === 1)
  mkdirSync(join(folder, 'later'))
  writeFileSync(path, '1')
  await until(() => seen.length === 2)
  expect(seen).toEqual([undefined, '1'])
})

test('a pipe that nobody writes to says nothing, and holds nothing up', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const seen: (string | undefined)[] = []
  watched = watchFile(systemClock, path, (text) => seen.push(text))
  await until(() => seen.length === 1)
  expect(seen).toEqual([undefined])
})

const wanted = (process: string, change: Partial<TrackProcess> = {}): TrackProcess =>
  ({ process, parameters: [], match: 'exact', fullCommand: false, ...change }) as TrackProcess
const running = (name: string, ...words: string[]): ProcessFacts => ({ name, commandLine: () => words })
const nginx = running('nginx', '/usr/sbin/nginx', '-g', 'daemon on;')

test.for<[string, TrackProcess, ProcessFacts, boolean]>([
  ['by name', wanted('nginx'), nginx, true],
  ['by another name', wanted('haproxy'), nginx, false],
  ['by a name that the kernel cuts', wanted('a-very-long-program-name'), running('a-very-long-pro'), true],
  ['by its command', wanted('/usr/sbin/nginx', { fullCommand: true }), nginx, true],
  ['by a name where the command is meant', wanted('nginx', { fullCommand: true }), nginx, false],
  ['by all parameters', wanted('/usr/sbin/nginx', { parameters: ['-g', 'daemon on;'] }), nginx, true],
  ['by too few parameters', wanted('/usr/sbin/nginx', { parameters: ['-g'] }), nginx, false],
  ['by its first parameters', wanted('/usr/sbin/nginx', { parameters: ['-g'], match: 'initial' }), nginx, true],
  ['by a part of the last one', wanted('/usr/sbin/nginx', { parameters: ['-g', 'daemon'], match: 'partial' }), nginx, true], // prettier-ignore
  ['by a part where the whole is meant', wanted('/usr/sbin/nginx', { parameters: ['-g', 'daemon'], match: 'initial' }), nginx, false], // prettier-ignore
])('a process %s', ([, track, facts, found]) => {
  expect(matches(facts, track)).toBe(found)
})

test('processes are counted now, and told when there are more or fewer', async () => {
  const clock = fakeClock()
  const counts: number[] = []
  let all = [nginx, running('sh')]
  watched = watchProcesses(clock, wanted('nginx'), (count) => counts.push(count), () => all) // prettier-ignore
  await clock.advance(millis(1))
  await clock.advance(millis(5000))
  all = [nginx, nginx]
  await clock.advance(millis(1000))
  all = []
  await clock.advance(millis(1000))
  expect(counts).toEqual([1, 2, 0])
})

test('this very process is found among those that run', async () => {
  const counts: number[] = []
  watched = watchProcesses(systemClock, wanted(process.execPath, { fullCommand: true }), (count) => counts.push(count))
  await until(() => counts.length > 0)
  expect(counts[0]).toBeGreaterThan(0)
})
