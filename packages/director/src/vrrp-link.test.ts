/** The link in a network namespace of the test's own, with another one at the end of the cable; iproute2 is the witness. */
import { checkers } from '@ipvs-director/checkers'
import { filesInMemory, loadConfig, type NetworkRoute, type NetworkRule } from '@ipvs-director/config'
import { address, millis, seconds } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import {
  enterNamespace,
  formatMac,
  openAnnouncer,
  openRoute,
  openVrrpSocket,
  readSetting,
  withinNamespace,
  type EthernetPort,
} from '@ipvs-director/linux'
import { joinedNamespaces, noNamespaces } from '@ipvs-director/linux/testing'
import type { Holding, LinkInterface, ReceivedPacket } from '@ipvs-director/vrrp'
import { closeSync, openSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { permissionOf } from './scripts.ts'
import { openVrrpLink, type LinuxVrrpLink } from './vrrp-link.ts'

let lan: Awaited<ReturnType<typeof joinedNamespaces>>
let home: number
let link: LinuxVrrpLink
const logger = arrayLogger()
const nft: string[] = []
let nftFails = false
let events: string[] = []
let interfaces: Map<string, LinkInterface | undefined>

beforeAll(async () => {
  if (noNamespaces !== undefined) return
  lan = await joinedNamespaces()
  await lan.left.run('ip addr add 10.0.0.1/24 dev eth0 && ip addr add fe80::1/64 dev eth0 nodad && ip addr add fd00::1/64 dev eth0 nodad') // prettier-ignore
  await lan.right.run('ip addr add 10.0.0.2/24 dev eth0 && ip addr add fe80::2/64 dev eth0 nodad && ip addr add fd00::2/64 dev eth0 nodad && ip addr add 10.7.7.7/32 dev lo') // prettier-ignore
  await lan.left.run('ip route add 10.7.7.7 via 10.0.0.2')
  await lan.right.run('echo 1 > /proc/sys/net/ipv6/conf/eth0/keep_addr_on_down')
  home = openSync('/proc/thread-self/ns/net', 'r')
  enterNamespace(lan.left.path) // this file's own process
  link = await openVrrpLink({
    logger,
    permit: ({ script }) =>
      script.words[0] === '/bin/false'
        ? { problem: 'not that one' }
        : permissionOf(script, { scriptUser: { user: 'root' }, enableScriptSecurity: true, setSupplementaryGroups: false, useSymlinkPaths: false }, logger), // prettier-ignore
    interfacePrefixes: { own: 'vrrp', forAddresses: 'addr' },
    runNft: (script) => {
      nft.push(script)
      return nftFails ? Promise.reject(new Error('Operation not supported')) : Promise.resolve()
    },
  })
  interfaces = new Map()
  link.watch({
    interface: (name, now) => void interfaces.set(name, now),
    lost: (key, what) => void events.push(`${key} lost ${what}`),
    claimed: (on, vip, mac) => void events.push(`${vip} claimed on ${on} by ${mac}`),
  })
})
afterAll(async () => {
  if (noNamespaces !== undefined) return
  link.close()
  enterNamespace(`/proc/self/fd/${home}`)
  closeSync(home)
  lan.close()
  await Promise.resolve()
})
beforeEach(({ skip }) => {
  skip(noNamespaces !== undefined, noNamespaces)
})
afterEach(() => {
  events = []
})

async function holdingOf(vips: string, more = '', key = 'A'): Promise<Holding> {
  const text = `vrrp_instance ${key} {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n ${vips}\n }\n ${more}\n}`
  const { config, diagnostics } = await loadConfig('/x', { checkers, read: filesInMemory(new Map([['/x', text]])) })
  const instance = config?.vrrp.instances[0]
  if (instance === undefined) throw new Error(JSON.stringify(diagnostics))
  return { key, instance: key, vmacInterface: undefined, ...instance }
}

const shown = async (): Promise<string> => lan.left.run('ip -o addr show dev eth0')
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 5))
}
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50))

