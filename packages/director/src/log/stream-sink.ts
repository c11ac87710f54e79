import { describeError } from '@ipvs-director/core'
import type { Writable } from 'node:stream'
import type { LogLine } from './line.ts'
import type { Sink } from './sink.ts'

/** Standard error. A reader that went away (EPIPE) costs lines and not the program. */
export function streamSink(name: string, stream: Writable, render: (line: LogLine) => string): Sink {
  let lost = 0
  let trouble: string | undefined
  const onError = (error: Error): void => {
    trouble = describeError(error)
  }
  stream.on('error', onError)
  return {
    name,
    write(line) {
      if (stream.destroyed) lost++
      else
        stream.write(`${render(line)}\n`, (error) => {
          if (error !== null && error !== undefined) lost++
        })
    },
    health: () => ({ lost, trouble }),
    reopen: () => undefined,
    /** The stream itself is not ours to end. */
    async end(limit) {
      if (stream.destroyed || stream.writableLength === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limit)
        stream.write('', () => {
          clearTimeout(timer)
          resolve()
        })
      })
    },
  }
}
