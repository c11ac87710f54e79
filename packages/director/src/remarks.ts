import type { ConfigStatus } from '@ipvs-director/control'
import type { Loaded } from './director-options.ts'

/** What is wrong with the configuration that runs. */
export type Remarks = Pick<ConfigStatus, 'errors' | 'warnings' | 'diagnostics' | 'leftOut'>

export const noRemarks: Remarks = { errors: 0, warnings: 0, diagnostics: [], leftOut: [] }

/** Of errors all is kept that is read, of warnings how many there are: `ipvs-ctl check` tells them. */
export function remarksOf({ errors, warnings, diagnostics, leftOut }: Loaded): Remarks {
  return { errors, warnings, diagnostics: shortened(diagnostics.slice(0, errors)), leftOut }
}

/** More remarks than this at once are not read by anybody. */
const most = 20

/** The first of a list of remarks, and how many more there are. */
export function shortened(remarks: readonly string[]): readonly string[] {
  if (remarks.length <= most) return remarks
  return [...remarks.slice(0, most), `… and ${remarks.length - most} more; \`ipvs-ctl check FILE\` shows all`]
}
