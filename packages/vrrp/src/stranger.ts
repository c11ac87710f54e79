import type { VrrpConfig } from '@ipvs-director/config'
import type { Clock, Logger } from '@ipvs-director/core'
import { decodeAddresses, decodeHead } from './advertisement.ts'
import { ahLength, readAh } from './authentication.ts'
import type { VrrpEvent } from './events.ts'
import type { Path } from './link.ts'
import type { ReceivedPacket } from './packet.ts'
import { isRejection } from './rejection.ts'

/** Advertisements of VRIDs that are not configured, by version of VRRP. */
export interface Strangers {
  readonly v2: number
  readonly v3: number
}

/** How many strangers are told of: a flood of forged ones is not. */
const rememberedStrangers = 64

/**
 * Hears advertisements of VRIDs that are not configured here. Mostly they are none of our business; one that advertises
 * an address of ours is a peer whose `virtual_router_id` was mistyped, and both of us are master.
 */
export function createStranger(
  config: () => VrrpConfig,
  isMaster: (instance: string) => boolean,
  logger: Logger,
  clock: Clock,
  events: (event: VrrpEvent) => void,
): {
  readonly hear: (path: Path, vrid: number, packet: ReceivedPacket) => void
  /** Advertisements so far, by version. */
  readonly heard: () => Strangers
} {
  const known = new Set<string>()
  const heard = { v2: 0, v3: 0 }
  const hear = (path: Path, vrid: number, packet: ReceivedPacket): void => {
    // A VMAC hears what is sent to the other instances of its interface.
    const { instances } = config()
    if (instances.some(({ virtualRouterId, family }) => virtualRouterId === vrid && family === path.family)) return
    heard[path.family === 'inet6' || versionOf(packet) === 3 ? 'v3' : 'v2']++
    const key = `${vrid} ${packet.source}`
    if (known.has(key) || known.size >= rememberedStrangers) return
    known.add(key)
    if (config().globals.logUnknownVrids) {
      logger.info(
        'vrrp.unknown-vrid',
        `advert of unknown VRID ${vrid} from ${packet.source} on ${path.interface ?? 'any interface'}`,
      )
    }
    const payload = packet.protocol === 51 ? readAh(packet.payload) : { message: packet.payload }
    const advert = isRejection(payload) ? payload : decodeHead(payload.message, path.family)
    if (isRejection(advert)) return
    const advertised = new Set(decodeAddresses(advert.octets, path.family))
    for (const { name, addresses, virtualRouterId } of instances) {
      const shared = addresses.find(({ address }) => advertised.has(address))
      if (shared === undefined) continue
      const both = isMaster(name) ? ', while we are master' : ''
      const text = `${packet.source} advertises our address ${shared.address} with VRID ${vrid}, ours is ${virtualRouterId}${both}`
      logger.error('vrrp.alarm.vrid', `(${name}) ${text}`, { instance: name, vrid: virtualRouterId })
      events({ type: 'alarm', name, kind: 'vrid', text, at: clock.wall() })
    }
  }
  return { hear, heard: () => ({ ...heard }) }
}

/** The first four bits of the message, which may lie behind an authentication header. */
const versionOf = ({ payload, protocol }: ReceivedPacket): number => (payload[protocol === 51 ? ahLength : 0] ?? 0) >> 4
