/** Addresses of interfaces (linux/if_addr.h). */
import { addressBytes, DecodeError, familyOf, seconds, type Address, type Millis } from '@ipvs-director/core'
import { attributes } from '../attributes.ts'
import type { NetlinkRequest } from '../channel.ts'
import { bytes, text, u32, u8 } from '../codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../message.ts'
import { struct } from '../struct.ts'
import { AF_UNSPEC, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from './constants.ts'
import { familyNumberOf, readAddress } from './prefix.ts'

/** An address to put on an interface. */
export interface InterfaceAddress {
  /** The interface. */
  readonly index: number
  readonly address: Address
  /** Length of its network's prefix: 0..32 or 0..128. */
  readonly prefix: number
  /** The other end of a point-to-point link. */
  readonly peer?: Address | undefined
  readonly broadcast?: Address | undefined
  /** At most 15 bytes, `eth0:vip`; IPv4 only. */
  readonly label?: string | undefined
  /** RT_SCOPE_ number; default 0, everywhere. */
  readonly scope?: number | undefined
  /** The kernel removes the address after this time, in whole seconds rounded up; default: never. */
  readonly validFor?: Millis | undefined
  /** It is no source of new connections after this time; default: as long as it is valid, 0: never one. */
  readonly preferredFor?: Millis | undefined
  /** Usable at once, without looking for duplicates; IPv6 only. */
  readonly nodad?: boolean | undefined
  /** No route to its network comes with it. */
  readonly noPrefixRoute?: boolean | undefined
  /** More IFA_F_ flags: 0x10 home address, 0x100 manage temporary addresses, 0x400 join multicast groups. */
  readonly moreFlags?: number | undefined
}

/** An address as the kernel tells it. */
export interface AssignedAddress extends InterfaceAddress {
  readonly scope: number
  /** All IFA_F_ flags. */
  readonly flags: number
  /** IPv6: still looking for duplicates, so it cannot be bound yet. */
  readonly tentative: boolean
  /** IPv6: somebody else has it. */
  readonly duplicate: boolean
}

/** What to do with an address; 'replace' adds it or renews its lifetime. */
export interface AddressChange {
  readonly do: 'add' | 'replace' | 'delete'
  readonly address: InterfaceAddress
}

/** A renewal in the kernel's octets, made once and sent often. */
export interface PreparedRenewal {
  readonly address: InterfaceAddress
  readonly request: NetlinkRequest
}

export const prepareRenewal = (address: InterfaceAddress): PreparedRenewal => ({
  address,
  request: changeAddress({ do: 'replace', address }),
})

const IFA_F_NODAD = 0x02
const IFA_F_DADFAILED = 0x08
const IFA_F_TENTATIVE = 0x40
const IFA_F_NOPREFIXROUTE = 0x200
const forever = 0xffff_ffff

/** struct ifaddrmsg. Its flags have only eight bits: the attribute has all. */
const header = struct({ family: u8, prefix: u8, flags: u8, scope: u8, index: u32 })
/** struct ifa_cacheinfo: lifetimes in seconds, then times of creation and change. */
const lifetimes = struct({ preferred: u32, valid: u32, created: u32, updated: u32 })
const addressAttributes = attributes({
  address: [1, bytes],
  local: [2, bytes],
  label: [3, text],
  broadcast: [4, bytes],
  lifetimes: [6, lifetimes],
  flags: [8, u32],
})

/** Reads RTM_NEWADDR and RTM_DELADDR; throws a DecodeError. */
export function decodeAddress(payload: Buffer): AssignedAddress {
  const head = header.decode(payload)
  const given = addressAttributes.decodeRange(payload, header.size, payload.length)
  const far = readAddress(given.address)
  const address = readAddress(given.local) ?? far
  if (address === undefined) throw new DecodeError(`an address of interface ${head.index} without the address itself`)
  const flags = given.flags ?? head.flags
  return {
    index: head.index,
    address,
    prefix: head.prefix,
    peer: far === address ? undefined : far,
    broadcast: readAddress(given.broadcast),
    label: given.label,
    scope: head.scope,
    validFor: lifetime(given.lifetimes?.valid),
    preferredFor: lifetime(given.lifetimes?.preferred),
    nodad: (flags & IFA_F_NODAD) !== 0,
    noPrefixRoute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    flags,
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    duplicate: (flags & IFA_F_DADFAILED) !== 0,
  }
}

/** All addresses of all interfaces: a dump. (The kernel filters by interface only for sockets with strict checking.) */
export function allAddresses(): NetlinkRequest {
  return { type: RTM_GETADDR, payload: header.encode({ family: AF_UNSPEC }) }
}

export function changeAddress({ do: action, address: wanted }: AddressChange): NetlinkRequest {
  const flags =
    (wanted.nodad === true ? IFA_F_NODAD : 0) |
    (wanted.noPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0) |
    (wanted.moreFlags ?? 0)
  const head = header.encode({
    family: familyNumberOf(wanted.address),
    prefix: wanted.prefix,
    scope: wanted.scope ?? 0,
    index: wanted.index,
  })
  const own = addressBytes(wanted.address)
  const key = {
    address: wanted.peer === undefined ? own : addressBytes(wanted.peer),
    local: wanted.peer === undefined && familyOf(wanted.address) === 'inet6' ? undefined : own,
    label: wanted.label,
  }
  if (action === 'delete') {
    return { type: RTM_DELADDR, payload: Buffer.concat([head, addressAttributes.encode(key)]) }
  }
  const body = addressAttributes.encode({
    ...key,
    broadcast: wanted.broadcast === undefined ? undefined : addressBytes(wanted.broadcast),
    lifetimes: encodeLifetimes(wanted),
    flags: flags === 0 ? undefined : flags,
  })
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | (action === 'add' ? NLM_F_EXCL : NLM_F_REPLACE),
    payload: Buffer.concat([head, body]),
  }
}

function encodeLifetimes({
  validFor,
  preferredFor,
}: InterfaceAddress): { preferred: number; valid: number } | undefined {
  if (validFor === undefined && preferredFor === undefined) return undefined
  const valid = validFor === undefined ? forever : Math.max(1, wholeSeconds(validFor))
  const preferred = preferredFor === undefined ? valid : wholeSeconds(preferredFor)
  return { valid, preferred: Math.min(preferred, valid) }
}

const wholeSeconds = (duration: Millis): number => Math.min(Math.ceil(duration / 1000), forever - 1)

const lifetime = (left: number | undefined): Millis | undefined =>
  left === undefined || left === forever ? undefined : seconds(left)
