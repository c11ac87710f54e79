import { describeError, millis, seconds, type Clock, type Logger, type Millis, type Timer } from '@ipvs-director/core'
import { destinationName, isServedByAnother, serviceKeys } from './desired.ts'
import type { KernelView } from './kernel-view.ts'
import type { Pool, PoolServer } from './pool.ts'

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
  /** By service and server. Deadlines are remembered across runs, so by the wall clock; within a run it may be set meanwhile. */
  let ends = new Map<string, { readonly deadline: number; readonly due: Millis }>()

  /** Who is being drained now, each with the moment at which its time is over. */
  function draining(): { readonly pool: Pool; readonly server: PoolServer; readonly due: Millis }[] {
    const before = ends
    ends = new Map()
    // Of fifty thousand servers none may be steered.
    const steered = pools().filter((pool) => pool.steered > 0)
    return steered.flatMap((pool) =>
      [...pool.servers.values()].flatMap((server) => {
        const { admin } = server.steer
        if (admin?.kind !== 'draining') return []
        const { deadline } = admin
        if (deadline === undefined) return [{ pool, server, due: millis(Infinity) }]
        const key = `${pool.config.name} ${server.name}`
        const known = before.get(key)
        const left = Math.max(0, deadline - clock.wall())
        const end = known?.deadline === deadline ? known : { deadline, due: millis(clock.now() + left) }
        ends.set(key, end)
        return [{ pool, server, due: end.due }]
      }),
    )
  }

  function look(): void {
    if (stopped || draining().length === 0 || timer !== undefined) return
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
    for (const { pool, server, due } of draining()) {
      const left = connectionsLeft(pool, server, view)
      if (left === 0 || clock.now() >= due) drained(pool, server, left)
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

/**
 * Connections that would be cut. For TCP and SCTP those established: the others are being closed anyway. IPVS knows no
 * established UDP, so there every entry counts, until it has expired (`lvs_timeouts`). None, where another real server goes on
 * with the same entry.
 */
export function connectionsLeft(pool: Pool, server: PoolServer, view: KernelView): number {
  const entry = view.destination(pool, (key) => destinationName(server, key))
  if (entry === undefined || serviceKeys(pool.config).every((key) => isServedByAnother(pool, server, key))) return 0
  const { activeConnections, inactiveConnections } = entry.traffic
  return pool.config.protocol === 'udp' ? activeConnections + inactiveConnections : activeConnections
}
