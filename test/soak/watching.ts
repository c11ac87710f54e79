import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { controlClient, type ControlClient } from '@ipvs-director/control'
import { formatDuration, seconds } from '@ipvs-director/core'
import { growthOf, isLeak, type Figure, type Reading } from './growth.ts'
import { gapsIn, type Told } from './ledger.ts'

/** What is known of one director over all its runs. */
export interface Watched {
  readonly name: string
  readonly client: ControlClient
  /** One look: its processes' figures and its events since the last one. Nothing where it does not answer. */
  look(): Promise<void>
  readonly events: readonly Told[]
  /** Numbers that were left out. */
  gaps(): string[]
  /** A line for each figure of each process that lived long enough, and those that grew. */
  growth(): { readonly lines: readonly string[]; readonly leaks: readonly string[] }
}

/** Follows one director through its control socket and /proc. `began` is the soak's, of `performance.now()`. */
export function watchDirector(name: string, socket: string, began: number): Watched {
  const client = controlClient({ path: socket, timeout: seconds(20) })
  const events: Told[] = []
  const runs: { started: number; sequences: number[] }[] = []
  /** One look at a time: two would read the same events. */
  let looking: Promise<void> = Promise.resolve()
  const series = new Map<string, Map<Figure, Reading[]>>()

  function read(process: string, figure: Figure, value: number | undefined): void {
    if (value === undefined) return
    const figures = series.get(process) ?? new Map<Figure, Reading[]>()
    series.set(process, figures)
    const readings = figures.get(figure) ?? []
    figures.set(figure, readings)
    readings.push({ at: (performance.now() - began) / 1000, value })
  }

  async function readEvents(): Promise<void> {
    const { startedAt } = await client.version()
    let run = runs.at(-1)
    if (run?.started !== startedAt) runs.push((run = { started: startedAt, sequences: [] }))
    for await (const event of client.events({ after: run.sequences.at(-1) ?? 0, follow: false })) {
      run.sequences.push(event.sequence)
      events.push({ ...event, director: name })
    }
  }

  async function readFigures(): Promise<void> {
    const { pid, probers, vrrp } = await client.status()
    const heap = /^ipvs_director_process_heap_bytes (\S+)$/m.exec(await client.text('/metrics'))?.[1]
    read(`director ${pid}`, 'heap', heap === undefined ? undefined : Number(heap))
    read(`director ${pid}`, 'processes', childrenOf(pid))
    const processes = [['director', pid], ...probers.map((each) => ['prober', each.pid]), ['vrrp', vrrp?.pid]] as const
    for (const [role, number] of processes) {
      if (typeof number !== 'number') continue
      const figures = figuresOf(number)
      for (const figure of ['rss', 'descriptors', 'sockets'] as const)
        read(`${role} ${number}`, figure, figures?.[figure])
    }
  }

  return {
    name,
    client,
    events,
    look: () =>
      (looking = looking.then(async () => {
        try {
          await readEvents()
          await readFigures()
        } catch {
          // It is being restarted, or stands still: the next look tells.
        }
      })),
    gaps: () => runs.flatMap(({ sequences }, i) => gapsIn(`${name}, run ${i + 1}`, sequences)),
    growth() {
      const lines: string[] = []
      const leaks: string[] = []
      for (const [process, figures] of series) {
        for (const [figure, readings] of figures) {
          const growth = growthOf(readings)
          if (growth === undefined) continue
          const length = (readings.at(-1)?.at ?? 0) - (readings[0]?.at ?? 0)
          const line = `${name} ${process} ${figure}: ${inUnits(figure, growth.first)} to ${inUnits(figure, growth.last)}, ${inUnits(figure, growth.gained)} in the second half of ${formatDuration(length * 1000)}`
          lines.push(line)
          if (length >= longEnough && isLeak(figure, growth)) leaks.push(`it grows: ${line}`)
        }
      }
      return { lines, leaks }
    },
  }
}

/** A process younger than this (seconds) is still filling its caches. */
const longEnough = 120

const inUnits = (figure: Figure, value: number): string =>
  figure === 'rss' || figure === 'heap' ? `${(value / 2 ** 20).toFixed(1)} MiB` : value.toFixed(1)

function figuresOf(pid: number): { rss: number; descriptors: number; sockets: number } | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    const folder = `/proc/${pid}/fd`
    const open = readdirSync(folder).map((number) => linkOf(`${folder}/${number}`))
    return {
      rss: Number(kilobytes) * 1024,
      descriptors: open.length,
      sockets: open.filter((to) => to.startsWith('socket:')).length,
    }
  } catch {
    return undefined
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function childrenOf(pid: number): number | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length
  } catch {
    return undefined
  }
}
