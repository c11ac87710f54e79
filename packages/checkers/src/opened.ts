import type { CheckConnection } from '@ipvs-director/config'
import { formatDuration, millis, type Millis } from '@ipvs-director/core'
import type { Opening } from './io/port.ts'
import { whereOf } from './io/target.ts'
import { fail, pass, type Finding } from './verdict.ts'

/** A check that only asks this. */
export interface Door {
  readonly at: CheckConnection
  readonly opening: Opening
}

/** A connection opened, or would have. */
export function opened({ at, opening }: Door, took: Millis): Finding {
  const where = whereOf(at)
  const what = opening === 'halfOpen' ? `${where} would connect` : `connected to ${where}`
  return pass(`${what} after ${formatDuration(took)}`)
}

/** None did, in the time there was. */
export function notOpened({ at }: Door, waited: Millis): Finding {
  return fail('timeout', `no connection to ${whereOf(at)} after ${formatDuration(waited)}`)
}

/** Moments by place: nothing else is written down of a server that is up as it was before. */
export class OpenTimes {
  #began = new Float64Array(64)
  #took = new Float64Array(64)
  #at = new Float64Array(64)

  begin(place: number, now: Millis): void {
    if (place >= this.#began.length) {
      this.#began = grown(this.#began)
      this.#took = grown(this.#took)
      this.#at = grown(this.#at)
    }
    this.#began[place] = now
  }

  began(place: number): Millis {
    return millis(this.#began[place] ?? 0)
  }

  /** How long the last took, and when that was by the wall clock. */
  keep(place: number, took: Millis, at: number): void {
    this.#took[place] = took
    this.#at[place] = at
  }

  took(place: number): Millis {
    return millis(this.#took[place] ?? 0)
  }

  at(place: number): number {
    return this.#at[place] ?? 0
  }
}

function grown(from: Float64Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2)
  to.set(from)
  return to
}
