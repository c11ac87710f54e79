import type { NetworkRoute, NetworkRule, ProtectedAddress } from '@ipvs-director/config'
import { loadConfig, filesInMemory } from '@ipvs-director/config'
import { checkers } from '@ipvs-director/checkers'
import { seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { addressText, kernelAddress, kernelRoute, kernelRule, routeText, ruleText } from './entries.ts'

/** What the configuration language makes of one line. */
async function entries(block: 'virtual_ipaddress' | 'virtual_routes' | 'virtual_rules', line: string) {
  const vip = block === 'virtual_ipaddress' ? '' : 'virtual_ipaddress {\n 10.0.0.9\n }'
  const text = `vrrp_instance V {\n interface eth0\n virtual_router_id 1\n priority 100\n ${vip}\n ${block} {\n ${line}\n }\n}`
  const { config } = await loadConfig('/x', { checkers, read: filesInMemory(new Map([['/x', text]])) })
  const instance = config?.vrrp.instances[0]
  if (instance === undefined) throw new Error('no instance')
  return instance
}
const addressOf = async (line: string): Promise<ProtectedAddress> =>
  (await entries('virtual_ipaddress', line)).addresses[0] as ProtectedAddress
const routeOf = async (line: string): Promise<NetworkRoute> => (await entries('virtual_routes', line)).routes[0] as NetworkRoute // prettier-ignore
const ruleOf = async (line: string): Promise<NetworkRule> => (await entries('virtual_rules', line)).rules[0] as NetworkRule // prettier-ignore

const plain = (value: object): unknown => JSON.parse(JSON.stringify(value))

test.for<[string, string, object]>([
  ['10.0.0.5', '10.0.0.5/32 dev eth0', { address: '10.0.0.5', prefix: 32, scope: 0, validFor: 3000 }],
  [
    '10.0.0.5/24 brd + scope link label eth0:1',
    '10.0.0.5/24 dev eth0',
    { prefix: 24, broadcast: '10.0.0.255', scope: 253, label: 'eth0:1' },
  ],
  ['10.0.0.5/24 dev eth1', '10.0.0.5/24 dev eth1', { prefix: 24 }],
  ['fd00::5', 'fd00::5/128 dev eth0', { prefix: 128, nodad: true, preferredFor: 0, validFor: 3000 }],
  ['fd00::5/64', 'fd00::5/64 dev eth0', { prefix: 64, nodad: true }],
])('%s', async ([line, text, expected]) => {
  // prettier-ignore
  const wanted = await addressOf(line)
  expect(addressText(wanted)).toBe(text)
  expect(plain(kernelAddress(wanted, 7, seconds(3)))).toMatchObject({ index: 7, ...expected })
})

test('without a lease it stays until it is removed', async () => {
  expect(plain(kernelAddress(await addressOf('10.0.0.5'), 7, undefined))).not.toHaveProperty('validFor')
})

test.for<[string, string, object]>([
  [
    '10.2.0.0/16 via 10.0.0.1 dev eth0 metric 5',
    '10.2.0.0/16 via 10.0.0.1 dev eth0',
    {
      destination: { address: '10.2.0.0', length: 16 },
      gateway: '10.0.0.1',
      index: 7,
      metric: 5,
      table: 254,
      kind: 1,
      protocol: 18,
    },
  ],
  ['default via 10.0.0.1 table 100', 'default via 10.0.0.1 table 100', { gateway: '10.0.0.1', table: 100 }],
  ['blackhole 10.9.0.0/16', '10.9.0.0/16', { kind: 6 }],
  ['10.4.0.0/16 via 10.0.0.1 vrf blue', '10.4.0.0/16 via 10.0.0.1', { table: 77 }],
  [
    '10.4.0.0/16 encap mpls 100/200 ttl 5 via 10.0.0.1 ttl-propagate disabled',
    '10.4.0.0/16 via 10.0.0.1',
    { gateway: '10.0.0.1', encapsulation: { kind: 'mpls', labels: [100, 200], ttl: 5 }, ttlPropagate: false },
  ],
  [
    '10.4.0.0/16 encap ip6 dst fd00::9 tc 3 dev eth0',
    '10.4.0.0/16 dev eth0',
    { index: 7, encapsulation: { kind: 'ip6', destination: 'fd00::9', tos: 3 } },
  ],
])('route %s', async ([line, text, expected]) => {
  // prettier-ignore
  const wanted = await routeOf(line)
  expect(routeText(wanted)).toBe(text)
  expect(
    plain(
      kernelRoute(
        wanted,
        () => 7,
        (vrf) => (vrf === 'blue' ? 77 : undefined),
      ),
    ),
  ).toMatchObject(expected)
})

test('a route on an interface that is not there', async () => {
  const wanted = await routeOf('10.2.0.0/16 dev eth9')
  expect(() =>
    kernelRoute(
      wanted,
      () => undefined,
      () => undefined,
    ),
  ).toThrow('there is no interface eth9')
})

test.for([
  ['encap gre 1', 'encap gre is not understood'],
  ['encap mpls 100/x', 'encap: label x is no number up to 1048575'],
  ['encap mpls 1048576', 'encap: label 1048576 is no number'],
  ['encap ip dst nobody', 'encap: nobody is no address'],
  ['encap ip id nine', 'encap: id nine is no number'],
  ['encap ip ttl 256', 'encap: ttl 256 is no number up to 255'],
  ['encap ila 2001:db8:0:1:2', 'encap: 2001:db8:0:1:2 is no locator'],
  ['vrf red', 'there is no VRF red'],
])('a route with %s', async ([more, words]) => {
  const wanted = await routeOf(`10.2.0.0/16 dev eth0 ${more}`)
  expect(() =>
    kernelRoute(
      wanted,
      () => 7,
      () => undefined,
    ),
  ).toThrow(words)
})

test.for<[string, string, object]>([
  [
    'from 10.1.0.0/16 table 100 preference 77',
    '77: from 10.1.0.0/16 lookup 100',
    { from: { address: '10.1.0.0', length: 16 }, table: 100, priority: 77, action: 1 },
  ],
  ['to 10.1.0.0/16 fwmark 1 blackhole preference 78', '78: from all to 10.1.0.0/16', { mark: 1, action: 6 }],
])('rule %s', async ([line, text, expected]) => {
  // prettier-ignore
  const wanted = await ruleOf(line)
  expect(ruleText(wanted)).toBe(text)
  expect(plain(kernelRule(wanted))).toMatchObject(expected)
})
