import type { Millis } from '@ipvs-director/core'

/** Why an attempt ends before its probe is done: its time is up, or nobody wants the answer any more. */
export type AttemptEnd = 'timeout' | 'stopped'

/**
 * The time one probe has. The engine owns the clock: a probe says when a step is done, and whatever it waits for
 * listens for the end. So a probe has no timer and cannot outlive its verdict.
 */
export interface Attempt {
  /**
   * One step (connecting, the handshake, a read) is done: the next one has the whole connect_timeout again, but never
   * beyond the deadline of the probe. Costs an assignment.
   */
  step(): void
  /** What one step may take. */
  readonly stepTimeout: Millis
  /** Set by whatever the probe waits for at the moment; called once when the attempt ends. */
  onEnd: ((why: AttemptEnd) => void) | undefined
  /** Set once it has ended. */
  readonly ended: AttemptEnd | undefined
  /** Time since the probe began. */
  elapsed(): Millis
  /** The same end for what takes a standard signal; made when first asked for, as it costs more than a TCP connect. */
  readonly signal: AbortSignal
}
