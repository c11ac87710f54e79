import type { LogLine } from './line.ts'

/** Lines of one event name that pass in one window; what is above is counted. */
export interface StormLimit {
  readonly lines: number
  /** Milliseconds. */
  readonly window: number
}

export const defaultStormLimit: StormLimit = { lines: 200, window: 10_000 }

export interface StormGate {
  /** True: say it. False: it is counted, and told of by `due`. */
  admit(line: LogLine): boolean
  /** One line per event that had more than its share, for the windows that are over at `now` (or all of them). */
  due(now: number, all?: boolean): LogLine[]
}

interface Window {
  readonly since: number
  passed: number
  held: number
  level: LogLine['level']
}

/** Lets each event have its say, and no event drown the others. Pure but for its counters: time comes with the lines. */
export function createStormGate(limit: StormLimit = defaultStormLimit): StormGate {
  const windows = new Map<string, Window>()
  return {
    admit({ event, level, at }) {
      const now = at.getTime()
      let window = windows.get(event)
      // A clock that was set back begins anew rather than holding lines until it catches up.
      const isOver = window !== undefined && (now - window.since >= limit.window || now < window.since)
      if (window === undefined || (isOver && window.held === 0)) {
        window = { since: now, passed: 0, held: 0, level }
        windows.set(event, window)
      }
      if (window.passed < limit.lines) {
        window.passed++
        return true
      }
      window.held++
      window.level = level
      return false
    },
    due(now, all = false) {
      const summaries: LogLine[] = []
      for (const [event, { since, held, level }] of windows) {
        if (!all && now - since < limit.window && now >= since) continue
        windows.delete(event)
        if (held > 0) summaries.push(summary(event, held, level, new Date(now), Math.max(now - since, 0)))
      }
      return summaries
    },
  }
}

function summary(event: string, held: number, level: LogLine['level'], at: Date, during: number): LogLine {
  const message = `${held} more of ${event} in ${Math.max(1, Math.round(during / 1000))} s, not written one by one; \`ipvs-ctl events\` has them`
  return { level, event: 'log.held', message, fields: { event, held }, at }
}
