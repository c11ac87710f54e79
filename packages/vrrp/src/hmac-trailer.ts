import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Address, addressBytes } from '@ipvs-director/core'
import { type Rejection, reject } from './rejection.ts'

/**
 * keepalived 2.4's `auth_hmac`: 28 octets after the message, which its checksum over IPv4 does not cover.
 *
 * | 0 type 1 | 1 key id | 2 reserved | 4 seconds (UTC) | 8 fraction | 10 counter | 12 HMAC-SHA256, first 16 octets |
 */
export const trailerLength = 28
const hmacAt = 12
const typeSha256 = 1

/** Seconds, 1/65536 fractions and a counter in 64 bits, so that later is larger. */
export type Sequence = bigint

export interface HmacContext {
  readonly version: 2 | 3
  readonly vrid: number
  readonly source: Address
}

/** Message and trailer; the message's checksum does not count. */
export function appendTrailer(
  message: Uint8Array,
  context: HmacContext,
  key: { readonly id: number; readonly secret: Uint8Array },
  sequence: Sequence,
): Uint8Array {
  const bytes = new Uint8Array(message.length + trailerLength)
  bytes.set(message)
  bytes[message.length] = typeSha256
  bytes[message.length + 1] = key.id
  new DataView(bytes.buffer).setBigUint64(message.length + 4, sequence)
  bytes.set(hmacOf(bytes, context, key.secret), message.length + hmacAt)
  return bytes
}

/** The trailer's own words and whether it is right; freshness is {@link Freshness}'s business. */
export function verifyTrailer(
  message: Uint8Array,
  trailer: Uint8Array,
  context: HmacContext,
  keys: ReadonlyMap<number, Uint8Array>,
): { readonly sequence: Sequence } | Rejection {
  const [type, id = 0, reserved1, reserved2] = trailer
  if (trailer.length !== trailerLength || type !== typeSha256 || reserved1 !== 0 || reserved2 !== 0) {
    return reject('hmacMalformed', 'the trailer of auth_hmac is malformed')
  }
  const secret = keys.get(id)
  if (secret === undefined) return reject('hmacUnknownKey', `auth_hmac key ${id} is unknown`)
  const bytes = new Uint8Array(message.length + trailerLength)
  bytes.set(message)
  bytes.set(trailer, message.length)
  const right = hmacOf(bytes, context, secret)
  if (!timingSafeEqual(right, trailer.subarray(hmacAt))) {
    return reject('hmacInvalid', `invalid HMAC with key ${id} (another secret, or a changed advertisement)`)
  }
  return { sequence: new DataView(trailer.buffer, trailer.byteOffset).getBigUint64(4) }
}

/** Over a pseudo header of 20 octets, then message and trailer with checksum and hash zero. */
function hmacOf(bytes: Uint8Array, context: HmacContext, secret: Uint8Array): Uint8Array {
  const source = addressBytes(context.source)
  const pseudo = new Uint8Array(20)
  pseudo.set([source.length === 4 ? 4 : 6, context.version, context.vrid, 0])
  pseudo.set(source, 4)
  const covered = bytes.slice()
  covered.fill(0, bytes.length - trailerLength + hmacAt)
  covered[6] = 0
  covered[7] = 0
  return createHmac('sha256', secret).update(pseudo).update(covered).digest().subarray(0, 16)
}
