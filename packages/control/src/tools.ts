import { systemClock, type Clock } from '@ipvs-director/core'
import type { ConfigTools } from './config-tools.ts'
import type { Doctor } from './doctor-tools.ts'

/** A stream for people or programs. */
export interface Output {
  write(text: string): void
  readonly isTTY: boolean
  /** Columns and rows of a terminal, as they are now; undefined elsewhere. */
  readonly columns: number | undefined
  readonly rows: number | undefined
}

/** What the command line needs from the world around it. */
export interface CtlTools {
  /** Of this program. */
  readonly version: string
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborted by Ctrl-C or SIGTERM: long-running commands end in order. */
  readonly interrupted: AbortSignal
  /** Calls back for each key pressed (raw: `q`, `\x03`, `\x1b[A`), where there is a keyboard; returns what ends it. */
  keys(listener: (key: string) => void): () => void
  /** Calls back when the terminal has got another size; returns what ends it. */
  resized(listener: () => void): () => void
  /** What is known of configuration files: loaded when it is asked for, as the vocabulary is large. */
  configTools(): Promise<ConfigTools>
  /** What looks at this machine: loaded when it is asked for. */
  doctor(): Promise<Doctor>
}

/** The tools of a real process. A reader that went away (`| head`) ends the program quietly, as for any filter. */
export function processTools(
  own: Pick<CtlTools, 'version' | 'configTools' | 'doctor'>,
  process: NodeJS.Process,
): CtlTools {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interruption.abort()
    })
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interruption.abort()
  })
  return {
    ...own,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    clock: systemClock,
    interrupted: interruption.signal,
    keys: (listener) => readKeys(process.stdin, listener),
    resized: (listener) => {
      process.stdout.on('resize', listener)
      return () => void process.stdout.off('resize', listener)
    },
  }
}

function outputOf(stream: NodeJS.WriteStream): Output {
  // The types promise a boolean; a pipe has no such member.
  const isTTY = (stream as { readonly isTTY?: boolean }).isTTY ?? false
  return {
    write: (text) => void stream.write(text),
    isTTY,
    get columns() {
      return isTTY ? stream.columns : undefined
    },
    get rows() {
      return isTTY ? stream.rows : undefined
    },
  }
}

/** In raw mode Ctrl-C arrives as a key and not as a signal. */
function readKeys(stdin: NodeJS.ReadStream, listener: (key: string) => void): () => void {
  if (!stdin.isTTY) return () => undefined
  const onData = (data: Buffer): void => {
    listener(data.toString('latin1'))
  }
  stdin.setRawMode(true)
  stdin.on('data', onData)
  return () => {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
