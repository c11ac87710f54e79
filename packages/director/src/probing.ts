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
import { splitProber } from './probers.ts'
import { programPath } from './programs.ts'
import { checkIdentities } from './scripts.ts'
import type { ProberProcesses } from './status.ts'

/** Prober processes as wished; undefined: as many as there are cores, at most two. */
export const proberCount = (wish: number | undefined): number => wish ?? Math.min(2, availableParallelism())

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
    count: proberCount(count),
    entry: programPath('prober'),
    events,
    clock: systemClock,
    logger,
  })
  return splitProber((kind) => localKinds.has(kind), local, fleet)
}
