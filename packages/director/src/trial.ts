import type { Config } from '@ipvs-director/config'
import { millis, type Clock, type Timer } from '@ipvs-director/core'
import type { Removed } from './hand-over.ts'
import type { AddedService } from './overlay.ts'
import type { Remarks } from './remarks.ts'

/** What ran before a reload. */
export interface Before {
  readonly file: Config
  readonly remarks: Remarks
  /** Virtual servers that had been added by hand and were in the new file. */
  readonly services: readonly AddedService[]
  /** Those that were not in the new file any more: one that was down is down when it comes back. */
  readonly removed: Removed
}

/** A reload on trial: what ran before comes back unless somebody confirms in time. */
export interface Trial {
  /** Begins one with what to go back to, or, without a time, ends the one before: what is loaded stays. */
  begin(before: Before | undefined, within: number | undefined): void
  /** Keeps what was loaded; false: nothing was on trial. */
  confirm(): boolean
  /** Wall clock of its end; undefined: nothing is on trial. */
  readonly until: number | undefined
}

/**
 * `expired` is called when the time is over. Whoever goes back may have to wait for his turn, and then asks for what to go back
 * to: undefined when the reload was confirmed meanwhile, or another one has begun a trial of its own.
 */
export function createTrial(clock: Clock, expired: (goBack: () => Before | undefined) => void): Trial {
  let current: { readonly before: Before; readonly until: number; readonly timer: Timer } | undefined
  const end = (): Before | undefined => {
    const ended = current
    current = undefined
    ended?.timer.cancel()
    return ended?.before
  }
  return {
    begin(before, within) {
      // A second reload before the first is confirmed goes back to what was known to be good.
      const good = earliest(end(), before)
      if (within === undefined || good === undefined) return
      const timer = clock.after(millis(within), () => {
        expired(() => (current === mine ? end() : undefined))
      })
      const mine = { before: good, until: clock.wall() + within, timer }
      current = mine
    },
    confirm: () => end() !== undefined,
    get until() {
      return current?.until
    },
  }
}

/** Of two reloads in a row the first one's past, with what either took away. */
function earliest(first: Before | undefined, second: Before | undefined): Before | undefined {
  if (first === undefined || second === undefined) return first ?? second
  return {
    ...first,
    services: [...first.services, ...second.services],
    removed: new Map([...first.removed, ...second.removed]),
  }
}
