/** The firewall's own programs in a network namespace of the test's: what they made, as they print it. */
import { address } from '@ipvs-director/core'
import { noNamespaces, ownNamespace, type OwnNamespace } from '@ipvs-director/linux/testing'
import type { Holding } from '@ipvs-director/vrrp'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFirewall, type Firewall } from './firewall.ts'
import { iptablesFirewall, setNames, type IptablesOptions, type RunProgram } from './firewall-iptables.ts'
import { nftFirewall } from './firewall-nft.ts'
import { runProgram } from './run-program.ts'

let space: OwnNamespace
beforeAll(async () => {
  if (noNamespaces === undefined) space = await ownNamespace()
})
afterAll(() => {
  if (noNamespaces === undefined) space.close()
})

const run: RunProgram = (argv, input) => runProgram(['nsenter', `--net=${space.path}`, ...argv], input)

/** Why it cannot be tested here; undefined where it can. */
function lacking(...commands: string[]): string | undefined {
  if (noNamespaces !== undefined) return noNamespaces
  for (const command of commands) {
    const { status, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', command], { encoding: 'utf8' })
    if (status !== 0) return `cannot run ${command}: ${stderr.trim()}`
  }
  return undefined
}
const noIptables = lacking('iptables -S', 'ip6tables -S')
const noSets = noIptables ?? lacking('ipset create probe hash:ip && iptables -A INPUT -m set --match-set probe dst -j DROP') // prettier-ignore
const noNft = lacking('nft add table inet probe')

const holding = (key: string, ...addresses: string[]): Holding =>
  ({ key, addresses: addresses.map((one) => ({ address: address(one), interface: 'eth0' })), excluded: [] }) as unknown as Holding // prettier-ignore

const ours = ' -m comment --comment ipvs-director'

/** `-A` of others, `+A` of ours. */
async function rules(program: 'iptables' | 'ip6tables'): Promise<string[]> {
  const text = await space.run(`${program} -S`)
  return text
    .split('\n')
    .filter((line) => line.startsWith('-A'))
    .map((line) => (line.includes(ours) ? `+${line.slice(1).replace(ours, '')}` : line))
}
const sets = async (): Promise<string[]> =>
  (await space.run('ipset save')).split('\n').filter((line) => line.startsWith('add'))

const firewallOf = (options: IptablesOptions): Firewall => createFirewall(iptablesFirewall(run, options))

test('rules at the beginning of the chains, neighbour discovery before them, and none left behind', async ({
  skip,
}) => {
  skip(noIptables !== undefined, noIptables)
  await space.run('iptables -A INPUT -j ACCEPT; ip6tables -A INPUT -j ACCEPT')
  const firewall = firewallOf({ input: 'INPUT', output: 'OUTPUT', ipsets: false })
  await firewall.block(holding('A', '10.0.0.1'))
  await firewall.block(holding('B', 'fe80::1', 'fd00::1'))
  expect(await rules('iptables')).toEqual(['+A INPUT -d 10.0.0.1/32 -j DROP', '-A INPUT -j ACCEPT', '+A OUTPUT -s 10.0.0.1/32 -j DROP']) // prettier-ignore
  const six = await rules('ip6tables')
  expect(six.filter((line) => line.includes('INPUT'))).toEqual([
    '+A INPUT -d fd00::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT',
    '+A INPUT -d fd00::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT',
    '+A INPUT -d fd00::1/128 -j DROP',
    '+A INPUT -d fe80::1/128 -i eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT',
    '+A INPUT -d fe80::1/128 -i eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT',
    '+A INPUT -d fe80::1/128 -i eth0 -j DROP',
    '-A INPUT -j ACCEPT',
  ])
  // What a run that was killed left behind is not added twice.
  const again = firewallOf({ input: 'INPUT', output: undefined, ipsets: false })
  await again.block(holding('A', '10.0.0.1'))
  expect((await rules('iptables')).filter((line) => line.startsWith('+A INPUT -d'))).toHaveLength(1)
  await firewall.unblock('A')
  await firewall.unblock('B')
  expect([...(await rules('iptables')), ...(await rules('ip6tables'))]).toEqual(['-A INPUT -j ACCEPT', '-A INPUT -j ACCEPT']) // prettier-ignore
  await space.run('iptables -F; ip6tables -F')
})

test('rules of a run that was killed are gone at the next start, but for addresses that may be held still', async ({
  skip,
}) => {
  skip(noIptables !== undefined, noIptables)
  await space.run('iptables -A INPUT -d 10.0.0.7 -j DROP')
  const options = { input: 'INPUT', output: 'OUTPUT', ipsets: false } as const
  const killed = firewallOf(options)
  await killed.block(holding('A', '10.0.0.1', '10.0.0.2', 'fd00::1'))
  await killed.guard('vrrp.51', 'eth0')
  const next = firewallOf(options)
  await next.begin([{ address: address('10.0.0.2'), interface: 'eth0' }, { address: address('10.0.0.3'), interface: 'eth0' }]) // prettier-ignore
  expect(await rules('iptables')).toEqual(['+A INPUT -d 10.0.0.2/32 -j DROP', '-A INPUT -d 10.0.0.7/32 -j DROP', '+A OUTPUT -s 10.0.0.2/32 -j DROP']) // prettier-ignore
  expect(await rules('ip6tables')).toEqual([])
  // It is not among what is held, after all.
  await next.block(holding('A', '10.0.0.1'))
  expect((await rules('iptables')).filter((line) => line.includes('10.0.0.2'))).toEqual([])
  await next.unblock('A')
  expect(await rules('iptables')).toEqual(['-A INPUT -d 10.0.0.7/32 -j DROP'])
  await space.run('iptables -F')
})

test('with sets: one rule for all addresses, at the end of chains of its own', async ({ skip }) => {
  skip(noSets !== undefined, noSets)
  await space.run('iptables -N vips; ip6tables -N vips; ipset create keepalived hash:ip; ipset add keepalived 10.9.9.9')
  const firewall = firewallOf({ input: 'vips', output: undefined, ipsets: undefined })
  await firewall.block(holding('A', '10.0.0.1', '10.0.0.2'))
  await firewall.block(holding('B', 'fe80::1', 'fd00::1'))
  expect((await sets()).sort()).toEqual(['add keepalived 10.0.0.1', 'add keepalived 10.0.0.2', 'add keepalived6 fd00::1', 'add keepalived_if6 fe80::1,eth0']) // prettier-ignore
  expect(await rules('iptables')).toEqual(['+A vips -m set --match-set keepalived dst -j DROP'])
  expect(await rules('ip6tables')).toEqual([
    '+A vips -p ipv6-icmp -m set --match-set keepalived6 dst -m icmp6 --icmpv6-type 135 -j ACCEPT',
    '+A vips -p ipv6-icmp -m set --match-set keepalived6 dst -m icmp6 --icmpv6-type 136 -j ACCEPT',
    '+A vips -m set --match-set keepalived6 dst -j DROP',
    '+A vips -p ipv6-icmp -m set --match-set keepalived_if6 dst,src -m icmp6 --icmpv6-type 135 -j ACCEPT',
    '+A vips -p ipv6-icmp -m set --match-set keepalived_if6 dst,src -m icmp6 --icmpv6-type 136 -j ACCEPT',
    '+A vips -m set --match-set keepalived_if6 dst,src -j DROP',
  ])
  await firewall.unblock('A')
  expect(await sets()).toHaveLength(2)
  await firewall.unblock('B')
  expect(await space.run('ipset save')).toBe('')
  expect([...(await rules('iptables')), ...(await rules('ip6tables'))]).toEqual([])
  await space.run('iptables -X vips; ip6tables -X vips')
})

test('a chain that is not there is told; memberships of made interfaces are dropped', async ({ skip }) => {
  skip(noIptables !== undefined, noIptables)
  const lost = firewallOf({ input: 'nosuch', output: undefined, ipsets: false })
  await expect(lost.block(holding('A', '10.0.0.1'))).rejects.toThrow(/ ended with \d: .*No chain/)
  const firewall = firewallOf({ input: 'INPUT', output: 'OUTPUT', ipsets: undefined })
  await firewall.guard('vrrp.51', 'eth0')
  expect(await rules('iptables')).toEqual(['+A OUTPUT -o vrrp.51 -p igmp -j DROP'])
  expect(await rules('ip6tables')).toHaveLength(4)
  await firewall.unguard('vrrp.51')
  expect([...(await rules('iptables')), ...(await rules('ip6tables'))]).toEqual([])
})

test.for([false, true])(
  'nft takes the scripts, and they leave nothing; with indexes and counters: %s',
  async (more, { skip }) => {
    skip(noNft !== undefined, noNft)
    await space.run(
      'ip link set lo up; ip link show dev eth0 || ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up',
    )
    const options = { table: 'vips', priority: -1, interfaceIndexes: more, counters: more }
    const firewall = createFirewall(nftFirewall((script) => run(['nft', '-f', '-'], script), options))
    await firewall.block(holding('A', '10.0.0.1', 'fd00::1', 'fe80::1'))
    await firewall.guard('eth0', 'lo')
    const made = await space.run('nft list ruleset')
    expect(made).toContain('elements = { 10.0.0.1 }')
    expect(made).toContain('elements = { fe80::1 . "eth0" }')
    expect(made).toMatch(new RegExp(`${more ? 'oif' : 'oifname'} "eth0" ip protocol igmp ${more ? 'counter packets \\d+ bytes \\d+ ' : ''}(?:dup to ip daddr device "lo" )?drop`)) // prettier-ignore
    expect(made.includes('counter')).toBe(more)
    await firewall.unblock('A')
    await firewall.unguard('eth0')
    expect(await space.run('nft list tables')).not.toContain('vips')
  },
)

test('the tables of a run that was killed are gone at the next start', async ({ skip }) => {
  skip(noNft !== undefined, noNft)
  const options = { table: 'vips', priority: -1, interfaceIndexes: false, counters: false }
  const nft = (): Firewall => createFirewall(nftFirewall((script) => run(['nft', '-f', '-'], script), options))
  const killed = nft()
  await killed.block(holding('A', '10.0.0.1'))
  await killed.guard('vrrp.51', 'lo')
  await nft().begin([])
  expect(await space.run('nft list tables')).not.toContain('vips')
})

test('the sets of a run that was killed are empty at the next start', async ({ skip }) => {
  skip(noSets !== undefined, noSets)
  const setsOnly = { input: 'INPUT', output: undefined, ipsets: ['left'] }
  await firewallOf(setsOnly).block(holding('A', '10.0.0.1'))
  expect(await sets()).toEqual(['add left 10.0.0.1'])
  await firewallOf(setsOnly).begin([])
  expect(await sets()).toEqual([])
})

test('what nft is told drops packets to the addresses, of link-local ones on their interface only', async ({
  skip,
}) => {
  skip(noNft !== undefined, noNft)
  await space.run('ip link set lo up; ip addr add 10.0.0.1/32 dev lo; ip addr add fe80::9/64 dev lo nodad; ip link add eth9 type veth peer name far9; ip link set eth9 up; ip link set far9 up; ip addr add fe80::9/64 dev eth9 nodad') // prettier-ignore
  const options = { table: 'vips', priority: -1, interfaceIndexes: true, counters: true }
  const firewall = createFirewall(nftFirewall((script) => run(['nft', '-f', '-'], script), options))
  // Refused (7) is an answer.
  const answers = async (where: string): Promise<boolean> =>
    (await space.run(`{ curl -s -m1 http://${where}:9/; echo $?; }`)).trim() === '7'
  expect(await answers('10.0.0.1')).toBe(true)
  await firewall.block({ ...holding('A', '10.0.0.1', 'fe80::9') })
  expect(await answers('10.0.0.1')).toBe(false)
  expect(await space.run('nft list ruleset')).toMatch(/ip daddr @vips counter packets [1-9]/)
  // Blocked on eth0; this one is on another.
  expect(await answers('[fe80::9%lo]')).toBe(true)
  await firewall.unblock('A')
  expect(await answers('10.0.0.1')).toBe(true)
})

test.for([
  [undefined, ['keepalived', 'keepalived6', 'keepalived_if6']],
  [['a'], ['a', 'a6', 'a_if6']],
  [
    ['a', 'b'],
    ['a', 'b', 'b_if6'],
  ],
  [
    ['a', 'b6', 'c'],
    ['a', 'b6', 'c'],
  ],
] as const)('sets named %j', ([given, [inet, inet6, local]]) => {
  expect(setNames(given)).toEqual({ inet, inet6, local })
})
