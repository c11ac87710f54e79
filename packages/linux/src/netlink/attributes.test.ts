import { DecodeError } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { attributes, list, nested } from './attributes.ts'
import { be16, be32, bytes, flag, s32, text, u16, u32, u64, u8 } from './codecs.ts'
import { struct } from './struct.ts'
import { littleEndian, Writer } from './writer.ts'

const inner = attributes({ name: [1, text], id: [2, u32] })
const table = attributes({
  small: [1, u8],
  medium: [2, u16],
  large: [3, u32],
  huge: [4, u64],
  port: [5, be16],
  mark: [6, be32],
  signed: [7, s32],
  name: [8, text],
  address: [9, bytes],
  yes: [10, flag],
  inner: [11, nested(inner)],
  groups: [12, list(nested(inner))],
  numbers: [13, list(u16)],
  pair: [14, struct({ flags: u32, mask: u32 })],
})

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** As a little-endian machine lays it out. */
const golden: readonly (readonly [string, Parameters<typeof table.encode>[0], string])[] = [
  ['u8, padded', { small: 0x7f }, '0500 0100 7f000000'],
  ['u16 in host order, padded', { medium: 0x1234 }, '0600 0200 3412 0000'],
  ['u32 in host order', { large: 0x1234_5678 }, '0800 0300 78563412'],
  ['u64 in host order', { huge: 0x0102_0304_0506_0708n }, '0c00 0400 0807060504030201'],
  ['be16 in network order', { port: 80 }, '0600 0500 0050 0000'],
  ['be32 in network order', { mark: 1 }, '0800 0600 00000001'],
  ['s32', { signed: -2 }, '0800 0700 feffffff'],
  ['text ends with a NUL', { name: 'wlc' }, '0800 0800 776c6300'],
  ['bytes, padded', { address: Uint8Array.of(10, 0, 0, 1, 9) }, '0900 0900 0a000001 09000000'],
  ['a flag has no payload', { yes: true }, '0400 0a00'],
  ['nested, with its flag', { inner: { id: 3 } }, '0c00 0b80 0800 0200 03000000'],
  [
    'a list counts from one',
    { groups: [{ id: 3 }, { name: '' }] },
    '1c00 0c80 0c00 0180 0800 0200 03000000 0c00 0280 0500 0100 00000000',
  ],
  ['a list of numbers', { numbers: [7] }, '0c00 0d80 0600 0100 0700 0000'],
  ['a struct', { pair: { flags: 1, mask: 0xffff_ffff } }, '0c00 0e00 01000000 ffffffff'],
  ['several, in the order of the table', { port: 53, small: 1 }, '0500 0100 01000000 0600 0500 0035 0000'],
  ['nothing', {}, ''],
]

describe.runIf(littleEndian)('golden bytes', () => {
  test.for(golden)('%s', ([, values, expected]) => {
    expect(table.encode(values).toString('hex')).toBe(hex(expected).toString('hex'))
  })

  test.for(golden)('back: %s', ([, values, encoded]) => {
    const plain = table.decode(hex(encoded))
    expect(normal(plain)).toEqual(normal(values))
  })
})

