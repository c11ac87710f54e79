import type { Scheduling } from '@ipvs-director/config'
import { describeError, type Logger } from '@ipvs-director/core'
import { lockText, useNiceness, useRealTimePriority } from '@ipvs-director/linux'
import { spawnSync } from 'node:child_process'
import { getPriority } from 'node:os'

/** The niceness this program was started with: a unit's `Nice=`, for example. */
export const startNiceness = getPriority()

/**
 * `vrrp_priority`, `checker_rt_priority` and the like, for this process: niceness, real-time priority and its limit, memory,
 * processors, name. `usual` is the niceness where none is wished. What is refused is logged under the keyword of that `kind` of process: everything works without.
 */
export function useScheduling(kind: 'vrrp' | 'checker', wish: Scheduling, logger: Logger, usual = getPriority()): void {
  const attempt = (keyword: string, use: () => void): void => {
    try {
      use()
    } catch (error) {
      logger.warn(`${kind}.priority`, `${kind}_${keyword} has no effect: ${describeError(error)}`)
    }
  }
  const { niceness, realtimePriority, realtimeLimit, lockMemory, processors, name } = wish
  if (name !== undefined) process.title = name
  // A child has what its parent has: that may have to be taken back, but not what the whole program was started with.
  const wanted = niceness === 0 ? usual : niceness
  if (wanted !== getPriority()) attempt('priority', () => { useNiceness(wanted) }) // prettier-ignore
  if (lockMemory) attempt('no_swap', lockText)
  if (processors.length > 0) attempt('cpu_affinity', () => { bindTo(processors.join(',')) }) // prettier-ignore
  if (realtimePriority === 0) return
  attempt('rt_priority', () => {
    useRealTimePriority(realtimePriority)
  })
  if (realtimeLimit > 0) attempt('rlimit_rttime', () => { tool('prlimit', [`--pid=${process.pid}`, `--rttime=${realtimeLimit}`]) }) // prettier-ignore
}

const bindTo = (list: string): void => {
  tool('taskset', ['-apc', list, `${process.pid}`])
}

/** A program of util-linux. */
function tool(name: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(name, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(stderr.trim())
}
