/** Two network namespaces on one cable: what the one announces the other hears, the kernel among them. */
import { address } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { hearNeighbours, openAnnouncer, type Announcer, type EthernetPort } from './announce.ts'
import { withinNamespace } from './namespace.ts'
import { openRoute } from './netlink/route.ts'
import type { NeighbourClaim } from './neighbour-frames.ts'
import { joinedNamespaces, noNamespaces, type OwnNamespace } from './testing/own-namespace.ts'

let lan: Awaited<ReturnType<typeof joinedNamespaces>>
let left: EthernetPort
let right: EthernetPort
let announcer: Announcer
let closing: { close(): void }[] = []

async function portOf(space: OwnNamespace): Promise<EthernetPort> {
  const client = withinNamespace(space.path, () => openRoute())
  const link = await client.link('eth0')
  client.close()
  return { name: 'eth0', index: link?.index ?? 0, mac: link?.mac ?? new Uint8Array(6) }
}

beforeAll(async () => {
  if (noNamespaces !== undefined) return
  lan = await joinedNamespaces()
  await lan.left.run('ip addr add 10.0.0.1/24 dev eth0 && ip addr add 2001:db8::1/64 dev eth0 nodad')
  await lan.right.run('ip addr add 10.0.0.2/24 dev eth0 && ip addr add 2001:db8::2/64 dev eth0 nodad')
  left = await portOf(lan.left)
  right = await portOf(lan.right)
  announcer = withinNamespace(lan.left.path, openAnnouncer)
})
afterAll(() => {
  if (noNamespaces !== undefined) return
  announcer.close()
  lan.close()
})
beforeEach(({ skip }) => {
  skip(noNamespaces !== undefined, noNamespaces)
})
afterEach(() => {
  for (const one of closing) one.close()
  closing = []
})

function hear(space: OwnNamespace, port: EthernetPort, family: 'inet' | 'inet6'): NeighbourClaim[] {
  const claims: NeighbourClaim[] = []
  closing.push(withinNamespace(space.path, () => hearNeighbours(port, family, (claim) => claims.push(claim))))
  return claims
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test.for([
  ['192.0.2.10', 'inet'],
  ['2001:db8::10', 'inet6'],
] as const)('%s is heard by the other end, not by our own', async ([text, family]) => {
  const vip = address(text)
  const there = hear(lan.right, right, family)
  const here = hear(lan.left, left, family)
  announcer.announce(left, vip, false)
  await until(() => there.length > 0)
  expect(there).toEqual([{ address: vip, mac: left.mac, answer: false }])
  expect(here).toEqual([])
})

test.for([
  ['10.0.0.99', 'inet'],
  ['2001:db8::99', 'inet6'],
] as const)('the kernel of a neighbour that knew %s elsewhere believes it', async ([text]) => {
  await lan.right.run(`ip neigh replace ${text} lladdr 02:00:00:00:00:99 dev eth0 nud stale`)
  announcer.announce(left, address(text), false)
  const mac = Buffer.from(left.mac)
    .toString('hex', 0, 6)
    .replaceAll(/..(?!$)/g, '$&:')
  let shown = ''
  for (let i = 0; i < 50 && !shown.includes(mac); i++) shown = await lan.right.run(`ip neigh show ${text}`)
  expect(shown).toContain(mac)
})

test.for([
  ['10.0.0.1', '10.0.0.2', 'inet'],
  ['0.0.0.0', '10.0.0.2', 'inet'],
  ['2001:db8::1', '2001:db8::2', 'inet6'],
] as const)('asked from %s, %s answers', async ([from, target, family]) => {
  const heard = hear(lan.left, left, family)
  announcer.ask(left, address(from), address(target))
  await until(() => heard.some(({ answer }) => answer))
  expect(heard.find(({ answer }) => answer)).toEqual({ address: target, mac: right.mac, answer: true })
})

test('an interface that is gone is refused', () => {
  expect(() => {
    announcer.announce({ ...left, index: 999 }, address('192.0.2.10'), false)
  }).toThrow('sendmsg ENXIO')
})
