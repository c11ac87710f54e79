/** Two network namespaces on one cable: what the one sends the other hears, and nobody else. */
import { address, type Address } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withinNamespace } from './namespace.ts'
import { openRoute } from './netlink/route.ts'
import { joinedNamespaces, noNamespaces, type OwnNamespace } from './testing/own-namespace.ts'
import { openVrrpSocket, type VrrpDatagram, type VrrpSending, type VrrpSocket, type VrrpSocketOptions } from './vrrp-socket.ts' // prettier-ignore

let lan: Awaited<ReturnType<typeof joinedNamespaces>>
const indexes = new Map<OwnNamespace, number>()
let opened: VrrpSocket[] = []

beforeAll(async () => {
  if (noNamespaces !== undefined) return
  lan = await joinedNamespaces()
  for (const [space, n] of [
    [lan.left, 1],
    [lan.right, 2],
  ] as const) {
    // prettier-ignore
    await space.run(
      `ip addr add 10.0.0.${n}/24 dev eth0 && ip addr add fe80::${n}/64 dev eth0 nodad && ip addr add 2001:db8::${n}/64 dev eth0 nodad`,
    )
    const client = withinNamespace(space.path, () => openRoute())
    indexes.set(space, (await client.link('eth0'))?.index ?? 0)
    client.close()
  }
})
afterAll(() => {
  if (noNamespaces === undefined) lan.close()
})
beforeEach(({ skip }) => {
  skip(noNamespaces !== undefined, noNamespaces)
})
afterEach(() => {
  for (const socket of opened) socket.close()
  opened = []
})

type Wish = Partial<VrrpSocketOptions> & Pick<VrrpSocketOptions, 'family'>

function open(space: OwnNamespace, wish: Wish, got: VrrpDatagram[] = []): VrrpSocket {
  const options = { protocol: 112, interface: { name: 'eth0', index: indexes.get(space) ?? 0 }, group: undefined, source: undefined, ...wish } // prettier-ignore
  const listener = { packet: (packet: VrrpDatagram) => void got.push(packet), error: () => undefined }
  const socket = withinNamespace(space.path, () => openVrrpSocket(options, listener))
  opened.push(socket)
  return socket
}

/** An IPv4 packet; the kernel fills in length and checksum of the header. */
function packet4(source: Address, destination: Address, ttl = 255, protocol = 112): VrrpSending {
  const octets = (text: Address): number[] => text.split('.').map(Number)
  const bytes = Buffer.from([0x45, 0xc0, 0, 24, 0, 1, 0, 0, ttl, protocol, 0, 0, ...octets(source), ...octets(destination), 1, 2, 3, 4]) // prettier-ignore
  return { source, destination, ttl: undefined, bytes }
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}
/** Whatever was sent has been heard, or never will be: on a veth there is no delay but the two event loops'. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

const one = address('10.0.0.1')
const two = address('10.0.0.2')
const group = address('224.0.0.18')
const local = address('fe80::1')
const group6 = address('ff02::12')

describe('IPv4', () => {
  test('multicast arrives with its header, TTL 255, and not at its sender', async () => {
    const got: VrrpDatagram[] = []
    const own: VrrpDatagram[] = []
    open(lan.right, { family: 'inet', group }, got)
    const sender = open(lan.left, { family: 'inet', group }, own)
    sender.send(packet4(one, group))
    await until(() => got.length > 0)
    expect(got[0]).toMatchObject({ source: one, destination: group, ttl: 255 })
    expect(got[0]?.bytes.subarray(20)).toEqual(Buffer.of(1, 2, 3, 4))
    expect(got[0]?.bytes[1]).toBe(0xc0)
    await settle()
    expect(own).toEqual([])
  })

  test('another group, another protocol and unicast are not heard by a multicast socket', async () => {
    const got: VrrpDatagram[] = []
    const other: VrrpDatagram[] = []
    open(lan.right, { family: 'inet', group }, got)
    open(lan.right, { family: 'inet', group: address('224.0.0.99') }, other)
    const sender = open(lan.left, { family: 'inet', group })
    sender.send(packet4(one, address('224.0.0.99')))
    sender.send(packet4(one, two))
    open(lan.left, { family: 'inet', group, protocol: 51 }).send(packet4(one, group, 255, 51))
    await until(() => other.length > 0)
    await settle()
    expect(got).toEqual([])
  })

  test('unicast to the address it is bound to, which need not be there; the TTL is told', async () => {
    const got: VrrpDatagram[] = []
    open(lan.right, { family: 'inet', source: two }, got)
    open(lan.right, { family: 'inet', source: address('10.0.0.77') }, got)
    const sender = open(lan.left, { family: 'inet', source: one, interface: undefined })
    sender.send(packet4(one, two, 17))
    await until(() => got.length > 0)
    await settle()
    expect(got).toMatchObject([{ source: one, destination: two, ttl: 17 }])
  })

  test('a missing interface is refused', () => {
    expect(() => open(lan.left, { family: 'inet', group, interface: { name: 'eth7', index: 77 } })).toThrow('ENODEV')
  })
})

describe('IPv6', () => {
  const payload = Buffer.from('31330a0100640000', 'hex')

  test('multicast from a link-local address, hop limit 255, and not at its sender', async () => {
    const got: VrrpDatagram[] = []
    const own: VrrpDatagram[] = []
    open(lan.right, { family: 'inet6', group: group6 }, got)
    const sender = open(lan.left, { family: 'inet6', group: group6 }, own)
    sender.send({ source: local, destination: group6, ttl: 255, bytes: payload })
    await until(() => got.length > 0)
    expect(got).toEqual([{ source: local, destination: group6, ttl: 255, bytes: payload }])
    await settle()
    expect(own).toEqual([])
  })

  test('unicast, by global and by link-local addresses; without a hop limit the kernel chooses', async () => {
    const got: VrrpDatagram[] = []
    open(lan.right, { family: 'inet6', source: address('2001:db8::2') }, got)
    open(lan.right, { family: 'inet6', source: address('fe80::2') }, got)
    const sender = open(lan.left, { family: 'inet6', source: address('2001:db8::1') })
    sender.send({ source: address('2001:db8::1'), destination: address('2001:db8::2'), ttl: undefined, bytes: payload })
    sender.send({ source: local, destination: address('fe80::2'), ttl: 9, bytes: payload })
    await until(() => got.length === 2)
    expect(got.map(({ source, destination, ttl }) => [source, destination, ttl])).toEqual([
      ['2001:db8::1', '2001:db8::2', 64],
      ['fe80::1', 'fe80::2', 9],
    ])
  })

  test('a source that is not ours is refused', () => {
    const sender = open(lan.left, { family: 'inet6', group: group6 })
    const packet = { source: address('fe80::99'), destination: group6, ttl: 255, bytes: payload }
    expect(() => {
      sender.send(packet)
    }).toThrow('sendmsg EINVAL')
  })
})

test('an error on the way is told, and the socket works on when the link is up again', async () => {
  const got: VrrpDatagram[] = []
  open(lan.right, { family: 'inet', group }, got)
  const sender = open(lan.left, { family: 'inet', group })
  await lan.left.run('ip link set eth0 down')
  expect(() => {
    sender.send(packet4(one, group))
  }).toThrow(/^sendmsg ENET(?:DOWN|UNREACH)$/)
  await lan.left.run('ip link set eth0 up')
  await until(() => {
    try {
      sender.send(packet4(one, group))
    } catch {
      return false // the carrier takes a moment
    }
    return true
  })
  await until(() => got.length > 0)
})