test('interfaces are told once at the beginning, then when they change', async () => {
  await until(() => interfaces.has('eth0') && interfaces.has('lo'))
  expect(interfaces.get('eth0')).toMatchObject({ name: 'eth0', up: true, mtu: 1500, announces: true })
  expect(interfaces.get('lo')).toMatchObject({ announces: false })
  expect(link.interface('eth0')?.addresses).toEqual(['fe80::1', '10.0.0.1', 'fd00::1'])
  await lan.left.run('ip link set eth0 mtu 1400')
  await until(() => interfaces.get('eth0')?.mtu === 1400)
  await lan.right.run('ip link set eth0 down')
  await until(() => interfaces.get('eth0')?.up === false)
  await lan.right.run('ip link set eth0 up mtu 1400')
  await until(() => interfaces.get('eth0')?.up === true)
  await lan.left.run('ip link add extra type veth peer name other && ip link del extra')
  await until(() => interfaces.has('extra') && interfaces.get('extra') === undefined)
  expect(link.interface('nosuch')).toBeUndefined()
})

test('of an interface that is polled the poll counts, and only while it is polled', async () => {
  link.pollCarriers([{ interface: 'eth0', how: 'ETHTOOL' }, { interface: 'lo', how: 'MII' }]) // prettier-ignore
  expect(link.interface('eth0')?.up).toBe(true)
  await lan.right.run('ip link set eth0 down')
  await until(() => interfaces.get('eth0')?.up === false)
  await lan.right.run('ip link set eth0 up')
  await until(() => interfaces.get('eth0')?.up === true)
  expect(logger.lines.some(({ message }) => message.startsWith('eth0: the link is polled by ETHTOOL'))).toBe(true)
  expect(link.interface('lo')?.up).toBe(true)
  link.pollCarriers([])
})

test('disable_local_igmp', async () => {
  const setting = (): string | undefined => readSetting('ipv4/igmp_link_local_mcast_reports')
  expect(setting()).toBe('1')
  const another = await openVrrpLink({ localIgmp: false })
  another.close()
  expect(setting()).toBe('0')
})

test('held with a lease, renewed, released; what the reload leaves out goes', async () => {
  const two = await holdingOf('10.0.0.100/24 label eth0:vip\n 10.0.0.101/24')
  await link.hold(two, seconds(5))
  expect(await shown()).toMatch(/10\.0\.0\.100\/24 scope global secondary dynamic eth0:vip/)
  await link.renew(two, seconds(60))
  expect(await shown()).toMatch(/10\.0\.0\.101\/24.*valid_lft (?:60|59)sec/)
  await link.hold(await holdingOf('10.0.0.101/24'), undefined)
  const now = await shown()
  expect(now).not.toContain('10.0.0.100')
  expect(now).toMatch(/10\.0\.0\.101\/24.*valid_lft forever/)
  await link.release(await holdingOf('10.0.0.101/24'))
  expect(await shown()).not.toContain('10.0.0.101')
  await link.release(two) // nothing of it is there: no error
  await aMoment()
  expect(events).toEqual([])
})

test('a renewal that waits for its turn does not bring back what is released or replaced meanwhile', async () => {
  const two = await holdingOf('10.0.0.100/24\n 10.0.0.101/24')
  await link.hold(two, seconds(5))
  const renewed = link.renew(two, seconds(60))
  await link.release(two)
  await renewed
  expect(await shown()).not.toContain('10.0.0.10')
  await link.hold(two, seconds(5))
  void link.renew(two, seconds(60))
  const one = await holdingOf('10.0.0.101/24')
  await link.hold(one, seconds(5))
  await link.renew(one, seconds(60))
  expect(await shown()).not.toContain('10.0.0.100')
  expect(await shown()).toMatch(/10\.0\.0\.101\/24.*valid_lft (?:60|59)sec/)
  await link.release(one)
  await link.renew(one, seconds(60))
  expect(await shown()).not.toContain('10.0.0.101')
  expect(events).toEqual([])
})

