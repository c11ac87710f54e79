import { DecodeError, KernelError } from '@ipvs-director/core'
import {
  genericFamily,
  isRefusal,
  MissingFamilyError,
  NETLINK_GENERIC,
  openNetlink,
  type GenericFamily,
  type GenericMessage,
  type GenericRequest,
  type NetlinkChannel,
} from '@ipvs-director/linux'
import { readlinkSync } from 'node:fs'
import type { IpvsClient } from './client.ts'
import * as c from './constants.ts'
import { decodeDaemon, decodeInfo, decodeTimeouts } from './decode.ts'
import { encodeDaemon, encodeDaemonKey, encodeServiceKey, encodeTimeouts } from './encode.ts'
import { TableReader } from './kernel-read.ts'
import { executeCommands } from './kernel-write.ts'
import { beyondDaemonLimits, beyondTimeoutLimits } from './limits.ts'
import { openProcText, type TextSource } from './proc-file.ts'
import { describe, refused, type IpvsRefusal } from './refusal.ts'

export interface OpenIpvsOptions {
  /** The generic netlink socket to use; closed with the client. Default: a new one in this thread's network namespace. */
  readonly channel?: NetlinkChannel
  /** The same namespace's /proc/net/ip_vs, closed with the client; undefined where it cannot be opened. */
  readonly openText?: () => TextSource | undefined
  /**
   * Each audit asks by netlink for every n-th service in turn, whatever the text says, so that n audits leave nothing
   * unseen. 1: for all, every time. Default 64.
   */
  readonly fullAuditEvery?: number
}

/**
 * Opens the IPVS of the network namespace that this thread is in; the kernel loads its module ip_vs for it. Needs
 * CAP_NET_ADMIN for every command. Rejects with a KernelError where the kernel has no IPVS.
 */
export async function openIpvs(options: OpenIpvsOptions = {}): Promise<IpvsClient> {
  const channel = options.channel ?? openNetlink(NETLINK_GENERIC)
  const openText = options.openText ?? textOfNamespace()
  const early = openText() // before the first wait: whoever calls may leave the namespace meanwhile
  try {
    const family = await findFamily(channel)
    return kernelClient(channel, family, early ?? openText(), options.fullAuditEvery ?? 64)
  } catch (error) {
    channel.close()
    early?.close()
    throw error
  }
}

async function findFamily(channel: NetlinkChannel): Promise<GenericFamily> {
  try {
    return await genericFamily(channel, c.IPVS_GENL_NAME)
  } catch (error) {
    if (!(error instanceof MissingFamilyError)) throw error
    const detail = 'this kernel has no IPVS: its module ip_vs is not there or could not be loaded; try "modprobe ip_vs"'
    throw new KernelError('cannot reach IPVS', { errno: error.errno, code: error.code, detail }, error)
  }
}

/** Opens the text, which is there when ip_vs is loaded, as long as this thread is in the namespace it is in now. */
function textOfNamespace(): () => TextSource | undefined {
  const namespace = (): string => readlinkSync('/proc/thread-self/ns/net')
  try {
    const home = namespace()
    return () => (namespace() === home ? openIfThere() : undefined)
  } catch {
    return () => undefined // /proc is not mounted or hidden; netlink tells everything too
  }
}

function openIfThere(): TextSource | undefined {
  try {
    return openProcText()
  } catch {
    return undefined
  }
}

const nothing = new Uint8Array()

function kernelClient(
  channel: NetlinkChannel,
  family: GenericFamily,
  text: TextSource | undefined,
  fullAuditEvery: number,
): IpvsClient {
  const reader = new TableReader(family, text, fullAuditEvery)

  function refuse(tried: string, refusal: IpvsRefusal | undefined): void {
    if (refusal !== undefined) throw refused(tried, refusal)
  }

  /** The first of the requests is the one that counts. */
  async function command(tried: string, ...requests: [GenericRequest, ...GenericRequest[]]): Promise<void> {
    const [refusal] = await family.execute(requests)
    refuse(tried, refusal)
  }

  async function one(tried: string, request: GenericRequest): Promise<GenericMessage> {
    const answer = await family.ask(request)
    if (isRefusal(answer)) throw refused(tried, answer)
    const [message] = answer
    if (message === undefined) throw new DecodeError(`cannot ${tried}: no answer`)
    return message
  }

  return {
    execute: (commands) => executeCommands(family, commands),
    services: () => reader.services(),
    service: (key) => reader.service(key),
    destinations: (service) => reader.destinations(service),
    table: () => reader.table(),
    audit: (expected) => reader.audit(expected),
    glance: () => reader.glance(),

    zero: (service) => {
      const payload = service === undefined ? nothing : encodeServiceKey(service)
      return command(describe.zero(service), { command: c.IPVS_CMD_ZERO, payload })
    },
    timeouts: async () =>
      decodeTimeouts((await one('read the timeouts', { command: c.IPVS_CMD_GET_CONFIG, payload: nothing })).payload),
    setTimeouts: async (timeouts) => {
      refuse(describe.setTimeouts, beyondTimeoutLimits(timeouts))
      await command(describe.setTimeouts, { command: c.IPVS_CMD_SET_CONFIG, payload: encodeTimeouts(timeouts) })
    },

    daemons: async () => {
      const answer = await family.dump({ command: c.IPVS_CMD_GET_DAEMON, payload: nothing })
      if (isRefusal(answer)) throw refused('read the sync daemons', answer)
      return answer.map(({ payload }) => decodeDaemon(payload))
    },
    startDaemon: async (daemon) => {
      const tried = describe.startDaemon(daemon)
      refuse(tried, beyondDaemonLimits(daemon))
      await command(tried, { command: c.IPVS_CMD_NEW_DAEMON, payload: encodeDaemon(daemon) })
    },
    stopDaemon: (daemon) =>
      // The kernel does not answer at all (EINTR within it) when the daemon's thread had no time to start yet, though it
      // stops it. A SET_CONFIG without timeouts changes nothing and is answered in any case.
      command(
        describe.stopDaemon(daemon),
        { command: c.IPVS_CMD_DEL_DAEMON, payload: encodeDaemonKey(daemon) },
        { command: c.IPVS_CMD_SET_CONFIG, payload: nothing },
      ),

    info: async () =>
      decodeInfo((await one('ask which IPVS it is', { command: c.IPVS_CMD_GET_INFO, payload: nothing })).payload),
    close: () => {
      channel.close()
      text?.close()
    },
  }
}
