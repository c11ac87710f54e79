/** RFC 9293 §3.1, as much of a segment as opening a connection needs. */
export interface Segment {
  readonly from: number
  readonly to: number
  readonly sequence: number
  readonly acknowledged: number
  /** Its flags: SYN 2, RST 4, ACK 16. */
  readonly flags: number
}

/** The address of a segment's sender and of its receiver, as bytes. */
export interface Ends {
  readonly source: Uint8Array
  readonly destination: Uint8Array
}

/** A header with its checksum, which over IPv4 is over the pseudo header, too. */
export function encodeSegment({ from, to, sequence, acknowledged, flags }: Segment, ends: Ends): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt16BE(from, 0)
  bytes.writeUInt16BE(to, 2)
  bytes.writeUInt32BE(sequence >>> 0, 4)
  bytes.writeUInt32BE(acknowledged >>> 0, 8)
  bytes[12] = 5 << 4
  bytes[13] = flags
  bytes.writeUInt16BE(~checksumOf(bytes, ends) & 0xffff, 16)
  return bytes
}

/** Of the segment that begins here. */
export function decodeSegment(bytes: Buffer): Segment {
  return {
    from: bytes.readUInt16BE(0),
    to: bytes.readUInt16BE(2),
    sequence: bytes.readUInt32BE(4),
    acknowledged: bytes.readUInt32BE(8),
    flags: bytes[13] ?? 0,
  }
}

/** RFC 1071: 0xffff when the checksum that is in it is right. */
export function checksumOf(segment: Uint8Array, { source, destination }: Ends): number {
  const IPPROTO_TCP = 6
  const pseudo = Buffer.concat([source, destination, Buffer.of(0, 0, 0, IPPROTO_TCP, 0, 0, 0, segment.length), segment])
  let sum = 0
  for (let at = 0; at < pseudo.length; at += 2) sum += pseudo.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}
