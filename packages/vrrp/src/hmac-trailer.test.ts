import { address } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { checksumIsRight } from './advertisement.ts'
import { appendTrailer, trailerLength, verifyTrailer } from './hmac-trailer.ts'
import { isRejection } from './rejection.ts'

/** The appendix of the Internet-Draft on VRRP HMAC: key 1 is the octets 0 to 31, sequence 0x6800000080000000, VRID 51. */
const secret = Uint8Array.from({ length: 32 }, (_, i) => i)
const keys = new Map([[1, secret]])
const sequence = 0x6800000080000000n
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const v4 = {
  message: bytes('3133c80100644402 c0000264'),
  trailer: bytes('010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265'),
  context: { version: 3, vrid: 51, source: address('198.51.100.10') },
} as const
const v6 = {
  message: bytes('3133c8010064a2e9 fe800000000000000000000000000100'),
  trailer: bytes('010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78'),
  context: { version: 3, vrid: 51, source: address('fe80::10') },
} as const

test.for([
  ['IPv4', v4],
  ['IPv6', v6],
] as const)("the draft's vector for %s, both ways", ([, vector]) => {
  expect(verifyTrailer(vector.message, vector.trailer, vector.context, keys)).toEqual({ sequence })
  const sent = appendTrailer(vector.message, vector.context, { id: 1, secret }, sequence)
  expect(Buffer.from(sent)).toEqual(Buffer.concat([vector.message, vector.trailer]))
})

test('the checksums of the vectors: IPv4 the message alone, IPv6 with pseudo header and trailer', () => {
  expect(checksumIsRight(v4.message, { kind: 'message' })).toBe(true)
  const whole = Buffer.concat([v6.message, v6.trailer])
  const towards = { kind: 'pseudo', source: v6.context.source, destination: address('fe80::20') } as const
  expect(checksumIsRight(whole, towards)).toBe(true)
})

test.for([
  ['priority', 2, 'hmacInvalid'],
  ['interval', 5, 'hmacInvalid'],
  ['checksum', 6, undefined],
  ['address', 23, 'hmacInvalid'],
  ['type of trailer', 24, 'hmacMalformed'],
  ['key', 25, 'hmacUnknownKey'],
  ['reserved', 26, 'hmacMalformed'],
  ['seconds', 28, 'hmacInvalid'],
  ['counter', 34, 'hmacInvalid'],
  ['hash', 36, 'hmacInvalid'],
] as const)('one flipped bit in the %s: %s', ([, at, reason]) => {
  const flipped = Buffer.concat([v6.message, v6.trailer])
  flipped[at] = flipped[at]! ^ 1
  const message = flipped.subarray(0, flipped.length - trailerLength)
  const answer = verifyTrailer(message, flipped.subarray(flipped.length - trailerLength), v6.context, keys)
  expect(isRejection(answer) ? answer.rejected : undefined).toBe(reason)
})
