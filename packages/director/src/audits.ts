import type { Drift, DriftReport } from '@ipvs-director/control'
import { describeError, type Clock, type Logger, type Millis, type Timer } from '@ipvs-director/core'
import type { EventLog } from './events.ts'
import type { Reconciler } from './reconcile.ts'
import { foreignOf } from './status.ts'

export interface AuditsOptions {
  readonly reconciler: Reconciler
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventLog
  /** `reconcile_interval`; undefined: nothing to audit yet. */
  readonly interval: () => Millis | undefined
}

/** Looks at the kernel's table every now and then, and tells what somebody else did to it. */
export interface Audits {
  /** Sees to it that a next one comes; a wait under way goes on unless its length has changed. */
  schedule(): void
  audit(): Promise<DriftReport>
  last(): Promise<DriftReport>
  stop(): void
}

/** Drifts remembered for `ipvs-ctl drift`. */
const remembered = 100

export function createAudits({ reconciler, clock, logger, events, interval }: AuditsOptions): Audits {
  let timer: Timer | undefined
  let waiting: Millis | undefined
  let stopped = false
  let recent: Drift[] = []
  let report: DriftReport | undefined
  const startedAt = clock.wall()

  function schedule(): void {
    const wait = interval()
    if (wait === waiting) return
    timer?.cancel()
    waiting = undefined
    if (stopped || wait === undefined) return
    waiting = wait
    timer = clock.after(wait, () => {
      waiting = undefined
      void audit()
        .catch((error: unknown) => {
          logger.error('audit.failed', `cannot read the IPVS table: ${describeError(error)}`)
        })
        .finally(schedule)
    })
  }

  async function audit(): Promise<DriftReport> {
    const { at, drifts, repaired } = await reconciler.audit()
    const found: Drift[] = drifts.map((what) => ({ at, what, repaired }))
    for (const drift of found) {
      const message = `drift: ${drift.what}${repaired ? ', repaired' : ', NOT repaired'}`
      logger.warn('drift', message)
      events.add('drift', message)
    }
    const earlier = recent
    recent = [...[...found].reverse(), ...recent].slice(0, remembered)
    report = { at, found, recent: earlier, foreign: reconciler.foreign.map(foreignOf) }
    return report
  }

  return {
    schedule,
    audit,
    last: async () => report ?? { at: startedAt, found: [], recent: [], foreign: reconciler.foreign.map(foreignOf) },
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}
