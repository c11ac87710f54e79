import { millis, type Clock, type Millis } from '@ipvs-director/core'
import type { CheckTiming } from '@ipvs-director/config'
import type { Attempt, AttemptEnd } from './attempt.ts'
import type { Checker } from './define.ts'

/** The attempt at one probe of a check. What connects nowhere has no steps: its whole time is one. */
export function beginAttempt(clock: Clock, checker: Checker, timing: CheckTiming): RunningAttempt {
  const whole = checker.deadline(timing)
  return new RunningAttempt(clock, checker.connection ? timing.timeout : whole, whole)
}

/** The engine's side of an {@link Attempt}. */
export class RunningAttempt implements Attempt {
  readonly stepTimeout: Millis
  readonly startedAt: Millis
  onEnd: ((why: AttemptEnd) => void) | undefined
  readonly #clock: Clock
  readonly #deadline: number
  #stepDue: number
  #ended: AttemptEnd | undefined
  #controller: AbortController | undefined

  constructor(clock: Clock, stepTimeout: Millis, whole: Millis) {
    this.#clock = clock
    this.stepTimeout = stepTimeout
    this.startedAt = clock.now()
    this.#deadline = this.startedAt + whole
    this.#stepDue = this.startedAt + stepTimeout
  }

  /** When it ends if nothing more happens. */
  get due(): number {
    return Math.min(this.#stepDue, this.#deadline)
  }

  get ended(): AttemptEnd | undefined {
    return this.#ended
  }

  step(): void {
    this.#stepDue = this.#clock.now() + this.stepTimeout
  }

  elapsed(): Millis {
    return millis(this.#clock.now() - this.startedAt)
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#ended !== undefined) this.#controller.abort(this.#ended)
    }
    return this.#controller.signal
  }

  end(why: AttemptEnd): void {
    if (this.#ended !== undefined) return
    this.#ended = why
    const { onEnd } = this
    this.onEnd = undefined
    onEnd?.(why)
    this.#controller?.abort(why)
  }
}
