import { type Clock, type Millis, millis } from '@ipvs-director/core'

/** Virtual time: what is planned happens in order, at once, and nothing else does. */
export interface Simulation {
  now(): Millis
  at(time: number, action: () => void): { cancel(): void }
  /** Runs everything that falls due within so much time. `after` is called after each happening. */
  run(duration: number, after?: () => void): void
}

interface Planned {
  readonly time: number
  readonly serial: number
  readonly action: () => void
  cancelled: boolean
}

const before = (a: Planned, b: Planned): boolean => a.time < b.time || (a.time === b.time && a.serial < b.serial)

export function createSimulation(): Simulation {
  const heap: Planned[] = []
  let now = 0
  let serial = 0

  const push = (planned: Planned): void => {
    let i = heap.push(planned) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(heap[parent]!, heap[i]!)) break
      ;[heap[parent], heap[i]] = [heap[i]!, heap[parent]!]
      i = parent
    }
  }

  const pop = (): Planned | undefined => {
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    heap[0] = last
    for (let i = 0; ;) {
      const left = 2 * i + 1
      let least = i
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
      if (left + 1 < heap.length && before(heap[left + 1]!, heap[least]!)) least = left + 1
      if (least === i) return top
      ;[heap[least], heap[i]] = [heap[i]!, heap[least]!]
      i = least
    }
  }

  return {
    now: () => millis(now),
    at(time, action) {
      const planned = { time: Math.max(time, now), serial: serial++, action, cancelled: false }
      push(planned)
      return {
        cancel() {
          planned.cancelled = true
        },
      }
    },
    run(duration, after) {
      const until = now + duration
      while (heap.length > 0 && heap[0]!.time <= until) {
        const next = pop()!
        if (next.cancelled) continue
        now = next.time
        next.action()
        after?.()
      }
      now = until
    },
  }
}

/** A machine's clock in the simulation. What falls due while it stands still waits in `held`. */
export function clockOf(simulation: Simulation, runs: (action: () => void) => void): Clock {
  return {
    now: () => simulation.now(),
    wall: () => 1_700_000_000_000 + simulation.now(),
    after: (delay, action) => {
      let cancelled = false
      const timer = simulation.at(simulation.now() + delay, () => {
        runs(() => {
          if (!cancelled) action()
        })
      })
      return {
        cancel() {
          cancelled = true
          timer.cancel()
        },
      }
    },
  }
}
