/** Work that may rest after each step, so that others have their turn. */
export type Steps<T = void> = Generator<undefined, T, undefined>

/** Parts of some microseconds that are done between two rests: each rest passes through all that is under way. */
export const partsAtOnce = 16

/** Does it all at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** Does it with rests: where `pause` answers a promise, that is waited for. */
export async function withPauses<T>(steps: Steps<T>, pause: () => Promise<void> | undefined): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    const rest = pause()
    if (rest !== undefined) await rest
  }
}
