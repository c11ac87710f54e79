import { DecodeError } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { decodeSegment, encodeSyn, sign } from './segment.ts'

const port = fc.integer({ min: 1, max: 65_535 })
const number = fc.nat(0xffff_ffff)

test('golden bytes of a SYN', () => {
  const syn = sign(encodeSyn(40_000, 80, 0x01020304), Buffer.from([10, 0, 0, 1]), Buffer.from([10, 0, 0, 2]))
  expect(syn.toString('hex')).toBe('9c40005001020304000000006002faf0' + syn.toString('hex', 16, 18) + '0000020405b4')
  expect(decodeSegment(syn)).toEqual({
    from: 40_000,
    to: 80,
    sequence: 0x01020304,
    acknowledged: 0,
    syn: true,
    ack: false,
    rst: false,
  })
})

property.prop([port, port, number, fc.uint8Array({ minLength: 4, maxLength: 4 })])(
  'with its checksum a segment sums to nothing',
  (from, to, sequence, address) => {
    const syn = sign(encodeSyn(from, to, sequence), address, Buffer.from([127, 0, 0, 1]))
    const whole = Buffer.concat([address, Buffer.from([127, 0, 0, 1, 0, 6, 0, syn.length]), syn])
    let sum = 0
    for (let at = 0; at < whole.length; at += 2) sum += whole.readUInt16BE(at)
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
    expect(sum).toBe(0xffff)
  },
)

property.prop([fc.uint8Array({ maxLength: 64 })])('any bytes are a segment or a DecodeError', (bytes) => {
  try {
    decodeSegment(Buffer.from(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
})
