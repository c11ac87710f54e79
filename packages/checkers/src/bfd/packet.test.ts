import { DecodeError, millis } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { bfdStates, decodeBfd, encodeBfd, type BfdPacket } from './packet.ts'

const packet: BfdPacket = {
  diagnostic: 1,
  state: 'up',
  poll: true,
  final: false,
  demand: false,
  multiplier: 5,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0xa0b0c0d0,
  desiredMinTx: millis(10),
  requiredMinRx: millis(50),
  requiredMinEchoRx: millis(0),
}
const golden = '21e005180102 0304a0b0c0d0000027100000c35000000000'.replace(' ', '')

test('golden bytes, both ways', () => {
  expect(encodeBfd(packet).toString('hex')).toBe(golden)
  expect(decodeBfd(Buffer.from(golden, 'hex'))).toEqual(packet)
})

const change = (at: number, value: number): Buffer => {
  const bytes = Buffer.from(golden, 'hex')
  bytes[at] = value
  return bytes
}

test.for([
  ['another version', change(0, 0x01)],
  ['authentication', change(1, 0xe4)],
  ['multipoint', change(1, 0xe1)],
  ['multiplier 0', change(2, 0)],
  ['a length that is too small', change(3, 23)],
  ['a length beyond the datagram', change(3, 25)],
  ['too short', Buffer.from(golden, 'hex').subarray(0, 23)],
  ['no discriminator', Buffer.from(golden.replace('01020304', '00000000'), 'hex')],
  ['up without knowing us', Buffer.from(golden.replace('a0b0c0d0', '00000000'), 'hex')],
] as const)('%s is discarded', ([, bytes]) => {
  expect(() => decodeBfd(bytes)).toThrow(DecodeError)
})

const packets = fc
  .record({
    diagnostic: fc.nat(31),
    state: fc.constantFrom(...bfdStates),
    poll: fc.boolean(),
    final: fc.boolean(),
    demand: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    desiredMinTx: fc.nat(4_000_000).map(millis),
    requiredMinRx: fc.nat(4_000_000).map(millis),
    requiredMinEchoRx: fc.nat(4_000_000).map(millis),
  })
  .map((made): BfdPacket => made)

property.prop([packets])('what is written is read', (made) => {
  expect(decodeBfd(encodeBfd(made))).toEqual(made)
})

property.prop([fc.uint8Array({ maxLength: 64 })])('any bytes are a packet or a DecodeError', (bytes) => {
  try {
    decodeBfd(Buffer.from(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
})
