import { describeError, errorCode, type Logger } from '@ipvs-director/core'
import { memoryIpvs, openIpvs, type IpvsClient, type IpvsError } from 'ipvs-netlink'
import { absentIpvs } from './absent-ipvs.ts'

/** What is known of the run before IPVS is opened. */
export interface IpvsWish {
  /** `--memory-ipvs`. */
  readonly memoryIpvs: boolean
  /** False with `-P`, and for a file without virtual servers. */
  readonly services: boolean
}

/**
 * The IPVS to write to: the kernel's, or one in memory for `--memory-ipvs`. Where there are no services a kernel without
 * IPVS will do: VRRP alone is what many machines and containers run. Rejects with what `open` rejects with.
 */
export async function ipvsOf(
  { memoryIpvs: inMemory, services }: IpvsWish,
  logger: Logger,
  open: () => Promise<IpvsClient> = openIpvs,
): Promise<IpvsClient> {
  if (inMemory) return memoryIpvs({ keepLog: false })
  try {
    return await open()
  } catch (error) {
    if (services || errorCode(error) !== 'ENOENT') throw error
    logger.warn('ipvs.absent', `${describeError(error)}. VRRP works without; lvs_sync_daemon has no effect`)
    return absentIpvs(error as IpvsError, open)
  }
}
