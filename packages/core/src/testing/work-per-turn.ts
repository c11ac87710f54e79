/** How work is spread over the turns of the event loop, counted: the same on a fast machine and on a slow one. */
export interface WorkPerTurn {
  /** To be called by what is worked on, each time it is looked at. */
  count(): void
  /** The most that was counted in one turn. */
  most(): number
  /** Turns so far. */
  turns(): number
  stop(): void
}

/** Goes on from one test to the next, as time does. */
let time = 1e9

/** From now on whoever works in slices finds at each look at the clock that the slice is over. */
export function workPerTurn(): WorkPerTurn {
  const real = Object.getOwnPropertyDescriptor(performance, 'now')
  let [now, most, turns] = [0, 0, 0]
  Object.defineProperty(performance, 'now', { configurable: true, writable: true, value: () => (time += 1000) })
  const turn = (): void => {
    most = Math.max(most, now)
    now = 0
    turns++
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)
  return {
    count() {
      now++
    },
    most: () => Math.max(most, now),
    turns: () => turns,
    stop() {
      clearImmediate(next)
      Reflect.deleteProperty(performance, 'now')
      if (real !== undefined) Object.defineProperty(performance, 'now', real)
    },
  }
}
