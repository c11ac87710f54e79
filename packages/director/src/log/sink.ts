import type { LogLine } from './line.ts'

/** How a sink fares. */
export interface SinkHealth {
  /** Lines that will never arrive. */
  readonly lost: number
  /** Why nothing is written at the moment. */
  readonly trouble: string | undefined
}

/** A place where lines go. None of these throws, and none waits for a reader. */
export interface Sink {
  /** For messages: `syslog (/dev/log)`. */
  readonly name: string
  write(line: LogLine): void
  health(): SinkHealth
  /** A file that was moved away is opened anew. */
  reopen(): void
  /** Writes what waits, for at most `limit` milliseconds; then the sink is closed. */
  end(limit: number): Promise<void>
}
