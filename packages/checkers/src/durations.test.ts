import { durationBuckets } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { DurationTable } from './durations.ts'

test('each place counts for itself, and begins anew when it is given again', () => {
  const table = new DurationTable()
  const places = Array.from({ length: 200 }, () => table.open())
  expect(new Set(places).size).toBe(200)
  for (const place of places) table.count(place, place)
  table.count(199, 1e6)
  const { counts, sum } = table.read(199)
  expect(counts).toHaveLength(durationBuckets.length + 1)
  expect(counts.reduce((total, each) => total + each, 0)).toBe(2)
  expect(counts.at(-1)).toBe(1)
  expect(sum).toBe(1e6 + 199)
  expect(table.read(7)).toMatchObject({ sum: 7 })
  table.close(7)
  expect(table.open()).toBe(7)
  expect(table.read(7).sum).toBe(0)
  expect(new Set(table.read(7).counts)).toEqual(new Set([0]))
})
