/** Longest stretch of work, in milliseconds, before other events of the process get their turn. */
const stretch = 5

/** So many calls of `due` look at the clock once, which is a system call on some machines. */
const callsPerLook = 128

/** For long loops: `if (breath.due()) await breath.pause()`. Timers and sockets of the process run in the pause. */
export class Breath {
  private since = performance.now()
  private calls = 0

  /** Whether this went on for long enough; for steps of some microseconds each. */
  due(): boolean {
    return ++this.calls % callsPerLook === 0 && performance.now() - this.since > stretch
  }

  /** The same for steps that take long themselves: looks at the clock each time. */
  dueNow(): boolean {
    return performance.now() - this.since > stretch
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.since = performance.now()
  }
}
