import { expect, test } from 'vitest'
import { millis, systemClock } from './clock.ts'

test('what is due now has its turn in the next one, without a wait for a millisecond', async () => {
  const seen: string[] = []
  systemClock.after(millis(0), () => seen.push('at once'))
  const cancelled = systemClock.after(millis(0), () => seen.push('cancelled'))
  cancelled.cancel()
  expect(seen).toEqual([])
  await new Promise(setImmediate)
  expect(seen).toEqual(['at once'])
})

test('nothing fires before its time', async () => {
  const from = systemClock.now()
  const at = await new Promise<number>((resolve) => {
    systemClock.after(millis(2.5), () => {
      resolve(systemClock.now())
    })
  })
  expect(at - from).toBeGreaterThanOrEqual(2.5)
})
