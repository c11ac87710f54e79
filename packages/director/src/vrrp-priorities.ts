import type { VrrpGlobals } from '@ipvs-director/config'
import { describeError, type Logger } from '@ipvs-director/core'
import { lockText, useNiceness, useRealTimePriority } from '@ipvs-director/linux'
import { spawnSync } from 'node:child_process'

/**
 * `vrrp_priority`, `vrrp_rt_priority`, `vrrp_rlimit_rttime`, `vrrp_no_swap`, `vrrp_cpu_affinity`, `vrrp_process_name`, for
 * this process. What is refused is logged: VRRP works without.
 */
export function usePriorities(globals: VrrpGlobals, logger: Logger): void {
  const attempt = (keyword: string, use: () => void): void => {
    try {
      use()
    } catch (error) {
      logger.warn('vrrp.priority', `${keyword} has no effect: ${describeError(error)}`)
    }
  }
  const { niceness, realtimePriority, realtimeLimit, lockMemory, processors, processName } = globals
  if (processName !== undefined) process.title = processName
  if (niceness !== 0) attempt('vrrp_priority', () => { useNiceness(niceness) }) // prettier-ignore
  if (lockMemory) attempt('vrrp_no_swap', lockText)
  if (processors.length > 0) attempt('vrrp_cpu_affinity', () => { tool('taskset', ['-pc', processors.join(','), `${process.pid}`]) }) // prettier-ignore
  if (realtimePriority === 0) return
  attempt('vrrp_rt_priority', () => {
    useRealTimePriority(realtimePriority)
  })
  if (realtimeLimit > 0) attempt('vrrp_rlimit_rttime', () => { tool('prlimit', [`--pid=${process.pid}`, `--rttime=${realtimeLimit}`]) }) // prettier-ignore
}

/** A program of util-linux. */
function tool(name: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(name, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(stderr.trim())
}
