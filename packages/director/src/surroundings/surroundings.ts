import type { Config } from '@ipvs-director/config'
import { seconds, systemClock, type Logger, type Millis } from '@ipvs-director/core'
import { withinNamespace } from '@ipvs-director/linux'
import type { Director, DirectorOptions } from '../director-options.ts'
import type { CommandLine } from '../options.ts'
import type { Signals } from '../signals.ts'
import { createDumps } from './dumps.ts'
import { runLifeScript } from './life-scripts.ts'
import { settleProcess } from './settle.ts'
import { createTimedReload } from './timed-reload.ts'

/** What the file says of the program itself, not of services or VRRP: where it runs, what it writes beside its work. */
export interface Surroundings {
  /**
   * Once, before anything is done: network namespace, priorities, `startup_script`. Opens IPVS in the namespace it is to
   * have (`net_namespace_ipvs`).
   */
  readonly settle: <T>(openIpvs: () => Promise<T>) => Promise<T>
  /** The same reader, with `reload_file` there meanwhile. */
  reading(load: DirectorOptions['load']): DirectorOptions['load']
  /** Another configuration runs from now on. */
  readonly use: (config: Config) => void
  /** `child_wait_time` as it is now. */
  readonly childWait: () => Millis
  /** SIGUSR1 and `reload_time_file` begin to count. */
  begin(director: Pick<Director, 'status'>, reload: () => void, signals: Signals): void
  /** The last thing: `shutdown_script`. */
  end(): Promise<void>
}

export function createSurroundings(options: CommandLine, first: Config | undefined, logger: Logger): Surroundings {
  const dumps = createDumps(options.stateDirectory, logger)
  /** Beside another program that does the work nothing is done to the world. */
  const quiet = options.compare
  let config = first
  let runs = false
  let reload: () => void = () => undefined
  const timed = createTimedReload({ clock: systemClock, logger, reload: () => { reload() } }) // prettier-ignore

  return {
    async settle(openIpvs) {
      if (first === undefined) return openIpvs()
      const { ipvsNamespace } = first.process
      // Opened where the program was started, or elsewhere: its socket stays there.
      const outside = ipvsNamespace === undefined ? undefined : open(openIpvs, ipvsNamespace)
      settleProcess(first.process, options, logger)
      if (!quiet) await runLifeScript('startup_script', first.process.startup, first.globals, logger)
      return outside ?? openIpvs()
    },
    reading: (load) => (quiet ? load : (file) => dumps.during(config?.process, () => load(file))),
    use(next) {
      if (!quiet) {
        if (config !== undefined && runs) dumps.copy(config, 'pre')
        dumps.copy(next, 'post')
      }
      config = next
      runs = true
      timed.use(quiet ? undefined : next.process.files.reloadTime)
    },
    childWait: () => config?.process.childWait ?? seconds(5),
    begin(director, reloading, signals) {
      reload = reloading
      signals.on('SIGUSR1', () => {
        void director.status().then(
          (status) => {
            dumps.state(config, status)
          },
          (error: unknown) => {
            logger.warn('dump.failed', String(error))
          },
        )
      })
    },
    async end() {
      timed.stop()
      if (config !== undefined && !quiet) {
        await runLifeScript('shutdown_script', config.process.shutdown, config.globals, logger)
      }
    },
  }
}

/** In a namespace, or (empty) in the one this program was started in. */
const open = <T>(openIpvs: () => Promise<T>, namespace: string): Promise<T> =>
  namespace === '' ? openIpvs() : withinNamespace(namespace, openIpvs)
