import type { VrrpInstance } from '@ipvs-director/config'
import type { Address, Millis } from '@ipvs-director/core'
import { type Advertisement, advertisementLength, encodeAdvertisement, writeChecksum } from './advertisement.ts'
import { ahLength, encodeAh, passwordOctets, signAh } from './authentication.ts'
import { checksumKindOf } from './check.ts'
import { appendTrailer, trailerLength } from './hmac-trailer.ts'
import { encodeIpv4, type OutgoingPacket, restamp } from './packet.ts'
import type { AhCounter, Freshness } from './sequence.ts'

/** What one advertisement is made of; its copies to several peers differ only in where they go. */
export interface Composer {
  readonly config: VrrpInstance
  readonly keys: ReadonlyMap<number, Uint8Array>
  readonly freshness: Freshness | undefined
  readonly ahCounter: AhCounter
  /** The next IP identification, 1 to 65535. */
  readonly nextId: () => number
  readonly wall: () => number
}

/** Where the copies go. */
export interface Destinations {
  readonly source: Address
  readonly addresses: readonly Address[]
  readonly unicast: boolean
  /** `old_unicast_checksum`: the group stands in the pseudo header instead of the peer. */
  readonly oldChecksum: boolean
}

const noAuthData = new Uint8Array(0)

/**
 * The packets that say the same once more, made from those sent before, whose octets are used again; undefined where each
 * advertisement is signed anew.
 */
export function composeAgain(
  { config, nextId }: Composer,
  sent: readonly OutgoingPacket[],
): readonly OutgoingPacket[] | undefined {
  if (config.hmac !== undefined || config.auth?.type === 'AH') return undefined
  if (config.family === 'inet') for (const { bytes } of sent) restamp(bytes, nextId())
  return sent
}

/** Length of an advertisement as it arrives at the socket: of IPv4 with its header. Octets. */
export function packetLength({ family, version, addresses, auth, hmac }: VrrpInstance): number {
  const message = advertisementLength(version, family, addresses.length)
  const signature = hmac !== undefined ? trailerLength : auth?.type === 'AH' ? ahLength : 0
  return (family === 'inet' ? ipv4Header : 0) + message + signature
}

const ipv4Header = 20

/** The packets that say once "I am master, with this priority" (0: "no longer"). */
export function compose(composer: Composer, priority: number, to: Destinations): readonly OutgoingPacket[] {
  const { config, freshness } = composer
  const sequence =
    freshness !== undefined && config.hmac?.mode !== 'receive-only' ? freshness.next(composer.wall()) : undefined
  return to.addresses.map((destination) => {
    const message = withTrailer(composer, priority, to, destination, sequence)
    const ttl = to.unicast ? (config.unicastTtl ?? (config.family === 'inet' ? 255 : undefined)) : 255
    return {
      source: to.source,
      destination,
      ttl,
      bytes: config.family === 'inet' ? toIpv4(composer, message, to, destination, ttl ?? 255) : message,
    }
  })
}

function withTrailer(
  composer: Composer,
  priority: number,
  to: Destinations,
  destination: Address,
  sequence: bigint | undefined,
): Uint8Array {
  const { config, keys } = composer
  const inChecksum = to.unicast && to.oldChecksum ? config.multicastGroup : destination
  const kind = checksumKindOf(config, to.source, inChecksum)
  const message = encodeAdvertisement(contentOf(config, priority, config.advertInterval), config.family, kind)
  const secret = config.hmac === undefined ? undefined : keys.get(config.hmac.activeKey)
  if (sequence === undefined || config.hmac === undefined || secret === undefined) return message
  const context = { version: config.version, vrid: config.virtualRouterId, source: to.source }
  const signed = appendTrailer(message, context, { id: config.hmac.activeKey, secret }, sequence)
  if (config.family === 'inet6') writeChecksum(signed, kind, signed.length)
  return signed
}

function contentOf(config: VrrpInstance, priority: number, interval: Millis): Advertisement {
  const auth = config.version === 2 && config.hmac === undefined ? config.auth : undefined
  return {
    version: config.version,
    vrid: config.virtualRouterId,
    priority,
    addresses: config.addresses.map(({ address }) => address),
    interval,
    authType: auth === undefined ? 0 : auth.type === 'PASS' ? 1 : 2,
    authData: auth?.type === 'PASS' ? passwordOctets(auth.password) : noAuthData,
  }
}

function toIpv4(
  composer: Composer,
  message: Uint8Array,
  to: Destinations,
  destination: Address,
  ttl: number,
): Uint8Array {
  const { config, ahCounter, nextId } = composer
  const header = { source: to.source, destination, ttl, id: nextId() }
  if (config.auth?.type !== 'AH' || config.hmac !== undefined) return encodeIpv4({ ...header, protocol: 112 }, message)
  const payload = encodeAh(to.source, ahCounter.next(), message)
  const packet = encodeIpv4({ ...header, protocol: 51 }, payload)
  signAh(packet, { password: passwordOctets(config.auth.password), unicast: to.unicast })
  return packet
}
