import type { UnicastPeer, VrrpInstance } from '@ipvs-director/config'
import type { Address } from '@ipvs-director/core'
import {
  type AdvertisementHead,
  advertisementLength,
  checksumIsRight,
  type ChecksumKind,
  decodeHead,
} from './advertisement.ts'
import { ahLength, passwordOctets, readAh, samePassword, verifyAh } from './authentication.ts'
import { compareLists } from './compare-lists.ts'
import { trailerLength, verifyTrailer } from './hmac-trailer.ts'
import type { ReceivedPacket } from './packet.ts'
import { isRejection, type Rejection, reject } from './rejection.ts'
import type { AhCounter, Freshness } from './sequence.ts'

/** What the instance that listens is and has, which changes as it goes. */
export interface Listener {
  readonly config: VrrpInstance
  /** Secrets of `auth_hmac` by number; empty without. */
  readonly keys: ReadonlyMap<number, Uint8Array>
  readonly freshness: Freshness | undefined
  readonly ahCounter: AhCounter
  /** Wall clock in milliseconds since 1970. */
  readonly wall: () => number
  /** `skip_check_adv_addr`: the sender is the master whose addresses were compared before. */
  known(sender: Address): boolean
}

/** By which way a packet came, as far as it decides what is expected of it. */
export interface Way {
  readonly unicast: boolean
  /** Who may send by this way; by multicast everybody. */
  readonly peers: ReadonlyMap<Address, UnicastPeer>
  /** Whether only they may: `check_unicast_src`, TTL limits, and always for heartbeat peers. */
  readonly peersOnly: boolean
}

/** What passed. */
export interface Checked {
  readonly advertisement: AdvertisementHead
  /** Where its list of addresses differs from ours: taken all the same, as keepalived 2.4 does, but told. */
  readonly differences: readonly string[]
  /** It was right only with the checksum of versions up to 1.3.6 (`old_unicast_checksum`). */
  readonly oldChecksum: boolean
}

/**
 * Everything that is asked of an advertisement before it may change anything, cheap questions first (reference/vrrp.md
 * §1.5). Bounded: no question costs more than one hash over a packet that is as long as 255 addresses make it.
 */
export function checkPacket(packet: ReceivedPacket, way: Way, listener: Listener): Checked | Rejection {
  const { config } = listener
  const ttl = checkTtl(packet, way)
  if (ttl !== undefined) return ttl
  const payload = openAh(packet, config)
  if (isRejection(payload)) return payload
  const advertisement = decodeHead(payload.message, config.family)
  if (isRejection(advertisement)) return advertisement
  const { version, count } = advertisement
  const length = advertisementLength(version, config.family, count)
  const message = payload.message.subarray(0, length)
  const trailer = payload.message.subarray(length)
  const wrong =
    (version === config.version
      ? undefined
      : reject('version', `wrong version ${version}, expecting ${config.version}`)) ??
    checkTrailerPresence(trailer, config) ??
    checkPassword(advertisement, config) ??
    checkInterval(advertisement, config)
  if (wrong !== undefined) return wrong
  const covered = config.family === 'inet6' ? payload.message : message
  const oldChecksum = checkChecksum(covered, packet, way, config)
  if (isRejection(oldChecksum)) return oldChecksum
  const unwanted = checkSender(packet, way) ?? checkOwner(advertisement, config)
  if (unwanted !== undefined) return unwanted
  const forged = checkAh(packet, payload.sequence, way, listener) ?? checkTrailer(message, trailer, packet, listener)
  if (forged !== undefined) return forged
  const differences = listener.known(packet.source) ? [] : compareLists(advertisement, config)
  return { advertisement, differences, oldChecksum: oldChecksum.old }
}

/** Multicast does not leave the link; unicast says what it expects of its peers. */
function checkTtl({ ttl, source }: ReceivedPacket, way: Way): Rejection | undefined {
  if (ttl === undefined) return undefined
  if (!way.unicast) return ttl === 255 ? undefined : reject('ttl', `invalid TTL/HL ${ttl}, expecting 255`)
  const peer = way.peers.get(source)
  if (peer === undefined || (ttl >= (peer.minTtl ?? 0) && ttl <= (peer.maxTtl ?? 255))) return undefined
  return reject(
    'ttl',
    `invalid TTL/HL ${ttl} from peer ${source}, expecting ${peer.minTtl ?? 0} to ${peer.maxTtl ?? 255}`,
  )
}

function openAh(
  packet: ReceivedPacket,
  config: VrrpInstance,
): { readonly sequence: number; readonly message: Uint8Array } | Rejection {
  const expected = config.auth?.type === 'AH' && config.hmac === undefined
  if (expected !== (packet.protocol === 51)) {
    return reject(
      'authMismatch',
      expected ? 'no authentication header, but auth_type AH is expected' : 'received a 2 auth, expecting none of it',
    )
  }
  return expected ? readAh(packet.payload) : { sequence: 0, message: packet.payload }
}

