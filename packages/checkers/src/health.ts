import type { CheckTiming } from '@ipvs-director/config'
import { millis, type Millis } from '@ipvs-director/core'
import type { InitialHealth, Verdict } from './checker.ts'

/** What a checker believes between two probes. */
export interface Health {
  readonly up: boolean
  /** A probe has decided `up` at least once; before that it is an assumption. */
  readonly settled: boolean
  /** Failures in a row, counted and forgiven so far. */
  readonly failures: number
  /** Successes in a row while down, counted towards `rise`. */
  readonly successes: number
  /** Which part of the check (which url) the next probe is of. */
  readonly cursor: number
  /** The part at `cursor` is the one that took the server down, and it alone is probed until it succeeds. */
  readonly stuck: boolean
}

/** What one verdict did, and how long until the next probe. */
export interface Step {
  readonly health: Health
  readonly next: Millis
  readonly turned: 'up' | 'down' | undefined
}

/** How a check of several parts is walked; most have one part. */
export interface Course {
  /** How many urls there are. */
  readonly parts: number
  /** `fast_recovery`: while not up, the next part follows at once. */
  readonly fast: boolean
}

/** From belief and verdict to belief. Each checker names the one it goes by. */
export interface HealthMachine {
  start(initial: InitialHealth, timing: CheckTiming): Health
  step(health: Health, verdict: Verdict, timing: CheckTiming, course: Course): Step
}

/** What nearly every check of one part comes to: one object for all of them. */
export const risen: Health = { up: true, settled: true, failures: 0, successes: 0, cursor: 0, stuck: false }
const fallen: Health = { ...risen, up: false }

/** Where the checkers differ in forgiving (reference: keepalived's layer4.c, check_smtp.c, check_dns.c). */
export interface Forgiving {
  /**
   * When failures are retried: `unlessDown` while up or not yet settled (TCP, UDP, PING, MISC), `whileUp` (DNS), or
   * `always`, also while down (SMTP).
   */
  readonly retries: 'unlessDown' | 'whileUp' | 'always'
  /** At daemon start the first failure counts at once, without retries. SMTP clears its count before each cycle. */
  readonly firstCounts: boolean
}

/** Up by `rise` successes; down by `retry` + 1 failures in a row, or by the very first when nothing is known yet. */
export function forgivingHealth(rules: Forgiving): HealthMachine {
  return {
    start: (initial, timing) => ({
      up: initial.up,
      settled: initial.seen,
      failures: rules.firstCounts && initial.unproven ? timing.retry : 0,
      successes: 0,
      cursor: 0,
      stuck: false,
    }),

    step(health, verdict, timing) {
      if (verdict.class === 'local') return unchanged(health, timing)
      if (verdict.up) {
        if (rising(health, timing)) {
          const successes = health.successes + 1
          return { health: { ...health, failures: 0, successes }, next: changingOf(timing), turned: undefined }
        }
        const turned = health.up ? undefined : 'up'
        return { health: risen, next: timing.delayLoop, turned }
      }
      if (forgives(rules, health) && health.failures < timing.retry) {
        const failures = health.failures + 1
        const next = timing.changing ?? timing.delayBeforeRetry
        return { health: { ...health, failures, successes: 0 }, next, turned: undefined }
      }
      const turned = health.up ? 'down' : undefined
      return { health: fallen, next: timing.delayLoop, turned }
    },
  }
}

function forgives(rules: Forgiving, health: Health): boolean {
  if (rules.retries === 'always') return true
  return health.up || (rules.retries === 'unlessDown' && !health.settled)
}

/** Whether a success is one too few for a server that is down. */
export function rising(health: Health, { rise = 1 }: CheckTiming): boolean {
  return !health.up && health.successes + 1 < rise
}

/** The wait between two checks while successes are being counted. */
export const changingOf = (timing: CheckTiming): Millis => timing.changing ?? timing.delayLoop

/** A failure of our own says nothing about the server: believe what was believed, and try again later. */
export function unchanged(health: Health, timing: CheckTiming): Step {
  return { health, next: timing.delayLoop, turned: undefined }
}

/** TCP, UDP, PING and MISC. */
export const commonHealth = forgivingHealth({ retries: 'unlessDown', firstCounts: true })

/** DNS_CHECK: a server that is down gets no retries, also before its first result. */
export const dnsHealth = forgivingHealth({ retries: 'whileUp', firstCounts: true })

/** SMTP_CHECK: every cycle has all its retries, whatever is believed. */
export const smtpHealth = forgivingHealth({ retries: 'always', firstCounts: false })

/** A check of one part. */
export const oneCourse: Course = { parts: 1, fast: false }

/** FILE_CHECK and BFD_CHECK: what they are told is so, at once. */
export const eventHealth: HealthMachine = {
  start: (initial, timing) => commonHealth.start(initial, timing),
  step: (health, verdict, timing) =>
    commonHealth.step({ ...health, failures: 0 }, verdict, { ...timing, retry: 0, rise: 1 }, oneCourse),
}

/** "Immediately", as a wait. */
export const atOnce = millis(0)
