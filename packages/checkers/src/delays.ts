import type { CheckTiming } from '@ipvs-director/config'
import { millis, type Millis } from '@ipvs-director/core'
import type { Delays, Verdict } from './checker.ts'
import { checkers } from './checkers.ts'
import type { Checker } from './define.ts'
import type { Course, Health } from './health.ts'

/** With more retries than this a server is never down, for all that matters. */
const manyRetries = 100_000
const never = millis(Infinity)

interface Checked {
  readonly kind: string
  readonly timing: CheckTiming
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * Walks the check's own health machine from the worst moment on: the failure comes right after a good probe, of the only
 * url that fails; the recovery right after a bad one. Probes that succeed take no time. Undefined for an unknown kind.
 */
export function delaysOf({ kind, timing, options }: Checked): Delays | undefined {
  const checker = checkers.find((each) => each.keyword === kind)
  if (checker === undefined) return undefined
  if (checker.watchDelays !== undefined) return checker.watchDelays(options)
  const course = checker.course(options)
  const unseen = checker.unseen(options)
  return {
    refused: unseen.includes('refused') ? never : timeToDown(checker, timing, course, 0),
    silent: unseen.includes('silent') ? never : timeToDown(checker, timing, course, timing.timeout),
    ...timeToUp(checker, timing, course),
  }
}

function timeToDown(checker: Checker, timing: CheckTiming, course: Course, probeTime: number): Millis {
  let health: Health = checker.health.start({ up: true, unproven: false, seen: true }, timing)
  let time = 0
  // The last good probe, and those of the other urls until it is the turn of the failing one again.
  do {
    const step = checker.health.step(health, good, timing, course)
    health = step.health
    time += longest(step.next, timing)
  } while (health.cursor !== 0)
  for (let probes = 0; probes < manyRetries; probes++) {
    const step = checker.health.step(health, bad, timing, course)
    health = step.health
    time += probeTime
    if (step.turned === 'down') return millis(time)
    time +=
      checker.interval === 'start' ? Math.max(0, longest(step.next, timing) - probeTime) : longest(step.next, timing)
  }
  return never
}

function timeToUp(checker: Checker, timing: CheckTiming, course: Course): Pick<Delays, 'recovered' | 'successes'> {
  let health: Health = checker.health.start({ up: false, unproven: false, seen: true }, timing)
  let time = 0
  const last = checker.health.step(health, bad, { ...timing, retry: 0 }, course)
  health = last.health
  time += longest(last.next, timing)
  for (let successes = 1; ; successes++) {
    const step = checker.health.step(health, good, timing, course)
    health = step.health
    if (step.turned === 'up') return { recovered: millis(time), successes }
    time += longest(step.next, timing)
  }
}

/** A wait as long as its jitter can make it. */
const longest = (next: Millis, { jitter = 0 }: CheckTiming): number => next * (1 + jitter)

const good: Verdict = { up: true, class: 'ok', reason: '', took: millis(0) }
const bad: Verdict = { up: false, class: 'refused', reason: '', took: millis(0) }
