import type { CheckedConfig, ConfigTools, ReadSettings } from '@ipvs-director/control'
import { checkers } from '@ipvs-director/checkers'
import {
  allCodes,
  convertConfig,
  type Diagnostic,
  effectiveJson,
  explain,
  filesInMemory,
  formatConf,
  renderDiagnostic,
} from '@ipvs-director/config'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromLdirectord, isLdirectord, type FromLdirectord } from './ldirectord.ts'
import { loadFile } from './load.ts'
import { needsOf } from './needs.ts'

/** What `ipvs-ctl` does with configuration files; none of it needs a director. */
export const configTools: ConfigTools = {
  check: checkFile,
  codes: () => allCodes().map(({ code }) => code),
  explain,
  format: formatConf,
  async convert(file, { configId, withoutSecrets }) {
    const foreign = ldirectordFile(file)
    const { json, conf, diagnostics } = await convertConfig(file, {
      checkers,
      withoutSecrets,
      ...(configId === undefined ? {} : { configId }),
      ...(foreign === undefined
        ? {}
        : {
            read: filesInMemory(
              new Map([
                [resolve(file), foreign.conf],
                [file, foreign.conf],
              ]),
            ),
          }),
    })
    if (foreign !== undefined) {
      const remarks = foreign.remarks.map((remark) => `${file}:${remark}`)
      const told = [...remarks, ...diagnostics.map((each) => renderDiagnostic(each))]
      return { json, conf, errors: countErrors(diagnostics), diagnostics: told, usual: 'conf' }
    }
    return {
      json,
      conf,
      errors: countErrors(diagnostics),
      diagnostics: diagnostics.map((each) => renderDiagnostic(each)),
    }
  },
}

/** ldirectord's file as keepalived.conf; undefined: it is none, or cannot be read. */
function ldirectordFile(file: string): FromLdirectord | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    return isLdirectord(text) ? fromLdirectord(text) : undefined
  } catch {
    return undefined
  }
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
    ...(config === undefined ? {} : { probing: await needsOf(config, undefined) }),
    counts: {
      vrrpInstances: config?.vrrp.instances.length ?? 0,
      virtualServers: virtualServers.length,
      realServers: realServers.length,
      checkers: realServers.reduce((sum, { checkers: all }) => sum + all.length, 0),
    },
  }
}
