/** ARP (RFC 826, 5227) and neighbour discovery (RFC 4861) as bytes. */
import { addressBytes, addressFromBytes, familyOf, type Address } from '@ipvs-director/core'

export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV6 = 0x86dd

/** ICMPv6 types. */
export const neighbourSolicitation = 135
export const neighbourAdvertisement = 136

/** RFC 4861 §7.1: packets from beyond the link have less, and are not believed. */
const hopLimit = 255
const ICMPV6 = 58
const optionSource = 1
const optionTarget = 2
const flagRouter = 0x8000_0000
const flagOverride = 0x2000_0000

const broadcast = Buffer.alloc(6, 0xff)
const allNodes = addressBytes('ff02::1' as Address)
const allNodesMac = Buffer.from('333300000001', 'hex')

/** ARP for Ethernet and IPv4: 28 bytes. */
function arp(operation: 1 | 2, from: { mac: Uint8Array; ip: Uint8Array }, to: { mac: Uint8Array; ip: Uint8Array }) {
  return Buffer.concat([Buffer.of(0, 1, 8, 0, 6, 4, 0, operation), from.mac, from.ip, to.mac, to.ip])
}

const ethernet = (to: Uint8Array, from: Uint8Array, ethertype: number): Buffer =>
  Buffer.concat([to, from, Buffer.of(ethertype >> 8, ethertype & 0xff)])

/** A whole frame: an ARP request by which `mac` says to everybody that it has `address`, as keepalived sends it. */
export function gratuitousArp(mac: Uint8Array, address: Address): Buffer {
  const ip = addressBytes(address)
  return Buffer.concat([ethernet(broadcast, mac, ETHERTYPE_ARP), arp(1, { mac, ip }, { mac: broadcast, ip })])
}

/** A whole frame: who has `target`? Asked by `mac`; `from` 0.0.0.0 makes it a probe that disturbs nobody's tables. */
export function arpRequest(mac: Uint8Array, from: Address, target: Address): Buffer {
  const sender = { mac, ip: addressBytes(from) }
  return Buffer.concat([
    ethernet(broadcast, mac, ETHERTYPE_ARP),
    arp(1, sender, { mac: Buffer.alloc(6), ip: addressBytes(target) }),
  ])
}

/** A whole frame: `mac` says to all nodes that it has `address`, and that this overrides what they knew. */
export function unsolicitedAdvertisement(mac: Uint8Array, address: Address, router: boolean): Buffer {
  const message = Buffer.alloc(32)
  message[0] = neighbourAdvertisement
  message.writeUInt32BE((router ? flagRouter : 0) + flagOverride, 4)
  message.set(addressBytes(address), 8)
  message.set([optionTarget, 1], 24)
  message.set(mac, 26)
  return icmp6Frame({ mac, source: addressBytes(address), to: allNodesMac, destination: allNodes }, message)
}

/** A whole frame: who has `target`? Asked to its solicited-node group (RFC 4291 §2.7.1). */
export function solicitation(mac: Uint8Array, from: Address, target: Address): Buffer {
  const bytes = addressBytes(target)
  const group = Buffer.from('ff0200000000000000000001ff000000', 'hex')
  group.set(bytes.subarray(13), 13)
  const message = Buffer.alloc(32)
  message[0] = neighbourSolicitation
  message.set(bytes, 8)
  message.set([optionSource, 1], 24)
  message.set(mac, 26)
  const to = Buffer.concat([Buffer.of(0x33, 0x33), group.subarray(12)])
  return icmp6Frame({ mac, source: addressBytes(from), to, destination: group }, message)
}

interface Ends {
  readonly mac: Uint8Array
  readonly source: Uint8Array
  readonly to: Uint8Array
  readonly destination: Uint8Array
}

function icmp6Frame({ mac, source, to, destination }: Ends, message: Buffer): Buffer {
  const pseudo = Buffer.alloc(8)
  pseudo.writeUInt32BE(message.length, 0)
  pseudo[7] = ICMPV6
  message.writeUInt16BE(checksum(Buffer.concat([source, destination, pseudo, message])), 2)
  const header = Buffer.alloc(8)
  header[0] = 0x60
  header.writeUInt16BE(message.length, 4)
  header.set([ICMPV6, hopLimit], 6)
  return Buffer.concat([ethernet(to, mac, ETHERTYPE_IPV6), header, source, destination, message])
}

/** RFC 1071: the one's complement of the one's complement sum of 16-bit words. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

/** Somebody says to have an address. */
export interface NeighbourClaim {
  readonly address: Address
  readonly mac: Uint8Array
  /** An answer to a question, not a word to everybody. */
  readonly answer: boolean
}

/** Whoever sends ARP, request or reply, says that its own address is its own; a probe (0.0.0.0) does not. */
export function readArp(packet: Buffer): NeighbourClaim | undefined {
  if (packet.length < 28 || packet.readUInt32BE(0) !== 0x0001_0800 || packet.readUInt16BE(4) !== 0x0604)
    return undefined
  const operation = packet.readUInt16BE(6)
  if (operation !== 1 && operation !== 2) return undefined
  const ip = packet.subarray(14, 18)
  if (ip.readUInt32BE() === 0) return undefined
  return { address: addressFromBytes(ip), mac: Uint8Array.from(packet.subarray(8, 14)), answer: operation === 2 }
}

/** A neighbour advertisement, as an ICMPv6 socket delivers it; only with the sender's hardware address in it. */
export function readAdvertisement(message: Buffer): NeighbourClaim | undefined {
  if (message.length < 24 || message[0] !== neighbourAdvertisement || message[1] !== 0) return undefined
  const solicited = (message.readUInt32BE(4) & 0x4000_0000) !== 0
  for (let at = 24; at + 8 <= message.length;) {
    const length = (message[at + 1] ?? 0) * 8
    if (length === 0 || at + length > message.length) return undefined
    if (message[at] === optionTarget && length === 8) {
      const address = addressFromBytes(message.subarray(8, 24))
      return { address, mac: Uint8Array.from(message.subarray(at + 2, at + 8)), answer: solicited }
    }
    at += length
  }
  return undefined
}

/** `00:00:5e:00:01:33`. */
export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':')

/** Reads `00:00:5e:00:01:33`; undefined where it is none. */
export function parseMac(text: string): Uint8Array | undefined {
  const parts = text.split(':')
  return parts.length === 6 && parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part))
    ? Uint8Array.from(parts, (part) => Number.parseInt(part, 16))
    : undefined
}

/** The question for an address, by its family. */
export const question = (mac: Uint8Array, from: Address, target: Address): Buffer =>
  familyOf(target) === 'inet' ? arpRequest(mac, from, target) : solicitation(mac, from, target)
