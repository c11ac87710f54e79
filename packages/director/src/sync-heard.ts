import type { Config } from '@ipvs-director/config'
import { seconds, type Clock, type Timer } from '@ipvs-director/core'
import { readFileSync } from 'node:fs'

/** Where the kernel lists connections with their origin: LOCAL, or SYNC for those that another director told of. */
export const connectionsFile = '/proc/net/ip_vs_conn_sync'

const interval = seconds(1)

export interface SyncHeard {
  /** Looks from now on, where an instance waits for it. */
  use(config: Config): void
  stop(): void
}

/** Notices when connections of the other director have come in, for `preempt_gate { ipvs_sync }`. Says so once. */
export function createSyncHeard(
  clock: Clock,
  heard: () => void,
  read: () => string = () => readFileSync(connectionsFile, 'latin1'),
): SyncHeard {
  let timer: Timer | undefined
  let said = false

  function look(): void {
    timer = undefined
    if (!hasSynced(read)) {
      timer = clock.after(interval, look)
      return
    }
    said = true
    heard()
  }

  return {
    use({ vrrp }) {
      timer?.cancel()
      timer = undefined
      if (!said && vrrp.instances.some(({ preemptGate }) => preemptGate?.ipvsSync === true)) look()
    },
    stop() {
      timer?.cancel()
      timer = undefined
    },
  }
}

/** A kernel without the file, or without IPVS, has heard of nobody. */
function hasSynced(read: () => string): boolean {
  try {
    return / SYNC +\d+$/m.test(read())
  } catch {
    return false
  }
}
