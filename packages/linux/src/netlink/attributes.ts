/**
 * Netlink attributes as tables: one row names an attribute, its number and its codec, and gives encoder, decoder and
 * type. Layout (linux/netlink.h): u16 length with this header, u16 type, payload, zeros up to a multiple of four.
 */
import { DecodeError } from '@ipvs-director/core'
import { asBuffer, readValue, type Codec, type CodecValue } from './codecs.ts'
import { littleEndian, Writer } from './writer.ts'

/** NLA_F_NESTED. The other flag bit, 0x4000, marks payloads in network order; neither is part of the id. */
const nestedFlag = 0x8000
const idMask = 0x3fff
const headerBytes = 4

/** `name: [id, codec]` for each attribute that is understood. */
export type AttributeRows = Readonly<Record<string, readonly [id: number, codec: Codec<unknown>]>>

/** What a table's attributes carry. Any may be missing; undefined ones are not written. */
export type AttributeValues<Rows extends AttributeRows> = {
  readonly [Name in keyof Rows]?: CodecValue<Rows[Name][1]> | undefined
}

/** A table of attributes. */
export interface Attributes<Rows extends AttributeRows> {
  readonly rows: Rows
  /** The present values, in the table's order. Throws a RangeError when one does not fit. */
  encode(values: AttributeValues<Rows>): Buffer
  /** The same at the end of `writer`, without a buffer in between: for many messages. */
  encodeInto(writer: Writer, values: AttributeValues<Rows>): void
  /** Attributes the table does not know are skipped, of repeated ones the last counts. Throws a DecodeError. */
  decode(bytes: Uint8Array): AttributeValues<Rows>
  /** The same from `start` up to `end` of `bytes`. */
  decodeRange(bytes: Buffer, start: number, end: number): AttributeValues<Rows>
}

interface Row {
  readonly name: string
  readonly type: number
  readonly codec: Codec<unknown>
}

/** Makes the table: `attributes({ port: [2, be16], weight: [4, u32] })`. */
export function attributes<const Rows extends AttributeRows>(rows: Rows): Attributes<Rows> {
  const list: Row[] = []
  const byId: (Row | undefined)[] = []
  for (const [name, [id, codec]] of Object.entries(rows)) {
    const row = { name, type: id | (codec.typeFlags ?? 0), codec }
    list.push(row)
    byId[id] = row
  }

  const encodeInto = (writer: Writer, values: AttributeValues<Rows>): void => {
    for (const { name, type, codec } of list) {
      const value: unknown = values[name]
      if (value !== undefined && value !== false) writeAttribute(writer, type, codec, value)
    }
  }

  const decodeRange = (source: Buffer, start: number, end: number): AttributeValues<Rows> => {
    const values: Record<string, unknown> = {}
    eachAttribute(source, start, end, (id, from, to) => {
      const row = byId[id]
      if (row !== undefined) values[row.name] = readValue(row.codec, row.name, source, from, to)
    })
    return values as AttributeValues<Rows>
  }

  return {
    rows,
    encodeInto,
    encode: (values) =>
      encoded((writer) => {
        encodeInto(writer, values)
      }),
    decodeRange,
    decode: (source) => decodeRange(asBuffer(source), 0, source.length),
  }
}

/** Attributes within an attribute. */
export function nested<Rows extends AttributeRows>(table: Attributes<Rows>): Codec<AttributeValues<Rows>> {
  return {
    typeFlags: nestedFlag,
    write: (writer, values) => {
      table.encodeInto(writer, values)
    },
    read: (source, start, end) => table.decodeRange(source, start, end),
  }
}

/** Values of one kind within an attribute, each in an attribute of its own; their numbers (1, 2, …) carry no meaning. */
export function list<T>(element: Codec<T>): Codec<readonly T[]> {
  const elementFlags = element.typeFlags ?? 0
  return {
    typeFlags: nestedFlag,
    write: (writer, values) => {
      values.forEach((value, i) => {
        writeAttribute(writer, ((i + 1) & idMask) | elementFlags, element, value)
      })
    },
    read: (source, start, end) => {
      const values: T[] = []
      eachAttribute(source, start, end, (id, from, to) => {
        values.push(readValue(element, `element ${id}`, source, from, to))
      })
      return values
    },
  }
}

function writeAttribute<T>(writer: Writer, type: number, codec: Codec<T>, value: T): void {
  const start = writer.openAttribute(type)
  codec.write(writer, value)
  writer.closeAttribute(start)
}

/** Visits each attribute's payload; `id` without flag bits. Throws a DecodeError where a length is impossible. */
function eachAttribute(
  source: Buffer,
  start: number,
  end: number,
  visit: (id: number, from: number, to: number) => void,
): void {
  let at = start
  while (at < end) {
    if (end - at < headerBytes) throw new DecodeError(`attribute header cut off: ${end - at} of ${headerBytes} bytes`)
    const length = littleEndian ? source.readUInt16LE(at) : source.readUInt16BE(at)
    const type = littleEndian ? source.readUInt16LE(at + 2) : source.readUInt16BE(at + 2)
    if (length < headerBytes || length > end - at) {
      throw new DecodeError(`attribute ${type & idMask}: length ${length} with ${end - at} bytes left`)
    }
    visit(type & idMask, at + headerBytes, at + length)
    at += (length + 3) & ~3
  }
}

/** Reused by every `encode`; a nested use starts where the outer one is. */
const scratch = new Writer(4096)

function encoded(write: (writer: Writer) => void): Buffer {
  const start = scratch.length
  try {
    write(scratch)
    return scratch.copy(start)
  } finally {
    scratch.truncate(start)
  }
}
