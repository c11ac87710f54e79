import type { Event } from '@ipvs-director/control'

/** An ordered memory of what happened, for those who listen and those who come a little late. */
export interface EventLog {
  add(event: string, message: string, fields?: Event['fields']): void
  /** Calls back for every remembered event after `after`, then for each new one; returns the unsubscriber. */
  subscribe(after: number, listener: (event: Event) => void): () => void
  readonly last: number
  /** The wall clock that events are stamped by. */
  wall(): number
}

/** Keeps the newest `keep` events; sequence numbers start at 1 and never repeat within a run. */
export function createEventLog(wall: () => number, keep = 10_000): EventLog {
  let events: Event[] = []
  let sequence = 0
  const listeners = new Set<(event: Event) => void>()
  return {
    wall,
    get last() {
      return sequence
    },
    add(event, message, fields = {}) {
      const entry: Event = { sequence: ++sequence, at: wall(), event, message, fields }
      events.push(entry)
      if (events.length > keep * 2) events = events.slice(-keep)
      for (const listener of listeners) listener(entry)
    },
    subscribe(after, listener) {
      for (const event of events) if (event.sequence > after) listener(event)
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
