import { describeError, type Clock, type Millis } from '@ipvs-director/core'

/** One change of what runs at a time, the start the first of them. What has not begun when the end comes never does. */
export interface Turns {
  /** Does it when everything that was asked for before is done. Rejects as it does, or because of the end. */
  readonly serially: <T>(work: () => Promise<T>) => Promise<T>
  /** The same, for work that looks at the world anew when its turn comes: who asks before that gets the same answer. */
  readonly shared: <T>(work: () => Promise<T>) => () => Promise<T>
  /** Something that nobody waits for; that it failed is told. */
  readonly aside: (event: string, what: string, work: () => Promise<void>) => void
  /** Throws at the end: what is put in place after it would stay behind. */
  readonly mustGoOn: () => void
  /** From now on nothing begins. Resolves when what is under way has come to its end, or after `patience`. */
  readonly end: (patience: Millis) => Promise<void>
}

export type SayError = (level: 'error', event: string, message: string) => void

export function createTurns(clock: Clock, say: SayError): Turns {
  let queue: Promise<unknown> = Promise.resolve()
  let ending = false

  function mustGoOn(): void {
    if (ending) throw new Error('the director is stopping')
  }

  function serially<T>(work: () => Promise<T>): Promise<T> {
    const mine = queue.then(() => {
      mustGoOn()
      return work()
    })
    queue = mine.catch(() => undefined)
    return mine
  }

  return {
    serially,
    shared<T>(work: () => Promise<T>) {
      let awaited: Promise<T> | undefined
      return () =>
        (awaited ??= serially(() => {
          awaited = undefined
          return work()
        }))
    },
    aside(event, what, work) {
      serially(work).catch((error: unknown) => {
        if (!ending) say('error', event, `${what}: ${describeError(error)}`)
      })
    },
    mustGoOn,
    end(patience) {
      ending = true
      return new Promise((resolve) => {
        const timer = clock.after(patience, resolve)
        void queue.finally(() => {
          timer.cancel()
          resolve()
        })
      })
    },
  }
}
