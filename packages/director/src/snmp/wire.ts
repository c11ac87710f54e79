/** How AgentX writes its pieces (RFC 2741 §5): everything in multiples of four bytes, in the order the header says. */
import { DecodeError } from '@ipvs-director/core'
import type { Oid } from './oid.ts'
import type { SnmpValue, VarBind } from './value.ts'

const internet: Oid = [1, 3, 6, 1]
const mostNumbers = 128

/** RFC 2741 §5.4. */
const typeNumbers = {
  integer: 2,
  octets: 4,
  null: 5,
  oid: 6,
  ipAddress: 64,
  counter32: 65,
  gauge32: 66,
  timeTicks: 67,
  counter64: 70,
  noSuchObject: 128,
  noSuchInstance: 129,
  endOfMibView: 130,
} as const satisfies Record<SnmpValue['type'], number>

/** Collects bytes in network order. */
export class Writer {
  readonly #parts: Uint8Array[] = []

  u8(...values: readonly number[]): this {
    this.#parts.push(Uint8Array.from(values))
    return this
  }

  u16(value: number): this {
    const bytes = Buffer.alloc(2)
    bytes.writeUInt16BE(value)
    this.#parts.push(bytes)
    return this
  }

  u32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value >>> 0)
    this.#parts.push(bytes)
    return this
  }

  /** `include`: for the start of a range. 1.3.6.1.x is written short. */
  oid(oid: Oid, include = false): this {
    const prefix = oid[4]
    const short = prefix !== undefined && prefix > 0 && prefix < 256 && internet.every((number, i) => oid[i] === number)
    const numbers = short ? oid.slice(5) : oid
    this.u8(numbers.length, short ? prefix : 0, include ? 1 : 0, 0)
    for (const number of numbers) this.u32(number)
    return this
  }

  octets(value: Uint8Array): this {
    this.u32(value.length)
    this.#parts.push(value, new Uint8Array(-value.length & 3))
    return this
  }

  varBind({ name, value }: VarBind): this {
    this.u16(typeNumbers[value.type]).u16(0).oid(name)
    switch (value.type) {
      case 'integer':
      case 'counter32':
      case 'gauge32':
      case 'timeTicks':
        return this.u32(value.value)
      case 'octets':
      case 'ipAddress':
        return this.octets(value.value)
      case 'oid':
        return this.oid(value.value)
      case 'counter64':
        return this.u32(Number(value.value >> 32n)).u32(Number(value.value & 0xffff_ffffn))
      case 'null':
      case 'noSuchObject':
      case 'noSuchInstance':
      case 'endOfMibView':
        return this
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** Reads what a {@link Writer}, or an agent of the other byte order, wrote. Throws a DecodeError where that is not there. */
export class Reader {
  readonly #view: DataView
  readonly #little: boolean
  #at = 0

  constructor(bytes: Uint8Array, bigEndian: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#little = !bigEndian
  }

  get left(): number {
    return this.#view.byteLength - this.#at
  }

  #take(bytes: number): number {
    if (bytes > this.left) throw new DecodeError(`an AgentX packet is cut: ${bytes} bytes wanted, ${this.left} left`)
    const at = this.#at
    this.#at += bytes
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.#little)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.#little)
  }

  oid(): { readonly oid: Oid; readonly include: boolean } {
    const length = this.u8()
    const prefix = this.u8()
    const include = this.u8() !== 0
    this.u8()
    if (length > mostNumbers) throw new DecodeError(`an object identifier of ${length} numbers`)
    const numbers = Array.from({ length }, () => this.u32())
    return { oid: prefix === 0 ? numbers : [...internet, prefix, ...numbers], include }
  }

  octets(): Buffer {
    const length = this.u32()
    const at = this.#take(length + (-length & 3))
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + at, length)
  }

  varBind(): VarBind {
    const number = this.u16()
    this.u16()
    const { oid: name } = this.oid()
    return { name, value: this.#value(number) }
  }

  #value(number: number): SnmpValue {
    const type = (Object.keys(typeNumbers) as SnmpValue['type'][]).find((each) => typeNumbers[each] === number)
    switch (type) {
      case 'integer':
        return { type, value: this.u32() | 0 }
      case 'counter32':
      case 'gauge32':
      case 'timeTicks':
        return { type, value: this.u32() }
      case 'octets':
      case 'ipAddress':
        return { type, value: this.octets() }
      case 'oid':
        return { type, value: this.oid().oid }
      case 'counter64': {
        const [first, second] = [BigInt(this.u32()), BigInt(this.u32())]
        // As one 64-bit number in the sender's order: the high half comes second in little endian.
        return { type, value: this.#little ? (second << 32n) | first : (first << 32n) | second }
      }
      case 'null':
      case 'noSuchObject':
      case 'noSuchInstance':
      case 'endOfMibView':
        return { type }
      case undefined:
        throw new DecodeError(`a value of the unknown type ${number}`)
    }
  }
}
