import { expect, test } from 'vitest'
import { bucketOf, durationBuckets } from './duration-buckets.ts'

test('a bound belongs to its own bucket', () => {
  for (const [i, bound] of durationBuckets.entries()) {
    expect(bucketOf(bound)).toBe(i)
    expect(bucketOf(bound + 0.001)).toBe(i + 1)
  }
  expect(bucketOf(0)).toBe(0)
  expect(bucketOf(1e9)).toBe(durationBuckets.length)
})
