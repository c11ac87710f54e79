import { expect, test } from 'vitest'
import { parseReloadTime } from './reload-time.ts'

const now = Date.UTC(2026, 5, 15, 12, 0, 0)

test.each([
  ['13:00:00Z', { at: Date.UTC(2026, 5, 15, 13, 0, 0), daily: true }],
  ['11:59:59Z', { at: Date.UTC(2026, 5, 16, 11, 59, 59), daily: true }],
  ['12:00:00Z\n', { at: Date.UTC(2026, 5, 16, 12, 0, 0), daily: true }],
  ['26-06-15 12:00:01Z', { at: Date.UTC(2026, 5, 15, 12, 0, 1), daily: false }],
  ['2027-01-01 00:00:00Z', { at: Date.UTC(2027, 0, 1), daily: false }],
  ['2026-06-16 00:00:00', { at: new Date(2026, 5, 16).getTime(), daily: false }],
  ['2026-06-15 12:00:00Z', undefined],
  ['2020-01-01 00:00:00Z', undefined],
  ['2026-02-30 00:00:00Z', undefined],
  ['2026-06-31 12:00:00Z', undefined],
  ['24:00:00Z', undefined],
  ['12:60:00Z', undefined],
  ['1:00:00Z', undefined],
  ['tomorrow', undefined],
  ['', undefined],
])('%j', (text, expected) => {
  expect(parseReloadTime(text, now)).toEqual(expected)
})

test('a local time is one of the next day at most', () => {
  const found = parseReloadTime('03:30:00', now)
  expect(found?.daily).toBe(true)
  expect(found!.at - now).toBeGreaterThan(0)
  expect(found!.at - now).toBeLessThanOrEqual(25 * 3_600_000)
  expect(new Date(found!.at).getHours()).toBe(3)
})
