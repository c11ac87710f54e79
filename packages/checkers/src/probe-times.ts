import { grown, millis, type Millis } from '@ipvs-director/core'

/** Moments by place, side by side: nothing else is written down of a server that is up as it was before. */
export class ProbeTimes {
  #numbers = new Float64Array(64 * each)

  /** A probe that was to start at `due` starts. */
  begin(place: number, due: number, now: Millis): void {
    while ((place + 1) * each > this.#numbers.length) this.#numbers = grown(this.#numbers, 2 * this.#numbers.length)
    this.#numbers[place * each] = due
    this.#numbers[place * each + 1] = now
  }

  due(place: number): Millis {
    return this.#read(place, 0)
  }

  began(place: number): Millis {
    return this.#read(place, 1)
  }

  /** How long the last that opened took, when it ended, and how it was answered. */
  keep(place: number, took: Millis, ended: Millis, status: number): void {
    this.#numbers[place * each + 2] = took
    this.#numbers[place * each + 3] = ended
    this.#numbers[place * each + 4] = status
  }

  took(place: number): Millis {
    return this.#read(place, 2)
  }

  ended(place: number): Millis {
    return this.#read(place, 3)
  }

  status(place: number): number {
    return this.#read(place, 4)
  }

  #read(place: number, which: number): Millis {
    return millis(this.#numbers[place * each + which] ?? 0)
  }
}

/** Numbers of a place. */
const each = 5
