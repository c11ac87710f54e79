import { DecodeError } from '@ipvs-director/core'
import { littleEndian, type Writer } from './writer.ts'

/** How one value lies in bytes: the payload of an attribute or a field of a struct. */
export interface Codec<T> {
  /** Its length in bytes, where that is always the same; whoever calls `read` has checked it. */
  readonly size?: number
  /** Bits set in the attribute's type beside its id (NLA_F_NESTED). */
  readonly typeFlags?: number
  write(writer: Writer, value: T): void
  /** Reads `bytes` from `start` up to `end`; throws a DecodeError when they are not such a value. */
  read(bytes: Buffer, start: number, end: number): T
}

/** The type a codec carries. */
export type CodecValue<C> = C extends Codec<infer T> ? T : never

/** One byte. */
export const u8: Codec<number> = {
  size: 1,
  write: (writer, value) => {
    writer.u8(value)
  },
  read: (bytes, start) => bytes.readUInt8(start),
}

/** Two bytes, host order. */
export const u16: Codec<number> = {
  size: 2,
  write: (writer, value) => {
    writer.u16(value)
  },
  read: littleEndian ? (bytes, start) => bytes.readUInt16LE(start) : (bytes, start) => bytes.readUInt16BE(start),
}

/** Four bytes, host order. */
export const u32: Codec<number> = {
  size: 4,
  write: (writer, value) => {
    writer.u32(value)
  },
  read: littleEndian ? (bytes, start) => bytes.readUInt32LE(start) : (bytes, start) => bytes.readUInt32BE(start),
}

/** Four bytes, signed, host order. */
export const s32: Codec<number> = {
  size: 4,
  write: (writer, value) => {
    writer.s32(value)
  },
  read: littleEndian ? (bytes, start) => bytes.readInt32LE(start) : (bytes, start) => bytes.readInt32BE(start),
}

/** Eight bytes, host order, as a bigint. */
export const u64: Codec<bigint> = {
  size: 8,
  write: (writer, value) => {
    writer.u64(value)
  },
  read: littleEndian ? (bytes, start) => bytes.readBigUInt64LE(start) : (bytes, start) => bytes.readBigUInt64BE(start),
}

/** Two bytes, network order. */
export const be16: Codec<number> = {
  size: 2,
  write: (writer, value) => {
    writer.be16(value)
  },
  read: (bytes, start) => bytes.readUInt16BE(start),
}

/** Four bytes, network order. */
export const be32: Codec<number> = {
  size: 4,
  write: (writer, value) => {
    writer.be32(value)
  },
  read: (bytes, start) => bytes.readUInt32BE(start),
}

/** Bytes as they are. Read, they are a view into the message. */
export const bytes: Codec<Uint8Array> = {
  write: (writer, value) => {
    writer.bytes(value)
  },
  read: (source, start, end) => source.subarray(start, end),
}

/** UTF-8 ended by a NUL; read up to the first NUL or the end, as the kernel sends both. */
export const text: Codec<string> = {
  write: (writer, value) => {
    if (value.includes('\0')) throw new RangeError('text for the kernel cannot hold a NUL')
    writer.text(value)
    writer.u8(0)
  },
  read: (source, start, end) => {
    const nul = source.indexOf(0, start)
    return source.toString('utf8', start, nul < 0 || nul > end ? end : nul)
  },
}

/** An attribute without payload that says yes by being there; `false` leaves it out. */
export const flag: Codec<boolean> = { size: 0, write: () => undefined, read: () => true }

/** Reads a value of which the length was not checked yet. */
export function readValue<T>(codec: Codec<T>, what: string, source: Buffer, start: number, end: number): T {
  if (codec.size !== undefined && end - start !== codec.size) {
    throw new DecodeError(`${what}: ${end - start} bytes where ${codec.size} were expected`)
  }
  return codec.read(source, start, end)
}

/** Any bytes as a Buffer over the same memory. */
export function asBuffer(source: Uint8Array): Buffer {
  return Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength)
}
