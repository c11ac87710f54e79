import type { Event } from '@ipvs-director/control'

/** What was done to the world. */
export type Cause = 'server' | 'prober' | 'vrrp' | 'link' | 'reload' | 'steer' | 'tamper' | 'start' | 'machine'

export interface Done {
  readonly cause: Cause
  /** Wall clock; what follows from it may still come `after` it. */
  readonly from: number
  readonly to: number
  /** The director it was done to; undefined: both may tell of it. */
  readonly director?: string
  /** The real server it was done to. */
  readonly server?: string
}

/** A director's event with the director that told it. */
export interface Told extends Event {
  readonly director: string
}

/** Which causes may explain an event; one that is not here is explained by nothing. */
const explanations: readonly (readonly [pattern: RegExp, causes: readonly Cause[]])[] = [
  [/^server\.(?:up|down)$/, ['server', 'link', 'start', 'prober', 'machine']],
  [/^server\.weight$/, ['reload', 'steer']],
  [/^server\.(?:drained|gone)$/, ['reload', 'steer', 'start']],
  [/^quorum\.(?:up|down)$/, ['link', 'start', 'reload', 'machine']],
  [/^vrrp\./, ['vrrp', 'link', 'start', 'machine']],
  [/^reload/, ['reload']],
  [/^steer$/, ['steer']],
  [/^drift$/, ['tamper']],
  [/^prober\./, ['prober', 'link']],
  [/^start$/, ['start']],
]

/** The events that nothing done explains: `slack` milliseconds are what noticing may take. */
export function unexplained(events: readonly Told[], done: readonly Done[], slack: number): Told[] {
  return events.filter((event) => !done.some((each) => explains(each, event, slack)))
}

function explains({ cause, from, to, director, server }: Done, event: Told, slack: number): boolean {
  // Clocks of two processes on one machine: a millisecond is cut off on either side.
  if (event.at < from - 1 || event.at > to + slack) return false
  if (director !== undefined && director !== event.director) return false
  const about = event.fields['server']
  if (server !== undefined && about !== undefined && about !== server) return false
  return explanations.some(([pattern, causes]) => pattern.test(event.event) && causes.includes(cause))
}

/** Where the numbers of one run's events do not follow one another, as texts. */
export function gapsIn(run: string, sequences: readonly number[]): string[] {
  return sequences.flatMap((sequence, i) => {
    const before = i === 0 ? 0 : (sequences[i - 1] ?? 0)
    return sequence === before + 1 ? [] : [`${run}: event ${sequence} comes after ${before}`]
  })
}
