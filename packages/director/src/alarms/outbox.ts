import { describeError, type Clock, type Millis, type Timer } from '@ipvs-director/core'

export interface OutboxOptions<T> {
  /** For messages: `mail to 192.0.2.25:25`. */
  readonly name: string
  readonly clock: Clock
  /** How many of those that wait go together next; at least 1. */
  readonly take: (waiting: number) => number
  /** Rejects when they have to be tried again; with a {@link Refused} they never will be. */
  readonly deliver: (items: readonly T[], dropped: number) => Promise<void>
  /** From the first that comes to the delivery: what happens together goes together. */
  readonly gather: Millis
  /** After so many deliveries within `window` the rest waits for its end, and goes together. */
  readonly burst: number
  readonly window: Millis
  /** Waits after failures; the last one from then on. */
  readonly retry: readonly Millis[]
  /** Room; the oldest are dropped, and counted. */
  readonly keep: number
  readonly trouble: (message: string) => void
  readonly recovered: (message: string) => void
}

/** The receiver said no for good. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export interface OutboxFigures {
  readonly waiting: number
  readonly delivered: number
  readonly dropped: number
  readonly failures: number
  /** The last failure, while nothing has been delivered since. */
  readonly trouble: string | undefined
}

/** Things on their way to somebody who may be slow, down, or buried: in order, again and again, together under storm. */
export interface Outbox<T> {
  add(item: T): void
  readonly figures: OutboxFigures
  /** Tries to deliver what waits, now and without waiting between; gives up after `limit`. Nothing is taken afterwards. */
  finish(limit: Millis): Promise<void>
}

export function createOutbox<T>(options: OutboxOptions<T>): Outbox<T> {
  const { clock, deliver, take, window, burst, retry, keep } = options
  let waiting: T[] = []
  let timer: Timer | undefined
  let busy: Promise<void> | undefined
  let finishing = false
  let delivered = 0
  let dropped = 0
  let untold = 0
  let failures = 0
  let inARow = 0
  let trouble: string | undefined
  let recent: Millis[] = []

  const schedule = (delay: Millis): void => {
    if (timer !== undefined || busy !== undefined || waiting.length === 0 || finishing) return
    timer = clock.after(delay, () => {
      timer = undefined
      busy = one().then(() => {
        busy = undefined
        schedule(nextDelay())
      })
    })
  }

  const nextDelay = (): Millis => {
    const again = retry[Math.min(inARow, retry.length) - 1]
    if (again !== undefined) return again
    const now = clock.now()
    recent = recent.filter((at) => now - at < window)
    const first = recent[0]
    return (recent.length >= burst && first !== undefined ? first + window - now : 0) as Millis
  }

  const drop = (count: number): void => {
    dropped += count
    untold += count
  }

  /** One delivery; its items leave the queue only when it is over. False: it has to be tried again. */
  const one = async (): Promise<boolean> => {
    const items = waiting.slice(0, Math.max(1, take(waiting.length)))
    const told = untold
    try {
      await deliver(items, told)
      untold -= told
      delivered += items.length
      recent.push(clock.now())
      if (inARow > 0) options.recovered(`${options.name} works again, ${waiting.length - items.length} wait`)
      inARow = 0
      trouble = undefined
    } catch (error) {
      failures++
      const message = describeError(error)
      if (trouble !== message) options.trouble(`${options.name}: ${message}; ${waiting.length} wait`)
      trouble = message
      if (!(error instanceof Refused)) {
        inARow++
        return false
      }
      drop(items.length)
    }
    const gone = new Set(items)
    waiting = waiting.filter((item) => !gone.has(item))
    return true
  }

  return {
    add(item) {
      if (finishing) return
      waiting.push(item)
      if (waiting.length > keep) {
        waiting.shift()
        drop(1)
      }
      schedule(Math.max(options.gather, nextDelay()) as Millis)
    },
    get figures() {
      return { waiting: waiting.length, delivered, dropped, failures, trouble }
    },
    async finish(limit) {
      finishing = true
      timer?.cancel()
      let deadline: Timer | undefined
      const expired = new Promise<void>((resolve) => {
        deadline = clock.after(limit, resolve)
      })
      const empty = async (): Promise<void> => {
        await busy
        while (waiting.length > 0 && (await one()));
      }
      await Promise.race([empty(), expired])
      deadline?.cancel()
    },
  }
}
