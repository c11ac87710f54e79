import { errorCode, millis, seconds, type Clock, type Millis, type Timer } from '@ipvs-director/core'
import { constants, watch, type FSWatcher } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { FileContent } from './port.ts'

/** Writers truncate before they write: a change is read when nothing more has happened for so long. */
const settle = millis(50)
/** But one that is written all the time is read at least so often. */
const patience = millis(500)
/** A directory that is not there is looked for so often. */
const again = seconds(1)
const longest = 4096

/**
 * Watches the directory, as a watch on the file itself would follow the old file when a new one takes its name. What
 * is told is at most 50 ms old news; reading is tried again every second where it cannot be watched.
 */
export function watchFile(clock: Clock, path: string, told: (content: FileContent) => void): () => void {
  const file = basename(path)
  let watcher: FSWatcher | undefined
  let timer: Timer | undefined
  let waitingSince = 0
  let over = false

  function later(delay: Millis): void {
    if (timer === undefined) waitingSince = clock.now()
    else if (clock.now() - waitingSince > patience) return
    timer?.cancel()
    timer = clock.after(delay, () => {
      timer = undefined
      void look()
    })
  }

  function listen(): void {
    if (watcher !== undefined) return
    try {
      watcher = watch(dirname(path), { persistent: false }, (_, name) => {
        // The directory's own name: it was renamed or removed itself.
        if (name === null || name === file || name === basename(dirname(path))) later(settle)
      })
      watcher.on('error', () => {
        unlisten()
        if (!over) later(settle)
      })
    } catch {
      // Looked for again after the look.
    }
  }

  function unlisten(): void {
    watcher?.close()
    watcher = undefined
  }

  async function look(): Promise<void> {
    listen()
    const content = await read(path)
    if (over) return
    told(content)
    if (watcher !== undefined && 'text' in content && content.text !== undefined) return
    // The directory may be another one by now: its watch would say nothing any more.
    unlisten()
    if (timer === undefined) later(again)
  }

  void look()
  return () => {
    over = true
    timer?.cancel()
    unlisten()
  }
}

async function read(path: string): Promise<FileContent> {
  try {
    // Opening a pipe would otherwise wait for who writes to it, and hold one of the few threads for files.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(longest), 0, longest, 0)
      return { text: buffer.toString('latin1', 0, bytesRead) }
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'ENOENT' || code === 'ENOTDIR') return { text: undefined }
    return { problem: `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}` }
  }
}
