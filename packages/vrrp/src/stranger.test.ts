import { address } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import type { VrrpEvent } from './events.ts'
import type { Path } from './link.ts'
import type { ReceivedPacket } from './packet.ts'
import { createStranger } from './stranger.ts'
import { anInstance, aPlan } from './testing/configs.ts'

const { vrrp } = aPlan([anInstance(), anInstance({ name: 'VI_2', virtualRouterId: 52, addresses: [] })])

/** Version 2, priority 100, with the address of VI_1. */
const packet = (vrid: number): ReceivedPacket =>
  ({
    protocol: 112,
    source: address('192.0.2.9'),
    payload: Buffer.from([0x21, vrid, 100, 1, 0, 1, 0, 0, 192, 0, 2, 100, 0, 0, 0, 0, 0, 0, 0, 0]),
  }) as unknown as ReceivedPacket

test.for([
  ['another VRID with our address is an alarm', 99, ['vrid']],
  ['a VRID of ours, heard where another instance listens (a VMAC), is none', 51, []],
  ['nor is the other instance’s', 52, []],
] as const)('%s', ([, vrid, expected]) => {
  const events: VrrpEvent[] = []
  const stranger = createStranger(() => vrrp, () => false, arrayLogger(), fakeClock(), (event) => void events.push(event)) // prettier-ignore
  stranger.hear({ family: 'inet', interface: 'vrrp.52' } as unknown as Path, vrid, packet(vrid))
  expect(events.flatMap((event) => (event.type === 'alarm' ? [event.kind] : []))).toEqual(expected)
  expect(stranger.heard()).toEqual({ v2: expected.length, v3: 0 })
})
