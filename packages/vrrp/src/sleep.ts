import { formatDuration, type Logger, millis, type Millis } from '@ipvs-director/core'
import type { VrrpLink } from './link.ts'

/** Clocks that are read one after the other may be that far apart for other reasons. */
const least = 20

/**
 * Whether the machine was suspended since the last look: its monotonic clock stood still, and so did every timer. Looked
 * at before anything else happens, so that nothing is believed or said before everybody knows.
 */
export function createSleepWatch(
  link: Pick<VrrpLink, 'suspended'>,
  logger: Logger,
  woke: (asleep: Millis) => void,
): { look(): void } {
  let before = link.suspended()
  return {
    look() {
      const now = link.suspended()
      const asleep = millis(now - before)
      if (Math.abs(asleep) < least) return
      before = now
      if (asleep < 0) return
      logger.warn('vrrp.suspended', `the machine was suspended for ${formatDuration(asleep)}`)
      woke(asleep)
    },
  }
}