/** Buffers and Uint8Arrays with equal contents as equal. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, normal(inner)]))
}

test('undefined attributes and false flags are left out', () => {
  expect(table.encode({ small: undefined, yes: false })).toHaveLength(0)
})

test('unknown attributes are skipped, flag bits are no part of the id, the last of two counts', () => {
  const bytes = Buffer.concat([
    attributes({ other: [999, u32] }).encode({ other: 5 }),
    attributes({ small: [0x8000 | 0x4000 | 1, u8] }).encode({ small: 4 }),
    table.encode({ small: 7 }),
  ])
  expect(table.decode(bytes)).toEqual({ small: 7 })
})

test('text may come without a NUL, and ends at the first one', () => {
  const raw = attributes({ name: [8, bytes] })
  expect(table.decode(raw.encode({ name: Buffer.from('rr') }))).toEqual({ name: 'rr' })
  expect(table.decode(raw.encode({ name: Buffer.from('rr\0junk') }))).toEqual({ name: 'rr' })
  expect(table.decode(Buffer.concat([raw.encode({ name: Buffer.from('wrr') }), table.encode({ yes: true })]))).toEqual({
    name: 'wrr',
    yes: true,
  })
})

test.for([
  ['a header cut off', '0400 01'],
  ['a length below the header', '0300 0100'],
  ['a length beyond the end', '0900 0100 00000000'],
  ['u8 of two bytes', '0600 0100 0000 0000'],
  ['u16 of four bytes', '0800 0200 00000000'],
  ['u32 of one byte', '0500 0300 00000000'],
  ['u64 of four bytes', '0800 0400 00000000'],
  ['a flag with a payload', '0500 0a00 00000000'],
  ['a struct cut off', '0800 0e00 01000000'],
  ['a wrong length inside', '0c00 0b80 0700 0200 03000000'],
] as const)('%s is a DecodeError', ([, bytes]) => {
  expect(() => table.decode(hex(bytes))).toThrow(DecodeError)
})

test.for([
  ['u8', { small: 256 }],
  ['u16', { medium: -1 }],
  ['u32', { large: 2 ** 32 }],
  ['u32 with a fraction', { large: 0.5 }],
  ['u32 of NaN', { large: Number.NaN }],
  ['u64', { huge: -1n }],
  ['be16', { port: 65_536 }],
  ['s32', { signed: 2 ** 31 }],
  ['text with a NUL', { name: 'a\0b' }],
  ['an attribute beyond 65,535 bytes', { address: new Uint8Array(65_532) }],
] as const)('%s out of range is a RangeError', ([, values]) => {
  expect(() => table.encode(values)).toThrow(RangeError)
})

test('what failed leaves nothing behind', () => {
  expect(() => table.encode({ small: 1, large: -1 })).toThrow(RangeError)
  expect(table.encode({ small: 1 })).toHaveLength(8)
})

test('encodeInto appends to a writer', () => {
  const writer = new Writer()
  writer.u32(0)
  table.encodeInto(writer, { small: 1 })
  expect(writer.view(4)).toEqual(table.encode({ small: 1 }))
})

test('a struct reads its prefix and writes zeros for what is missing', () => {
  const header = struct({ family: u8, kind: u8, port: be16, index: u32 })
  expect(header.size).toBe(8)
  expect(header.encode({ family: 2, port: 80 })).toEqual(hex('0200 0050 00000000'))
  expect(header.decode(hex('0201 0050 00000000 ffff'))).toEqual({ family: 2, kind: 1, port: 80, index: 0 })
  expect(() => header.decode(hex('0200 0050 0000'))).toThrow(DecodeError)
  expect(() => struct({ name: text })).toThrow(TypeError)
})

const plainText = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !value.includes('\0'))
const innerValues = fc.record({ name: plainText, id: fc.nat(2 ** 31) }, { requiredKeys: [] })
const values = fc.record(
  {
    small: fc.nat(255),
    medium: fc.nat(65_535),
    large: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    huge: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    port: fc.nat(65_535),
    mark: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    signed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    name: plainText,
    address: fc.uint8Array({ maxLength: 40 }),
    yes: fc.constant(true),
    inner: innerValues,
    groups: fc.array(innerValues, { maxLength: 4 }),
    numbers: fc.array(fc.nat(65_535), { maxLength: 4 }),
    pair: fc.record({ flags: fc.nat(2 ** 31), mask: fc.nat(2 ** 31) }),
  },
  { requiredKeys: [] },
)

property.prop([values])('what was encoded decodes to the same', (given) => {
  expect(normal(table.decode(table.encode(given)))).toEqual(normal(given))
})

property.prop([fc.uint8Array({ maxLength: 80 })])('any bytes decode or are a DecodeError', (given) => {
  decodesOrRefuses(given)
})

property.prop([values, fc.nat(), fc.nat(255), fc.nat()])(
  'damaged bytes decode or are a DecodeError',
  (given, at, value, cut) => {
    const damaged = table.encode(given)
    if (damaged.length > 0) damaged[at % damaged.length] = value
    decodesOrRefuses(damaged.subarray(0, cut % (damaged.length + 1)))
  },
)

function decodesOrRefuses(given: Uint8Array): void {
  try {
    expect(table.decode(given)).toBeTypeOf('object')
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
}
