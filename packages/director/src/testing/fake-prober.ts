import type { Check, Figures, Prober, ProberEvents, Verdict } from '@ipvs-director/checkers'
import { formatEndpoint, millis } from '@ipvs-director/core'
import type { ProberProcesses } from '../status.ts'

/** A prober that probes nothing: a test says what it saw. Health is not judged here, so each verdict turns at once. */
export interface FakeProber extends Prober, ProberProcesses {
  readonly checks: readonly Check[]
  /** Reports a verdict for every check of this target, `10.0.0.1:80`. */
  saw(target: string, up: boolean, verdict?: Partial<Verdict>): void
  readonly stopped: boolean
  /** Names of those that were to be started anew. */
  readonly restarted: readonly string[]
}

export function fakeProber(events: ProberEvents): FakeProber {
  let checks: readonly Check[] = []
  let stopped = false
  const restarted: string[] = []
  const health = new Map<string, boolean>()
  return {
    get checks() {
      return checks
    },
    get stopped() {
      return stopped
    },
    restarted,
    setChecks(next) {
      checks = next
    },
    changeChecks(gone, come) {
      const told = new Set([...gone, ...come.map(({ id }) => id)])
      checks = [...checks.filter(({ id }) => !told.has(id)), ...come]
    },
    rereadFiles: () => undefined,
    figures: async (): Promise<readonly Figures[]> => [],
    processes: () => [],
    restart(name) {
      restarted.push(name)
      return name === 'prober 1'
    },
    async stop() {
      stopped = true
    },
    saw(target, up, extra = {}) {
      for (const check of checks) {
        if (check.connection === undefined || formatEndpoint(check.connection) !== target) continue
        const before = health.get(check.id)
        health.set(check.id, up)
        events.report({
          id: check.id,
          up,
          first: before === undefined && !check.initial.seen,
          turned: (before ?? check.initial.up) !== up,
          verdict: {
            up,
            class: up ? 'ok' : 'refused',
            reason: up ? 'connected' : 'refused',
            took: millis(1),
            ...extra,
          },
          at: 1000,
        })
      }
    },
  }
}
