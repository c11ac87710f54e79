import { millis, type Clock, type Millis, type Timer } from '../clock.ts'

/** A clock that stands still until it is moved; timers fire in order of their due time, then of their creation. */
export interface FakeClock extends Clock {
  /** Moves time forward, firing what falls due, and lets promises settle after each firing. */
  advance(by: Millis): Promise<void>
  /** Sets the wall clock forward or back; time goes on as before. */
  setWall(by: number): void
  /** How many timers wait. */
  pending(): number
}

export function fakeClock(start = 0): FakeClock {
  let now = start
  let offset = 0
  let serial = 0
  const timers = new Map<number, { due: number; action: () => void }>()

  const next = (until: number): [number, { due: number; action: () => void }] | undefined =>
    [...timers].filter(([, timer]) => timer.due <= until).sort(([i, a], [j, b]) => a.due - b.due || i - j)[0]

  return {
    now: () => millis(now),
    wall: () => now + offset,
    after(delay, action): Timer {
      const id = serial++
      timers.set(id, { due: now + Math.max(0, delay), action })
      return { cancel: () => void timers.delete(id) }
    },
    async advance(by) {
      const until = now + by
      await settle()
      for (let found = next(until); found !== undefined; found = next(until)) {
        const [id, timer] = found
        timers.delete(id)
        now = Math.max(now, timer.due)
        timer.action()
        await settle()
      }
      now = until
      await settle()
    },
    setWall(by) {
      offset += by
    },
    pending: () => timers.size,
  }
}

/** Enough turns of the microtask and immediate queues for chained promises to finish. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}
