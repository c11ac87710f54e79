import { address, DecodeError } from '@ipvs-director/core'
import { littleEndian } from '@ipvs-director/linux'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  decodeDaemon,
  decodeDestination,
  decodeDestinationEntry,
  decodeInfo,
  decodeService,
  decodeServiceEntry,
  decodeTimeouts,
} from './decode.ts'
import * as messages from './messages.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

const service = {
  family: 2,
  protocol: 6,
  address: hex('c0000201'.padEnd(32, '0')),
  port: 80,
  scheduler: 'rr',
  flags: { flags: 2, mask: 0xffffffff },
  timeout: 0,
  netmask: hex('ffffffff'),
}
const destination = {
  address: hex('0a000002'.padEnd(32, '0')),
  port: 80,
  family: 2,
  forwarding: 2,
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
}
const serviceBytes = (more: object): Buffer => messages.message.encode({ service: { ...service, ...more } })
const destinationBytes = (more: object): Buffer => messages.message.encode({ destination: { ...destination, ...more } })

/** As kernel 6.1 answers, statistics cut short. */
describe.runIf(littleEndian)('golden bytes', () => {
  test('a service with 32-bit statistics', () => {
    const bytes = hex(`6c00 0100 06000100 0200 0000 06000200 0600 0000 14000300 c0000201000000000000000000000000
      06000400 0050 0000 07000600 727200 00 0c000700 03000000ffffffff 08000800 68010000 08000900 ffffffff
      18000a00 08000100 02000000 0c000400 0100000001000000`)
    expect(decodeServiceEntry(bytes)).toMatchObject({
      key: { protocol: 'tcp', address: '192.0.2.1', port: 80 },
      settings: { scheduler: 'rr', persistence: 360, netmask: 0xffffffff, engine: undefined },
      statistics: { connections: 2n, inBytes: 0x1_0000_0001n, outBytes: 0n },
    })
  })

  test('the version', () => {
    expect(decodeInfo(hex('08000100 01020100 08000200 00100000'))).toEqual({
      version: '1.2.1',
      connectionTableSize: 4096,
    })
  })

  test('the timeouts', () => {
    const answered = decodeTimeouts(hex('08000400 84030000 08000500 78000000 08000600 2c010000'))
    expect(answered).toEqual({ tcp: 900, tcpFin: 120, udp: 300 })
  })

  test('a sync daemon over IPv6', () => {
    const bytes = hex(`4c00 0300 08000100 01000000 09000200 64756d3000 00 0000 08000300 01000000 06000400 ac05 0000
      06000700 9022 0000 05000800 01000000 14000600 ff020000000000000000000000000081`)
    expect(decodeDaemon(bytes)).toEqual({
      state: 'master',
      interface: 'dum0',
      syncId: 1,
      maxLength: 1452,
      group: 'ff02::81',
      port: 8848,
      ttl: 1,
    })
  })
})

test('statistics of 64 bits come before those of 32', () => {
  const statistics = messages.statistics.encode({ connections: 1 })
  const statistics64 = messages.statistics64.encode({ connections: 2n ** 40n })
  expect(decodeServiceEntry(serviceBytes({ statistics, statistics64 }))?.statistics.connections).toBe(2n ** 40n)
  expect(decodeServiceEntry(serviceBytes({ statistics }))?.statistics.connections).toBe(1n)
  expect(decodeServiceEntry(serviceBytes({}))?.statistics.connections).toBe(0n)
})

test('a service of a protocol that is not balanced is left out', () => {
  expect(decodeService(serviceBytes({ protocol: 50 }))).toBeUndefined()
})

test('a timeout without the persistent flag is none', () => {
  expect(decodeService(serviceBytes({ timeout: 77 }))?.settings.persistence).toBe(0)
  expect(decodeService(serviceBytes({ timeout: 77, flags: { flags: 1, mask: 0 } }))?.settings.persistence).toBe(77)
})

