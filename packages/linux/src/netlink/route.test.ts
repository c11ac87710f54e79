/** The client against this kernel, in a network namespace of the test's own; iproute2 is the witness. */
import { address, millis, seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { withinNamespace } from '../namespace.ts'
import { noNamespaces, ownNamespace, type OwnNamespace } from '../testing/own-namespace.ts'
import { openRoute, type RouteClient } from './route.ts'
import { watchRoute, type RouteEvent } from './route/events.ts'
import { macvlanMode } from './route/link.ts'

let space: OwnNamespace
let client: RouteClient
let eth0: number

beforeAll(async () => {
  if (noNamespaces !== undefined) return
  space = await ownNamespace()
  await space.run('ip link add eth0 type veth peer name far && ip link set eth0 addrgenmode none && ip link set far addrgenmode none && ip link set eth0 up && ip link set far up && ip link set lo up') // prettier-ignore
  client = withinNamespace(space.path, () => openRoute())
  eth0 = (await client.link('eth0'))?.index ?? 0
})
afterAll(() => {
  if (noNamespaces !== undefined) return
  client.close()
  space.close()
})
beforeEach(({ skip }) => {
  skip(noNamespaces !== undefined, noNamespaces)
})

const witness = async (what: string): Promise<Record<string, unknown>[]> =>
  JSON.parse(await space.run(`ip -j ${what}`)) as Record<string, unknown>[]

/** `ip -j addr show` of eth0, one entry per address of global scope. */
async function shown(): Promise<Record<string, unknown>[]> {
  const [link] = await witness('addr show dev eth0')
  return (link?.addr_info as Record<string, unknown>[]).filter(({ scope }) => scope === 'global')
}

test('an interface by name and by number; none is undefined', async () => {
  expect(await client.link('eth0')).toMatchObject({ name: 'eth0', up: true, running: true, kind: 'veth', mtu: 1500 })
  expect((await client.link(eth0))?.name).toBe('eth0')
  expect(await client.link('nosuch')).toBeUndefined()
  expect((await client.links()).map(({ name }) => name).sort()).toEqual(['eth0', 'far', 'lo'])
})

test('a macvlan as use_vmac wants it', async () => {
  const mac = Buffer.of(0, 0, 0x5e, 0, 1, 51)
  await client.addLink({ name: 'vrrp.51', kind: 'macvlan', parent: eth0, mac, data: macvlanMode(1) })
  await expect(
    client.addLink({ name: 'vrrp.51', kind: 'macvlan', parent: eth0, mac, data: macvlanMode(1) }),
  ).rejects.toThrow('cannot add interface vrrp.51 (macvlan): EEXIST')
  const vmac = await client.link('vrrp.51')
  await client.setLink(vmac?.index ?? 0, { up: true })
  const [seen] = await witness('-d link show vrrp.51')
  expect(seen).toMatchObject({
    link: 'eth0',
    address: '00:00:5e:00:01:33',
    linkinfo: { info_kind: 'macvlan', info_data: { mode: 'private' } },
  })
  expect(seen?.flags).toContain('UP')
  await client.deleteLink(vmac?.index ?? 0)
  expect(await client.link('vrrp.51')).toBeUndefined()
})

test('an address with all its properties, read back as it was given', async () => {
  const given = {
    index: eth0,
    address: address('192.0.2.10'),
    prefix: 24,
    broadcast: address('192.0.2.255'),
    label: 'eth0:vip',
    scope: 0,
    validFor: seconds(30),
    preferredFor: seconds(20),
  }
  await client.addAddress(given)
  expect((await client.addresses(eth0)).find(({ label }) => label === 'eth0:vip')).toMatchObject(given)
  expect(await shown()).toMatchObject([
    { local: '192.0.2.10', prefixlen: 24, broadcast: '192.0.2.255', label: 'eth0:vip', dynamic: true },
  ])
  await expect(client.addAddress(given)).rejects.toThrow(/^cannot add 192\.0\.2\.10\/24 on eth0: EEXIST/)
  await client.deleteAddress(given)
  expect(await shown()).toEqual([])
  await expect(client.deleteAddress(given)).rejects.toThrow(/^cannot delete 192\.0\.2\.10\/24 from eth0: EADDRNOTAVAIL/)
})

test(
  'a lease: renewing it tells nobody of a new address or route, and nobody renewing ends it',
  { timeout: 20_000 },
  async () => {
    const vip = { index: eth0, address: address('192.0.2.20'), prefix: 32, validFor: seconds(2) }
    const vip6 = { index: eth0, address: address('2001:db8::20'), prefix: 128, validFor: seconds(2), preferredFor: millis(0), nodad: true } // prettier-ignore
    const outcomes = await client.changeAddresses([
      { do: 'add', address: vip },
      { do: 'add', address: vip6 },
    ])
    expect(outcomes).toEqual([undefined, undefined])
    // The kernel makes the route to an address of IPv6 a little later.
    const routed = async (): Promise<boolean> =>
      (await client.routes('inet6')).some(({ destination }) => destination?.address === vip6.address)
    await expect.poll(routed).toBe(true)
    const events: RouteEvent[] = []
    const watch = withinNamespace(space.path, () => watchRoute(['address', 'route'], (event) => events.push(event)))
    const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 700))
    for (let i = 0; i < 3; i++) {
      await tick()
      await client.replaceAddress(vip)
      await client.replaceAddress(vip6)
    }
    expect((await shown()).map(({ local }) => local)).toEqual(['192.0.2.20', '2001:db8::20'])
    expect(events.filter((event) => event.about !== 'address' || event.change !== 'new')).toEqual([])
    const gone = (): number => events.filter((event) => event.about === 'address' && event.change === 'gone').length
    while (gone() < 2) await tick()
    expect(await shown()).toEqual([])
    watch.close()
  },
)