test('many are renewed together, also more than one send holds; what is refused is told of the one it is of', async () => {
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `10.8.${(from + i) >> 7}.${(from + i) & 127}/32`).join('\n ')
  const [many, few] = [await holdingOf(lines(0, 120)), await holdingOf(lines(200, 220), '', 'B')]
  const late = await holdingOf('10.9.9.9/24\n 10.9.9.10/24 dev eth9', '', 'C')
  await Promise.all([
    link.hold(many, seconds(5)),
    link.hold(few, seconds(5)),
    link.hold(late, seconds(5)).catch(() => undefined),
  ])
  const outcomes = await Promise.allSettled([link.renew(many, seconds(60)), link.renew(late, seconds(60)), link.renew(few, seconds(60))]) // prettier-ignore
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(outcomes[1]).toMatchObject({ reason: { message: 'cannot renew 10.9.9.10/24 dev eth9: there is no such interface' } }) // prettier-ignore
  expect((await shown()).match(/valid_lft (?:60|59)sec/g)).toHaveLength(141)
  await Promise.all([link.release(many), link.release(few), link.release(late)])
  await aMoment()
  expect(events).toEqual([])
})

test('a route into a tunnel, as iproute2 shows it', async ({ skip }) => {
  const probe = 'ip route add 10.6.1.0/24 encap ip id 1 dst 10.0.0.9 dev eth0 && ip route del 10.6.1.0/24'
  const refused = await lan.left.run(probe).then(() => undefined, String)
  skip(refused !== undefined, `this kernel has no lightweight tunnels: ${refused}`)
  const line = '10.6.0.0/16 encap ip id 5 src 10.0.0.1 dst 10.0.0.9 ttl 7 dev eth0 table 1000'
  const holding = await holdingOf('10.0.0.100/24', `virtual_routes {\n ${line}\n }`)
  await link.hold(holding, undefined)
  expect(await lan.left.run('ip route show table 1000')).toMatch(/10\.6\.0\.0\/16\s+encap ip id 5 src 10\.0\.0\.1 dst 10\.0\.0\.9 ttl 7 tos 0 dev eth0/) // prettier-ignore
  await link.release(holding)
  expect(await lan.left.run('ip route show table 1000')).toBe('')
  expect(events).toEqual([])
})

test('an address that two hold stays until both have let go', async () => {
  const [a, b] = [await holdingOf('10.0.0.100/24'), await holdingOf('10.0.0.100/24', '', 'B')]
  await link.hold(a, undefined)
  await link.hold(b, undefined)
  await link.release(a)
  expect(await shown()).toContain('10.0.0.100')
  await link.release(b)
  expect(await shown()).not.toContain('10.0.0.100')
})

test('what somebody else removes is missed, at once; holding again right after releasing is no loss', async () => {
  const holding = await holdingOf('10.0.0.100/24\n 10.0.0.101/24')
  await link.hold(holding, undefined)
  void link.release(holding)
  await link.hold(holding, undefined)
  await aMoment()
  expect(events).toEqual([])
  await lan.left.run('ip addr del 10.0.0.101/24 dev eth0')
  await until(() => events.length > 0)
  expect(events).toEqual(['A lost 10.0.0.101/24 dev eth0'])
  await link.release(holding)
})

test('an address is taken off its interface by whatever name that has now', async () => {
  await lan.left.run('ip link add old0 type veth peer name old1 && ip link set old1 up && ip link set old0 up')
  await until(() => interfaces.get('old0')?.up === true)
  const holding = await holdingOf('10.9.9.9/24 dev old0')
  await link.hold(holding, undefined)
  await lan.left.run('ip link set old0 down && ip link set old0 name new0 && ip link set new0 up')
  await until(() => interfaces.get('new0')?.up === true && interfaces.get('old0') === undefined)
  expect(await lan.left.run('ip -br addr show new0')).toContain('10.9.9.9')
  await link.release(holding)
  expect(await lan.left.run('ip -br addr show new0')).not.toContain('10.9.9.9')
  await lan.left.run('ip link del new0')
})

