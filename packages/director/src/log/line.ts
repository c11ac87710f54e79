import type { LogFields, LogLevel } from '@ipvs-director/core'

/** One thing said, before anybody decided how it looks. */
export interface LogLine {
  readonly level: LogLevel
  /** Stable name for programs: `server.down`. */
  readonly event: string
  /** A sentence for people; may have several lines. */
  readonly message: string
  readonly fields: LogFields | undefined
  readonly at: Date
}

/** `text`: for people; `json`: one object per line. */
export type LogFormat = 'text' | 'json'

/** syslog's severities (RFC 5424 §6.2.1) of our levels; journald's PRIORITY is the same number. */
export const severityOf: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

/** Time, level, event, text; further lines of a text are indented. */
export function renderText({ level, event, message, at }: LogLine): string {
  return `${at.toISOString()} ${level} ${event}: ${message.replaceAll('\n', '\n  ')}`
}

/** `{"time":…,"level":…,"event":…,"message":…,"fields":{…}}`; `fields` only where there are some. */
export function renderJson({ level, event, message, fields, at }: LogLine): string {
  return JSON.stringify({ time: at.toISOString(), level, event, message, fields })
}

export const renderers: Readonly<Record<LogFormat, (line: LogLine) => string>> = { text: renderText, json: renderJson }
