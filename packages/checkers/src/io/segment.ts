import { DecodeError } from '@ipvs-director/core'

/** RFC 9293 §3.1, as much of a segment as opening a connection needs. */
export interface Segment {
  readonly from: number
  readonly to: number
  readonly sequence: number
  readonly acknowledged: number
  readonly syn: boolean
  readonly ack: boolean
  readonly rst: boolean
}

const headerBytes = 20
/** Maximum segment size, 1460: a SYN without it looks odd to some. */
const options = Buffer.from([2, 4, 0x05, 0xb4])
const window = 64_240

/** How long one is that we send. */
export const synBytes = headerBytes + options.length

/** A SYN, written into these bytes, without a checksum. Of the sequence number the lowest 32 bits count. */
export function encodeSyn(from: number, to: number, sequence: number, bytes: Buffer = Buffer.alloc(synBytes)): Buffer {
  bytes.fill(0)
  bytes.writeUInt16BE(from, 0)
  bytes.writeUInt16BE(to, 2)
  bytes.writeUInt32BE(sequence >>> 0, 4)
  bytes[12] = ((headerBytes + options.length) / 4) << 4
  bytes[13] = 0x02
  bytes.writeUInt16BE(window, 14)
  bytes.set(options, headerBytes)
  return bytes
}

/** Puts the checksum in, over the pseudo header of IPv4 too (RFC 9293 §3.1). */
export function sign(segment: Buffer, source: Uint8Array, destination: Uint8Array): Buffer {
  segment.writeUInt16BE(0, 16)
  const pseudo = sumOf(source) + sumOf(destination) + IPPROTO_TCP + segment.length
  segment.writeUInt16BE(internetChecksum(pseudo + sumOf(segment)), 16)
  return segment
}

/** linux/in.h */
const IPPROTO_TCP = 6

/** Of the words of an even number of bytes, or with a zero behind them. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  return sum
}

/** RFC 1071. */
function internetChecksum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Reads the beginning of the segment that is between `at` and `end`. Throws a DecodeError when it is too short. */
export function decodeSegment(bytes: Buffer, at = 0, end = bytes.length): Segment {
  if (end - at < headerBytes) throw new DecodeError(`a TCP header has ${headerBytes} bytes, not ${end - at}`)
  const flags = bytes.readUInt8(at + 13)
  return {
    from: bytes.readUInt16BE(at),
    to: bytes.readUInt16BE(at + 2),
    sequence: bytes.readUInt32BE(at + 4),
    acknowledged: bytes.readUInt32BE(at + 8),
    syn: (flags & 0x02) !== 0,
    ack: (flags & 0x10) !== 0,
    rst: (flags & 0x04) !== 0,
  }
}
