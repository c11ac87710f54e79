import { fc, test as propertyTest } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { ProbeFailure } from '../verdict.ts'
import { encodeFields, FieldDecoder, type Field } from './hpack.ts'
import { staticTable } from './static-table.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const get: Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
]

test('the requests of RFC 7541 C.4, one after the other', () => {
  const decoder = new FieldDecoder()
  expect(decoder.decode(hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))).toEqual(get)
  expect(decoder.decode(hex('8286 84be 5886 a8eb 1064 9cbf'))).toEqual([...get, ['cache-control', 'no-cache']])
})

test('a table of 256 bytes forgets what no longer fits, as the answers of RFC 7541 C.5', () => {
  const decoder = new FieldDecoder()
  const first =
    '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d'
  const rest: Field[] = [
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ]
  expect(decoder.decode(Buffer.concat([hex('3fe101'), hex(first)]))).toEqual([[':status', '302'], ...rest])
  expect(decoder.decode(hex('4803 3330 37c1 c0bf'))).toEqual([[':status', '307'], ...rest])
  expect(() => decoder.decode(hex('c1'))).not.toThrow()
  expect(() => decoder.decode(hex('c2'))).toThrow('a broken header')
})

test.for([
  ['80', 'index 0'],
  ['be', 'an index beyond the table'],
  ['3fe21f', 'a table larger than allowed'],
  ['00', 'no name'],
  ['000161', 'no value'],
  ['00056161', 'a name cut off'],
  ['007fffffffffffffffff7f', 'a length without end'],
  ['4081ff0161', 'more ones than may be left over'],
  ['0084ffffffff0161', 'the mark of the end'],
  ['0081000161', 'zeros left over'],
] as const)('%s: %s', ([bytes]) => {
  expect(() => new FieldDecoder().decode(hex(bytes))).toThrow('HTTP/2: a broken header')
})

test('a block that stands for much more than it is', () => {
  const large = encodeFields([['a', 'x'.repeat(4000)]])
  large[0] = 0x40
  const bomb = Buffer.concat([large, Buffer.alloc(60_000, 0xbe)])
  expect(() => new FieldDecoder().decode(bomb)).toThrow('header longer than 65536 bytes')
})

test('the table of RFC 7541 has 61 entries', () => {
  expect(staticTable).toHaveLength(61)
  expect(staticTable.at(-1)).toEqual(['www-authenticate', ''])
})

const printable = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
propertyTest.prop([fc.array(fc.tuple(printable, printable))])('what is encoded is decoded', (fields) => {
  expect(new FieldDecoder().decode(encodeFields(fields))).toEqual(fields)
})

propertyTest.prop([fc.array(fc.uint8Array({ maxLength: 200 }))])('any bytes are fields or a failure', (blocks) => {
  const decoder = new FieldDecoder()
  for (const block of blocks) {
    try {
      decoder.decode(block)
    } catch (error) {
      expect(error).toBeInstanceOf(ProbeFailure)
      return
    }
  }
})
