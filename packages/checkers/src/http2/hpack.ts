import { ProbeFailure } from '../verdict.ts'
import { decodeHuffman } from './huffman.ts'
import { staticTable } from './static-table.ts'

export type Field = readonly [name: string, value: string]

/** What a server may keep of headers it sent (RFC 9113 §6.5.2: the default), */
const maxTable = 4096
/** what a field counts beside its text there (RFC 7541 §4.1), */
const fieldOverhead = 32
/** and how much may be in one block, so counted: a byte can stand for all of the table. */
const maxFields = 64 * 1024

/** All fields as they are, no code and no table: a request is too short to gain by them. */
export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), encodeString(name), encodeString(value)]))
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes])
}

/** RFC 7541 §5.1, the bits before it zero. */
function encodeInteger(value: number, bits: number): Buffer {
  const most = 2 ** bits - 1
  if (value < most) return Buffer.of(value)
  const bytes = [most]
  let rest = value - most
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

/** The fields of one connection's blocks of headers, in their order. Whatever is wrong is a {@link ProbeFailure}. */
export class FieldDecoder {
  /** The newest first. */
  readonly #table: Field[] = []
  #size = 0
  #limit = maxTable
  #block: Uint8Array = new Uint8Array()
  #at = 0

  decode(block: Uint8Array): Field[] {
    this.#block = block
    this.#at = 0
    const fields: Field[] = []
    let size = 0
    while (this.#at < block.length) {
      const field = this.#next(block[this.#at] ?? 0)
      if (field === undefined) continue
      size += sizeOf(field)
      if (size > maxFields) throw new ProbeFailure('protocol', `header longer than ${maxFields} bytes`)
      fields.push(field)
    }
    return fields
  }

  /** RFC 7541 §6, by the first bits of it; undefined: only the size of the table. */
  #next(first: number): Field | undefined {
    if (first >= 0x80) return this.#indexed(this.#integer(7))
    if (first >= 0x40) {
      const field = this.#literal(this.#integer(6))
      this.#keep(field)
      return field
    }
    if (first >= 0x20) {
      this.#limit = this.#integer(5)
      if (this.#limit > maxTable) throw broken()
      this.#shrink(this.#limit)
      return undefined
    }
    return this.#literal(this.#integer(4))
  }

  #indexed(index: number): Field {
    const field = index <= staticTable.length ? staticTable[index - 1] : this.#table[index - staticTable.length - 1]
    if (field === undefined) throw broken()
    return field
  }

  #literal(index: number): Field {
    const name = index === 0 ? this.#string() : this.#indexed(index)[0]
    return [name, this.#string()]
  }

  #keep(field: Field): void {
    this.#shrink(this.#limit - sizeOf(field))
    if (sizeOf(field) > this.#limit) return
    this.#table.unshift(field)
    this.#size += sizeOf(field)
  }

  #shrink(size: number): void {
    while (this.#size > Math.max(0, size)) {
      const last = this.#table.pop()
      if (last === undefined) return
      this.#size -= sizeOf(last)
    }
  }

  #byte(): number {
    const byte = this.#block[this.#at++]
    if (byte === undefined) throw broken()
    return byte
  }

  #integer(bits: number): number {
    const most = 2 ** bits - 1
    let value = this.#byte() & most
    if (value < most) return value
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (value > maxFields) throw broken()
      if (byte < 128) return value
      if (factor > maxFields) throw broken()
    }
  }

  #string(): string {
    const coded = ((this.#block[this.#at] ?? 0) & 0x80) !== 0
    const length = this.#integer(7)
    const end = this.#at + length
    if (end > this.#block.length) throw broken()
    const bytes = this.#block.subarray(this.#at, end)
    this.#at = end
    return coded ? decodeHuffman(bytes) : Buffer.from(bytes).toString('latin1')
  }
}

const sizeOf = ([name, value]: Field): number => name.length + value.length + fieldOverhead

const broken = (): ProbeFailure => new ProbeFailure('protocol', 'HTTP/2: a broken header')
