import type { LogLevel } from '@ipvs-director/core'
import type { LogFormat } from './line.ts'
import { defaultStormLimit, type StormLimit } from './limit.ts'

/** Where the log goes and how it looks. */
export interface LogSettings {
  /** Lines up to this one. */
  readonly level: LogLevel
  readonly format: LogFormat
  /** To standard error. */
  readonly console: boolean
  /** To syslog by /dev/log, with this facility's number (0 kern … 23 local7); undefined: not. */
  readonly syslog: number | undefined
  /** To journald with fields, by its own protocol; its SYSLOG_FACILITY is `facility`. */
  readonly journal: boolean
  readonly facility: number
  readonly file:
    { readonly path: string; /** Each line is on the disk before the next. */ readonly flush: boolean } | undefined
  /** undefined: everything is written. */
  readonly storm: StormLimit | undefined
}

export const LOG_DAEMON = 3
const LOG_USER = 1
const LOG_LOCAL0 = 16

/** `0`..`7`, `local0`..`local7`, `user`, `daemon` (keepalived's -S); undefined for anything else. */
export function facilityOf(word: string): number | undefined {
  const local = /^(?:local)?([0-7])$/.exec(word)?.[1]
  if (local !== undefined) return LOG_LOCAL0 + Number(local)
  return word === 'user' ? LOG_USER : word === 'daemon' ? LOG_DAEMON : undefined
}

export interface LogWish {
  /** `-D`, counted. */
  readonly detail: number
  readonly format: LogFormat | undefined
  /** `-S`. */
  readonly facility: number | undefined
  /** `-G`. */
  readonly noSyslog: boolean
  readonly file: string | undefined
  readonly flush: boolean
  /** `-l`: standard error too. It is always written, but for a journal that would have everything twice. */
  readonly console: boolean
  /** `--log-journal`. */
  readonly journal: boolean
  /** Lines per event in ten seconds; 0: all. */
  readonly storm: number | undefined
}

/**
 * What the options mean here. Standard error is written unless it is the journal, which then gets the lines with their
 * fields instead (systemd.exec(5): JOURNAL_STREAM is `device:inode` of that stream). `-S` adds syslog, `-g` a file.
 */
export function logSettings(wish: LogWish, stderrIsJournal: boolean): LogSettings {
  const journal = wish.journal || stderrIsJournal
  const window = defaultStormLimit.window
  const lines = wish.storm ?? defaultStormLimit.lines
  return {
    level: wish.detail > 0 ? 'debug' : 'info',
    format: wish.format ?? 'text',
    console: !stderrIsJournal,
    // journald is the syslog of its machine: what it has by fields it need not get by /dev/log as well.
    syslog: journal || wish.noSyslog ? undefined : wish.facility,
    journal,
    facility: wish.facility ?? LOG_DAEMON,
    file: wish.file === undefined ? undefined : { path: wish.file, flush: wish.flush },
    storm: lines === 0 ? undefined : { lines, window },
  }
}

/** Whether `stream` (as fstat sees standard error) is the one that JOURNAL_STREAM names. */
export function isJournal(
  journalStream: string | undefined,
  stream: { readonly dev: number; readonly ino: number },
): boolean {
  return journalStream === `${stream.dev}:${stream.ino}`
}