test('a destination without a family has its service’s', () => {
  const six = destinationBytes({ family: undefined, address: hex('20010db8000000000000000000000001') })
  expect(decodeDestination(six, 'inet6').address).toBe(address('2001:db8::1'))
  expect(decodeDestination(destinationBytes({ family: undefined }), 'inet').address).toBe(address('10.0.0.2'))
})

test.for<readonly [name: string, more: object, tunnel: unknown]>([
  ['no options', {}, undefined],
  ['plain ipip', { tunnelType: 0, tunnelPort: 0, tunnelFlags: 0 }, undefined],
  ['gue', { tunnelType: 1, tunnelPort: 6080, tunnelFlags: 2 }, { type: 'gue', port: 6080, checksum: 'remcsum' }],
  ['gre', { tunnelType: 2, tunnelPort: 0, tunnelFlags: 1 }, { type: 'gre', port: 0, checksum: 'csum' }],
  ['a type to come', { tunnelType: 9, tunnelPort: 0, tunnelFlags: 0 }, { type: 'ipip', port: 0, checksum: 'none' }],
  ['options without a tunnel', { forwarding: 0, tunnelType: 2, tunnelPort: 0, tunnelFlags: 1 }, undefined],
])('tunnel: %s', ([, more, tunnel]) => {
  expect(decodeDestination(destinationBytes(more), 'inet').tunnel).toEqual(tunnel)
})

test('flags beside the method are taken off, and a method to come is none of ours', () => {
  expect(decodeDestination(destinationBytes({ forwarding: 0x103 }), 'inet').forwarding).toBe('droute')
  expect(decodeDestination(destinationBytes({ forwarding: 7 }), 'inet').forwarding).toBe('bypass')
})

test('what the kernel counts for a destination', () => {
  const counted = { activeConnections: 1, inactiveConnections: 2, persistentConnections: 3 }
  expect(decodeDestinationEntry(destinationBytes(counted), 'inet').counters).toMatchObject(counted)
})

test.for<readonly [name: string, decode: () => unknown]>([
  ['no service', () => decodeService(Buffer.alloc(0))],
  ['no family', () => decodeService(serviceBytes({ family: undefined }))],
  ['an odd family', () => decodeService(serviceBytes({ family: 1 }))],
  ['half an address', () => decodeService(serviceBytes({ address: hex('c000') }))],
  ['half a netmask', () => decodeService(serviceBytes({ netmask: hex('ffff') }))],
  ['no weight', () => decodeDestination(destinationBytes({ weight: undefined }), 'inet')],
  ['a daemon in no state', () => decodeDaemon(messages.message.encode({ daemon: { state: 0 } }))],
  ['no timeouts', () => decodeTimeouts(Buffer.alloc(0))],
])('%s is a DecodeError', ([, decode]) => {
  expect(decode).toThrow(DecodeError)
})

const decoders = [
  decodeService,
  decodeServiceEntry,
  decodeDaemon,
  decodeInfo,
  decodeTimeouts,
  (bytes: Buffer) => decodeDestination(bytes, 'inet'),
  (bytes: Buffer) => decodeDestinationEntry(bytes, 'inet6'),
]

const good = [
  serviceBytes({}),
  destinationBytes({ tunnelType: 1 }),
  messages.message.encode({ daemon: { state: 1, interface: 'eth0', syncId: 3 } }),
]

/** Bytes that begin well: a good message with some of its bytes changed, cut off anywhere. */
const almost = fc
  .tuple(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }), fc.nat(200))
  .map(([message, changes, length]) => {
    const bytes = Buffer.from(message)
    for (const [at, value] of changes) bytes[at % bytes.length] = value
    return bytes.subarray(0, Math.max(1, length))
  })

property.prop(
  [
    fc.oneof(
      almost,
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    ),
  ],
  { numRuns: 2000 },
)('any bytes are decoded or are a DecodeError', (bytes) => {
  for (const decode of decoders) {
    try {
      decode(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
    }
  }
})
