import { describeError, errorCode, type Logger } from '@ipvs-director/core'
import { memoryIpvs, openIpvs, type IpvsClient } from 'ipvs-netlink'
import type { CommandLine } from './options.ts'

/**
 * The IPVS to write to: the kernel's, or one in memory for `--memory-ipvs`. With `-P` there are no services, so a kernel
 * without IPVS will do: VRRP alone is what many containers run. Rejects with what `open` rejects with.
 */
export async function ipvsOf(
  { memoryIpvs: inMemory, services }: Pick<CommandLine, 'memoryIpvs' | 'services'>,
  logger: Logger,
  open: () => Promise<IpvsClient> = openIpvs,
): Promise<IpvsClient> {
  if (inMemory) return memoryIpvs()
  try {
    return await open()
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    if (services) {
      logger.info('ipvs.absent', 'There is no IPVS here; for VRRP alone, start with -P')
      throw error
    }
    logger.warn('ipvs.absent', `${describeError(error)}. VRRP works without; lvs_sync_daemon has no effect`)
    return memoryIpvs()
  }
}
