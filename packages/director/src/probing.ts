import {
  createEngine,
  createFleet,
  createNodeIo,
  localKinds,
  type Prober,
  type ProberEvents,
} from '@ipvs-director/checkers'
import type { Globals } from '@ipvs-director/config'
import { systemClock, type Logger } from '@ipvs-director/core'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { splitProber } from './probers.ts'
import { checkIdentities } from './scripts.ts'
import type { ProberProcesses } from './status.ts'

/** The built prober program, beside the bundle that runs. */
const entry = fileURLToPath(new URL('./prober.js', import.meta.url))

/** Everything that probes: scripts in this process, the network in `count` others (undefined: by cores; 0: here, too). */
export function startProbing(
  count: number | undefined,
  events: ProberEvents,
  globals: () => Globals,
  logger: Logger,
): Prober & ProberProcesses {
  const io = createNodeIo({ scriptIdentity: checkIdentities(globals, logger) })
  const local = createEngine({ events, clock: systemClock, io })
  if (count === 0) return { ...local, processes: () => [] }
  const fleet = createFleet({
    count: count ?? Math.min(2, availableParallelism()),
    entry,
    events,
    clock: systemClock,
    logger,
  })
  return splitProber((kind) => localKinds.has(kind), local, fleet)
}
