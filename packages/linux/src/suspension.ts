/** How long the machine has been asleep: what its monotonic clock did not see. */
import { millis, type Millis } from '@ipvs-director/core'
import { clockGettime } from './native.ts'

const CLOCK_MONOTONIC = 1
/** Goes on while the machine is suspended; else the same, time namespaces and corrections included. */
const CLOCK_BOOTTIME = 7
const tries = 8
/** Milliseconds between the looks at two clocks that count as the same moment. */
const sameMoment = 1

/** All its sleeps since it was started, and a constant where a time namespace has other offsets. */
export function timeSuspended(): Millis {
  let closest = Infinity
  let suspended = 0
  for (let i = 0; i < tries && closest > sameMoment; i++) {
    const before = clockGettime(CLOCK_MONOTONIC)
    const boot = clockGettime(CLOCK_BOOTTIME)
    const took = clockGettime(CLOCK_MONOTONIC) - before
    if (took < closest) {
      closest = took
      suspended = boot - before - took / 2
    }
  }
  return millis(suspended)
}
