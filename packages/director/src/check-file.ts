import type { CheckedConfig } from '@ipvs-director/control'
import { effectiveJson } from '@ipvs-director/config'
import { loadFile } from './load.ts'

/** What `ipvs-ctl check` shows of a file: what is to be said about it, and what it means with every default applied. */
export async function checkFile(file: string): Promise<CheckedConfig> {
  const { config, diagnostics, errors, warnings } = await loadFile(file, undefined)
  const virtualServers = config?.virtualServers ?? []
  const realServers = virtualServers.flatMap((virtual) => virtual.realServers)
  return {
    errors,
    warnings,
    diagnostics,
    config: config === undefined ? undefined : effectiveJson(config),
    counts: {
      virtualServers: virtualServers.length,
      realServers: realServers.length,
      checkers: realServers.reduce((sum, { checkers }) => sum + checkers.length, 0),
    },
  }
}
