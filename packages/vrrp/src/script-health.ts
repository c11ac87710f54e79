/** How many successes and failures of a `vrrp_script` count (reference/vrrp.md §5). */
export interface RiseFall {
  readonly rise: number
  readonly fall: number
}

/** A counter from 0 to rise + fall − 1: good from `rise` on. */
export interface ScriptHealth {
  readonly result: number
  /** False: no result yet, and the first decides alone. */
  readonly known: boolean
}

/** `init_fail`: bad until proven good; else unknown. */
export const initialHealth = ({ rise }: RiseFall, initFail: boolean): ScriptHealth =>
  initFail ? { result: 0, known: true } : { result: rise - 1, known: false }

export const isGood = (health: ScriptHealth, { rise }: RiseFall): boolean => health.result >= rise

/** What one run does to it. */
export function stepScript(health: ScriptHealth, success: boolean, { rise, fall }: RiseFall): ScriptHealth {
  const { result } = health
  if (success) return { result: result < rise - 1 ? result + 1 : rise + fall - 1, known: true }
  return { result: result > rise ? result - 1 : 0, known: true }
}

/** After a reload with other counts: the same belief, at the end of its range. */
export const rescaled = (health: ScriptHealth, before: RiseFall, now: RiseFall): ScriptHealth =>
  before.rise === now.rise && before.fall === now.fall
    ? health
    : {
        known: health.known,
        result: !health.known ? now.rise - 1 : isGood(health, before) ? now.rise + now.fall - 1 : 0,
      }
