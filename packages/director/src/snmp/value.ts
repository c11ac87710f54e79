import { addressBytes, familyOf, type Address } from '@ipvs-director/core'
import type { Oid } from './oid.ts'

/** A value as SNMP types it (RFC 2578 §7.1); the three at the end say that there is none (RFC 3416 §4.2). */
export type SnmpValue =
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'octets'; readonly value: Uint8Array }
  | { readonly type: 'oid'; readonly value: Oid }
  | { readonly type: 'counter32' | 'gauge32' | 'timeTicks'; readonly value: number }
  | { readonly type: 'counter64'; readonly value: bigint }
  | { readonly type: 'ipAddress'; readonly value: Uint8Array }
  | { readonly type: 'null' | 'noSuchObject' | 'noSuchInstance' | 'endOfMibView' }

const largest = 2 ** 32 - 1

/** Signed 32 bits; also for enumerations. */
export const integer = (value: number): SnmpValue => ({ type: 'integer', value: Math.trunc(value) })
/** Unsigned32 and Gauge32: what is above stays at the top. */
export const gauge = (value: number): SnmpValue => ({ type: 'gauge32', value: Math.min(Math.max(0, Math.round(value)), largest) }) // prettier-ignore
/** Begins again at zero after 2^32-1. */
export const counter32 = (value: number): SnmpValue => ({ type: 'counter32', value: value % 2 ** 32 })
/** From milliseconds; hundredths of a second, never negative. */
export const timeTicks = (value: number): SnmpValue => ({ type: 'timeTicks', value: Math.trunc(Math.max(0, value) / 10) % 2 ** 32 }) // prettier-ignore
export const counter64 = (value: number): SnmpValue => ({ type: 'counter64', value: BigInt(Math.max(0, Math.round(value))) }) // prettier-ignore
export const text = (value: string): SnmpValue => ({ type: 'octets', value: Buffer.from(value.slice(0, 255)) })
export const octets = (value: Uint8Array): SnmpValue => ({ type: 'octets', value })
/** TruthValue (RFC 2579): true is 1, false 2. `enabled`/`disabled` and the like have the same numbers. */
export const truth = (value: boolean): SnmpValue => integer(value ? 1 : 2)
/** InetAddressType (RFC 4001): ipv4 1, ipv6 2. */
export const addressType = (address: Address): SnmpValue => integer(familyOf(address) === 'inet' ? 1 : 2)
/** InetAddress: its bytes. */
export const addressOctets = (address: Address): SnmpValue => octets(addressBytes(address))

/** A name with its value. */
export interface VarBind {
  readonly name: Oid
  readonly value: SnmpValue
}