test('a refusal says what was tried on what; the rest is done', async () => {
  const holding = await holdingOf('10.0.0.100/24\n 10.0.0.101/24 dev eth9')
  await expect(link.hold(holding, undefined)).rejects.toThrow('cannot add 10.0.0.101/24 dev eth9: there is no such interface') // prettier-ignore
  expect(await shown()).toContain('10.0.0.100')
  await link.release(holding)
})

const routeLines = [
  '10.2.0.0/16 via 10.0.0.2 dev eth0 table 1000 metric 7 mtu lock 1300 advmss 1200 initcwnd 20 hoplimit 9 quickack 1',
  '10.3.0.0/16 dev eth0 scope link table 1000 src 10.0.0.1 rtt 20ms rto_min 1s',
  '10.4.0.0/16 table 1000 nexthop via 10.0.0.2 dev eth0 weight 3 nexthop via 10.0.0.3 dev eth0 weight 1',
  'unreachable 10.5.0.0/16 table 1000',
  'fd02::/64 via fd00::2 dev eth0 table 1000 pref high',
]
const ruleLines = [
  'from 10.1.0.0/16 to 10.2.0.0/16 tos 0x10 fwmark 1/0xff table 1000 preference 77',
  'not iif eth0 ipproto tcp sport 100-200 dport 80 uidrange 1-5 table 1000 preference 78',
  'from 10.1.0.0/16 table 1000 suppress_prefixlength 0 preference 79',
  'to 10.9.0.0/16 type prohibit preference 80',
  'from 10.1.0.0/16 goto 90 preference 81',
]

test('routes and rules come and go, with all that they say', async () => {
  const block = (name: string, lines: readonly string[]): string => `${name} {\n ${lines.join('\n ')}\n }`
  const holding = await holdingOf('10.0.0.100/24', block('virtual_routes', routeLines) + block('virtual_rules', ruleLines)) // prettier-ignore
  expect([holding.routes.length, holding.rules.length]).toEqual([5, 5])
  await link.hold(holding, undefined)
  const routes = `${await lan.left.run('ip -d route show table 1000')}${await lan.left.run('ip -6 -d route show table 1000')}` // prettier-ignore
  expect(routes).toMatch(/10\.2\.0\.0\/16 via 10\.0\.0\.2 dev eth0 proto keepalived scope global metric 7 mtu lock 1300 advmss 1200 hoplimit 9 initcwnd 20 quickack 1/) // prettier-ignore
  expect(routes).toMatch(/10\.3\.0\.0\/16 dev eth0 proto keepalived scope link src 10\.0\.0\.1 rtt 20ms rto_min 1s/)
  expect(routes).toMatch(/10\.4\.0\.0\/16.*\n\s+nexthop via 10\.0\.0\.2 dev eth0 weight 3\s+nexthop via 10\.0\.0\.3 dev eth0 weight 1/) // prettier-ignore
  expect(routes).toContain('unreachable 10.5.0.0/16')
  expect(routes).toMatch(/fd02::\/64 via fd00::2 dev eth0.*pref high/)
  const rules = await lan.left.run('ip rule show')
  expect(rules).toMatch(/77:\s+from 10\.1\.0\.0\/16 to 10\.2\.0\.0\/16 tos 0x10 fwmark 0x1\/0xff lookup 1000/)
  expect(rules).toMatch(/78:\s+not from all iif eth0 uidrange 1-5 ipproto tcp sport 100-200 dport 80 lookup 1000/)
  expect(rules).toMatch(/79:\s+from 10\.1\.0\.0\/16 lookup 1000 suppress_prefixlength 0/)
  expect(rules).toMatch(/80:\s+from all to 10\.9\.0\.0\/16 prohibit/)
  expect(rules).toMatch(/81:\s+from 10\.1\.0\.0\/16 goto 90/)
  await link.hold(holding, undefined) // once more: nothing is doubled
  expect(await lan.left.run('ip rule show')).toBe(rules)
  await lan.left.run('ip route del 10.3.0.0/16 table 1000')
  await until(() => events.length > 0)
  expect(events[0]).toBe('A lost 10.3.0.0/16 dev eth0 table 1000')
  await link.release(holding)
  expect((await lan.left.run('ip rule show')).split('\n')).toHaveLength(4)
  expect(await lan.left.run('ip route show table all')).not.toContain('table 1000')
})

