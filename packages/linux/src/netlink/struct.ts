import { DecodeError } from '@ipvs-director/core'
import { asBuffer, type Codec, type CodecValue } from './codecs.ts'
import { Writer } from './writer.ts'

/** `name: codec` for each field of a C struct without gaps, in order; every codec of fixed size. */
export type StructFields = Readonly<Record<string, Codec<unknown>>>

/** What decoding gives. */
export type StructValues<Fields extends StructFields> = { readonly [Name in keyof Fields]: CodecValue<Fields[Name]> }

/** A struct of fixed size: the header in front of attributes, or an attribute's payload. Missing fields are zero. */
export interface Struct<Fields extends StructFields> extends Codec<Partial<StructValues<Fields>>> {
  /** In bytes. */
  readonly size: number
  read(bytes: Buffer, start: number, end: number): StructValues<Fields>
  encode(values: Partial<StructValues<Fields>>): Buffer
  /** Reads the struct at the beginning of `bytes`; throws a DecodeError when they are fewer. */
  decode(bytes: Uint8Array): StructValues<Fields>
}

/** Makes the struct: `struct({ flags: u32, mask: u32 })`. */
export function struct<const Fields extends StructFields>(fields: Fields): Struct<Fields> {
  const list: { name: string; codec: Codec<unknown>; size: number }[] = []
  let size = 0
  for (const [name, codec] of Object.entries(fields)) {
    if (codec.size === undefined) throw new TypeError(`field ${name} has no fixed size`)
    list.push({ name, codec, size: codec.size })
    size += codec.size
  }

  const write = (writer: Writer, values: Partial<StructValues<Fields>>): void => {
    for (const { name, codec, size: bytes } of list) {
      const value: unknown = values[name]
      if (value === undefined) writer.zeros(bytes)
      else codec.write(writer, value)
    }
  }
  const read = (source: Buffer, start: number): StructValues<Fields> => {
    const values: Record<string, unknown> = {}
    let at = start
    for (const { name, codec, size: bytes } of list) {
      values[name] = codec.read(source, at, at + bytes)
      at += bytes
    }
    return values as StructValues<Fields>
  }

  return {
    size,
    write,
    read,
    encode: (values) => {
      const writer = new Writer(size)
      write(writer, values)
      return writer.view()
    },
    decode: (source) => {
      if (source.length < size) throw new DecodeError(`${source.length} bytes where at least ${size} were expected`)
      return read(asBuffer(source), 0)
    },
  }
}
