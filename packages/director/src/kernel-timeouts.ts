import { describeError, type Logger } from '@ipvs-director/core'
import type { IpvsClient, Timeouts } from 'ipvs-netlink'

/** `lvs_timeouts`: set while the file wants it, put back as they were when it does not; 0: this one as it was. */
export function createKernelTimeouts(
  ipvs: Pick<IpvsClient, 'timeouts' | 'setTimeouts'>,
  logger: Logger,
): { set(wanted: Timeouts | undefined): Promise<void> } {
  let before: Timeouts | undefined
  return {
    async set(wanted) {
      try {
        if (wanted !== undefined) {
          before ??= await ipvs.timeouts()
          const { tcp, tcpFin, udp } = wanted
          await ipvs.setTimeouts({ tcp: tcp || before.tcp, tcpFin: tcpFin || before.tcpFin, udp: udp || before.udp })
        } else if (before !== undefined) {
          await ipvs.setTimeouts(before)
          before = undefined
        }
      } catch (error) {
        logger.error('timeouts.failed', `lvs_timeouts: ${describeError(error)}`)
      }
    },
  }
}
