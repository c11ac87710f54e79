import { checksIn, countChecks, meansHere } from '@ipvs-director/checkers'
import type { Config } from '@ipvs-director/config'
import type { ProbingNeeds } from '@ipvs-director/control'
import { proberCount } from './probers.ts'
import { inSlices } from './slices.ts'

/** What probing a configuration takes, and what of it this machine does not have. `probers`: as wished. */
export async function needsOf(config: Config, probers: number | undefined): Promise<ProbingNeeds> {
  const counted = countChecks()
  await inSlices(checksIn(config), counted.add)
  return counted.limits(meansHere(proberCount(probers)))
}
