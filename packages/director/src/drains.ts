import { describeError, seconds, type Clock, type Logger, type Timer } from '@ipvs-director/core'
import { destinationName } from './desired.ts'
import type { KernelView } from './kernel-view.ts'
import type { Pool, PoolServer } from './pool.ts'
import type { Admin } from './steer.ts'

/** How often the kernel is asked while somebody is being drained. */
const interval = seconds(1)

export interface DrainsOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly pools: () => readonly Pool[]
  readonly readKernel: () => Promise<KernelView>
  /** A server has nothing left, or its time is over. */
  readonly drained: (pool: Pool, server: PoolServer, left: number) => void
}

/** Watches the connections of servers that are being drained. Idle while there are none. */
export interface Drains {
  /** Somebody may be draining now. */
  look(): void
  stop(): void
}

export function createDrains({ clock, logger, pools, readKernel, drained }: DrainsOptions): Drains {
  let timer: Timer | undefined
  let stopped = false

  function look(): void {
    if (stopped || timer !== undefined || !anyDraining(pools())) return
    timer = clock.after(interval, () => {
      void round()
        .catch((error: unknown) => {
          logger.warn('drain.unknown', `cannot count the connections of drained servers: ${describeError(error)}`)
        })
        .finally(() => {
          timer = undefined
          look()
        })
    })
  }

  async function round(): Promise<void> {
    const view = await readKernel()
    const now = clock.wall()
    for (const pool of pools()) {
      for (const server of pool.servers.values()) {
        const { admin } = server.steer
        if (admin?.kind !== 'draining') continue
        const left = connectionsLeft(pool, server, view)
        if (left === 0 || isOver(admin, now)) drained(pool, server, left)
      }
    }
  }

  return {
    look,
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

function anyDraining(pools: readonly Pool[]): boolean {
  return pools.some((pool) => [...pool.servers.values()].some(({ steer }) => steer.admin?.kind === 'draining'))
}

const isOver = (admin: Admin & { kind: 'draining' }, now: number): boolean =>
  admin.deadline !== undefined && now >= admin.deadline

/**
 * Connections that would be cut. For TCP and SCTP those established: the others are being closed anyway. IPVS knows no
 * established UDP, so there every entry counts, until it has expired (`lvs_timeouts`).
 */
export function connectionsLeft(pool: Pool, server: PoolServer, view: KernelView): number {
  const entry = view.destination(pool, (key) => destinationName(server, key))
  if (entry === undefined) return 0
  const { activeConnections, inactiveConnections } = entry.traffic
  return pool.config.protocol === 'udp' ? activeConnections + inactiveConnections : activeConnections
}
