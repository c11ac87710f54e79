import { address } from '@ipvs-director/core'
import { littleEndian, Writer } from '@ipvs-director/linux'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { decodeDestination, decodeService } from './decode.ts'
import { defaultDestination, defaultService } from './defaults.ts'
import { encodeCommand, encodeDaemon, encodeDaemonKey, encodeServiceKey, encodeTimeouts } from './encode.ts'
import * as messages from './messages.ts'
import { serviceFamily, type Command, type Destination, type ServiceKey } from './table.ts'
import * as any from './testing/arbitraries.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

function bytesOf(command: Command): Buffer {
  const writer = new Writer()
  encodeCommand(writer, command)
  return writer.copy()
}

const web: ServiceKey = { protocol: 'tcp', address: address('192.0.2.1'), port: 80 }
const six: ServiceKey = { protocol: 'udp', address: address('2001:db8::1'), port: 53 }
const mark: ServiceKey = { fwmark: 7, family: 'inet6' }
const real: Destination = { ...defaultDestination, address: address('10.0.0.2'), port: 8080 }

const webBytes =
  '06000100 0200 0000  06000200 0600 0000  14000300 c0000201 000000000000000000000000  06000400 0050 0000'
const sixBytes = '06000100 0a00 0000  06000200 1100 0000  14000300 20010db8000000000000000000000001  06000400 0035 0000'
const markBytes = '06000100 0a00 0000  08000500 07000000'
const realBytes = '14000100 0a000002 000000000000000000000000  06000200 1f90 0000  06000b00 0200 0000'

describe.runIf(littleEndian)('golden bytes', () => {
  test.for<readonly [name: string, command: Command, bytes: string]>([
    [
      'a service by address',
      { do: 'addService', key: web, settings: { ...defaultService('inet'), netmask: 0xffffff00 } },
      `54000180 ${webBytes} 08000600 776c6300  0c000700 00000000ffffffff  08000800 00000000  08000900 ffffff00`,
    ],
    [
      'a service by mark, with everything',
      {
        do: 'setService',
        key: mark,
        settings: {
          scheduler: 'sh',
          persistence: 360,
          netmask: 64,
          engine: 'sip',
          onePacket: true,
          flag1: true,
          flag2: false,
          flag3: true,
        },
      },
      `40000180 ${markBytes} 07000600 73680000  0c000700 2d000000ffffffff  08000800 68010000  08000900 40000000  08000b00 73697000`,
    ],
    ['a service to delete', { do: 'deleteService', key: six }, `30000180 ${sixBytes}`],
    [
      'a destination',
      {
        do: 'addDestination',
        service: web,
        destination: { ...real, weight: 5, upperThreshold: 9, lowerThreshold: 3 },
      },
      `30000180 ${webBytes}  48000280 ${realBytes}
       08000300 03000000  08000400 05000000  08000500 09000000  08000600 03000000`,
    ],
    [
      'a destination through a tunnel',
      {
        do: 'setDestination',
        service: mark,
        destination: { ...real, forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080, checksum: 'remcsum' } },
      },
      `14000180 ${markBytes}  60000280 ${realBytes}
       08000300 02000000  08000400 01000000  08000500 00000000  08000600 00000000
       05000d00 01000000  06000e00 17c0 0000  06000f00 0200 0000`,
    ],
    [
      'a destination to delete',
      { do: 'deleteDestination', service: web, destination: { address: address('10.0.0.2'), port: 8080 } },
      `30000180 ${webBytes}  28000280 ${realBytes}`,
    ],
    ['flush', { do: 'flush' }, ''],
  ])('%s', ([, command, bytes]) => {
    expect(bytesOf(command).toString('hex')).toBe(hex(bytes).toString('hex'))
  })

  test('the key of a service', () => {
    expect(encodeServiceKey(mark)).toEqual(hex(`14000180 ${markBytes}`))
  })

  test('timeouts', () => {
    expect(encodeTimeouts({ tcp: 900, tcpFin: 0, udp: 300 })).toEqual(
      hex('08000400 84030000  08000500 00000000  08000600 2c010000'),
    )
  })

  test('a sync daemon', () => {
    const daemon = {
      state: 'backup',
      interface: 'eth0',
      syncId: 9,
      maxLength: 1400,
      group: address('224.1.1.1'),
      port: 8848,
      ttl: 3,
    } as const
    const keyBytes = '08000100 02000000'
    expect(encodeDaemon(daemon)).toEqual(
      hex(`40000380 ${keyBytes} 09000200 6574683000 000000  08000300 09000000  06000400 7805 0000
           08000500 e0010101  06000700 9022 0000  05000800 03 000000`),
    )
    expect(encodeDaemonKey(daemon)).toEqual(hex(`14000380 ${keyBytes} 08000300 09000000`))
  })
})

test('a negative weight reaches the kernel as one, to be refused there', () => {
  const bytes = bytesOf({ do: 'addDestination', service: web, destination: { ...real, weight: -1 } })
  expect(messages.message.decode(bytes).destination?.weight).toBe(-1)
})

property.prop([any.service])('what is encoded of a service is what is decoded', ({ key, settings }) => {
  expect(decodeService(bytesOf({ do: 'addService', key, settings }))).toEqual({ key, settings })
})

property.prop([any.service])('what is encoded of its destinations is what is decoded', ({ key, destinations }) => {
  for (const destination of destinations.values()) {
    const bytes = bytesOf({ do: 'addDestination', service: key, destination })
    expect(decodeDestination(bytes, serviceFamily(key))).toEqual(destination)
  }
})

property.prop([any.service])(
  'bytes written in place are the bytes that the table would write',
  ({ key, destinations }) => {
    for (const destination of destinations.values()) {
      const bytes = bytesOf({ do: 'setDestination', service: key, destination })
      expect(messages.message.encode(messages.message.decode(bytes))).toEqual(bytes)
    }
  },
)

property.prop([fc.array(any.service)])('one command leaves nothing behind in the next', (services) => {
  const commands = services.flatMap(({ key, settings, destinations }): Command[] => [
    { do: 'addService', key, settings },
    ...[...destinations.values()].map((destination) => ({ do: 'addDestination', service: key, destination }) as const),
  ])
  const together = new Writer()
  for (const command of commands) encodeCommand(together, command)
  expect(together.view()).toEqual(Buffer.concat(commands.toReversed().map(bytesOf).toReversed()))
})
