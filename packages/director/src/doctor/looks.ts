import type { DirectorFacts } from './facts.ts'
import type { Found } from './findings.ts'
import {
  lookAtFirewall,
  lookAtLoops,
  lookAtOtherWriters,
  lookAtPrivileges,
  lookAtProgram,
  lookAtTime,
} from './company-looks.ts'
import { lookAtConnectionTables, lookAtIpvsSettings, lookAtModules } from './kernel-looks.ts'
import {
  lookAtDataPaths,
  lookAtDirectRouting,
  lookAtForwarding,
  lookAtNatReturn,
  lookAtReversePath,
  lookAtStrays,
  lookAtTunnels,
  lookAtVirtualAddresses,
} from './network-looks.ts'

/** Everything that is looked at on a director. */
export const looks: readonly ((facts: DirectorFacts) => readonly Found[])[] = [
  lookAtProgram,
  lookAtPrivileges,
  lookAtModules,
  lookAtIpvsSettings,
  lookAtConnectionTables,
  lookAtForwarding,
  lookAtVirtualAddresses,
  lookAtStrays,
  lookAtDirectRouting,
  lookAtNatReturn,
  lookAtTunnels,
  lookAtReversePath,
  lookAtDataPaths,
  lookAtFirewall,
  lookAtOtherWriters,
  lookAtLoops,
  lookAtTime,
]
