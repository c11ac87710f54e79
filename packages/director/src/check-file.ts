import type { CheckedConfig, ConfigTools, ReadSettings } from '@ipvs-director/control'
import { checkers } from '@ipvs-director/checkers'
import {
  allCodes,
  convertConfig,
  type Diagnostic,
  effectiveJson,
  explain,
  formatConf,
  renderDiagnostic,
} from '@ipvs-director/config'
import { loadFile } from './load.ts'

/** What `ipvs-ctl` does with configuration files; none of it needs a director. */
export const configTools: ConfigTools = {
  check: checkFile,
  codes: () => allCodes().map(({ code }) => code),
  explain,
  format: formatConf,
  async convert(file, { configId }) {
    const { json, conf, diagnostics } = await convertConfig(file, {
      checkers,
      ...(configId === undefined ? {} : { configId }),
    })
    return {
      json,
      conf,
      errors: countErrors(diagnostics),
      diagnostics: diagnostics.map((each) => renderDiagnostic(each)),
    }
  },
}

const countErrors = (all: readonly Diagnostic[]): number => all.filter(({ severity }) => severity === 'error').length

/** What is to be said about a file, and what it means with every default applied. */
async function checkFile(file: string, settings: ReadSettings): Promise<CheckedConfig> {
  const { config, diagnostics, errors, warnings, remarks, leftOut } = await loadFile(file, settings)
  const virtualServers = config?.virtualServers ?? []
  const realServers = virtualServers.flatMap((virtual) => virtual.realServers)
  return {
    errors,
    warnings,
    diagnostics,
    remarks,
    leftOut,
    config: config === undefined ? undefined : effectiveJson(config),
    counts: {
      vrrpInstances: config?.vrrp.instances.length ?? 0,
      virtualServers: virtualServers.length,
      realServers: realServers.length,
      checkers: realServers.reduce((sum, { checkers: all }) => sum + all.length, 0),
    },
  }
}
