import type { VrrpConfig, VrrpInstance } from '@ipvs-director/config'
import { anInstance, aVip } from '@ipvs-director/vrrp/testing'
import { expect, test } from 'vitest'
import { describeVrrpChanges } from './vrrp-changes.ts'

const config = (...instances: VrrpInstance[]): VrrpConfig => ({ instances, syncGroups: [] }) as unknown as VrrpConfig
const one = anInstance({ name: 'VI_1', addresses: [aVip('192.0.2.1')], excluded: [] })

test.each<[string, VrrpConfig | undefined, VrrpConfig, string[]]>([
  ['nothing', config(one), config({ ...one }), []],
  ['the first', undefined, config(one), ['add vrrp_instance VI_1 with 192.0.2.1/32']],
  ['one goes', config(one), config(), ['remove vrrp_instance VI_1 with 192.0.2.1/32']],
  [
    'another VIP',
    config(one),
    config({ ...one, addresses: [aVip('192.0.2.2')] }),
    ['add VIP 192.0.2.2/32 to vrrp_instance VI_1', 'remove VIP 192.0.2.1/32 from vrrp_instance VI_1'],
  ],
  [
    'a VIP on another interface',
    config(one),
    config({ ...one, addresses: [{ ...aVip('192.0.2.1'), interface: 'eth9' }] }),
    ['change VIP 192.0.2.1/32 of vrrp_instance VI_1'],
  ],
  [
    'a VIP that is not advertised any more',
    config(one),
    config({ ...one, addresses: [], excluded: one.addresses }),
    ['change VIP 192.0.2.1/32 of vrrp_instance VI_1'],
  ],
  ['another name', config(one), config({ ...one, name: 'VI_2' }), ['rename vrrp_instance VI_1 to VI_2']],
  [
    'another VRID',
    config(one),
    config({ ...one, virtualRouterId: 77 }),
    ['replace vrrp_instance VI_1: it resigns, and begins anew as backup'],
  ],
  [
    'a static address',
    config(one),
    { ...config(one), staticAddresses: [aVip('192.0.2.9')] },
    ['change the settings of VRRP beside its instances'],
  ],
  ['a priority', config(one), config({ ...one, priority: one.priority + 1 }), ['change vrrp_instance VI_1']],
])('%s', (_, before, after, lines) => {
  expect(describeVrrpChanges(before, after)).toEqual(lines)
})

test('where it stands in the file is no change', () => {
  const moved = { ...one, place: { file: 'other.conf', line: 99, column: 1 } }
  expect(describeVrrpChanges(config(one), config(moved))).toEqual([])
})
