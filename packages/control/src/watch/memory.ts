import type { Event, ServerStatus, Status } from '../model.ts'
import { rowKey } from './rows.ts'

/** Samples kept for each course. */
const samples = 60
/** Events kept, and shown at most. */
const keptEvents = 5

/** What the live screen remembers from picture to picture. */
export interface WatchMemory {
  /** Connections per second, by row. */
  readonly rates: Map<string, number[]>
  /** Milliseconds that the slowest check of a real server took, by row. */
  readonly latencies: Map<string, number[]>
  events: Event[]
}

export const emptyMemory = (): WatchMemory => ({ rates: new Map(), latencies: new Map(), events: [] })

/** Adds one sample to each course, forgets those whose row is gone, keeps the last events. */
export function remember(memory: WatchMemory, status: Status, events: readonly Event[]): void {
  const there = new Set<string>()
  const add = (course: Map<string, number[]>, key: string, value: number | undefined): void => {
    there.add(key)
    if (value !== undefined) course.set(key, [...(course.get(key) ?? []), value].slice(-samples))
  }
  for (const service of status.virtualServers) {
    add(memory.rates, rowKey(service.name), service.totals.connectionRate)
    for (const server of service.servers) {
      const key = rowKey(service.name, server.name)
      add(memory.rates, key, server.traffic.connectionRate)
      add(memory.latencies, key, latencyOf(server))
    }
  }
  for (const course of [memory.rates, memory.latencies])
    for (const key of course.keys()) if (!there.has(key)) course.delete(key)
  memory.events = [...memory.events, ...events].slice(-keptEvents)
}

/** What the slowest of a server's checks took last; undefined: none was made. */
export function latencyOf({ checks }: ServerStatus): number | undefined {
  const took = checks.map(({ tookMs }) => tookMs).filter((each) => each !== undefined)
  return took.length === 0 ? undefined : Math.max(...took)
}
