import type { NotifyFifo } from '@ipvs-director/config'
import { count, describeError, errorCode, type Logger } from '@ipvs-director/core'
import { readAccounts, resolveIdentity, type Identity } from '@ipvs-director/linux'
import { execFile } from 'node:child_process'
import { chownSync, closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'

/** A notify FIFO at work. Nothing here throws, and no reader is waited for. */
export interface Fifo {
  readonly events: NotifyFifo['events']
  /** Writes a line; the line end is added. */
  write(line: string): void
  /** Lines that were lost: the FIFO was full, or could not be had. */
  readonly lost: number
  /** Resolves when it is open, or cannot be. */
  readonly opened: Promise<boolean>
  /** Ends the script, and removes the FIFO if we made it. */
  close(): Promise<void>
}

export interface FifoOptions {
  readonly fifo: NotifyFifo
  /** Runs `fifo.script` with the path appended until the signal; resolves to how it ended, rejects when it cannot be started. */
  readonly runScript: (path: string, signal: AbortSignal) => Promise<string>
  readonly logger: Logger
}

/** Lines that wait while the FIFO is being made. */
const keep = 1000
/** A script that ended by itself is started again, after so long; one that cannot be started, each time after twice as long. */
const restartAfter = 5000
const longestRestart = 300_000

/**
 * `notify_fifo`: made when it is missing, opened for reading too, so that writing works without a reader until the pipe is
 * full (64 KiB); then lines are lost, counted, and told of once (reference/operations.md §7).
 */
export function openFifo({ fifo, runScript, logger }: FifoOptions): Fifo {
  const { path } = fifo
  const ending = new AbortController()
  let fd: number | undefined
  let made = false
  let waiting: string[] | undefined = []
  let lost = 0
  let isFull = false
  let script: Promise<void> = Promise.resolve()

  const writeNow = (to: number, line: string): void => {
    try {
      writeSync(to, `${line}\n`)
      if (isFull) logger.warn('fifo.lost', `${path} is read again; ${count(lost, 'line')} lost so far`, { path, lost })
      isFull = false
    } catch (error) {
      lost++
      if (!isFull) {
        const why = errorCode(error) === 'EAGAIN' ? 'it is full, nobody reads it' : describeError(error)
        logger.error('fifo.full', `cannot write to ${path}: ${why}; lines are lost`, { path })
      }
      isFull = true
    }
  }

  const open = async (): Promise<boolean> => {
    try {
      made = await ensureFifo(fifo)
      fd = openChecked(fifo)
    } catch (error) {
      logger.error('fifo.unusable', `${path} is not used: ${describeError(error)}`, { path })
      lost += waiting?.length ?? 0
      waiting = undefined
      return false
    }
    for (const line of waiting ?? []) writeNow(fd, line)
    waiting = undefined
    script = keepRunning()
    return true
  }

  const keepRunning = async (): Promise<void> => {
    if (fifo.script === undefined) return
    const isEnding = (): boolean => ending.signal.aborted
    let failures = 0
    while (!isEnding()) {
      const how = await runScript(path, ending.signal).then(
        (ended) => {
          failures = 0
          return ended
        },
        (error: unknown) => {
          failures++
          return describeError(error)
        },
      )
      if (isEnding()) return
      const wait = Math.min(restartAfter * 2 ** Math.max(0, failures - 1), longestRestart)
      logger.warn('fifo.script', `the script of ${path} ended (${how}); it is started again in ${wait / 1000} s`)
      await pause(wait, ending.signal)
    }
  }

  const opened = open()
  return {
    events: fifo.events,
    opened,
    write(line) {
      if (fd !== undefined) writeNow(fd, line)
      else if (waiting !== undefined && waiting.length < keep) waiting.push(line)
      else lost++
    },
    get lost() {
      return lost
    },
    async close() {
      await opened
      ending.abort()
      if (fd !== undefined) closeSync(fd)
      fd = undefined
      await script
      if (made) removeQuietly(path)
    },
  }
}

/** Ends with the signal, too. */
function pause(wait: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, wait)
    signal.addEventListener('abort', end)
  })
}

/** True when it was made now. Node.js has no mkfifo(3); coreutils has. */
async function ensureFifo(fifo: NotifyFifo): Promise<boolean> {
  if (lstatSync(fifo.path, { throwIfNoEntry: false }) !== undefined) return false
  const owner = ownerOf(fifo)
  await promisify(execFile)('mkfifo', ['-m', '0644', fifo.path])
  if (owner !== undefined) chownSync(fifo.path, owner.uid, owner.gid)
  return true
}

function ownerOf({ user, group }: NotifyFifo): Identity | undefined {
  if (user === undefined) return undefined
  const identity = resolveIdentity(readAccounts(), user, group)
  if ('problem' in identity) throw new Error(identity.problem)
  return identity
}

/** Only a FIFO, and only of the owner it should have: another could read what is written, or be no pipe at all. */
function openChecked(fifo: NotifyFifo): number {
  const uid = ownerOf(fifo)?.uid ?? process.getuid?.() ?? 0
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants
  if (!lstatSync(fifo.path).isFIFO()) throw new Error('it is there and no FIFO')
  const fd = openSync(fifo.path, O_RDWR | O_NONBLOCK | O_NOFOLLOW)
  const held = fstatSync(fd)
  if (held.isFIFO() && held.uid === uid) return fd
  closeSync(fd)
  throw new Error(held.isFIFO() ? `it belongs to user ${held.uid}, not ${uid}` : 'it is there and no FIFO')
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // somebody else removed it
  }
}
