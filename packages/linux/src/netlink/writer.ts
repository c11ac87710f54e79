import { endianness } from 'node:os'

/** Whether this machine's own byte order, which most of netlink uses, is little-endian. */
export const littleEndian = endianness() === 'LE'

const smallCopy = 32

/**
 * A buffer that grows as it is written. Integers are in the host's order unless named `be…`, and must be in range
 * (RangeError). A writer is reused by {@link Writer.truncate}: what {@link Writer.view} returned is then overwritten.
 */
export class Writer {
  /** Bytes written so far. */
  length = 0
  private buffer: Buffer
  private numbers: DataView

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(capacity, 64))
    this.numbers = new DataView(this.buffer.buffer)
  }

  u8(value: number): void {
    if ((value & 0xff) !== value) outOfRange(value, 'u8')
    const at = this.reserve(1)
    this.numbers.setUint8(at, value)
  }

  u16(value: number): void {
    if ((value & 0xffff) !== value) outOfRange(value, 'u16')
    const at = this.reserve(2)
    this.numbers.setUint16(at, value, littleEndian)
  }

  u32(value: number): void {
    if (value >>> 0 !== value) outOfRange(value, 'u32')
    const at = this.reserve(4)
    this.numbers.setUint32(at, value, littleEndian)
  }

  s32(value: number): void {
    if ((value | 0) !== value) outOfRange(value, 's32')
    const at = this.reserve(4)
    this.numbers.setInt32(at, value, littleEndian)
  }

  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) outOfRange(value, 'u64')
    const at = this.reserve(8)
    this.numbers.setBigUint64(at, value, littleEndian)
  }

  be16(value: number): void {
    if ((value & 0xffff) !== value) outOfRange(value, 'be16')
    const at = this.reserve(2)
    this.numbers.setUint16(at, value, false)
  }

  be32(value: number): void {
    if (value >>> 0 !== value) outOfRange(value, 'be32')
    const at = this.reserve(4)
    this.numbers.setUint32(at, value, false)
  }

  bytes(value: Uint8Array): void {
    const size = value.length
    const at = this.reserve(size)
    if (size > smallCopy) this.buffer.set(value, at)
    else for (let i = 0; i < size; i++) this.buffer[at + i] = value[i] ?? 0
  }

  /** UTF-8, without a final NUL. */
  text(value: string): void {
    const most = value.length * 3
    const at = this.reserve(most)
    this.length = at + this.buffer.write(value, at, most, 'utf8')
  }

  zeros(count: number): void {
    const at = this.reserve(count)
    for (let i = at; i < at + count; i++) this.buffer[i] = 0
  }

  /** Zeros up to a multiple of four from `start`. */
  align(start = 0): void {
    const over = (this.length - start) & 3
    if (over !== 0) this.zeros(4 - over)
  }

  /** Begins a netlink attribute: room for its length, then its type. Returns where it begins, for `closeAttribute`. */
  openAttribute(type: number): number {
    if ((type & 0xffff) !== type) outOfRange(type, 'u16')
    const at = this.reserve(4)
    this.numbers.setUint32(at, 0)
    this.numbers.setUint16(at + 2, type, littleEndian)
    return at
  }

  /** Ends the attribute that begins at `start`: fills in its length (u16, RangeError beyond) and pads with zeros. */
  closeAttribute(start: number): void {
    const length = this.length - start
    if (length > 0xffff) outOfRange(length, 'u16')
    this.numbers.setUint16(start, length, littleEndian)
    const over = length & 3
    if (over !== 0) this.zeros(4 - over)
  }

  /** Overwrites what is at `at`, for lengths that are known only afterwards. */
  patchU32(at: number, value: number): void {
    if (value >>> 0 !== value) outOfRange(value, 'u32')
    this.numbers.setUint32(at, value, littleEndian)
  }

  /** The same of two bytes. */
  patchU16(at: number, value: number): void {
    if ((value & 0xffff) !== value) outOfRange(value, 'u16')
    this.numbers.setUint16(at, value, littleEndian)
  }

  /** Takes back everything after the first `length` bytes. */
  truncate(length = 0): void {
    this.length = Math.min(this.length, length)
  }

  /** What was written from `start` on, without copying: valid until the next write. */
  view(start = 0): Buffer {
    return this.buffer.subarray(start, this.length)
  }

  /** A copy of what was written from `start` on. */
  copy(start = 0): Buffer {
    return Buffer.from(this.view(start))
  }

  private reserve(size: number): number {
    const at = this.length
    const needed = at + size
    if (needed > this.buffer.length) this.grow(needed)
    this.length = needed
    return at
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
    this.numbers = new DataView(larger.buffer)
  }
}

function outOfRange(value: number | bigint, type: string): never {
  throw new RangeError(`${value} does not fit into ${type}`)
}
