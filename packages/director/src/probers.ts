import type { Figures, Prober } from '@ipvs-director/checkers'
import { availableParallelism } from 'node:os'
import type { ProberProcesses } from './status.ts'

/** Prober processes as wished; undefined: as many as there are cores, at most two. */
export const proberCount = (wish: number | undefined): number => wish ?? Math.min(2, availableParallelism())

/**
 * Scripts run in the director's own process, which can become other users; what parses strangers' bytes runs in the
 * prober processes. Seen from outside it is one prober.
 */
export function splitProber(
  isLocal: (kind: string) => boolean,
  local: Prober,
  network: Prober & ProberProcesses,
): Prober & ProberProcesses {
  const localIds = new Set<string>()
  return {
    setChecks(checks) {
      localIds.clear()
      for (const check of checks) if (isLocal(check.kind)) localIds.add(check.id)
      local.setChecks(checks.filter(({ id }) => localIds.has(id)))
      network.setChecks(checks.filter(({ id }) => !localIds.has(id)))
    },
    changeChecks(gone, come) {
      local.changeChecks(
        gone.filter((id) => localIds.delete(id)),
        come.filter(({ kind }) => isLocal(kind)),
      )
      for (const { id, kind } of come) if (isLocal(kind)) localIds.add(id)
      network.changeChecks(
        gone,
        come.filter(({ kind }) => !isLocal(kind)),
      )
    },
    rereadFiles() {
      local.rereadFiles()
      network.rereadFiles()
    },
    async figures(ids): Promise<readonly Figures[]> {
      if (ids === undefined) return [...(await local.figures()), ...(await network.figures())]
      const own = ids.filter((id) => localIds.has(id))
      const others = ids.filter((id) => !localIds.has(id))
      return [...(await local.figures(own)), ...(await network.figures(others))]
    },
    processes: () => network.processes(),
    restart: (name) => network.restart(name),
    async stop() {
      await Promise.all([local.stop(), network.stop()])
    },
  }
}
