import { DecodeError } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
  readDone,
  readMessages,
  writeMessage,
} from './message.ts'
import { littleEndian, Writer } from './writer.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

describe.runIf(littleEndian)('golden bytes', () => {
  const request = { type: 0x12, flags: 0x301, sequence: 7, payload: hex('11 02 03') }
  const bytes = hex('13000000 1200 0103 07000000 00000000 110203 00')

  test('a message, padded', () => {
    const writer = new Writer()
    writeMessage(writer, request)
    expect(writer.view()).toEqual(bytes)
  })

  test('two messages, the last without padding', () => {
    expect(readMessages(Buffer.concat([bytes, bytes.subarray(0, 19)]))).toEqual([request, request])
  })

  test('success is no refusal', () => {
    const payload = hex('00000000 24000000 1200 0500 01000000 00000000')
    expect(readAcknowledgement({ type: NLMSG_ERROR, flags: NLM_F_CAPPED, payload })).toBeUndefined()
  })

  test('a refusal with the reason behind the capped request', () => {
    const payload = hex('9bffffff 34000000 1800 0506 01000000 00000000 0b000100 4e6f7420757000 00')
    expect(readAcknowledgement({ type: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, payload })).toEqual({
      errno: 101,
      code: 'ENETUNREACH',
      detail: 'Not up',
    })
  })

  test('a refusal with the reason behind the whole request', () => {
    const payload = hex('ffffffff 14000000 1800 0506 01000000 00000000 aabbccdd 0b000100 4e6f7420757000 00')
    expect(readAcknowledgement({ type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, payload })).toMatchObject({
      detail: 'Not up',
    })
  })

  test('a refusal that names a missing attribute', () => {
    const payload = hex('eaffffff 14000000 1800 0506 01000000 00000000 08000500 03000000')
    expect(readAcknowledgement({ type: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, payload })).toEqual({
      errno: 22,
      code: 'EINVAL',
      detail: 'attribute 3 is missing',
    })
  })

  test.for([
    ['nothing', '', undefined],
    ['zero', '00000000', undefined],
    ['a count', '0a000000', undefined],
    ['an errno', 'edffffff', { errno: 19, code: 'ENODEV', detail: undefined }],
  ] as const)('a dump ends with %s', ([, payload, expected]) => {
    expect(readDone({ type: NLMSG_DONE, flags: 2, payload: hex(payload) })).toEqual(expected)
  })
})

test.for([
  ['a header cut off', '13000000 1200 0103 07000000'],
  ['a length below the header', '0f000000 1200 0103 07000000 00000000'],
  ['a length beyond the end', '14000000 1200 0103 07000000 00000000 010203'],
] as const)('%s is a DecodeError', ([, bytes]) => {
  expect(() => readMessages(hex(bytes))).toThrow(DecodeError)
})

property.prop([fc.uint8Array({ maxLength: 100 }), fc.nat(0xffff)])(
  'any bytes are read or are a DecodeError',
  (given, flags) => {
    const payload = Buffer.from(given)
    for (const read of [
      () => readMessages(payload),
      () => readAcknowledgement({ type: NLMSG_ERROR, flags, payload }),
      () => readDone({ type: NLMSG_DONE, flags, payload }),
    ]) {
      try {
        read()
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  },
)
