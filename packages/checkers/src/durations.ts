import { bucketOf, durationBuckets, grown } from '@ipvs-director/core'

/** How long the probes of a check took. */
export interface Durations {
  /** By bucket (durationBuckets, and one beyond), from the first probe on. */
  readonly counts: readonly number[]
  /** Milliseconds. */
  readonly sum: number
}

const width = durationBuckets.length + 1

/** Counts for many checks in two arrays: a place each, given back when the check ends. */
export class DurationTable {
  #counts = new Uint32Array(64 * width)
  #sums = new Float64Array(64)
  #used = 0
  readonly #free: number[] = []

  /** A place with nothing counted yet. */
  open(): number {
    const place = this.#free.pop() ?? this.#used++
    if (place === this.#sums.length) this.#grow()
    this.#counts.fill(0, place * width, (place + 1) * width)
    this.#sums[place] = 0
    return place
  }

  close(place: number): void {
    this.#free.push(place)
  }

  count(place: number, duration: number): void {
    const at = place * width + bucketOf(duration)
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sums[place] = (this.#sums[place] ?? 0) + duration
  }

  read(place: number): Durations {
    const counts: number[] = []
    for (let at = place * width; at < (place + 1) * width; at++) counts.push(this.#counts[at] ?? 0)
    return { counts, sum: this.#sums[place] ?? 0 }
  }

  #grow(): void {
    this.#counts = grown(this.#counts, 2 * this.#counts.length)
    this.#sums = grown(this.#sums, 2 * this.#sums.length)
  }
}
