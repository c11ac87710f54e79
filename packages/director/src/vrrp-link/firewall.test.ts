import { address } from '@ipvs-director/core'
import type { Holding } from '@ipvs-director/vrrp'
import { expect, test } from 'vitest'
import { createFirewall } from './firewall.ts'
import { membershipScript, nftFirewall, nftWords, scriptOf } from './firewall-nft.ts'

const plain = { table: 't', priority: -1, interfaceIndexes: false, counters: false }

const holding = (key: string, ...addresses: string[]): Holding =>
  ({ key, addresses: addresses.map((one) => ({ address: address(one) })), excluded: [] }) as unknown as Holding

test('the whole table at once; neighbour discovery goes on', () => {
  const list = ['10.0.0.2', 'fd00::1', '10.0.0.1', '10.0.0.2'].map((one) => ({ address: address(one), interface: 'eth0' })) // prettier-ignore
  expect(scriptOf({ ...plain, table: 'vips' }, list)).toBe(`add table inet vips
delete table inet vips
table inet vips {
  set vips {
    type ipv4_addr
    elements = { 10.0.0.1, 10.0.0.2 }
  }
  set vips6 {
    type ipv6_addr
    elements = { fd00::1 }
  }
  chain in {
    type filter hook input priority -1; policy accept
    ip daddr @vips drop
    ip6 daddr @vips6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept
    ip6 daddr @vips6 drop
  }
}
`)
})

test('a link-local address means a machine together with its interface only; counters', () => {
  const local = ['eth0', 'eth1'].map((on) => ({ address: address('fe80::1'), interface: on }))
  const names = scriptOf(plain, local)
  expect(names).toContain('type ipv6_addr . ifname\n    elements = { fe80::1 . "eth0", fe80::1 . "eth1" }\n')
  expect(names).toContain('    ip6 daddr . iifname @local6 drop\n')
  const numbers = scriptOf({ ...plain, interfaceIndexes: true, counters: true }, local)
  expect(numbers).toContain('type ipv6_addr . iface_index\n')
  expect(numbers).toContain('    ip6 daddr . iif @local6 counter drop\n')
  const more = { ...plain, interfaceIndexes: true, counters: true }
  expect(membershipScript(more, new Map([['vrrp.51', 'eth0']]), 'drop')).toContain('oif "vrrp.51" ip protocol igmp counter drop') // prettier-ignore
})

test('what an earlier run left goes at the start, but for addresses that may be held still', async () => {
  const scripts: string[] = []
  const firewall = createFirewall(nftFirewall((script) => Promise.resolve(void scripts.push(script)), plain))
  const { addresses } = holding('A', '10.0.0.1', 'fe80::1')
  await firewall.begin(addresses.map(({ address: one }) => ({ address: one, interface: 'eth0' })))
  await firewall.block(holding('B', '10.0.0.2'))
  const [begun = '', blocked = ''] = scripts
  expect(begun).toMatch(/^add table inet t\ndelete table inet t\n/)
  expect(begun).toContain('elements = { 10.0.0.1 }')
  expect(begun).not.toContain('fe80::1')
  expect(begun).toMatch(/delete table ip t\nadd table ip6 t\ndelete table ip6 t\n$/)
  expect(blocked).toContain('elements = { 10.0.0.2 }')
})

test('instances come and go; what is as it was is not written again', async () => {
  const scripts: string[] = []
  const firewall = createFirewall(
    nftFirewall((script) => Promise.resolve(void scripts.push(script)), { ...plain, priority: 0 }),
  )
  await firewall.block(holding('A', '10.0.0.1'))
  await firewall.block(holding('A', '10.0.0.1'))
  await firewall.block(holding('B', '10.0.0.2'))
  await firewall.unblock('A')
  await firewall.unblock('A')
  await firewall.unblock('B')
  expect(scripts.map((script) => /elements = \{ (.*) \}/.exec(script)?.[1])).toEqual([
    '10.0.0.1',
    '10.0.0.1, 10.0.0.2',
    '10.0.0.2',
    undefined,
  ])
})

test('what could not be written is tried again, and not taken back', async () => {
  const scripts: string[] = []
  let works = false
  const run = (script: string): Promise<void> => {
    scripts.push(script)
    return works ? Promise.resolve() : Promise.reject(new Error('Operation not supported'))
  }
  const firewall = createFirewall(nftFirewall(run, { ...plain, priority: 0 }))
  await expect(firewall.block(holding('A', '10.0.0.1'))).rejects.toThrow('not supported')
  await firewall.unblock('A')
  expect(scripts).toHaveLength(1)
  works = true
  await firewall.block(holding('A', '10.0.0.1'))
  expect(scripts).toHaveLength(2)
})

test('memberships of interfaces made for instances leave by the ones below, or where nft cannot copy not at all', async () => {
  const scripts: string[] = []
  const run = (script: string): Promise<void> => {
    scripts.push(script)
    return script.includes('dup') ? Promise.reject(new Error('Operation not supported')) : Promise.resolve()
  }
  const firewall = createFirewall(nftFirewall(run, plain))
  await firewall.guard('vrrp.51', 'eth0')
  expect(scripts).toHaveLength(2)
  expect(scripts[0]).toContain('    oifname "vrrp.51" ip protocol igmp dup to ip daddr device "eth0" drop\n')
  expect(scripts[1]).toContain('    oifname "vrrp.51" ip protocol igmp drop\n')
  await firewall.unguard('vrrp.51')
  expect(scripts[2]).toBe(membershipScript(plain, new Map(), 'drop'))
  expect(scripts[2]).toBe('add table ip t\ndelete table ip t\nadd table ip6 t\ndelete table ip6 t\n')
})

test('of what nft says, the first error', () => {
  const said = '/dev/stdin:1:1-10: Error: Could not process rule: Operation not supported\nadd table\n^^^\n/dev/stdin:2:1: Error: more\n' // prettier-ignore
  expect(nftWords(said)).toBe('Could not process rule: Operation not supported')
  expect(nftWords('killed\n')).toBe('killed')
})
