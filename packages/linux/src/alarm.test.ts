import { alarmBy, millis, systemClock, type Alarm } from '@ipvs-director/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openAlarm } from './alarm.ts'
import { addonAvailable } from './native.ts'

if (!addonAvailable()) console.warn('the timer of the addon is not tested: the native addon is not built')
const ways: readonly (readonly [name: string, is: boolean, open: (action: () => void) => Alarm])[] = [
  ['by timers of the clock', true, (action) => alarmBy(systemClock, action)],
  ['by a timer of the addon', addonAvailable(), openAlarm],
]

const opened: Alarm[] = []
afterEach(() => {
  for (const alarm of opened.splice(0)) alarm.close()
})

for (const [name, is, openOne] of ways) {
  describe.skipIf(!is)(`an alarm ${name}`, () => {
    const open = (action: () => void): Alarm => {
      const alarm = openOne(action)
      opened.push(alarm)
      return alarm
    }
    const timesOf = async (turns: number, delay: number): Promise<number[]> => {
      const early: number[] = []
      let due = 0
      await new Promise<void>((resolve) => {
        const alarm = open(() => {
          early.push(due - performance.now())
          if (early.length === turns) resolve()
          else next()
        })
        const next = (): void => {
          due = performance.now() + delay
          alarm.set(millis(delay))
        }
        next()
      })
      return early
    }

    test.for([0.1, 0.5, 1, 1.3, 2.999, 7.001])('set to %s ms it is never early', async (delay) => {
      expect(Math.max(...(await timesOf(20, delay)))).toBeLessThanOrEqual(0)
    })

    test('a loop that was busy does not make it early', async () => {
      const from = performance.now()
      while (performance.now() < from + 20) continue
      expect(Math.max(...(await timesOf(1, 10)))).toBeLessThanOrEqual(0)
    })

    test('it is due once for each time it is set, and the last moment counts', async () => {
      const seen: string[] = []
      const alarm = open(() => seen.push('due'))
      alarm.set(millis(1))
      alarm.set(millis(5))
      await sleep(30)
      expect(seen).toEqual(['due'])
      alarm.set(millis(60_000))
      alarm.set(millis(1))
      await sleep(30)
      expect(seen).toEqual(['due', 'due'])
    })

    test.for([
      ['now in place of later', 20, 0],
      ['later in place of now', 0, 20],
    ] as const)('%s', async ([, first, then]) => {
      const seen: number[] = []
      const alarm = open(() => seen.push(performance.now()))
      const from = performance.now()
      alarm.set(millis(first))
      alarm.set(millis(then))
      await sleep(60)
      expect(seen).toHaveLength(1)
      expect((seen[0] ?? NaN) - from >= 20).toBe(then === 20)
    })

    test.for([0, -1, -Infinity])('set to %s it is due in the next turn, not in this one', async (delay) => {
      const seen: string[] = []
      const alarm = open(() => seen.push('due'))
      alarm.set(millis(delay))
      await Promise.resolve()
      expect(seen).toEqual([])
      await vi.waitFor(() => {
        expect(seen).toEqual(['due'])
      })
    })

    test.for([0, 1e-6])('set to %s ms by its own action, again and again, others have their turn', async (delay) => {
      let turns = 0
      let counting = setImmediate(function count() {
        turns++
        counting = setImmediate(count)
      })
      let due = 0
      await new Promise<void>((resolve) => {
        const alarm = open(() => {
          if (turns > 2 || due++ > 10_000) resolve()
          else alarm.set(millis(delay))
        })
        alarm.set(millis(delay))
      })
      clearImmediate(counting)
      expect(turns).toBeGreaterThan(2)
    })

    test('cleared it is not due, and can be set again', async () => {
      const seen: string[] = []
      const alarm = open(() => seen.push('due'))
      alarm.clear()
      alarm.set(millis(1))
      alarm.clear()
      await sleep(20)
      expect(seen).toEqual([])
      alarm.set(millis(1))
      await sleep(20)
      expect(seen).toEqual(['due'])
    })

    test('closed, also within its own action, it is never due again', async () => {
      const seen: string[] = []
      const alarm = open(() => {
        seen.push('due')
        alarm.close()
        alarm.set(millis(0))
      })
      alarm.set(millis(1))
      await sleep(20)
      alarm.set(millis(0))
      alarm.clear()
      alarm.close()
      await sleep(20)
      expect(seen).toEqual(['due'])
    })

    test('promises that its action settles have their turn before the next event', async () => {
      const seen: string[] = []
      const alarm = open(() => {
        void Promise.resolve().then(() => seen.push('promise'))
        setImmediate(() => seen.push('event'))
      })
      alarm.set(millis(1))
      await sleep(20)
      expect(seen).toEqual(['promise', 'event'])
    })
  })
}
