import { checkers } from '@ipvs-director/checkers'
import { type Diagnostic, loadConfig, type LoadOptions, type LoadResult, renderDiagnostic } from '@ipvs-director/config'
import type { Loaded } from './director-options.ts'

/** How a file is read. */
export interface ReadOptions {
  /** `-i`: what `@ID` lines compare with. */
  readonly configId?: string | undefined
  /** Warnings are errors. */
  readonly strict?: boolean
  /** `-e`: every include must match files that can be read. */
  readonly allIncludes?: boolean
}

export interface LoadedFile extends Loaded {
  readonly blank: boolean
  /** What `diagnostics` renders, errors first. */
  readonly remarks: readonly Diagnostic[]
  readonly blocks: LoadResult['blocks']
  readonly shifted: LoadResult['shifted']
}

/** Reads the file with everything it includes; diagnostics are rendered, errors first. `how`: where from, and how fast. */
export async function loadFile(
  file: string,
  options: ReadOptions = {},
  how: Pick<LoadOptions, 'read' | 'random' | 'pause' | 'instead' | 'before'> = {},
): Promise<LoadedFile> {
  const { configId, strict = false, allIncludes = false } = options
  const given = { ...how, checkers, strict, allIncludes, ...(configId === undefined ? {} : { configId }) }
  const { config, diagnostics, leftOut, blank, blocks, shifted } = await loadConfig(file, given)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const others = diagnostics.filter(({ severity }) => severity !== 'error')
  const remarks = [...errors, ...others]
  return {
    config,
    diagnostics: remarks.map((each) => renderDiagnostic(each)),
    errors: errors.length,
    warnings: others.filter(({ severity }) => severity === 'warning').length,
    remarks,
    leftOut,
    blank,
    blocks,
    shifted,
  }
}
