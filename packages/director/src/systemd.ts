import { millis, type Clock, type Millis } from '@ipvs-director/core'
import { openUnixDatagrams } from '@ipvs-director/linux'

/**
 * What is told to whoever started this program, by sd_notify(3): a datagram of NAME=VALUE lines to $NOTIFY_SOCKET.
 * Where nobody listens every method does nothing.
 */
export interface ServiceManager {
  /** Configuration loaded, the table is right: `systemctl start` (and reload) returns now. */
  ready(status: string): void
  /** A reload has begun; `ready` ends it. */
  reloading(): void
  stopping(): void
  /** A line for `systemctl status`. */
  status(text: string): void
  /** What was tried has failed, and why by errno(3); both are shown by `systemctl status`, until the next `ready`. */
  failed(text: string, errno: number): void
  /**
   * Says every half of WatchdogSec that it lives, as long as `alive` says so; without a watchdog nothing. It runs on the
   * loop that does the work: a loop that hangs says nothing, and the program is restarted.
   */
  watch(clock: Clock, alive: () => boolean): void
  /** Resolves when all is sent, at most a second later. Nothing is said any more. */
  close(): Promise<void>
}

type Environment = Record<string, string | undefined>

/**
 * Reads what systemd put into the environment, and takes it out: scripts must not speak for us. `send` is for tests.
 */
export function serviceManager(
  env: Environment = process.env,
  open: (path: string) => Pick<ReturnType<typeof openUnixDatagrams>, 'send' | 'drain' | 'close'> = (path) =>
    openUnixDatagrams({ path }),
): ServiceManager {
  const path = env['NOTIFY_SOCKET']
  const limit = watchdogLimit(env)
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name)
  if (path === undefined || !/^[/@]./.test(path)) return silent
  const socket = open(path)
  let closed = false
  let failing = false
  const say = (...lines: readonly string[]): void => {
    if (!closed) socket.send(Buffer.from(lines.join('\n')))
  }
  return {
    ready(status) {
      say('READY=1', `MAINPID=${process.pid}`, oneLine('STATUS', status), ...(failing ? ['ERRNO=0'] : []))
      failing = false
    },
    reloading: () => say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => say('STOPPING=1'),
    status: (text) => say(oneLine('STATUS', text)),
    failed(text, errno) {
      failing = true
      say(oneLine('STATUS', text), `ERRNO=${errno}`)
    },
    watch(clock, alive) {
      if (limit === undefined) return
      const ping = (): void => {
        if (closed) return
        if (alive()) say('WATCHDOG=1')
        clock.after(millis(limit / 2), ping)
      }
      ping()
    },
    async close() {
      closed = true
      await socket.drain(1000)
      socket.close()
    },
  }
}

/** WatchdogSec, where it is meant for this process (sd_watchdog_enabled(3)); undefined: none. */
function watchdogLimit(env: Environment): Millis | undefined {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = env
  const limit = Number(microseconds ?? '') / 1000
  if (!Number.isFinite(limit) || limit <= 0) return undefined
  return pid === undefined || Number(pid) === process.pid ? millis(limit) : undefined
}

const oneLine = (name: string, text: string): string => `${name}=${text.replace(/\s+/g, ' ')}`

const nothing = (): void => undefined
const silent: ServiceManager = {
  ...{ ready: nothing, reloading: nothing, stopping: nothing, status: nothing, failed: nothing, watch: nothing },
  close: () => Promise.resolve(),
}
