import { addressBytes, type Address } from '@ipvs-director/core'
import { littleEndian } from '@ipvs-director/linux'

/**
 * Attributes encoded once by their table, whose values are then overwritten in place: a table of ten thousand
 * destinations is ten thousand times the same bytes but for a few.
 */
export class Template {
  /** The attributes with the values set last. */
  readonly bytes: Buffer
  private readonly view: DataView

  constructor(encoded: Buffer) {
    this.bytes = Buffer.from(encoded)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
  }

  /** Where the payload of the attribute is that the ids lead to, from the outermost inwards. */
  find(...path: readonly number[]): number {
    let start = 0
    let end = this.bytes.length
    for (const id of path) {
      while (start < end && (this.view.getUint16(start + 2, littleEndian) & 0x3fff) !== id) {
        start += (this.view.getUint16(start, littleEndian) + 3) & ~3
      }
      if (start >= end) throw new Error(`no attribute ${path.join('.')} in the template`)
      end = start + this.view.getUint16(start, littleEndian)
      start += 4
    }
    return start
  }

  u16(at: number, value: number): void {
    this.view.setUint16(at, value, littleEndian)
  }

  u32(at: number, value: number): void {
    this.view.setUint32(at, value, littleEndian)
  }

  be16(at: number, value: number): void {
    this.view.setUint16(at, value, false)
  }

  u8(at: number, value: number): void {
    this.view.setUint8(at, value)
  }

  /** union nf_inet_addr: 16 bytes, of which IPv4 uses the first four. */
  address(at: number, value: Address): void {
    if (value.includes(':')) {
      this.bytes.set(addressBytes(value), at)
      return
    }
    this.bytes.fill(0, at + 4, at + 16)
    let octet = 0
    let place = at
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code === dot) {
        this.view.setUint8(place++, octet)
        octet = 0
      } else {
        octet = octet * 10 + code - zero
      }
    }
    this.view.setUint8(place, octet)
  }
}

const dot = 0x2e
const zero = 0x30
