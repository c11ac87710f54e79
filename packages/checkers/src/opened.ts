import type { CheckConnection } from '@ipvs-director/config'
import { formatDuration, type Millis } from '@ipvs-director/core'
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
