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

/** Moments by place, side by side: nothing else is written down of a server that is up as it was before. */
export class OpenTimes {
  #moments = new Float64Array(64 * each)

  begin(place: number, now: Millis): void {
    while ((place + 1) * each > this.#moments.length) this.#moments = grown(this.#moments)
    this.#moments[place * each] = now
  }

  began(place: number): Millis {
    return this.#read(place, 0)
  }

  /** How long the last took, and when it ended. */
  keep(place: number, took: Millis, ended: Millis): void {
    this.#moments[place * each + 1] = took
    this.#moments[place * each + 2] = ended
  }

  took(place: number): Millis {
    return this.#read(place, 1)
  }

  ended(place: number): Millis {
    return this.#read(place, 2)
  }

  #read(place: number, which: number): Millis {
    return millis(this.#moments[place * each + which] ?? 0)
  }
}

/** Numbers of a place. */
const each = 3

function grown(from: Float64Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2)
  to.set(from)
  return to
}
