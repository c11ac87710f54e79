import { millis } from '@ipvs-director/core'
import { atOnce, changingOf, rising, risen, unchanged, type Health, type HealthMachine } from '../health.ts'

/**
 * HTTP_GET and SSL_GET (keepalived's check_http.c): one url per delay_loop, up when all of them succeeded in a row.
 * The url that took the server down is remembered and polled alone; after its first success the whole list is walked
 * once more before the server is up again, so that even a single url needs two successes. `rise` counts such walks.
 */
export const httpHealth: HealthMachine = {
  start: (initial, timing) => ({
    up: initial.up,
    settled: initial.seen,
    failures: initial.unproven ? timing.retry : 0,
    successes: 0,
    cursor: 0,
    stuck: initial.seen && !initial.up,
  }),

  step(health, verdict, timing, { parts, fast }) {
    if (verdict.class === 'local') return unchanged(health, timing)
    if (!verdict.up) {
      const failures = health.failures + 1
      if (!health.stuck && failures <= timing.retry) {
        const next = timing.changing ?? timing.delayBeforeRetry
        return { health: { ...health, failures, successes: 0 }, next, turned: undefined }
      }
      return {
        health: { up: false, settled: true, failures: 0, successes: 0, cursor: health.cursor, stuck: true },
        next: millis(Math.max(timing.delayBeforeRetry, timing.delayLoop)),
        turned: health.up ? 'down' : undefined,
      }
    }
    const inTurn = health.up ? timing.delayLoop : changingOf(timing)
    const soon = fast && !(health.up && health.settled) ? atOnce : inTurn
    if (health.stuck) {
      return { health: { ...health, failures: 0, cursor: 0, stuck: false }, next: soon, turned: undefined }
    }
    const cursor = health.cursor + 1
    if (cursor < parts) return { health: { ...health, failures: 0, cursor }, next: soon, turned: undefined }
    if (rising(health, timing)) {
      const counted: Health = { ...health, failures: 0, successes: health.successes + 1, cursor: 0 }
      return { health: counted, next: soon, turned: undefined }
    }
    return {
      health: risen,
      next: timing.delayLoop,
      turned: health.up ? undefined : 'up',
    }
  },
}
