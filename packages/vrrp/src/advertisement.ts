import { type Address, addressBytes, addressFromBytes, type Family, millis, type Millis } from '@ipvs-director/core'
import { internetChecksum, pseudoHeaderSum } from './checksum.ts'
import { type Rejection, reject } from './rejection.ts'

/** A VRRP advertisement: RFC 3768 §5 (version 2), RFC 5798 and RFC 9568 §5 (version 3). */
export interface Advertisement {
  readonly version: 2 | 3
  /** 1 to 255 when sent; 0 to 255 as received. */
  readonly vrid: number
  /** 0: the master resigns; 255: it owns the addresses. */
  readonly priority: number
  /** At most 255, all of one family. */
  readonly addresses: readonly Address[]
  /** v2: whole seconds up to 255; v3: hundredths up to 40.95 s. */
  readonly interval: Millis
  /** v2: 0 none, 1 simple password, 2 authentication header; v3: 0. */
  readonly authType: number
  /** v2: the eight bytes after the addresses; v3: empty. */
  readonly authData: Uint8Array
}

/** What goes into the checksum besides the message. */
export type ChecksumKind =
  /** v2, and v3 over IPv4 with `v3_checksum_as_v2` (also RFC 9568 §5.2.8): the message alone. */
  | { readonly kind: 'message' }
  /** v3: the pseudo header, with the destination of this very copy. */
  | { readonly kind: 'pseudo'; readonly source: Address; readonly destination: Address }

export const headerLength = 8
export const authDataLength = 8
const noAuthData = new Uint8Array(0)

/** Octets of the message for so many addresses, without any trailer. */
export function advertisementLength(version: number, family: Family, count: number): number {
  return headerLength + count * widthOf(family) + (version === 2 ? authDataLength : 0)
}

/** The message in network order, with its checksum. Throws a RangeError for what does not fit its field. */
export function encodeAdvertisement(advertisement: Advertisement, family: Family, checksum: ChecksumKind): Uint8Array {
  const { version, addresses } = advertisement
  if (addresses.length > 255) throw new RangeError(`an advertisement holds 255 addresses, not ${addresses.length}`)
  const bytes = new Uint8Array(advertisementLength(version, family, addresses.length))
  bytes[0] = (version << 4) | 1
  bytes[1] = field('VRID', advertisement.vrid, 1, 255)
  bytes[2] = field('priority', advertisement.priority, 0, 255)
  bytes[3] = addresses.length
  if (version === 2) {
    bytes[4] = field('authentication type', advertisement.authType, 0, 2)
    bytes[5] = field('interval in seconds', Math.round(advertisement.interval / 1000), 1, 255)
    bytes.set(advertisement.authData.subarray(0, authDataLength), bytes.length - authDataLength)
  } else {
    const centiseconds = field('interval in centiseconds', Math.round(advertisement.interval / 10), 1, 4095)
    bytes[4] = centiseconds >> 8
    bytes[5] = centiseconds & 0xff
  }
  bytes.set(encodeAddresses(addresses, family), headerLength)
  writeChecksum(bytes, checksum, bytes.length)
  return bytes
}

function field(what: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(`${what} ${value}: ${min} to ${max}`)
  return value
}

/** Fills in octets 6 and 7. `covered` is how many octets count, and the length in the pseudo header. */
export function writeChecksum(bytes: Uint8Array, checksum: ChecksumKind, covered: number): void {
  bytes[6] = 0
  bytes[7] = 0
  const sum = internetChecksum(bytes.subarray(0, covered), startOf(checksum, covered))
  bytes[6] = sum >> 8
  bytes[7] = sum & 0xff
}

/** Whether octets 6 and 7 are right for the octets given. */
export const checksumIsRight = (bytes: Uint8Array, checksum: ChecksumKind): boolean =>
  internetChecksum(bytes, startOf(checksum, bytes.length)) === 0

const startOf = (checksum: ChecksumKind, length: number): number =>
  checksum.kind === 'message' ? 0 : pseudoHeaderSum(checksum.source, checksum.destination, length)

/** What an advertisement says, but for its addresses, which stay octets until somebody wants to read them. */
export interface AdvertisementHead extends Omit<Advertisement, 'addresses'> {
  /** How many addresses it has. */
  readonly count: number
  /** They themselves, 4 or 16 octets each. */
  readonly octets: Uint8Array
}

/**
 * Reads a message whose octets may be followed by a trailer or padding. Only its shape is looked at here: version 2 or 3,
 * and long enough for the addresses it claims; what an instance expects of it is {@link checkPacket}'s business.
 * Never throws, and costs the same for 255 addresses as for none.
 */
export function decodeHead(bytes: Uint8Array, family: Family): AdvertisementHead | Rejection {
  if (bytes.length < headerLength) return reject('length', `a VRRP packet of ${bytes.length} bytes is too short`)
  const [first = 0, vrid = 0, priority = 0, count = 0, fourth = 0, fifth = 0] = bytes
  const version = first >> 4
  if (version !== 2 && version !== 3) return reject('version', `wrong version ${version}`)
  const length = advertisementLength(version, family, count)
  if (bytes.length < length) {
    return reject('length', `${bytes.length} bytes are too short for ${count} addresses (expected ${length})`)
  }
  if ((first & 0x0f) !== 1) return reject('type', `invalid type ${first & 0x0f}: not an advertisement`)
  return {
    version,
    vrid,
    priority,
    count,
    octets: bytes.subarray(headerLength, headerLength + count * widthOf(family)),
    interval: millis(version === 2 ? fifth * 1000 : (((fourth & 0x0f) << 8) | fifth) * 10),
    authType: version === 2 ? fourth : 0,
    authData: version === 2 ? bytes.subarray(length - authDataLength, length) : noAuthData,
  }
}

/** The addresses in octets, at most 255. */
export function decodeAddresses(octets: Uint8Array, family: Family): readonly Address[] {
  const width = widthOf(family)
  const addresses: Address[] = []
  for (let at = 0; at + width <= octets.length; at += width)
    addresses.push(addressFromBytes(octets.subarray(at, at + width)))
  return addresses
}

/** Addresses one after the other, as an advertisement holds them. */
export function encodeAddresses(addresses: readonly Address[], family: Family): Uint8Array {
  const width = widthOf(family)
  const octets = new Uint8Array(addresses.length * width)
  addresses.forEach((address, i) => {
    const bytes = addressBytes(address)
    if (bytes.length !== width) throw new RangeError(`${address} is not of family ${family}`)
    octets.set(bytes, i * width)
  })
  return octets
}

/** Octets of an address. */
export const widthOf = (family: Family): number => (family === 'inet' ? 4 : 16)
