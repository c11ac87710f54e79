import { millis, type Millis } from '@ipvs-director/core'

/** What the time until a takeover is made of (reference: RFC 3768 §6.1, RFC 9568 §6.1). */
export interface TimingRule {
  readonly version: 2 | 3
  /** `down_timer_adverts`: 3 in the RFCs. */
  readonly downAdverts: number
}

/** RFC 9568 §6.1: a lower priority waits longer, so the best backup speaks first. v2 counts in seconds whatever the interval. */
export function skewTime(version: 2 | 3, priority: number, masterInterval: Millis): Millis {
  const scale = version === 2 ? 1000 : masterInterval
  return millis(((256 - priority) * scale) / 256)
}

/** Silence before taking over. */
export function masterDownInterval(rule: TimingRule, priority: number, masterInterval: Millis): Millis {
  return millis(rule.downAdverts * masterInterval + skewTime(rule.version, priority, masterInterval))
}

/**
 * The longest pause after which no other machine can have taken over yet: the Master_Down_Interval of the most eager one
 * that is no owner (254).
 */
export function silenceOthersBear(rule: TimingRule, interval: Millis): Millis {
  return masterDownInterval(rule, 254, interval)
}