function checkTrailerPresence(trailer: Uint8Array, { hmac }: VrrpInstance): Rejection | undefined {
  if (trailer.length === 0) {
    return hmac?.mode === 'enforce' ? reject('hmacMissing', 'no auth_hmac trailer, but mode enforce') : undefined
  }
  if (hmac !== undefined && trailer.length === trailerLength) return undefined
  const hint = trailer.length === trailerLength ? ' (an auth_hmac trailer, which is not configured here?)' : ''
  return reject(
    hmac === undefined ? 'length' : 'hmacMalformed',
    `${trailer.length} bytes too many after the addresses${hint}`,
  )
}

const authNames = ['none', 'PASS', 'AH'] as const

function checkPassword(
  { version, authType, authData }: AdvertisementHead,
  config: VrrpInstance,
): Rejection | undefined {
  if (version === 3 || config.hmac !== undefined) return undefined
  const expected = config.auth === undefined ? 0 : config.auth.type === 'PASS' ? 1 : 2
  if (authType > 2) return reject('authType', `invalid authentication type ${authType}`)
  if (authType !== expected) {
    const names = `${authNames[authType]}, expecting ${authNames[expected]}`
    return reject('authMismatch', `received a ${authType} auth, expecting ${expected} (${names})`)
  }
  if (expected !== 1 || config.auth === undefined) return undefined
  if (samePassword(authData, passwordOctets(config.auth.password))) return undefined
  return reject('authFailure', 'received an invalid passwd')
}

/** v2 machines must agree; v3 follows its master, but an interval of zero would make the wait zero. */
function checkInterval({ version, interval }: AdvertisementHead, config: VrrpInstance): Rejection | undefined {
  if (version === 3) return interval > 0 ? undefined : reject('malformed', 'an advertisement interval of 0')
  if (interval === config.advertInterval) return undefined
  return reject(
    'interval',
    `advertisement interval mismatch: received ${interval / 1000} s, ours ${config.advertInterval / 1000} s`,
  )
}

function checkChecksum(
  covered: Uint8Array,
  packet: ReceivedPacket,
  way: Way,
  config: VrrpInstance,
): { readonly old: boolean } | Rejection {
  const { source, destination } = packet
  const kind = checksumKindOf(config, source, destination)
  if (checksumIsRight(covered, kind)) return { old: false }
  if (kind.kind === 'pseudo' && config.family === 'inet') {
    if (config.v3ChecksumAsV2 && checksumIsRight(covered, { kind: 'message' })) return { old: false }
    const old = { kind: 'pseudo', source, destination: config.multicastGroup } as const
    if (way.unicast && config.oldUnicastChecksum !== 'never' && checksumIsRight(covered, old)) return { old: true }
  }
  if (config.v3ChecksumAsV2 && checksumIsRight(covered, { kind: 'pseudo', source, destination })) return { old: false }
  return reject('checksum', `Invalid VRRPv${config.version} checksum`)
}

/** What an advertisement's checksum is made over. */
export function checksumKindOf(config: VrrpInstance, source: Address, destination: Address): ChecksumKind {
  if (config.family === 'inet' && (config.version === 2 || config.v3ChecksumAsV2)) return { kind: 'message' }
  return { kind: 'pseudo', source, destination }
}

const multicast = (address: Address): boolean => /^(?:ff|22[4-9]\.|23\d\.)/.test(address)

function checkSender({ source, destination }: ReceivedPacket, way: Way): Rejection | undefined {
  if (multicast(destination) === way.unicast) {
    return reject(
      'kind',
      way.unicast ? 'received by multicast, expecting unicast' : 'received by unicast, expecting multicast',
    )
  }
  if (way.unicast && way.peersOnly && !way.peers.has(source))
    return reject('peer', `unicast source ${source} is no peer`)
  return undefined
}

const checkOwner = ({ priority }: AdvertisementHead, config: VrrpInstance): Rejection | undefined =>
  config.ownerIgnoreAdverts && config.priority === 255
    ? reject('owner', `owner_ignore_adverts: priority ${priority} does not matter to the owner`)
    : undefined

function checkAh(packet: ReceivedPacket, sequence: number, way: Way, listener: Listener): Rejection | undefined {
  const { config, ahCounter } = listener
  if (packet.protocol !== 51 || packet.header === undefined || config.auth === undefined) return undefined
  if (packet.payload.length < ahLength) return reject('length', 'no room for an authentication header')
  const key = { password: passwordOctets(config.auth.password), unicast: way.unicast }
  return verifyAh(packet.header, packet.payload, packet.source, key) ?? ahCounter.take(sequence)
}

function checkTrailer(
  message: Uint8Array,
  trailer: Uint8Array,
  packet: ReceivedPacket,
  { config, keys, freshness, wall }: Listener,
): Rejection | undefined {
  if (trailer.length === 0 || freshness === undefined) return undefined
  const now = wall()
  const claimed = new DataView(trailer.buffer, trailer.byteOffset).getBigUint64(4)
  const stale = freshness.inWindow(claimed, now)
  if (stale !== undefined) return stale
  const context = { version: config.version, vrid: config.virtualRouterId, source: packet.source }
  const verified = verifyTrailer(message, trailer, context, keys)
  return isRejection(verified) ? verified : freshness.take(packet.source, verified.sequence, now)
}
