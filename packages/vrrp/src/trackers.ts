import type { TrackFile, TrackProcess, VrrpScript } from '@ipvs-director/config'
import { describeError, type Clock, type Logger } from '@ipvs-director/core'
import type { VrrpLink } from './link.ts'
import type { Status } from './priority.ts'
import { followProcess } from './process-tracker.ts'
import { createScriptRunner, type ScriptRunner } from './script-runner.ts'

/** What an instance can follow besides interfaces. */
export type TrackerKind = 'script' | 'file' | 'process' | 'bfd' | 'virtualServer'

/** Blocks that are run or watched here; sessions of BFD and virtual servers are reported from outside. */
export interface TrackerBlocks {
  readonly scripts: readonly VrrpScript[]
  readonly files: readonly TrackFile[]
  readonly processes: readonly TrackProcess[]
}

/** What is run or watched, as it is now. */
export interface TrackerStatus {
  readonly kind: TrackerKind
  readonly name: string
  readonly status: Status
  /** Of processes: how many there are. */
  readonly count?: number
}

/** Everything tracked by name, run or watched once, whoever follows it. */
export interface Trackers {
  status(kind: TrackerKind, name: string): Status
  /** BFD sessions and virtual servers, as the director hears of them. */
  report(kind: 'bfd' | 'virtualServer', name: string, status: Status): void
  /** Starts what is new, stops what is gone, and keeps the state of what is the same. */
  configure(blocks: TrackerBlocks): void
  all(): readonly TrackerStatus[]
  close(): void
}

const unknown: Status = { kind: 'unknown' }

interface Running {
  /** What makes it the same after a reload. */
  readonly identity: string
  close(): void
}

export function createTrackers(link: VrrpLink, clock: Clock, logger: Logger, changed: () => void): Trackers {
  const statuses = new Map<string, Status>()
  const running = new Map<string, Running>()
  const scripts = new Map<string, ScriptRunner>()
  const counts = new Map<string, number>()
  let configuring = false
  let filesInitialised = false

  const put = (key: string, status: Status): void => {
    const before = statuses.get(key)
    statuses.set(key, status)
    if (!configuring && JSON.stringify(before) !== JSON.stringify(status)) changed()
  }

  const keep = (key: string, identity: string, start: () => Running['close']): void => {
    const found = running.get(key)
    if (found?.identity === identity) return
    found?.close()
    statuses.delete(key)
    running.set(key, { identity, close: start() })
  }

  const startFile = (file: TrackFile): (() => void) => {
    const key = keyOf('file', file.name)
    const watch = link.watchFile(file.path, (text) => {
      const value = Number.parseInt(text ?? '', 10)
      const now = Number.isNaN(value) ? 0 : value
      const before = statuses.get(key)
      if (before?.kind === 'value' && before.value !== now)
        logger.info('vrrp.file', `tracked file ${file.name} now has ${now}`)
      put(key, { kind: 'value', value: now })
    })
    return () => {
      watch.close()
    }
  }

  /** Without it the file counts as 0, as one that is not there: no reason to be no master. */
  const initialise = ({ name, path, init }: TrackFile): void => {
    if (init === undefined) return
    try {
      link.initFile(path, init.value, init.overwrite)
    } catch (error) {
      logger.warn('vrrp.file', `cannot write init_file of ${name}: ${describeError(error)}`)
    }
  }

  return {
    status: (kind, name) => statuses.get(keyOf(kind, name)) ?? unknown,
    report(kind, name, status) {
      put(keyOf(kind, name), status)
    },
    configure(blocks) {
      configuring = true
      const wanted = new Set<string>()
      for (const script of blocks.scripts) {
        const key = keyOf('script', script.name)
        wanted.add(key)
        const identity = JSON.stringify([script.script.words, script.script.user, script.script.group])
        keep(key, identity, () => {
          const runner = createScriptRunner(script, link, clock, logger, (status) => {
            put(key, status)
          })
          scripts.set(key, runner)
          return () => {
            scripts.delete(key)
            runner.close()
          }
        })
        scripts.get(key)?.configure(script)
      }
      for (const file of blocks.files) {
        const key = keyOf('file', file.name)
        wanted.add(key)
        if (!filesInitialised) initialise(file)
        keep(key, file.path, () => startFile(file))
      }
      filesInitialised = true
      for (const process of blocks.processes) {
        const key = keyOf('process', process.name)
        wanted.add(key)
        keep(key, JSON.stringify({ ...process, place: undefined, name: undefined }), () =>
          followProcess(
            process,
            link,
            clock,
            (status) => {
              put(key, status)
            },
            (count) => counts.set(key, count),
          ),
        )
      }
      for (const [key, each] of running) {
        if (wanted.has(key)) continue
        each.close()
        running.delete(key)
        statuses.delete(key)
        counts.delete(key)
      }
      configuring = false
    },
    all: () =>
      [...new Set([...running.keys(), ...statuses.keys()])].map((key): TrackerStatus => {
        const count = counts.get(key)
        const [kind, name] = partsOf(key)
        return { kind, name, status: statuses.get(key) ?? unknown, ...(count === undefined ? {} : { count }) }
      }),
    close() {
      for (const each of running.values()) each.close()
      running.clear()
    },
  }
}

const keyOf = (kind: TrackerKind, name: string): string => `${kind} ${name}`

/** What {@link keyOf} made it from. */
function partsOf(key: string): readonly [TrackerKind, string] {
  const space = key.indexOf(' ')
  return [key.slice(0, space) as TrackerKind, key.slice(space + 1)]
}
