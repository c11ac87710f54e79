import type { TrackProcess } from '@ipvs-director/config'
import type { Clock, Timer } from '@ipvs-director/core'
import type { VrrpLink } from './link.ts'
import type { Status } from './priority.ts'

/** Good when the count, which `counted` hears at once, is within quorum and quorum_max, after the delay for starts or for ends. */
export function followProcess(
  process: TrackProcess,
  link: Pick<VrrpLink, 'watchProcesses'>,
  clock: Clock,
  report: (status: Status) => void,
  counted: (count: number) => void,
): () => void {
  let timer: Timer | undefined
  let believed: boolean | undefined
  let before = 0
  const watch = link.watchProcesses(process, (count) => {
    counted(count)
    const enough = count >= process.quorum && count <= (process.quorumMax ?? Number.POSITIVE_INFINITY)
    timer?.cancel()
    timer = undefined
    if (enough === believed) {
      before = count
      return
    }
    const believe = (): void => {
      believed = enough
      report(enough ? { kind: 'good' } : { kind: 'bad', why: `${count} running, wanted ${wantedOf(process)}` })
    }
    const delay = count < before ? process.terminateDelay : process.forkDelay
    before = count
    if (believed === undefined || delay === 0) believe()
    else timer = clock.after(delay, believe)
  })
  return () => {
    timer?.cancel()
    watch.close()
  }
}

const wantedOf = ({ quorum, quorumMax }: TrackProcess): string =>
  quorumMax === undefined ? `at least ${quorum}` : `${quorum} to ${quorumMax}`
