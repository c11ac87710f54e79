import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { clockGettime } from './native.ts'
import { timeSuspended } from './suspension.ts'

test('the clocks are the kernel’s, and without a sleep their difference stays', () => {
  const before = clockGettime(7)
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000
  expect(uptime).toBeGreaterThanOrEqual(Math.floor(before / 10) * 10 - 10)
  expect(uptime).toBeLessThanOrEqual(clockGettime(7) + 10)
  const suspended = timeSuspended()
  expect(Math.abs(timeSuspended() - suspended)).toBeLessThan(10)
  expect(() => clockGettime(99)).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: 'clock_gettime' }))
})
