import { addressFromBytes, DecodeError, familyOf, type Address, type Family } from '@ipvs-director/core'
import { AF_INET, AF_INET6 } from './constants.ts'

/** A block of addresses: `10.0.0.0/8`. */
export interface Prefix {
  readonly address: Address
  /** Leading bits that count: 0..32 or 0..128. */
  readonly length: number
}

/** `10.0.0.0/8`. */
export const formatPrefix = (prefix: Prefix): string => `${prefix.address}/${prefix.length}`

/** The kernel's number of a family. */
export const familyNumber = (family: Family): number => (family === 'inet' ? AF_INET : AF_INET6)

/** The kernel's number of an address's family. */
export const familyNumberOf = (value: Address): number => familyNumber(familyOf(value))

/** The family by its number; undefined for one that is neither IPv4 nor IPv6. */
export function familyFromNumber(number: number): Family | undefined {
  return number === AF_INET ? 'inet' : number === AF_INET6 ? 'inet6' : undefined
}

/** An attribute's address; throws a DecodeError where it has neither 4 nor 16 bytes. */
export function readAddress(bytes: Uint8Array): Address
export function readAddress(bytes: Uint8Array | undefined): Address | undefined
export function readAddress(bytes: Uint8Array | undefined): Address | undefined {
  if (bytes === undefined) return undefined
  if (bytes.length !== 4 && bytes.length !== 16) throw new DecodeError(`an address of ${bytes.length} bytes`)
  return addressFromBytes(bytes)
}
