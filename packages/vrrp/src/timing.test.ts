import { fc, test as property } from '@fast-check/vitest'
import { millis, seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { masterDownInterval, silenceOthersBear, skewTime } from './timing.ts'

test.for([
  // version, priority, master's interval, adverts → skew, Master_Down
  [2, 100, 1000, 3, 609.375, 3609.375],
  [2, 254, 1000, 3, 7.8125, 3007.8125],
  [2, 255, 1000, 3, 3.90625, 3003.90625],
  [2, 1, 1000, 3, 996.09375, 3996.09375],
  [2, 100, 5000, 3, 609.375, 15_609.375],
  [3, 100, 5000, 3, 3046.875, 18_046.875],
  [3, 100, 100, 3, 60.9375, 360.9375],
  [3, 200, 20, 3, 4.375, 64.375],
  [3, 100, 1000, 1, 609.375, 1609.375],
  [2, 100, 1000, 10, 609.375, 10_609.375],
] as const)(
  'v%s, priority %s, %s ms, %s adverts: skew %s ms, Master_Down %s ms',
  ([version, priority, interval, downAdverts, skew, down]) => {
    expect(skewTime(version, priority, millis(interval))).toBe(skew)
    expect(masterDownInterval({ version, downAdverts }, priority, millis(interval))).toBe(down)
  },
)

property.prop([
  fc.constantFrom(2 as const, 3 as const),
  fc.integer({ min: 1, max: 253 }),
  fc.integer({ min: 10, max: 40_950 }),
])('a higher priority never waits longer, and nobody before the master may think so', (version, priority, interval) => {
  const rule = { version, downAdverts: 3 }
  const wait = masterDownInterval(rule, priority, millis(interval))
  expect(masterDownInterval(rule, priority + 1, millis(interval))).toBeLessThan(wait)
  expect(silenceOthersBear(rule, millis(interval))).toBeLessThanOrEqual(wait)
  expect(skewTime(version, priority, seconds(1))).toBeGreaterThan(0)
})
