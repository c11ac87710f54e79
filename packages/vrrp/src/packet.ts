import { type Address, addressBytes, addressFromBytes } from '@ipvs-director/core'
import { internetChecksum } from './checksum.ts'

/** A packet as the link heard it. */
export interface ReceivedPacket {
  readonly source: Address
  readonly destination: Address
  /** TTL or hop limit; undefined where the kernel did not tell. */
  readonly ttl: number | undefined
  /** 112: VRRP; 51: an authentication header, then VRRP. */
  readonly protocol: 51 | 112
  /** IPv4: the header as it came, which the authentication header covers; undefined for IPv6. */
  readonly header: Uint8Array | undefined
  /** What follows the IP header. */
  readonly payload: Uint8Array
}

/** A packet for the link to send from `source` to `destination`. */
export interface OutgoingPacket {
  readonly source: Address
  readonly destination: Address
  /** Undefined: the kernel's default (IPv6 unicast). */
  readonly ttl: number | undefined
  /** IPv4: the whole packet, header included (IP_HDRINCL). IPv6: what follows the header, checksum filled in. */
  readonly bytes: Uint8Array
}

export const ipv4HeaderLength = 20
/** Internet control, as keepalived sends it. */
export const typeOfService = 0xc0

/**
 * Reads an IPv4 packet as a raw socket delivers it; undefined when it is none, or not of protocol 112 or 51. `known`: its
 * addresses, where somebody has read them before.
 */
export function readIpv4(
  bytes: Uint8Array,
  known?: Pick<ReceivedPacket, 'source' | 'destination'>,
): ReceivedPacket | undefined {
  const first = bytes[0] ?? 0
  const headerLength = (first & 0x0f) * 4
  if (first >> 4 !== 4 || headerLength < ipv4HeaderLength || bytes.length < headerLength) return undefined
  const total = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)
  const protocol = bytes[9]
  if (total < headerLength || total > bytes.length || (protocol !== 112 && protocol !== 51)) return undefined
  return {
    source: known?.source ?? addressFromBytes(bytes.subarray(12, 16)),
    destination: known?.destination ?? addressFromBytes(bytes.subarray(16, 20)),
    ttl: bytes[8],
    protocol,
    header: bytes.subarray(0, headerLength),
    payload: bytes.subarray(headerLength, total),
  }
}

/** What an IPv4 header says of a packet. */
export interface Ipv4Header {
  readonly source: Address
  readonly destination: Address
  readonly protocol: 51 | 112
  readonly ttl: number
  /** 1 to 65535; 0 would let the kernel choose one, which an authentication header does not survive. */
  readonly id: number
}

/** The same packet once more: another identification, and the header's checksum with it, in place. */
export function restamp(bytes: Uint8Array, id: number): void {
  const header = bytes.subarray(0, ipv4HeaderLength)
  header[4] = id >> 8
  header[5] = id & 0xff
  header[10] = 0
  header[11] = 0
  const sum = internetChecksum(header)
  header[10] = sum >> 8
  header[11] = sum & 0xff
}

/** Header and payload, with the header's checksum. */
export function encodeIpv4(header: Ipv4Header, payload: Uint8Array): Uint8Array {
  const total = ipv4HeaderLength + payload.length
  if (total > 0xffff) throw new RangeError(`an IPv4 packet of ${total} bytes`)
  const bytes = new Uint8Array(total)
  bytes.set([0x45, typeOfService, total >> 8, total & 0xff, header.id >> 8, header.id & 0xff, 0, 0])
  bytes.set([header.ttl, header.protocol], 8)
  bytes.set(addressBytes(header.source), 12)
  bytes.set(addressBytes(header.destination), 16)
  const sum = internetChecksum(bytes.subarray(0, ipv4HeaderLength))
  bytes.set([sum >> 8, sum & 0xff], 10)
  bytes.set(payload, ipv4HeaderLength)
  return bytes
}
