import { count, loggerTo, type LogFields, type Logger, type LogLevel } from '@ipvs-director/core'
import { fstatSync } from 'node:fs'
import { fileSink } from './log/file.ts'
import { journalSink } from './log/journal.ts'
import { createStormGate } from './log/limit.ts'
import { renderers, type LogLine } from './log/line.ts'
import { isJournal, logSettings, type LogSettings } from './log/settings.ts'
import type { Sink } from './log/sink.ts'
import { streamSink } from './log/stream-sink.ts'
import { syslogSink } from './log/syslog.ts'

/** The program's log, usable from the first line on. */
export interface Logging {
  readonly logger: Logger
  /** Loads winston and hands it what was said so far. Not before the kernel's table is right: loading takes a while. */
  open(): Promise<void>
  /** Opens a log file anew: for whoever moves it away. */
  reopen(): void
  /** Writes what is pending; winston loses lines at `process.exit()` otherwise. Opens first if nobody did. */
  close(): Promise<void>
}

export const plainSettings = (level: LogLevel): LogSettings =>
  logSettings({ detail: level === 'debug' ? 1 : 0, format: undefined, facility: undefined, noSyslog: true, file: undefined, flush: false, console: true, journal: false, storm: undefined }, false) // prettier-ignore

/** Whether standard error is systemd's journal. */
export function stderrIsJournal(): boolean {
  const { JOURNAL_STREAM } = process.env
  if (JOURNAL_STREAM === undefined) return false
  try {
    return isJournal(JOURNAL_STREAM, fstatSync(2))
  } catch {
    return false // there is no standard error
  }
}

/** Summaries of storms, and of sinks in trouble, are looked for this often (milliseconds). */
const lookEvery = 1000
/** What the end may take for each sink (milliseconds): a syslogd that hangs does not keep us. */
const endWithin = 1000

/** A level alone is standard error as text. */
export function createLogging(wish: LogLevel | LogSettings): Logging {
  const settings = typeof wish === 'string' ? plainSettings(wish) : wish
  let waiting: LogLine[] | undefined = []
  let write = (line: LogLine): void => void waiting?.push(line)
  const gate = settings.storm === undefined ? undefined : createStormGate(settings.storm)
  let sinks: readonly Sink[] = []
  let end: (() => Promise<void>) | undefined

  const say = (level: LogLevel, event: string, message: string, fields: LogFields | undefined): void => {
    if (rank[level] > rank[settings.level]) return
    const line = { level, event, message, fields, at: new Date() }
    if (gate?.admit(line) ?? true) write(line)
  }
  const sayHeld = (all: boolean): void => {
    for (const line of gate?.due(Date.now(), all) ?? []) write(line)
  }

  async function open(): Promise<void> {
    if (end !== undefined) return
    const { default: winston } = await import('winston')
    sinks = sinksOf(settings)
    const logger = winston.createLogger({
      level: settings.level,
      levels: rank,
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types the class by an interface
      transports: await Promise.all(sinks.map(transportTo)),
    })
    write = (line) => void logger.log({ ...line, [whole]: line })
    for (const line of waiting ?? []) write(line)
    waiting = undefined
    const watch = watchSinks(sinks, say)
    const timer = setInterval(() => {
      sayHeld(false)
      watch()
    }, lookEvery).unref()
    end = async () => {
      clearInterval(timer)
      sayHeld(true)
      await new Promise<void>((resolve) => {
        logger.on('finish', () => {
          resolve()
        })
        logger.end()
      })
      await Promise.all(sinks.map((sink) => sink.end(endWithin)))
    }
  }

  return {
    logger: loggerTo(say),
    open,
    reopen() {
      for (const sink of sinks) sink.reopen()
    },
    async close() {
      await open()
      await end?.()
    },
  }
}

const rank: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 }

/** Our line within winston's. */
const whole = Symbol('line')

function sinksOf({ console, format, syslog, journal, facility, file }: LogSettings): Sink[] {
  const render = renderers[format]
  return [
    ...(console ? [streamSink('standard error', process.stderr, render)] : []),
    ...(journal ? [journalSink(facility)] : []),
    ...(syslog === undefined ? [] : [syslogSink(syslog, format)]),
    ...(file === undefined ? [] : [fileSink({ ...file, render })]),
  ]
}

/** winston's way to a sink: a stream of objects. */
async function transportTo(sink: Sink) {
  const [{ default: winston }, { Writable }] = await Promise.all([import('winston'), import('node:stream')])
  const stream = new Writable({
    objectMode: true,
    highWaterMark: 100_000,
    write(info: { readonly [whole]: LogLine }, _encoding, done) {
      sink.write(info[whole])
      done()
    },
  })
  return new winston.transports.Stream({ stream })
}

/** Tells of a sink that is in trouble or loses lines, once, and when it works again; the other sinks carry it. */
function watchSinks(
  sinks: readonly Sink[],
  say: (level: LogLevel, event: string, message: string, fields: LogFields) => void,
) {
  const known = new Map(sinks.map((sink) => [sink, { lost: 0, trouble: undefined as string | undefined }]))
  return (): void => {
    for (const sink of sinks) {
      const { lost, trouble } = sink.health()
      const before = known.get(sink)
      known.set(sink, { lost, trouble })
      if (trouble !== undefined && before?.trouble === undefined) {
        say('error', 'log.trouble', `cannot log to ${sink.name}: ${trouble}`, { sink: sink.name })
      } else if (
        trouble === undefined &&
        before !== undefined &&
        (before.trouble !== undefined || lost > before.lost)
      ) {
        say('warn', 'log.lost', `logging to ${sink.name} works; ${count(lost, 'line')} lost since the start`, {
          sink: sink.name,
          lost,
        })
      }
    }
  }
}
