import type { CheckerConfig, DnsSource, RealServer, ServerSource, VirtualServer } from '@ipvs-director/config'
import { address, formatEndpoint, seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { config, realServer, tcpChecker, virtualServer } from '../testing/config.ts'
import { withFoundServers } from './resolved.ts'
import type { FoundServer } from './source.ts'

const masq = { method: 'masq', tunnel: undefined } as const
const tunnel = { method: 'tunnel', tunnel: undefined } as const
const dns: DnsSource = {
  kind: 'dns',
  name: 'web.example',
  type: 'A',
  family: 'inet',
  minTtl: seconds(5),
  port: undefined,
  max: 9,
}
const etcd: ServerSource = { kind: 'etcd', url: 'http://127.0.0.1:1', prefix: '/web/', port: undefined, max: 9 }
const found = (text: string, over: Partial<FoundServer> = {}): FoundServer => ({
  address: address(text),
  port: undefined,
  weight: undefined,
  tier: 0,
  ...over,
})

function resolve(
  answer: readonly FoundServer[],
  {
    template = {},
    source = dns,
    virtual = {},
  }: { template?: Partial<RealServer>; source?: ServerSource; virtual?: Partial<VirtualServer> } = {},
): readonly RealServer[] {
  const dynamic = { sources: [source], template: realServer('0.0.0.0:0', { forwarding: masq, ...template }) }
  const before = config([virtualServer({ dynamic, ...virtual })])
  return withFoundServers(before, () => answer).virtualServers[0]!.realServers
}
const names = (servers: readonly RealServer[]): string[] => servers.map(formatEndpoint)
const group = {
  kind: 'group',
  group: 'web',
  entries: [
    { kind: 'fwmark', fwmark: 1, family: 'inet6' },
    { kind: 'address', address: address('192.0.2.1'), port: 81 },
  ],
} as const

test('a configuration without sources is itself', () => {
  const plain = config([virtualServer({ realServers: [realServer('10.0.0.1:80')] })])
  expect(withFoundServers(plain, () => [])).toBe(plain)
})

test.for([
  ['NAT: the port of the record', dns, 8080, {}, {}, 8080, 8080],
  ['NAT: the port of the line before that of the record', { ...dns, port: 9000 }, 8080, {}, {}, 9000, 9000],
  ['NAT: the port of the virtual server where there is no other', dns, undefined, {}, {}, 80, 80],
  ['etcd: the port of the key before that of the line', { ...etcd, port: 9000 }, 8080, {}, {}, 8080, 8080],
  ['etcd: the port of the line for keys without', { ...etcd, port: 9000 }, undefined, {}, {}, 9000, 9000],
  [
    'DR: packets keep their port, checks go where it was said',
    dns,
    8080,
    { forwarding: { ...masq, method: 'droute' } },
    {},
    80,
    8080,
  ],
  ['a group: each entry has its port, checks go to the first', dns, undefined, {}, { target: group }, 0, 81],
] as const)('%s', ([, source, port, template, virtual, expected, checked]) => {
  const [server] = resolve([found('10.0.0.1', { port })], { source, template, virtual })
  expect(server).toMatchObject({ address: '10.0.0.1', port: expected })
  expect(server?.checkers[0]?.connection).toMatchObject({ address: '10.0.0.1', port: checked })
})

test('checks go to the server, but for what names a place of its own', () => {
  const elsewhere = { ...tcpChecker('10.7.7.7:77'), kind: 'ELSEWHERE' }
  const otherPort = tcpChecker('0.0.0.0:9000')
  const hosts: CheckerConfig = {
    ...tcpChecker('0.0.0.0:0'),
    options: {
      hosts: [
        { address: '0.0.0.0', port: 0 },
        { address: '10.8.8.8', port: 0 },
      ],
      text: '0.0.0.0',
    },
  }
  const [server] = resolve([found('10.0.0.1', { port: 8080 })], {
    template: { checkers: [elsewhere, otherPort, hosts] },
  })
  expect(server?.checkers[0]).toEqual(elsewhere)
  expect(server?.checkers[1]?.connection).toMatchObject({ address: '10.0.0.1', port: 9000 })
  expect(server?.checkers[2]?.options).toEqual({
    hosts: [
      { address: '10.0.0.1', port: 8080 },
      { address: '10.8.8.8', port: 0 },
    ],
    text: '0.0.0.0',
  })
})

test('weight and tier: of the source where it says, else of the template', () => {
  const servers = resolve([found('10.0.0.1'), found('10.0.0.2', { weight: 7, tier: 2 })], {
    template: { weight: 3, tier: 254 },
  })
  expect(servers.map(({ weight, tier }) => [weight, tier])).toEqual([
    [3, 254],
    [7, 255],
  ])
})

test('a server that the file has, too, is as in the file; none stands twice', () => {
  const realServers = [realServer('10.0.0.2:80', { weight: 9 })]
  const servers = resolve([found('10.0.0.1'), found('10.0.0.2'), found('10.0.0.1', { port: 80 })], {
    virtual: { realServers },
  })
  expect(names(servers)).toEqual(['10.0.0.2:80', '10.0.0.1:80'])
  expect(servers[0]?.weight).toBe(9)
})

test('max: the first ones', () => {
  const answer = ['10.0.0.3', '10.0.0.1', '10.0.0.2'].map((each) => found(each))
  expect(names(resolve(answer, { source: { ...dns, max: 2 } }))).toEqual(['10.0.0.3:80', '10.0.0.1:80'])
})

test('another family than the service is left out, but for tunnels', () => {
  const answer = [found('2001:db8::1'), found('10.0.0.1')]
  expect(names(resolve(answer, { source: etcd }))).toEqual(['10.0.0.1:80'])
  expect(names(resolve(answer, { source: etcd, template: { forwarding: tunnel } }))).toHaveLength(2)
  expect(names(resolve(answer, { source: etcd, virtual: { target: group } }))).toHaveLength(2)
})
