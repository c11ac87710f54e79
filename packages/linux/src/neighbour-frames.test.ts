import { address } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import {
  arpRequest,
  checksum,
  formatMac,
  gratuitousArp,
  parseMac,
  readAdvertisement,
  readArp,
  solicitation,
  unsolicitedAdvertisement,
} from './neighbour-frames.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const mac = Uint8Array.of(2, 0, 0, 0xaa, 0xbb, 0xcc)
const v4 = address('192.0.2.10')
const v6 = address('2001:db8::10')

test('a gratuitous ARP is a broadcast request, sender and target one address, target MAC broadcast', () => {
  expect(gratuitousArp(mac, v4)).toEqual(
    hex('ffffffffffff 020000aabbcc 0806 0001 0800 06 04 0001 020000aabbcc c000020a ffffffffffff c000020a'),
  )
})

test('an ARP request', () => {
  expect(arpRequest(mac, address('0.0.0.0'), v4)).toEqual(
    hex('ffffffffffff 020000aabbcc 0806 0001 0800 06 04 0001 020000aabbcc 00000000 000000000000 c000020a'),
  )
})

test('an unsolicited advertisement goes to all nodes, overrides, and has a right checksum', () => {
  const frame = unsolicitedAdvertisement(mac, v6, false)
  expect(frame).toEqual(
    hex(`333300000001 020000aabbcc 86dd 6000 0000 0020 3a ff 20010db8000000000000000000000010 ff020000000000000000000000000001
      8800 ${frame.subarray(56, 58).toString('hex')} 20000000 20010db8000000000000000000000010 0201 020000aabbcc`),
  )
  const pseudo = Buffer.concat([frame.subarray(22, 54), hex('00000020 0000003a'), frame.subarray(54)])
  expect(checksum(pseudo)).toBe(0)
  expect(unsolicitedAdvertisement(mac, v6, true)[58]).toBe(0xa0)
})

test('a solicitation goes to the solicited-node group', () => {
  const frame = solicitation(mac, address('fe80::1'), address('2001:db8::12:3456'))
  expect(frame.subarray(0, 6)).toEqual(hex('3333ff123456'))
  expect(frame.subarray(38, 54)).toEqual(hex('ff0200000000000000000001ff123456'))
  expect(checksum(Buffer.concat([frame.subarray(22, 54), hex('00000020 0000003a'), frame.subarray(54)]))).toBe(0)
})

test('claims are read: from requests, from answers, not from probes', () => {
  expect(readArp(gratuitousArp(mac, v4).subarray(14))).toEqual({ address: v4, mac, answer: false })
  const answer = hex('0001 0800 06 04 0002 020000aabbcc c000020a 020000000001 c0000201')
  expect(readArp(answer)).toEqual({ address: v4, mac, answer: true })
  expect(readArp(arpRequest(mac, address('0.0.0.0'), v4).subarray(14))).toBeUndefined()
  expect(readAdvertisement(unsolicitedAdvertisement(mac, v6, true).subarray(54))).toEqual({ address: v6, mac, answer: false }) // prettier-ignore
})

property.prop([fc.uint8Array({ maxLength: 64 })], { numRuns: 1000 })('any bytes are a claim or none', (bytes) => {
  const nearlyArp = Buffer.concat([hex('0001080006040001'), bytes])
  const nearlyAdvertisement = Buffer.concat([hex('88000000'), bytes])
  for (const packet of [Buffer.from(bytes), nearlyArp, nearlyAdvertisement]) {
    readArp(packet)
    readAdvertisement(packet)
  }
})

property.prop([fc.uint8Array({ minLength: 6, maxLength: 6 })])(
  'MAC addresses are read as they are written',
  (bytes) => {
    expect(parseMac(formatMac(bytes))).toEqual(bytes)
  },
)

test.for(['', '00:11:22:33:44', '00:11:22:33:44:5g', '00-11-22-33-44-55'])('%j is no MAC address', (text) => {
  expect(parseMac(text)).toBeUndefined()
})
