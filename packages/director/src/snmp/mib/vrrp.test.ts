import type { Config } from '@ipvs-director/config'
import { loadConfig, filesInMemory } from '@ipvs-director/config'
import { checkers } from '@ipvs-director/checkers'
import { splitBrain } from '@ipvs-director/control/testing'
import { describe, expect, test } from 'vitest'
import { snmpSnapshot } from '../../testing/snmp-snapshot.ts'
import { oid, type Oid } from '../oid.ts'
import { notificationsOf } from '../traps.ts'
import { createTree } from '../tree.ts'
import { gauge, integer, text, type SnmpValue } from '../value.ts'
import { keepalivedVrrpNodes } from './keepalived-vrrp.ts'
import type { SnmpSnapshot } from './snapshot.ts'
import { vrrpV2Nodes, vrrpV3Nodes } from './vrrp-rfc.ts'

/** VI_1 of one version with the state of the fixture, in the group G1. */
async function snapshot(version: 2 | 3): Promise<SnmpSnapshot> {
  const conf = `vrrp_sync_group G1 {\n group {\n VI_1\n }\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 150\n version ${version}\n advert_int 1\n virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n`
  const { config } = await loadConfig('/t.conf', { checkers, read: filesInMemory(new Map([['/t.conf', conf]])), configId: 'x', env: {}, random: () => 0 }) // prettier-ignore
  const vrrp: Partial<Config['vrrp']> = config?.vrrp ?? {}
  return snmpSnapshot([], vrrp, { vrrp: splitBrain() })
}
const bytes = (...values: readonly number[]): SnmpValue => ({ type: 'octets', value: Uint8Array.from(values) })
const plain = (value: SnmpValue): unknown => ('value' in value && value.value instanceof Uint8Array ? { ...value, value: [...value.value] } : value) // prettier-ignore

describe.each<
  [string, 2 | 3, (of: SnmpSnapshot) => ReturnType<typeof vrrpV2Nodes>, readonly (readonly [string, SnmpValue])[]]
>([
  [
    'KEEPALIVED-MIB',
    2,
    keepalivedVrrpNodes,
    [
      ['1.3.6.1.4.1.9586.100.5.2.1.1.2.1', text('G1')],
      ['1.3.6.1.4.1.9586.100.5.2.1.1.3.1', integer(2)],
      ['1.3.6.1.4.1.9586.100.5.2.2.1.2.1.1', text('VI_1')],
      ['1.3.6.1.4.1.9586.100.5.2.3.1.3.1', gauge(51)],
      ['1.3.6.1.4.1.9586.100.5.2.3.1.4.1', integer(2)],
      ['1.3.6.1.4.1.9586.100.5.2.3.1.7.1', integer(150)],
      ['1.3.6.1.4.1.9586.100.5.2.3.1.8.1', integer(120)],
      ['1.3.6.1.4.1.9586.100.5.2.3.1.12.1', gauge(1)],
      ['1.3.6.1.4.1.9586.100.5.2.6.1.3.1.1', bytes(192, 0, 2, 1)],
      ['1.3.6.1.4.1.9586.100.5.2.6.1.5.1.1', gauge(24)],
    ],
  ],
  [
    'VRRP-MIB',
    2,
    vrrpV2Nodes,
    [
      ['1.3.6.1.2.1.68.1.3.1.2.2.51', bytes(2, 0, 0, 0, 0, 2)],
      ['1.3.6.1.2.1.68.1.3.1.3.2.51', integer(3)],
      ['1.3.6.1.2.1.68.1.3.1.6.2.51', integer(1)],
      ['1.3.6.1.2.1.68.1.3.1.11.2.51', integer(1)],
      ['1.3.6.1.2.1.68.1.4.1.2.2.51.192.0.2.1', integer(1)],
      ['1.3.6.1.2.1.68.2.4.1.5.2.51', { type: 'counter32', value: 3 }],
    ],
  ],
  [
    'VRRPv3-MIB',
    3,
    vrrpV3Nodes,
    [
      ['1.3.6.1.2.1.207.1.1.1.1.6.2.51.1', integer(3)],
      ['1.3.6.1.2.1.207.1.1.1.1.9.2.51.1', integer(100)],
      ['1.3.6.1.2.1.207.1.1.2.1.2.2.51.1.4.192.0.2.1', integer(1)],
      ['1.3.6.1.2.1.207.1.2.5.1.3.2.51.1', { type: 'counter64', value: 40n }],
    ],
  ],
])('%s', (_name, version, nodes, rows) => {
  test.for(rows)('%s', async ([name, value]) => {
    expect(plain(createTree(nodes(await snapshot(version))).get(oid(name)))).toEqual(plain(value))
  })
})

test('an instance of the other version is in the other table', async () => {
  const end = { start: [] as Oid, include: true, end: oid('1.3.6.1.2.1.68.1.4') }
  const first = createTree(vrrpV2Nodes(await snapshot(3))).next({ ...end, start: oid('1.3.6.1.2.1.68.1.3') })
  expect(first.value.type).toBe('endOfMibView')
})

test.for([
  [2, ['1.3.6.1.4.1.9586.100.5.2.10.0.2', '1.3.6.1.2.1.68.0.1', '1.3.6.1.2.1.207.0.1']],
  [3, ['1.3.6.1.4.1.9586.100.5.2.10.0.2', '1.3.6.1.2.1.207.0.1']],
] as const)('becoming master is notified by both MIBs, version %i', async ([version, traps]) => {
  const event = { type: 'instance', name: 'VI_1', state: 'MASTER', from: 'BACKUP', why: '', priority: 120, group: undefined, notify: true, at: 0 } as const // prettier-ignore
  const sent = notificationsOf({ kind: 'vrrp', event, notifications: [] }, (await snapshot(version)).config)
  expect(sent.map(([first]) => first?.value)).toEqual(traps.map((name) => ({ type: 'oid', value: oid(name) })))
})

test.for([
  ['alarm', 1],
  ['calm', 2],
] as const)('an alarm of an instance and its end are notified: %s', async ([type, number]) => {
  const event = { type, name: 'VI_1', kind: 'claim', text: '02:00:00:00:00:01 says that it has 192.0.2.1', at: 0 } as const // prettier-ignore
  const [binds = []] = notificationsOf({ kind: 'vrrp', event, notifications: [] }, (await snapshot(2)).config)
  const arc = '1.3.6.1.4.1.8072.9999.9999.112'
  expect(binds.map(({ name, value }) => [name.join('.'), value])).toEqual([
    ['1.3.6.1.6.3.1.1.4.1.0', { type: 'oid', value: oid(`${arc}.0.${number}`) }],
    ['1.3.6.1.4.1.9586.100.5.2.3.1.2', text('VI_1')],
    [`${arc}.1.0`, text('claim')],
    [`${arc}.2.0`, text('02:00:00:00:00:01 says that it has 192.0.2.1')],
    ['1.3.6.1.4.1.9586.100.5.1.2.0', text('LVS_1')],
  ])
})
