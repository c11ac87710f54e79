import type { Figures } from '@ipvs-director/checkers'
import { expect, test } from 'vitest'
import { DurationSums } from './check-durations.ts'

const figures = (id: string, counts: readonly number[], sum: number): Figures => ({
  ...{ id, up: true, failures: 0, last: undefined, probes: 1, failed: 0, late: 0, nextIn: undefined },
  durations: { counts, sum },
})

test('sums by kind; a check that two servers share counts once, and one that watches not at all', () => {
  const sums = new DurationSums()
  const shared = figures('a', [1, 2], 5)
  sums.add('TCP_CHECK', shared)
  sums.add('TCP_CHECK', shared)
  sums.add('TCP_CHECK', figures('b', [10, 0], 1))
  sums.add('HTTP_GET', figures('c', [0, 1], 9))
  const { durations, ...watching } = figures('d', [], 0)
  expect(durations).toBeDefined()
  sums.add('FILE_CHECK', watching)
  sums.add('MISC_CHECK', undefined)
  expect(sums.all()).toEqual([
    { check: 'TCP_CHECK', counts: [11, 2], sum: 6 },
    { check: 'HTTP_GET', counts: [0, 1], sum: 9 },
  ])
  expect(shared.durations?.counts).toEqual([1, 2])
})
