import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Address, addressBytes } from '@ipvs-director/core'
import { protocolVrrp } from './checksum.ts'
import { ipv4HeaderLength } from './packet.ts'
import { type Rejection, reject } from './rejection.ts'

/** VRRPv2's authentication (RFC 2338 §5.3.6, kept by keepalived): type 1 a password in clear, type 2 RFC 2402 with MD5. */

const passwordLength = 8
/** Next header, length, reserved, SPI, sequence number, 12 octets of integrity check value. */
export const ahLength = 24
const ahFixed = 12

/** The eight octets that both types use: the password's first eight, padded with zeros. */
export function passwordOctets(password: string): Uint8Array {
  const octets = new Uint8Array(passwordLength)
  octets.set(new TextEncoder().encode(password).subarray(0, passwordLength))
  return octets
}

/** Same octets, told in the same time whatever differs. */
export const samePassword = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

/** What an authentication header is made with, or must be right by. */
export interface AhKey {
  readonly password: Uint8Array
  /** Unicast: routers change the TTL, so it does not count. */
  readonly unicast: boolean
}

/** Fills in the integrity check value of a whole IPv4 packet whose authentication header is at octet 20. */
export function signAh(packet: Uint8Array, key: AhKey): void {
  const header = packet.subarray(0, ipv4HeaderLength)
  packet.set(integrity(header, packet.subarray(ipv4HeaderLength), key), ipv4HeaderLength + ahFixed)
}

/** The authentication header before a message; its value is filled in by {@link signAh}. SPI: the source address. */
export function encodeAh(source: Address, sequence: number, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ahLength + message.length)
  bytes.set([protocolVrrp, ahLength / 4 - 2])
  bytes.set(addressBytes(source), 4)
  new DataView(bytes.buffer).setUint32(8, sequence)
  bytes.set(message, ahLength)
  return bytes
}

/** RFC 2402 §3.3.3: fields that change on the way count as zero. keepalived counts the TTL when it is not unicast. */
function integrity(header: Uint8Array, payload: Uint8Array, key: AhKey): Uint8Array {
  const covered = new Uint8Array(header.length + payload.length)
  covered.set(header)
  covered.set(payload, header.length)
  covered[1] = 0
  covered.fill(0, 6, 8)
  if (key.unicast) covered[8] = 0
  covered.fill(0, 10, 12)
  covered.fill(0, header.length + ahFixed, header.length + ahLength)
  return createHmac('md5', key.password).update(covered).digest().subarray(0, 12)
}

/** What an authentication header said. */
export interface AhRead {
  readonly sequence: number
  readonly message: Uint8Array
}

/** Splits the authentication header off; what it proves is {@link verifyAh}'s business. */
export function readAh(payload: Uint8Array): AhRead | Rejection {
  if (payload.length < ahLength)
    return reject('length', `an authentication header of ${payload.length} bytes is too short`)
  if (payload[0] !== protocolVrrp || payload[1] !== ahLength / 4 - 2) {
    return reject('authType', 'not an authentication header of HMAC-MD5-96 before VRRP')
  }
  const view = new DataView(payload.buffer, payload.byteOffset)
  return { sequence: view.getUint32(8), message: payload.subarray(ahLength) }
}

/** Whether the header's SPI is its sender and its value is right. */
export function verifyAh(header: Uint8Array, payload: Uint8Array, source: Address, key: AhKey): Rejection | undefined {
  if (!samePassword(addressBytes(source), payload.subarray(4, 8))) {
    return reject('authFailure', 'the SPI of the authentication header is not its source address')
  }
  const given = payload.subarray(ahFixed, ahLength)
  if (samePassword(integrity(header, payload, key), given)) return undefined
  return reject('authFailure', 'received an invalid authentication header (wrong password?)')
}
