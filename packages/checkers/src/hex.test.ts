import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { agrees, readHex } from './hex.ts'

test.for([
  ['0a0B', false, '0a0b', 'ffff', 'pairs'],
  ['0a 0b', false, '0a0b', 'ffff', 'blanks between'],
  ['a 0b', false, '0a0b', 'ffff', 'a digit alone is a byte'],
  ['', false, '', '', 'nothing'],
  ['xX a', true, '000a', '00ff', 'wild'],
  ['1x', true, '10', 'f0', 'half wild'],
  ['x', true, '00', 'f0', 'a wild digit alone: its upper half is 0'],
] as const)('%s: %s', ([text, wild, bytes, mask]) => {
  expect(readHex(text, wild)).toEqual({ bytes, mask })
})

test.for([['0g'], ['abc'], ['x0'], ['0x10']])('%s is none', ([text]) => {
  expect(readHex(text!, false)).toBeUndefined()
})

test.for([
  ['0a0b', [0x0a, 0x0b], true],
  ['0a0b', [0x0a, 0x0b, 0x0c], true],
  ['0a0b', [0x0a], true],
  ['0a0b', [], true],
  ['0a0b', [0x0a, 0x0c], false],
  ['0axx', [0x0a, 0x77], true],
  ['0a7x', [0x0a, 0x77], true],
  ['0a7x', [0x0a, 0x87], false],
] as const)('%s agrees with %o: %s', ([text, data, expected]) => {
  expect(agrees(Uint8Array.from(data), readHex(text, true)!)).toBe(expected)
})

property.prop([fc.uint8Array({ maxLength: 40 })])('bytes agree with their own digits', (data) => {
  expect(agrees(data, readHex(Buffer.from(data).toString('hex'), true)!)).toBe(true)
})
