import { DecodeError } from '@ipvs-director/core'

/** RFC 792 and RFC 4443: echo request and reply. */
export const echoTypes = { inet: { request: 8, reply: 0 }, inet6: { request: 128, reply: 129 } } as const

/** An echo message: type and code, checksum, identifier, sequence number, data. */
export interface Echo {
  readonly type: number
  readonly id: number
  readonly sequence: number
  readonly data: Buffer
}

/** An echo message as bytes; the checksum is IPv4's (for ICMPv6 the kernel writes its own over it). */
export function encodeEcho({ type, id, sequence, data }: Echo): Buffer {
  const bytes = Buffer.alloc(8 + data.length)
  bytes[0] = type
  bytes.writeUInt16BE(id, 4)
  bytes.writeUInt16BE(sequence, 6)
  bytes.set(data, 8)
  bytes.writeUInt16BE(checksum(bytes), 2)
  return bytes
}

/** Reads an echo message (or anything of its length). Throws a DecodeError when it is too short. */
export function decodeEcho(bytes: Buffer): Echo {
  if (bytes.length < 8) throw new DecodeError(`an ICMP echo has at least 8 bytes, not ${bytes.length}`)
  return {
    type: bytes.readUInt8(0),
    id: bytes.readUInt16BE(4),
    sequence: bytes.readUInt16BE(6),
    data: bytes.subarray(8),
  }
}

/** What follows an IPv4 header (raw sockets deliver it too). Throws a DecodeError when there is none. */
export function skipIpHeader(packet: Buffer): Buffer {
  const length = ((packet[0] ?? 0) & 0x0f) * 4
  if (packet.length < 20 || length < 20 || packet.length < length) throw new DecodeError('not an IPv4 packet')
  return packet.subarray(length)
}

/** RFC 1071: the ones' complement of the ones' complement sum of all 16-bit words. */
export function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes.readUInt16BE(i)
  if (bytes.length % 2 === 1) sum += (bytes[bytes.length - 1] ?? 0) << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
