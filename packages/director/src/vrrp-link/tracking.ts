/** Files and processes that instances follow. */
import type { TrackProcess } from '@ipvs-director/config'
import type { Clock, Millis } from '@ipvs-director/core'
import { seconds } from '@ipvs-director/core'
import { closeSync, constants, openSync, readdirSync, readSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Changes of a file come in bursts: truncated, written, renamed. */
const settle = 50 as Millis
/** A folder that cannot be watched is looked at this often, and processes are counted. */
const period = seconds(1)

/** The folder is watched, as a watch on the file goes deaf when it is replaced. */
export function watchFile(clock: Clock, path: string, changed: (text: string | undefined) => void): { close(): void } {
  let last: string | undefined
  let closed = false
  let watcher: FSWatcher | undefined
  let timer = clock.after(0 as Millis, look)
  let first = true

  function look(): void {
    if (closed) return
    const text = readOrNothing(path)
    if (first || text !== last) {
      first = false
      last = text
      changed(text)
    }
    if (watcher === undefined) attach()
    if (watcher === undefined) timer = clock.after(period, look)
  }

  function attach(): void {
    try {
      watcher = watch(dirname(path), (_event, name) => {
        if (name === basename(dirname(path)))
          detach() // it was renamed or removed itself
        else if (name !== null && name !== basename(path)) return
        timer.cancel()
        timer = clock.after(settle, look)
      })
      watcher.on('error', () => {
        detach()
        timer.cancel()
        timer = clock.after(period, look)
      })
      timer = clock.after(settle, look) // what changed before the watch began
    } catch {
      watcher = undefined
    }
  }

  function detach(): void {
    watcher?.close()
    watcher = undefined
  }

  return {
    close() {
      closed = true
      timer.cancel()
      detach()
    },
  }
}

/** Only its beginning matters. */
const longest = 4096

/** At once, whatever is there: a pipe that nobody writes to, or a device without end, would hold up all instances. */
function readOrNothing(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const buffer = Buffer.alloc(longest)
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, longest, 0))
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Counted once a second; /proc is read in one go for all who ask. */
export function watchProcesses(
  clock: Clock,
  wanted: TrackProcess,
  changed: (count: number) => void,
  list: () => Iterable<ProcessFacts> = runningProcesses,
): { close(): void } {
  let last: number | undefined
  let timer = clock.after(0 as Millis, look)
  function look(): void {
    let count = 0
    for (const facts of list()) if (matches(facts, wanted)) count++
    if (count !== last) {
      last = count
      changed(count)
    }
    timer = clock.after(period, look)
  }
  return {
    close() {
      timer.cancel()
    },
  }
}

/** What is known of a running process. */
export interface ProcessFacts {
  /** As the kernel has it, at most 15 bytes. */
  readonly name: string
  /** Its words; read only when it is asked for. */
  commandLine(): readonly string[]
}

/** By its name; or by its command line where that, or parameters, are given. */
export function matches(facts: ProcessFacts, wanted: TrackProcess): boolean {
  if (!wanted.fullCommand && wanted.parameters.length === 0) return facts.name === wanted.process.slice(0, 15)
  const [command, ...given] = facts.commandLine()
  if (command !== wanted.process) return false
  const { parameters, match } = wanted
  if (parameters.length === 0) return true
  if (match === 'exact') return given.length === parameters.length && parameters.every((one, i) => given[i] === one)
  if (given.length < parameters.length) return false
  const last = parameters.length - 1
  return parameters.every((one, i) =>
    match === 'partial' && i === last ? given[i]?.startsWith(one) === true : given[i] === one,
  )
}

function* runningProcesses(): Iterable<ProcessFacts> {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const name = readOrNothing(`/proc/${entry}/comm`)?.trimEnd()
    if (name === undefined) continue
    yield {
      name,
      commandLine: () => (readOrNothing(`/proc/${entry}/cmdline`) ?? '').split('\0').slice(0, -1),
    }
  }
}
