import { checksIn, countChecks, meansHere } from '@ipvs-director/checkers'
import type { Config } from '@ipvs-director/config'
import type { ProbingNeeds } from '@ipvs-director/control'
import { inSlices } from '@ipvs-director/core'
import { checkIdOf } from './checks.ts'
import { proberCount } from './probers.ts'

/** Of the director alone, without clients, probers and scripts. */
const leastDescriptors = 64

/** Throws `EMFILE` where it would fail somewhere in the middle, with services in the kernel that nobody probes. */
export function requireDescriptors({ descriptors }: { readonly descriptors: number } = meansHere(1)): void {
  if (descriptors >= leastDescriptors) return
  const message = `EMFILE: ${descriptors} files may be open at once, at least ${leastDescriptors} are needed (LimitNOFILE=, ulimit -n)`
  throw Object.assign(new Error(message), { code: 'EMFILE' })
}

/** What probing a configuration takes, and what of it this machine does not have. `probers`: as wished. */
export async function needsOf(config: Config, probers: number | undefined): Promise<ProbingNeeds> {
  const counted = countChecks(checkIdOf)
  await inSlices(checksIn(config), counted.add)
  return counted.limits(meansHere(proberCount(probers)))
}
