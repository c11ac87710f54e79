/** A length of time, or a moment on a monotonic clock, in milliseconds; fractions allowed. */
declare const millisBrand: unique symbol
export type Millis = number & { readonly [millisBrand]: true }

export const millis = (n: number): Millis => n as Millis
export const seconds = (n: number): Millis => (n * 1000) as Millis
export const minutes = (n: number): Millis => (n * 60_000) as Millis

/** `1.5 s`, `250 ms`, `2 min`, `3 h`: for messages, at most two significant parts. */
export function formatDuration(duration: number): string {
  if (duration < 1) return `${round(duration, 2)} ms`
  if (duration < 1000) return `${round(duration, 1)} ms`
  const s = duration / 1000
  if (s < 60) return `${round(s, 1)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 >= 1 ? ` ${Math.floor(s % 60)} s` : ''}`
  if (s < 86_400) return `${Math.floor(s / 3600)} h${s % 3600 >= 60 ? ` ${Math.floor((s % 3600) / 60)} min` : ''}`
  return `${Math.floor(s / 86_400)} d${s % 86_400 >= 3600 ? ` ${Math.floor((s % 86_400) / 3600)} h` : ''}`
}

const round = (n: number, digits: number): number => Number(n.toFixed(digits))

/** A pending timer. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

/**
 * Time as the drivers see it. `now` is monotonic (steps of the wall clock do not move it), `wall` is the wall clock
 * in milliseconds since 1970 and only for showing to people. A timer never fires before its time.
 */
export interface Clock {
  now(): Millis
  wall(): number
  after(delay: Millis, action: () => void): Timer
}

/** One moment ahead at which something is done, set again and again. Like a timer it is never early. */
export interface Alarm {
  /** In place of what it was set to; 0 and less: in the next turn of the loop. */
  set(delay: Millis): void
  /** Set to nothing. */
  clear(): void
  /** For good. */
  close(): void
}

/** By timers of the clock, one for each moment. */
export function alarmBy(clock: Clock, action: () => void): Alarm {
  let timer: Timer | undefined
  let open = true
  const clear = (): void => {
    timer?.cancel()
    timer = undefined
  }
  return {
    set(delay) {
      clear()
      if (open) timer = clock.after(delay, action)
    },
    clear,
    close() {
      clear()
      open = false
    },
  }
}

/** A number in [0, 1). */
export type Random = () => number

/**
 * The machine's clock. `setTimeout` may fire up to 1 ms early by `performance.now()` and cannot wait longer than
 * 2^31-1 ms, so the due time is compared and the timer re-armed.
 */
export const systemClock: Clock = {
  now: () => millis(performance.now()),
  wall: () => Date.now(),
  after(delay, action) {
    if (delay <= 0) return soon(action)
    const due = performance.now() + delay
    let handle: NodeJS.Timeout
    const arm = (): void => {
      const left = Math.ceil(due - performance.now())
      handle = setTimeout(fire, Math.min(Math.max(left, 0), 2 ** 31 - 1))
    }
    const fire = (): void => {
      if (performance.now() < due) arm()
      else action()
    }
    arm()
    return {
      cancel: () => {
        clearTimeout(handle)
      },
    }
  },
}

/** In the next turn of the loop: `setTimeout` would wait for a millisecond. */
function soon(action: () => void): Timer {
  const handle = setImmediate(action)
  return {
    cancel: () => {
      clearImmediate(handle)
    },
  }
}
