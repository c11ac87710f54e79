import type { Figures } from '@ipvs-director/checkers'
import type { CheckDurations } from '@ipvs-director/control'

/** Sums up how long the probes of a pool took, by kind of check; each check once, whoever asked for it. */
export class DurationSums {
  readonly #seen = new Set<string>()
  readonly #byKind = new Map<string, { counts: number[]; sum: number }>()

  add(kind: string, figures: Figures | undefined): void {
    const durations = figures?.durations
    if (figures === undefined || durations === undefined || this.#seen.has(figures.id)) return
    this.#seen.add(figures.id)
    const sums = this.#byKind.get(kind)
    if (sums === undefined) {
      this.#byKind.set(kind, { counts: [...durations.counts], sum: durations.sum })
      return
    }
    sums.sum += durations.sum
    durations.counts.forEach((count, i) => (sums.counts[i] = (sums.counts[i] ?? 0) + count))
  }

  all(): CheckDurations[] {
    return [...this.#byKind].map(([check, { counts, sum }]) => ({ check, counts, sum }))
  }
}
