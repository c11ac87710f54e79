import { count, describeError, seconds, type Clock, type Logger, type Millis, type Timer } from '@ipvs-director/core'
import { readAccounts } from '@ipvs-director/linux'
import { readFileSync } from 'node:fs'
import type { Check, Figures, InitialHealth, Prober, ProberEvents, Report, Verdict } from '../checker.ts'
import { materialPaths } from '../http/options.ts'
import { covers, needsOf, type Needs } from './privileges.ts'
import { restartDelay, RunningProcess } from './process.ts'

export interface FleetOptions {
  /** How many prober processes; each starts when it has something to probe. */
  readonly count: number
  /** The JavaScript file of the prober's main. */
  readonly entry: string
  readonly events: ProberEvents
  readonly clock: Clock
  readonly logger: Logger
  /** Who the probers become when this process is root: user nobody where there is one. */
  readonly identity?: { readonly uid: number; readonly gid: number }
  /** See EngineOptions.firstWait. */
  readonly firstWait?: Millis
  /** Without a sign of life for so long a prober is taken for hung, and replaced. Default 10 s. */
  readonly patience?: Millis
  /** `child_wait_time`: how long a prober may take to end; default 5 s. */
  readonly stopPatience?: () => Millis
}

/** One prober process as it is shown. */
export interface ProberProcess {
  readonly name: string
  readonly pid: number | undefined
  readonly checks: number
  readonly restarts: number
}

export interface Fleet extends Prober {
  processes(): readonly ProberProcess[]
  /** Starts one anew, at once; its servers keep their state. False: there is none of that name. */
  restart(name: string): boolean
}

/** What the director knows of a check, whatever happens to the process that makes it. */
interface Known {
  readonly check: Check
  readonly slot: Slot
  up: boolean
  seen: boolean
  /** Of the last report, and when. */
  verdict: Verdict | undefined
  at: number
}

/** A place for a prober process, and its share of the checks. */
interface Slot {
  readonly name: string
  /** How many there are. */
  checks: number
  process: RunningProcess | undefined
  restarts: number
  deathsInARow: number
  bornAt: number
  /** Until its next start after a death. */
  waiting: Timer | undefined
}

const emptySlot = (name: string): Slot => ({
  name,
  checks: 0,
  process: undefined,
  restarts: 0,
  deathsInARow: 0,
  bornAt: 0,
  waiting: undefined,
})

/** Figures in one message. */
const figuresAtOnce = 250

/** A process that lived so long did not die of its start. */
const healthyAge = seconds(60)

