/** Severity of a log line, most severe first (the four of syslog that this program uses). */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** What a line is about, beside its text; printed as `key=value` or JSON. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Where log lines go. `event` is a stable name for programs (`server.down`), `message` a sentence for people with the
 * words keepalived's operators grep for.
 */
export interface Logger {
  error(event: string, message: string, fields?: LogFields): void
  warn(event: string, message: string, fields?: LogFields): void
  info(event: string, message: string, fields?: LogFields): void
  debug(event: string, message: string, fields?: LogFields): void
}

/** A logger from one function that takes them all. */
export function loggerTo(
  write: (level: LogLevel, event: string, message: string, fields: LogFields | undefined) => void,
): Logger {
  return {
    error: (event, message, fields) => {
      write('error', event, message, fields)
    },
    warn: (event, message, fields) => {
      write('warn', event, message, fields)
    },
    info: (event, message, fields) => {
      write('info', event, message, fields)
    },
    debug: (event, message, fields) => {
      write('debug', event, message, fields)
    },
  }
}

/** Swallows everything. */
export const silentLogger: Logger = loggerTo(() => undefined)
