import { millis } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { beatOf, createAgenda } from './agenda.ts'

test('the same moment is one timer, and what is cancelled is not called', async () => {
  const clock = fakeClock(1000)
  const agenda = createAgenda(clock)
  const called: string[] = []
  const second = (): void => void called.push('second')
  agenda.at(millis(1500), () => {
    called.push('first')
    cancelled.cancel()
    agenda.at(millis(1500), second)
  })
  const cancelled = agenda.at(millis(1500), second)
  agenda.at(millis(2000), second).cancel()
  expect(clock.pending()).toBe(1)
  await clock.advance(millis(500))
  expect(called).toEqual(['first', 'second'])
  expect(clock.pending()).toBe(0)
})

test.prop([fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 4095 })])(
  'a beat is never late, hardly early, and as far from the next as advertisements are',
  (start, centiseconds) => {
    const interval = millis(centiseconds * 10)
    const early = start - beatOf(millis(start), interval)
    expect(early).toBeGreaterThanOrEqual(-1e-6 * interval)
    expect(early).toBeLessThanOrEqual(interval / 20)
    const distance = beatOf(millis(start + interval), interval) - beatOf(millis(start), interval)
    expect(Math.abs(distance - interval)).toBeLessThan(interval * 1e-3)
  },
)
