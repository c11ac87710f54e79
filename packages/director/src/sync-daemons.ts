import type { SyncDaemon as Wanted } from '@ipvs-director/config'
import { describeError, seconds, type Clock, type Logger, type Timer } from '@ipvs-director/core'
import type { IpvsClient, SyncDaemon } from 'ipvs-netlink'

export interface SyncDaemonsOptions {
  readonly ipvs: Pick<IpvsClient, 'daemons' | 'startDaemon' | 'stopDaemon'>
  readonly logger: Logger
  readonly clock: Clock
  /** Whether an instance is master; undefined: not known yet. */
  readonly isMaster: (instance: string) => boolean | undefined
}

/** `lvs_sync_daemon`: the kernel's connection synchronisation, in the role of the instance it follows. */
export interface SyncDaemons {
  /** What the configuration wants; undefined: none. */
  use(wanted: Wanted | undefined): Promise<void>
  /** The instance it follows may have turned. */
  follow(): void
  /** Stops what was started here. */
  stop(): Promise<void>
}

/** A daemon that somebody stopped, or that died, is missed after this. */
const lookEvery = seconds(10)

export function createSyncDaemons({ ipvs, logger, clock, isMaster }: SyncDaemonsOptions): SyncDaemons {
  let wanted: Wanted | undefined
  let started: readonly SyncDaemon[] = []
  let timer: Timer | undefined
  let queue: Promise<void> = Promise.resolve()

  function roles({ instance }: Wanted): readonly SyncDaemon['state'][] {
    if (instance === undefined) return ['master', 'backup']
    return [isMaster(instance) === true ? 'master' : 'backup']
  }

  function settle(): Promise<void> {
    queue = queue.then(makeEqual).catch((error: unknown) => {
      logger.error('sync-daemon.failed', `lvs_sync_daemon: ${describeError(error)}`)
    })
    return queue
  }

  /** One role gives way before the other begins: a master that still listens would sync its own connections back. */
  async function makeEqual(): Promise<void> {
    const now = wanted
    const wish = now === undefined ? [] : roles(now).map((state) => daemonOf(now, state))
    if (wish.length === 0 && started.length === 0) return
    const running = await ipvs.daemons()
    for (const daemon of running) {
      const mine = started.some((each) => each.state === daemon.state)
      const other = wish.length > 0 && !wish.some((each) => isSame(each, daemon))
      if ((mine && !wish.some((each) => isSame(each, daemon))) || other) await ipvs.stopDaemon(daemon)
    }
    for (const daemon of wish) {
      if (running.some((each) => isSame(daemon, each))) continue
      await ipvs.startDaemon(daemon)
      started = [...started, daemon]
      logger.info(
        'sync-daemon.started',
        `IPVS sync daemon: ${daemon.state} on ${daemon.interface}, syncid ${daemon.syncId}`,
      )
    }
    started = wish
  }

  function schedule(): void {
    timer?.cancel()
    timer = wanted === undefined ? undefined : clock.after(lookEvery, () => void settle().finally(schedule))
  }

  return {
    async use(next) {
      wanted = next
      await settle()
      schedule()
    },
    follow: () => void settle(),
    async stop() {
      wanted = undefined
      timer?.cancel()
      await settle()
    },
  }
}

function daemonOf({ interface: on, id, maxLength, port, ttl, group }: Wanted, state: SyncDaemon['state']): SyncDaemon {
  return {
    state,
    interface: on,
    syncId: id,
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(port === undefined ? {} : { port }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(group === undefined ? {} : { group }),
  }
}

/** What is not asked for the kernel may choose. */
function isSame(wish: SyncDaemon, running: SyncDaemon): boolean {
  return (
    wish.state === running.state &&
    wish.interface === running.interface &&
    wish.syncId === running.syncId &&
    (wish.port === undefined || wish.port === running.port) &&
    (wish.ttl === undefined || wish.ttl === running.ttl) &&
    (wish.group === undefined || wish.group === running.group) &&
    (wish.maxLength === undefined || wish.maxLength === running.maxLength)
  )
}
