import { describeError } from '@ipvs-director/core'
import { closeSync, fstatSync, fdatasyncSync, openSync, statSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import type { LogLine } from './line.ts'
import type { Sink } from './sink.ts'

export interface FileOptions {
  readonly path: string
  /** `--flush-log-file`: each line is on the disk before the next is said. */
  readonly flush: boolean
  readonly render: (line: LogLine) => string
  readonly now?: () => number
}

/** Lines kept while the disk takes none. */
const keep = 10_000
/** How often is looked whether the file is still the one at its path. */
const lookEvery = 1000
const writeAll = promisify(write)

/**
 * `-g FILE`. Appends; a file that was moved away (logrotate) is noticed within a second of the next line, or at once by
 * `reopen`. A disk that is full costs lines, counted; the file has them again as soon as there is room.
 */
export function fileSink({ path, flush, render, now = () => performance.now() }: FileOptions): Sink {
  let fd: number | undefined
  let waiting: string[] = []
  let writing: Promise<void> | undefined
  let lookedAt = -Infinity
  let lost = 0
  let trouble: string | undefined

  const open = (): number => {
    fd = openSync(path, 'a', 0o640)
    return fd
  }

  const close = (): void => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }

  const look = (): void => {
    if (now() - lookedAt < lookEvery || fd === undefined) return
    lookedAt = now()
    const held = fstatSync(fd)
    const there = statSync(path, { throwIfNoEntry: false })
    if (there === undefined || there.ino !== held.ino || there.dev !== held.dev) close()
  }

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        look()
        await writeWhole(fd ?? open(), Buffer.from(batch.join('')))
        trouble = undefined
      } catch (error) {
        lost += batch.length
        trouble = describeError(error)
      }
    }
    writing = undefined
  }

  const writeNow = (text: string): void => {
    try {
      look()
      const to = fd ?? open()
      writeSync(to, text)
      fdatasyncSync(to)
      trouble = undefined
    } catch (error) {
      lost++
      trouble = describeError(error)
    }
  }

  return {
    name: path,
    write(line) {
      const text = `${render(line)}\n`
      if (flush) writeNow(text)
      else if (waiting.length >= keep) lost++
      else {
        waiting.push(text)
        writing ??= pump()
      }
    },
    health: () => ({ lost, trouble }),
    reopen() {
      lookedAt = -Infinity
      if (writing === undefined) close()
    },
    async end(limit) {
      let timer: NodeJS.Timeout | undefined
      const expired = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limit)
      })
      await Promise.race([writing ?? Promise.resolve(), expired])
      clearTimeout(timer)
      if (writing === undefined) close()
    },
  }
}

/** A short write leaves the rest to be written. */
async function writeWhole(fd: number, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length;) at += (await writeAll(fd, data, at)).bytesWritten
}