test('routes', async () => {
  await client.addAddress({ index: eth0, address: address('192.0.2.1'), prefix: 24 })
  const route = {
    family: 'inet',
    destination: { address: address('198.51.100.0'), length: 24 },
    gateway: address('192.0.2.7'),
    index: eth0,
    table: 1000,
    metric: 5,
    protocol: 18,
  } as const
  expect(await client.changeRoutes([{ do: 'add', route }])).toEqual([undefined])
  expect((await client.routes('inet')).filter(({ table }) => table === 1000)).toMatchObject([route])
  expect(await witness('route show table 1000')).toMatchObject([
    { dst: '198.51.100.0/24', gateway: '192.0.2.7', dev: 'eth0', metric: 5 },
  ])
  const [unreachable] = await client.changeRoutes([{ do: 'add', route: { ...route, gateway: address('203.0.113.1') } }])
  expect(unreachable?.message).toMatch(
    /^cannot add the route 198\.51\.100\.0\/24 via 203\.0\.113\.1 on eth0: ENETUNREACH \(/,
  )
  expect(await client.changeRoutes([{ do: 'delete', route }])).toEqual([undefined])
  expect((await client.routes('inet')).filter(({ table }) => table === 1000)).toEqual([])
  await client.deleteAddress({ index: eth0, address: address('192.0.2.1'), prefix: 24 })
})

test('rules', async () => {
  const rule = { family: 'inet6', from: { address: address('2001:db8::'), length: 32 }, table: 1000, priority: 77 } as const // prettier-ignore
  expect(await client.changeRules([{ do: 'add', rule }])).toEqual([undefined])
  expect((await client.rules('inet6')).filter(({ priority }) => priority === 77)).toMatchObject([rule])
  expect(await witness('-6 rule show')).toContainEqual(
    expect.objectContaining({ priority: 77, src: '2001:db8::', table: '1000' }),
  )
  expect(await client.changeRules([{ do: 'delete', rule }])).toEqual([undefined])
  expect((await client.changeRules([{ do: 'delete', rule }]))[0]?.code).toBe('ENOENT')
})

test('a burst larger than the receive buffer is told as lost, and events go on', async () => {
  const events: RouteEvent[] = []
  const watch = withinNamespace(space.path, () => watchRoute(['address'], (event) => events.push(event)))
  // All in one turn of the event loop: the watch reads nothing meanwhile.
  const many = Array.from({ length: 4000 }, (_, i) => ({
    index: eth0,
    address: address(`10.${i >> 8}.${i & 255}.1`),
    prefix: 32,
  }))
  await client.changeAddresses(many.map((one) => ({ do: 'add', address: one })))
  while (!events.some(({ about }) => about === 'lost')) await new Promise((resolve) => setImmediate(resolve))
  const before = events.length
  await client.changeAddresses(many.map((one) => ({ do: 'delete', address: one })))
  while (events.length === before) await new Promise((resolve) => setImmediate(resolve))
  watch.close()
})