test("a host's own route of equal destination is neither replaced nor removed", async () => {
  await lan.left.run('ip route add 10.8.0.0/16 via 10.0.0.2')
  const holding = await holdingOf('10.0.0.100/24', 'virtual_routes {\n 10.8.0.0/16 via 10.0.0.3 dev eth0\n }')
  await link.hold(holding, undefined)
  expect(await lan.left.run('ip route show 10.8.0.0/16')).toMatch(/via 10\.0\.0\.3[^]*via 10\.0\.0\.2/)
  await link.release(holding)
  expect(await lan.left.run('ip route show 10.8.0.0/16')).toMatch(/^10\.8\.0\.0\/16 via 10\.0\.0\.2 dev eth0\s*$/)
})

test('static entries come back when they are removed, and go at the end', async () => {
  const { addresses } = await holdingOf('10.0.0.200/24')
  const routes: NetworkRoute[] = []
  const rules: NetworkRule[] = []
  link.holdStatic(addresses, routes, rules)
  await until(async () => (await shown()).includes('10.0.0.200'))
  await lan.left.run('ip addr del 10.0.0.200/24 dev eth0')
  await until(async () => (await shown()).includes('10.0.0.200'))
  link.holdStatic([], [], [])
  await link.settled()
  expect(await shown()).not.toContain('10.0.0.200')
})

test('static entries come back with their interface', async () => {
  const all = await holdingOf(
    '10.0.9.1/24 dev extra',
    'virtual_ipaddress_excluded {\n fd09::1/64 dev extra\n }\n virtual_routes {\n 10.9.0.0/16 dev extra\n }',
  )
  await lan.left.run('ip link add extra type veth peer name other && ip link set other up && ip link set extra up')
  await until(() => link.interface('extra')?.up === true)
  link.holdStatic(all.addresses.concat(all.excluded), all.routes, [])
  const there = async (): Promise<boolean> => /10\.0\.9\.1[^]*fd09::1[^]*10\.9\.0\.0\/16/.test(await lan.left.run('ip -o addr show dev extra; ip route')) // prettier-ignore
  await until(there)
  await lan.left.run('ip link set extra down') // the kernel takes IPv6 addresses and routes away
  expect(await there()).toBe(false)
  await lan.left.run('ip link set extra up')
  await until(there)
  await lan.left.run('ip link del extra')
  await until(() => link.interface('extra') === undefined)
  await lan.left.run('ip link add extra type veth peer name other && ip link set other up && ip link set extra up')
  await until(there)
  link.holdStatic([], [], [])
  await link.settled()
  expect(await there()).toBe(false)
  await lan.left.run('ip link del extra')
})

/** The interface at the other end of the cable. */
async function otherEnd(): Promise<EthernetPort> {
  const client = withinNamespace(lan.right.path, () => openRoute())
  const there = await client.link('eth0')
  client.close()
  return { name: 'eth0', index: there?.index ?? 0, mac: there?.mac ?? new Uint8Array(6) }
}

test('who announces an address that is held here is heard, by ARP and by neighbour discovery', async () => {
  const holding = await holdingOf('10.0.0.100/24', 'virtual_ipaddress_excluded {\n fd00::100/64\n }')
  await link.hold(holding, undefined)
  await aMoment()
  const port = await otherEnd()
  const there = withinNamespace(lan.right.path, openAnnouncer)
  link.announce({ interface: 'eth0', address: address('10.0.0.100') }) // our own is not heard
  there.announce(port, address('10.0.0.99'), false) // nobody's here
  there.announce(port, address('10.0.0.100'), false)
  there.announce(port, address('fd00::100'), false)
  await until(() => events.length >= 2)
  const mac = formatMac(port.mac)
  expect(events.sort()).toEqual([`10.0.0.100 claimed on eth0 by ${mac}`, `fd00::100 claimed on eth0 by ${mac}`])
  there.close()
  await link.release(holding)
})

