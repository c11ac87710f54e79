import { seconds, silentLogger } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { createTimedReload } from './timed-reload.ts'

const noon = Date.UTC(2026, 5, 15, 12, 0, 0)
const day = seconds(86_400)
let path: string
let reloads: number[]

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'timed-')), 'at')
  reloads = []
})

function started(repeat = false) {
  const clock = fakeClock(noon)
  const timed = createTimedReload({ clock, logger: silentLogger, reload: () => reloads.push(clock.wall() - noon) })
  timed.use({ path, repeat })
  return { clock, timed }
}

test('at that time, once, to the millisecond', async () => {
  const { clock } = started()
  await clock.advance(seconds(20))
  writeFileSync(path, '12:01:00Z\n')
  await clock.advance(day)
  await clock.advance(day)
  expect(reloads).toEqual([60_000])
})

test('every day with reload_repeat', async () => {
  writeFileSync(path, '12:01:00Z')
  const { clock } = started(true)
  await clock.advance(seconds(2 * 86_400 + 120))
  expect(reloads).toEqual([60_000, 86_460_000, 2 * 86_400_000 + 60_000])
})

test('a date counts once, and its file goes', async () => {
  writeFileSync(path, '2026-06-15 12:00:30Z')
  const { clock } = started(true)
  await clock.advance(day)
  expect(reloads).toEqual([30_000])
  expect(existsSync(path)).toBe(false)
})

test('a file that is emptied or removed takes it back; another time counts instead', async () => {
  writeFileSync(path, '12:01:00Z')
  const { clock } = started()
  await clock.advance(seconds(10))
  writeFileSync(path, '')
  await clock.advance(seconds(100))
  writeFileSync(path, '12:05:00Z')
  await clock.advance(seconds(10))
  rmSync(path)
  await clock.advance(seconds(10))
  writeFileSync(path, '12:06:00Z')
  await clock.advance(day)
  expect(reloads).toEqual([360_000])
})

test('no wish, no timer', async () => {
  writeFileSync(path, '12:01:00Z')
  const { clock, timed } = started()
  timed.use(undefined)
  expect(clock.pending()).toBe(0)
  await clock.advance(day)
  expect(reloads).toEqual([])
})
