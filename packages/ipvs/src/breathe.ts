/** Longest stretch of work, in milliseconds, before other events of the process get their turn. */
const stretch = 5

/**
 * For long loops: `if (breathe.due()) await breathe.pause()`. Timers and sockets of the process run in the pause.
 */
export class Breath {
  private since = performance.now()

  /** Whether it worked for long enough. Asks the clock, so not in the innermost loop. */
  due(): boolean {
    return performance.now() - this.since > stretch
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.since = performance.now()
  }
}
