import { loggerTo, type LogFields, type Logger, type LogLevel } from '../log.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly event: string
  readonly message: string
  readonly fields: LogFields | undefined
}

/** A logger that keeps its lines, newest last. */
export function arrayLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const logger = loggerTo((level, event, message, fields) => lines.push({ level, event, message, fields }))
  return { ...logger, lines }
}
