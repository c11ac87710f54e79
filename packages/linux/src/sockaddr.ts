/** Socket addresses and socket options as bytes. Integers are in the host's order but for port and ethertype. */
import { addressBytes, addressFromBytes, DecodeError, familyOf, type Address } from '@ipvs-director/core'
import { be16, s32, u16, u32, u8 } from './netlink/codecs.ts'
import { struct } from './netlink/struct.ts'
import { littleEndian } from './netlink/writer.ts'

export const AF_PACKET = 17
const AF_INET = 2
const AF_INET6 = 10

const anyPort = 0
const inet = struct({ family: u16, port: be16 })
const inet6Scope = struct({ scope: u32 })
const link = struct({ family: u16, protocol: be16, index: s32, hardware: u16, kind: u8, length: u8 })

/** struct sockaddr_in or sockaddr_in6, port 0 as raw sockets have it. `scope`: the interface, for link-local addresses. */
export function socketAddress(address: Address, scope = 0): Buffer {
  const family = familyOf(address) === 'inet' ? AF_INET : AF_INET6
  const head = inet.encode({ family, port: anyPort })
  if (family === AF_INET) return Buffer.concat([head, addressBytes(address), Buffer.alloc(8)])
  const isLocal = address.startsWith('fe80:') || address.startsWith('ff02:')
  return Buffer.concat([
    head,
    Buffer.alloc(4),
    addressBytes(address),
    inet6Scope.encode({ scope: isLocal ? scope : 0 }),
  ])
}

/** The address in a sockaddr_in or sockaddr_in6; undefined for another family. Throws a DecodeError when it is cut. */
export function addressOf(sockaddr: Buffer): Address | undefined {
  if (sockaddr.length < 2) return undefined
  const family = u16.read(sockaddr, 0, 2)
  const [start, end] = family === AF_INET ? [4, 8] : family === AF_INET6 ? [8, 24] : [0, 0]
  if (end === 0) return undefined
  if (sockaddr.length < end) throw new DecodeError(`a socket address of ${sockaddr.length} bytes`)
  return addressFromBytes(sockaddr.subarray(start, end))
}

/** struct sockaddr_ll: frames of `ethertype` on an interface, to the hardware address `to` (of 6 bytes). */
export function linkAddress(index: number, ethertype: number, to?: Uint8Array): Buffer {
  const head = link.encode({ family: AF_PACKET, protocol: ethertype, index, length: to?.length ?? 0 })
  const padded = Buffer.alloc(8)
  if (to !== undefined) padded.set(to)
  return Buffer.concat([head, padded])
}

/** A sockaddr_ll as a packet socket reports it; `kind`: 0 to us, 1 broadcast, 2 multicast, 3 to others, 4 from us. */
export function readLinkAddress(sockaddr: Buffer): { index: number; kind: number; from: Buffer } {
  const { index, kind, length } = link.decode(sockaddr)
  return { index, kind, from: sockaddr.subarray(link.size, link.size + length) }
}

/** An int option. */
export const intOption = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer)

/** An interface's name as SO_BINDTODEVICE takes it. */
export const deviceOption = (name: string): Buffer => Buffer.from(`${name}\0`)

/** struct ip_mreqn: group, source address (none), interface. */
export const groupRequest = (group: Address, index: number): Buffer =>
  familyOf(group) === 'inet'
    ? Buffer.concat([addressBytes(group), Buffer.alloc(4), intOption(index)])
    : Buffer.concat([addressBytes(group), intOption(index)])

/** One control message. */
export interface ControlMessage {
  readonly level: number
  readonly type: number
  readonly data: Buffer
}

const wordBytes = 8 // of 64-bit machines
const controlHeader = wordBytes + 8
const align = (length: number): number => (length + wordBytes - 1) & ~(wordBytes - 1)

/** struct cmsghdr with its data: length of all, level, type, data; padded to 8 bytes. */
export function encodeControl(messages: readonly ControlMessage[]): Buffer {
  return Buffer.concat(
    messages.map(({ level, type, data }) => {
      const length = controlHeader + data.length
      const out = Buffer.alloc(align(length))
      const numbers = new DataView(out.buffer, out.byteOffset, controlHeader)
      numbers.setBigUint64(0, BigInt(length), littleEndian)
      numbers.setInt32(8, level, littleEndian)
      numbers.setInt32(12, type, littleEndian)
      out.set(data, controlHeader)
      return out
    }),
  )
}

/** Reads control messages; one that is cut ends the list. */
export function decodeControl(control: Buffer | undefined): ControlMessage[] {
  const messages: ControlMessage[] = []
  if (control === undefined) return messages
  const numbers = new DataView(control.buffer, control.byteOffset, control.length)
  for (let at = 0; at + controlHeader <= control.length;) {
    const length = Number(numbers.getBigUint64(at, littleEndian))
    if (length < controlHeader || at + length > control.length) break
    messages.push({
      level: numbers.getInt32(at + 8, littleEndian),
      type: numbers.getInt32(at + 12, littleEndian),
      data: control.subarray(at + controlHeader, at + length),
    })
    at += align(length)
  }
  return messages
}
