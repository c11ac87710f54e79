import type { Config } from '@ipvs-director/config'
import type { Logger } from '@ipvs-director/core'
import type { DirectorOptions, Loaded } from '../director-options.ts'
import { noFailover } from '../failover.ts'
import { noMarks } from '../group-marks.ts'
import { emptyOverlay } from '../overlay.ts'
import { noLastGood } from '../sources/last-good.ts'

/**
 * `--compare`: the same director, of which nobody but its log and its control socket hears. It probes, and that is all it
 * does to the world: no table, no VIP, no adverts, no notify scripts, no mail, webhooks, FIFOs or SNMP, no notes in the
 * state directory. (Probing includes MISC_CHECK's scripts.)
 */
export function withoutEffect(options: DirectorOptions): DirectorOptions {
  return {
    ...options,
    compare: true,
    load: async (file) => servicesOf(await options.load(file)),
    failover: () => noFailover,
    alarms: () => ({ apply: () => undefined, tell: () => undefined, stop: async () => undefined }),
    runScript: async () => undefined,
    marks: () => noMarks,
    owned: { load: () => [], save: () => undefined },
    overlay: { load: () => ({ overlay: emptyOverlay, problem: undefined }), save: () => undefined },
    ...(options.sources === undefined ? {} : { sources: { ...options.sources, store: noLastGood } }),
  }
}

/** What of the file concerns the services alone. */
function servicesOf(loaded: Loaded): Loaded {
  const { config } = loaded
  if (config === undefined) return loaded
  const services: Config = {
    ...config,
    globals: { ...config.globals, lvsFlush: false, lvsTimeouts: undefined },
    vrrp: { ...config.vrrp, instances: [], syncGroups: [] },
    syncDaemon: undefined,
  }
  return { ...loaded, config: services }
}

/** Said at the start, so that nobody takes it for a director. */
export function sayWithoutEffect(logger: Logger): void {
  logger.info(
    'compare',
    'Comparing with what another program writes into the kernel. This one writes nothing there, takes no part in VRRP, ' +
      'has no VIPs, runs no notify scripts and sends no mail',
  )
}