test.for([
  ['a neighbour', '10.0.0.2', true],
  ['a neighbour of IPv6', 'fd00::2', true],
  ['who is beyond a router', '10.7.7.7', true],
  ['ourselves', '10.0.0.1', true],
  ['nobody', '10.0.0.77', false],
  ['nobody of IPv6', 'fd00::77', false],
  ['where no route leads', '203.0.113.1', false],
] as const)('asked: %s', async ([, target, answer]) => {
  expect(await link.ask(address(target), 'eth0', millis(answer ? 3000 : 100))).toBe(answer)
})

test('our source towards another machine', () => {
  expect(link.sourceTowards(address('10.0.0.9'))).toBe('10.0.0.1')
  expect(link.sourceTowards(address('fd00::9'))).toBe('fd00::1')
  expect(link.sourceTowards(address('203.0.113.1'))).toBeUndefined()
})

test('a VMAC: made, found again, removed with what it changed', async () => {
  const request = {
    instance: 'A',
    family: 'inet',
    on: 'eth0',
    virtualRouterId: 7,
    ipvlan: undefined,
    forAddresses: false,
  } as const
  const vmac = { name: undefined, mac: undefined, group: undefined, netlinkNotifyMessage: false, transmitBase: false } // prettier-ignore
  const [name, six] = await Promise.all([
    link.createInterface({ ...request, vmac }),
    link.createInterface({ ...request, family: 'inet6', vmac }),
  ])
  expect(name).toBe('vrrp.7')
  await until(() => link.interface('vrrp.7')?.up === true)
  expect(link.interface('vrrp.7')).toMatchObject({ mac: '00:00:5e:00:01:07', addresses: [] })
  expect(await lan.left.run('cat /proc/sys/net/ipv4/conf/eth0/arp_ignore')).toBe('1\n')
  expect(six).toBe('vrrp6.7')
  await until(() => link.interface('vrrp6.7')?.addresses.includes(address('fe80::1')) === true)
  // For addresses it has none of its own: no advertisement leaves by it.
  const extra = await link.createInterface({
    ...request,
    family: 'inet6',
    virtualRouterId: 8,
    vmac,
    forAddresses: true,
  })
  expect(extra).toBe('addr.8')
  await until(() => link.interface('addr.8')?.up === true)
  expect(link.interface('addr.8')).toMatchObject({ mac: '00:00:5e:00:02:08', addresses: [] })
  await link.removeInterface(extra)
  await link.removeInterface(name)
  await link.removeInterface(six)
  expect(await lan.left.run('cat /proc/sys/net/ipv4/conf/eth0/arp_ignore')).toBe('0\n')
  expect(await lan.left.run('ip link')).not.toContain('vrrp')
  await link.removeInterface('eth0') // not made here: left alone
  expect(link.interface('eth0')).toBeDefined()
})

test('a VMAC that is asked for while the one of that name goes is made anew', async () => {
  const request = {
    instance: 'A',
    family: 'inet',
    on: 'eth0',
    virtualRouterId: 9,
    vmac: {},
    ipvlan: undefined,
  } as const
  const name = await link.createInterface(request as never)
  const gone = link.removeInterface(name)
  expect(await link.createInterface(request as never)).toBe(name)
  await gone
  expect(await lan.left.run(`ip -br link show ${name}`)).toContain('00:00:5e:00:01:09')
  expect(nft.at(-1)).toContain(name)
  await link.removeInterface(name)
})

