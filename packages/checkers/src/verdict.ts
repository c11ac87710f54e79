import type { Verdict, VerdictClass } from './checker.ts'

/** What a probe found; the engine adds how long it took. */
export type Finding = Omit<Verdict, 'took'>

/** The server is as it should be. `reason` says what was seen. */
export function pass(reason: string, weight?: number): Finding {
  return weight === undefined ? { up: true, class: 'ok', reason } : { up: true, class: 'ok', reason, weight }
}

/** The server is not as it should be (or, for `local`, we could not look). */
export function fail(kind: Exclude<VerdictClass, 'ok'>, reason: string): Finding {
  return { up: false, class: kind, reason }
}

/** What is wrong with what a server answered; how long it took and who it was completes the sentence. */
export interface Fault {
  readonly class: Exclude<VerdictClass, 'ok'>
  readonly text: string
}

/** How a step of a probe went wrong: the class and the words of the verdict that follows from it. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure'
  readonly class: Exclude<VerdictClass, 'ok'>

  constructor(kind: Exclude<VerdictClass, 'ok'>, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.class = kind
  }
}

/** A caught failure as the finding it is; anything but a {@link ProbeFailure} is thrown again. */
export function failed(error: unknown): Finding {
  if (error instanceof ProbeFailure) return fail(error.class, error.message)
  throw error
}
