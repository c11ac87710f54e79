import { type Clock, type Millis, millis, type Timer } from '@ipvs-director/core'

/** Timers of many instances: what is due at the same moment costs one timer of the clock, however much it is. */
export interface Agenda {
  /** Calls once at that moment of the monotonic clock; at once is still later. */
  at(due: Millis, action: () => void): Timer
}

export function createAgenda(clock: Clock): Agenda {
  const moments = new Map<number, { readonly actions: Set<() => void>; readonly timer: Timer }>()

  const fire = (due: number): void => {
    const actions = moments.get(due)?.actions ?? []
    moments.delete(due)
    for (const action of actions) action() // one that is cancelled meanwhile is not called
  }

  return {
    at(due, action) {
      const own = (): void => {
        action()
      }
      let moment = moments.get(due)
      if (moment === undefined) {
        const timer = clock.after(millis(Math.max(0, due - clock.now())), () => {
          fire(due)
        })
        moment = { actions: new Set(), timer }
        moments.set(due, moment)
      }
      const { actions, timer } = moment
      actions.add(own)
      return {
        cancel() {
          if (!actions.delete(own) || actions.size > 0 || moments.get(due)?.actions !== actions) return
          moments.delete(due)
          timer.cancel()
        },
      }
    },
  }
}

/**
 * Masters of the same interval advertise together: at most this share of the interval before their time, never after it.
 * 500 of them then wake the process twenty times a second instead of five hundred times.
 */
export const advertSlack = 1 / 20

/** The beat at which an advertisement that is due then is sent. It divides the interval, so the distance stays exact. */
export function beatOf(due: Millis, interval: Millis): Millis {
  const beat = interval * advertSlack
  return millis(Math.floor(due / beat + rounding) * beat)
}

/** Sums of fractions: what is a beat but for that is one. */
const rounding = 1e-6