test('everything that had come is delivered before caughtUp calls back', async () => {
  const got: ReceivedPacket[] = []
  const path = { family: 'inet', interface: 'eth0', group: address('224.0.0.18'), source: undefined, protocol: 112, receiveBuffer: 1 << 20 } as const // prettier-ignore
  const handle = link.open(path, (packet) => got.push(packet))
  const right = await withinNamespace(lan.right.path, () => openVrrpLink())
  const sender = withinNamespace(
    lan.right.path,
    () =>
    openVrrpSocket({ ...path, interface: { name: 'eth0', index: right.interface('eth0')?.index ?? 0 } }, { packet: () => undefined, error: () => undefined }), // prettier-ignore
  )
  const bytes = Buffer.from([0x45, 0xc0, 0, 24, 0, 1, 0, 0, 255, 112, 0, 0, 10, 0, 0, 2, 224, 0, 0, 18, 1, 2, 3, 4])
  for (let i = 0; i < 300; i++) sender.send({ source: address('10.0.0.2'), destination: path.group, ttl: 255, bytes })
  const after = await new Promise<number>((resolve) => {
    link.caughtUp(() => {
      resolve(got.length)
    })
  })
  expect(after).toBe(300)
  expect(got[0]).toMatchObject({ source: '10.0.0.2', destination: '224.0.0.18', ttl: 255, protocol: 112 })
  expect(() => link.open({ ...path, interface: 'eth9' }, () => undefined)).toThrow('there is no interface eth9')
  handle.close()
  sender.close()
})

test.for([
  ['/bin/true', { kind: 'exited', status: 0 }],
  ['/bin/ls /nosuch', { kind: 'exited', status: 2 }],
  ['/bin/sleep 9', { kind: 'timedOut' }],
  ['/bin/false', { kind: 'failed', text: 'not that one' }],
  ['</dev/null', { kind: 'exited', status: 0 }],
  ['</nosuch/file', { kind: 'exited', status: 2 }],
  ['</dev/tcp/127.0.0.1/1', { kind: 'exited', status: 1 }],
] as const)('vrrp_script %s', async ([command, expected]) => {
  const text = `vrrp_script S {\n script "${command}"\n timeout 0.2\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.9\n }\n track_script {\n S\n }\n}`
  const { config } = await loadConfig('/x', { checkers, read: filesInMemory(new Map([['/x', text]])) })
  const [script] = config?.vrrp.scripts ?? []
  expect(script && (await link.runScript(script))).toEqual(expected)
})

test('no_accept: packets are dropped before the address is there, and not any more after it is gone', async () => {
  nft.length = 0
  const holding = { ...(await holdingOf('10.0.0.100/24')), accept: false }
  await link.hold(holding, undefined)
  await link.release(holding)
  expect(nft).toHaveLength(2)
  expect(nft[0]).toContain('elements = { 10.0.0.100 }')
  expect(nft[1]).toBe('add table inet ipvs-director\ndelete table inet ipvs-director\n')
})

test('no_accept that a reload takes away: packets are not dropped any more, now and after the end', async () => {
  const holding = { ...(await holdingOf('10.0.0.100/24')), accept: false }
  await link.hold(holding, undefined)
  nft.length = 0
  await link.hold({ ...holding, accept: true }, undefined)
  expect(nft).toEqual(['add table inet ipvs-director\ndelete table inet ipvs-director\n'])
  await link.release({ ...holding, accept: true })
  expect(nft).toHaveLength(1)
})

test('no_accept where nft cannot: the addresses are held all the same, and it is told', async () => {
  nftFails = true
  const before = nft.length
  const holding = { ...(await holdingOf('10.0.0.100/24')), accept: false }
  await link.hold(holding, undefined)
  expect(await shown()).toContain('10.0.0.100/24')
  await link.release(holding)
  nftFails = false
  expect(nft).toHaveLength(before + 1)
  expect(logger.lines.at(-1)).toMatchObject({ level: 'error', event: 'vrrp.firewall' })
  expect(logger.lines.at(-1)?.message).toMatch(
    /^\(A\) packets to its addresses are not dropped.*: Operation not supported$/,
  )
})
