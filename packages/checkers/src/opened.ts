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

/** A connection opened, or would have; or what was asked was answered, by this status. */
export function opened({ at, opening }: Door, took: Millis, status: number): Finding {
  const where = whereOf(at)
  if (typeof opening === 'object') return pass(`got ${status} after ${formatDuration(took)} from ${where}`)
  const what = opening === 'halfOpen' ? `${where} would connect` : `connected to ${where}`
  return pass(`${what} after ${formatDuration(took)}`)
}

/** None did, in the time there was. */
export function notOpened({ at }: Door, waited: Millis, waiting = 'no connection to'): Finding {
  return fail('timeout', `${waiting} ${whereOf(at)} after ${formatDuration(waited)}`)
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

  /** How long the last took, when it ended, and how it was answered. */
  keep(place: number, took: Millis, ended: Millis, status: number): void {
    this.#moments[place * each + 1] = took
    this.#moments[place * each + 2] = ended
    this.#moments[place * each + 3] = status
  }

  took(place: number): Millis {
    return this.#read(place, 1)
  }

  ended(place: number): Millis {
    return this.#read(place, 2)
  }

  status(place: number): number {
    return this.#read(place, 3)
  }

  #read(place: number, which: number): Millis {
    return millis(this.#moments[place * each + which] ?? 0)
  }
}

/** Numbers of a place. */
const each = 4

function grown(from: Float64Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2)
  to.set(from)
  return to
}
