import { loggerTo, type LogFields, type Logger, type LogLevel } from '@ipvs-director/core'

interface Line {
  readonly level: LogLevel
  readonly event: string
  readonly message: string
  readonly fields: LogFields | undefined
  readonly at: Date
}

/** The program's log, usable from the first line on. */
export interface Logging {
  readonly logger: Logger
  /** Loads winston and hands it what was said so far. Not before the kernel's table is right: loading takes a while. */
  open(): Promise<void>
  /** Writes what is pending; winston loses lines at `process.exit()` otherwise. */
  close(): Promise<void>
}

/** Lines up to `level` go to standard error, one each: time, level, event, text. */
export function createLogging(level: LogLevel): Logging {
  let waiting: Line[] | undefined = []
  let write = (line: Line): void => void waiting?.push(line)
  let end: () => Promise<void> = async () => {
    for (const line of waiting ?? []) process.stderr.write(`${render(line)}\n`)
    waiting = undefined
  }
  return {
    logger: loggerTo((lineLevel, event, message, fields) => {
      if (severity[lineLevel] <= severity[level]) write({ level: lineLevel, event, message, fields, at: new Date() })
    }),
    async open() {
      const { default: winston } = await import('winston')
      const sink = winston.createLogger({
        level,
        levels: severity,
        format: winston.format.printf((info) => String(info.message)),
        // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types the class by an interface
        transports: [new winston.transports.Stream({ stream: process.stderr })],
      })
      write = (line) => void sink.log(line.level, render(line))
      for (const line of waiting ?? []) write(line)
      waiting = undefined
      end = () =>
        new Promise((resolve) => {
          sink.on('finish', () => {
            resolve()
          })
          sink.end()
        })
    },
    close: () => end(),
  }
}

const severity: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 }

function render({ level, event, message, at }: Line): string {
  return `${at.toISOString()} ${level} ${event}: ${message.replaceAll('\n', '\n  ')}`
}
