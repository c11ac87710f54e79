import type { ProcessSettings } from '@ipvs-director/config'
import type { Logger } from '@ipvs-director/core'
import { enterNamespace } from '@ipvs-director/linux'
import type { CommandLine } from '../options.ts'
import { useScheduling } from './scheduling.ts'

/**
 * Takes what the file says of the process itself: network namespace, file mode mask, name, priorities. Done once, before
 * the first socket of the network; what other processes are started for they inherit. Throws where the namespace cannot
 * be entered: to go on in another one would be worse than not to run.
 */
export function settleProcess(settings: ProcessSettings, options: CommandLine, logger: Logger): void {
  const namespace = options.namespace ?? settings.netNamespace
  if (namespace !== undefined && namespace !== '') {
    enterNamespace(namespace)
    logger.info('namespace', `Running in network namespace ${namespace}`)
  }
  const mask = options.umask ?? settings.umask
  if (mask !== undefined) process.umask(mask)
  useScheduling('checker', { ...settings.checker, name: settings.name ?? settings.checker.name }, logger)
}

/** Settings that a running process cannot change: why a reload has to be refused. */
export function unchangeable(now: ProcessSettings, next: ProcessSettings): string | undefined {
  const differing = (
    [
      ['net_namespace', now.netNamespace, next.netNamespace],
      ['net_namespace_ipvs', now.ipvsNamespace, next.ipvsNamespace],
      ['instance', now.instance, next.instance],
    ] as const
  ).find(([, before, after]) => before !== after)
  return differing === undefined
    ? undefined
    : `${differing[0]} cannot change while the program runs; it takes a restart`
}