/** Checks spread over processes by what they probe; a process that dies is replaced and its servers keep their state. */
export function createFleet(options: FleetOptions): Fleet {
  const { clock, events, logger } = options
  const identity = options.identity ?? readAccounts().user('nobody')
  const known = new Map<string, Known>()
  const processes = Math.max(1, options.count)
  const slots = Array.from({ length: processes }, (_, i) => emptySlot(`prober ${i + 1}`))
  /** BFD is all in one process, which has its port, and nothing else to do that could keep a packet waiting. */
  let bfdSlot: Slot | undefined
  /** How many checks need a file. */
  const users = new Map<string, number>()
  let material: ReadonlyMap<string, string> = new Map()
  /** That has been told. */
  const unreadable = new Set<string>()
  let stopped = false

  function setChecks(checks: readonly Check[]): void {
    rereadFiles()
    const wanted = new Set(checks.map((check) => check.id))
    changeChecks(
      [...known.keys()].filter((id) => !wanted.has(id)),
      checks,
    )
  }

  function changeChecks(gone: readonly string[], come: readonly Check[]): void {
    for (const id of gone) drop(id)
    const fresh = come.filter(({ id }) => !known.has(id))
    const paths = fresh.flatMap((check) => materialPaths(check.options))
    for (const path of paths) users.set(path, (users.get(path) ?? 0) + 1)
    const missing = new Set(paths.filter((path) => !material.has(path) && !unreadable.has(path)))
    if (missing.size > 0) useMaterial(new Map([...material, ...readFiles(missing)]))
    const more = new Map<Slot, Check[]>()
    for (const check of fresh) {
      const slot = add(check)
      if (slot === undefined) continue
      const others = more.get(slot)
      if (others === undefined) more.set(slot, [check])
      else others.push(check)
    }
    // Who may do what new checks need may do what the others need.
    for (const [slot, added] of more)
      if (slot.process === undefined || !covers(slot.process.needs, needsOf(added))) tend(slot)
  }

  function rereadFiles(): void {
    unreadable.clear()
    useMaterial(readFiles(users.keys()))
  }

  function useMaterial(files: ReadonlyMap<string, string>): void {
    const before = material
    material = files
    if (!sameFiles(before, material)) for (const slot of slots) slot.process?.setMaterial(material)
  }

  function drop(id: string): void {
    const entry = known.get(id)
    if (entry === undefined) return
    known.delete(id)
    entry.slot.checks--
    entry.slot.process?.remove(id)
    for (const path of materialPaths(entry.check.options)) {
      const others = (users.get(path) ?? 1) - 1
      if (others > 0) users.set(path, others)
      else users.delete(path)
    }
  }

  function add(check: Check): Slot | undefined {
    const slot = check.kind === 'BFD_CHECK' ? slotForBfd() : slots[slotOf(check.id, processes)]
    if (slot === undefined) return undefined
    const { up, seen } = check.initial
    const entry: Known = { check, slot, up, seen, verdict: undefined, at: 0 }
    known.set(check.id, entry)
    slot.checks++
    slot.process?.add(check)
    return slot
  }

  function slotForBfd(): Slot {
    if (bfdSlot === undefined) slots.push((bfdSlot = emptySlot('bfd')))
    return bfdSlot
  }

  /** Only few ask, and seldom: a table for each slot would be as large as that of all. */
  function checksOf(slot: Slot): Known[] {
    return [...known.values()].filter((entry) => entry.slot === slot)
  }

  /** Starts a process where there is something to do, and replaces one that may do less than its checks need. */
  function tend(slot: Slot): void {
    if (stopped || slot.waiting !== undefined || slot.checks === 0) return
    const needs = needsOf(checksOf(slot).map(({ check }) => check))
    if (slot.process === undefined) start(slot, needs)
    else if (!covers(slot.process.needs, needs)) void slot.process.stop()
  }

  function start(slot: Slot, needs: Needs): void {
    slot.bornAt = clock.now()
    let process: RunningProcess
    try {
      process = run(slot, needs)
    } catch (error) {
      // Some of what a system without memory answers comes as an exception.
      bury(slot, `cannot run: ${describeError(error)}`)
      return
    }
    slot.process = process
    process.start()
    for (const entry of checksOf(slot)) process.add({ ...entry.check, initial: initialOf(entry) })
  }

  function run(slot: Slot, needs: Needs): RunningProcess {
    const process: RunningProcess = new RunningProcess({
      name: slot.name,
      entry: options.entry,
      clock,
      identity: identity === undefined ? undefined : { uid: identity.uid, gid: identity.gid },
      needs,
      firstWait: options.firstWait,
      material,
      patience: options.patience ?? seconds(10),
      stopPatience: options.stopPatience ?? (() => seconds(5)),
      reports: (reports) => {
        reports.forEach(take)
      },
      trouble: (message) => {
        events.trouble(message)
      },
      gone: (why) => {
        if (slot.process === process) slot.process = undefined
        if (!stopped) bury(slot, why)
      },
    })
    return process
  }

  /** A process is gone: its servers keep their state until its successor has looked. */
  function bury(slot: Slot, why: string | undefined): void {
    slot.restarts++
    if (why === undefined) {
      tend(slot)
      return
    }
    slot.deathsInARow = clock.now() - slot.bornAt > healthyAge ? 1 : slot.deathsInARow + 1
    const delay = restartDelay(slot.deathsInARow)
    logger.error('prober.died', `${slot.name} ${why}`, { prober: slot.name, checks: slot.checks })
    events.trouble(
      `${slot.name} ${why}; its ${count(slot.checks, 'check')} ${slot.checks === 1 ? 'goes' : 'go'} on in a new one`,
    )
    slot.waiting = clock.after(delay, () => {
      slot.waiting = undefined
      tend(slot)
    })
  }

  function restart(name: string): boolean {
    const slot = slots.find((each) => each.name === name)
    if (slot === undefined) return false
    slot.waiting?.cancel()
    slot.waiting = undefined
    slot.deathsInARow = 0
    if (slot.process === undefined) tend(slot)
    else void slot.process.stop()
    return true
  }

  function take(report: Report): void {
    const entry = known.get(report.id)
    if (entry === undefined) return
    entry.up = report.up
    entry.seen = true
    entry.verdict = report.verdict
    entry.at = report.at
    events.report(report)
  }

  async function figures(ids?: readonly string[]): Promise<readonly Figures[]> {
    const all: Figures[] = []
    const wanted = ids?.flatMap((id) => known.get(id) ?? [])
    await Promise.all(slots.map((slot) => askFor(wanted ?? known.values(), slot, all)))
    return all
  }

  /** The next few when there is an answer for the last: a prober has probes to make, and so has whoever hears it others to serve. */
  async function askFor(entries: Iterable<Known>, slot: Slot, all: Figures[]): Promise<void> {
    const { process } = slot
    let answers = process !== undefined
    let some: Known[] = []
    const ask = async (): Promise<void> => {
      const told = answers ? await process?.figures(some.map(({ check }) => check.id)) : undefined
      answers = told !== undefined
      const heard = new Map(told?.map((each) => [each.id, each]))
      for (const entry of some) all.push(heard.get(entry.check.id) ?? unheard(entry))
      some = []
    }
    for (const entry of entries) {
      if (entry.slot === slot) some.push(entry)
      if (some.length === figuresAtOnce) await ask()
    }
    if (some.length > 0) await ask()
  }

  function readFiles(paths: Iterable<string>): ReadonlyMap<string, string> {
    const files = new Map<string, string>()
    for (const path of paths) {
      try {
        files.set(path, readFileSync(path, 'utf8'))
      } catch (error) {
        unreadable.add(path)
        events.trouble(`cannot read ${path} for SSL_GET: ${describeError(error)}`)
      }
    }
    return files
  }

  return {
    setChecks,
    changeChecks,
    rereadFiles,
    figures,
    async stop() {
      stopped = true
      for (const slot of slots) slot.waiting?.cancel()
      await Promise.all(slots.map(async (slot) => slot.process?.stop()))
    },
    restart,
    processes: () =>
      slots.map(({ name, process, checks, restarts }) => ({ name, pid: process?.pid, checks, restarts })),
  }
}

/** Equal checks go to the same process: by the hash that an id begins with. */
function slotOf(id: string, count: number): number {
  let sum = 0
  for (let i = 0; i < 8 && i < id.length; i++) sum = (31 * sum + id.charCodeAt(i)) >>> 0
  return sum % count
}

function initialOf({ check, up, seen }: Known): InitialHealth {
  return { up, seen, unproven: check.initial.unproven && !seen }
}

/** What is known of a check whose process does not answer. */
function unheard({ check, up, verdict, at }: Known): Figures {
  return {
    id: check.id,
    up,
    failures: 0,
    last: verdict === undefined ? undefined : { ...verdict, at },
    probes: 0,
    failed: 0,
    late: 0,
    nextIn: undefined,
  }
}

function sameFiles(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([path, text]) => b.get(path) === text)
}
