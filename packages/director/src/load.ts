import { checkers } from '@ipvs-director/checkers'
import { loadConfig, renderDiagnostic } from '@ipvs-director/config'
import type { Loaded } from './director.ts'

export interface LoadedFile extends Loaded {
  readonly warnings: number
}

/** Reads the file with everything it includes; diagnostics are rendered, errors first. */
export async function loadFile(file: string, configId: string | undefined): Promise<LoadedFile> {
  const { config, diagnostics } = await loadConfig(file, { checkers, ...(configId === undefined ? {} : { configId }) })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const others = diagnostics.filter(({ severity }) => severity !== 'error')
  return {
    config,
    diagnostics: [...errors, ...others].map((each) => renderDiagnostic(each)),
    errors: errors.length,
    warnings: others.filter(({ severity }) => severity === 'warning').length,
  }
}
