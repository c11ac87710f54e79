import { type Address, addressBytes } from '@ipvs-director/core'

/** IANA protocol number of VRRP. */
export const protocolVrrp = 112

/**
 * RFC 1071: the ones' complement of the ones' complement sum of 16-bit words; an odd last byte counts as the high half.
 * Zero over bytes that hold a right checksum.
 */
export function internetChecksum(bytes: Uint8Array, start = 0): number {
  let sum = start
  const even = bytes.length & ~1
  for (let i = 0; i < even; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  if (even < bytes.length) sum += (bytes[even] ?? 0) << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

/** The not yet folded sum of the pseudo header: source, destination, length and protocol 112 (RFC 8200 §8.1, RFC 5798). */
export function pseudoHeaderSum(source: Address, destination: Address, length: number): number {
  let sum = protocolVrrp + (length & 0xffff)
  for (const address of [source, destination]) {
    const bytes = addressBytes(address)
    for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  }
  return sum
}
