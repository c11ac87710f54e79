import { localKinds, type Prober, type ProberEvents } from '@ipvs-director/checkers'
import { createEngine, createFleet, createNodeIo } from '@ipvs-director/checkers/probing'
import type { Globals } from '@ipvs-director/config'
import { systemClock, type Logger, type Millis } from '@ipvs-director/core'
import { proberCount, splitProber } from './probers.ts'
import { programPath } from './programs.ts'
import { checkIdentities } from './scripts.ts'
import type { ProberProcesses } from './status.ts'

/** Everything that probes: scripts in this process, the network in `count` others (undefined: by cores; 0: here, too). */
export function startProbing(
  count: number | undefined,
  events: ProberEvents,
  globals: () => Globals,
  logger: Logger,
  stopPatience: () => Millis,
): Prober & ProberProcesses {
  const io = createNodeIo({ scriptIdentity: checkIdentities(globals, logger) })
  const local = createEngine({ events, clock: systemClock, io })
  if (count === 0) return { ...local, processes: () => [], restart: () => false }
  const fleet = createFleet({
    count: proberCount(count),
    entry: programPath('prober'),
    events,
    clock: systemClock,
    logger,
    stopPatience,
  })
  return splitProber((kind) => localKinds.has(kind), local, fleet)
}
