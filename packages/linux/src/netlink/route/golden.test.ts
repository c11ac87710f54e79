/** What iproute2 6.1 sends for a command (read off by strace), against what we send for the same. */
import { address, DecodeError, millis, seconds } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { NetlinkRequest } from '../channel.ts'
import { littleEndian } from '../writer.ts'
import { changeAddress, decodeAddress, type InterfaceAddress } from './address.ts'
import { decodeEvent } from './events.ts'
import { decodeLink, macvlanMode, newLink } from './link.ts'
import { changeRoute, decodeRoute, type Route } from './route.ts'
import { changeRule, decodeRule, type Rule } from './rule.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** The attributes behind a header of `headerBytes`, in the order of their numbers: senders differ in that only. */
function parts({ payload }: { payload: Uint8Array }, headerBytes: number): string[] {
  const bytes = Buffer.from(payload)
  const attributes: { type: number; text: string }[] = []
  for (let at = headerBytes; at < bytes.length; at += (bytes.readUInt16LE(at) + 3) & ~3) {
    const type = bytes.readUInt16LE(at + 2)
    attributes.push({ type, text: bytes.toString('hex', at, at + bytes.readUInt16LE(at)) })
  }
  const sorted = attributes.sort((a, b) => a.type - b.type).map(({ text }) => text)
  return [bytes.toString('hex', 0, headerBytes), ...sorted]
}

/** A netlink message as strace shows it, header included. */
function message(text: string): NetlinkRequest & { payload: Buffer; flags: number } {
  const bytes = hex(text)
  return { type: bytes.readUInt16LE(4), flags: bytes.readUInt16LE(6) & 0xff00, payload: bytes.subarray(16) }
}

const vip: InterfaceAddress = { index: 3, address: address('192.0.2.10'), prefix: 24 }

describe.runIf(littleEndian)('addresses', () => {
  test.for<[string, 'add' | 'replace' | 'delete', InterfaceAddress, string]>([
    [
      'add 192.0.2.10/24',
      'add',
      vip,
      '280000001400050600000000000000000218000003000000 08000200c000020a 08000100c000020a',
    ],
    [
      'change … valid_lft 3 preferred_lft 0',
      'replace',
      { ...vip, validFor: seconds(3), preferredFor: millis(0) },
      '3c0000001400050100000000000000000218000003000000 08000200c000020a 08000100c000020a 1400060000000000030000000000000000000000',
    ],
    [
      'add 10.9.9.9 brd 10.9.9.255 label d0:1 scope link',
      'add',
      {
        index: 3,
        address: address('10.9.9.9'),
        prefix: 32,
        broadcast: address('10.9.9.255'),
        label: 'd0:1',
        scope: 253,
      },
      '3c000000140005060000000000000000022000fd03000000 080002000a090909 080004000a0909ff 0900030064303a3100000000 080001000a090909',
    ],
    [
      'del 192.0.2.10/24',
      'delete',
      vip,
      '280000001500050000000000000000000218000003000000 08000200c000020a 08000100c000020a',
    ],
  ])('ip addr %s', ([, action, given, golden]) => {
    // prettier-ignore
    const theirs = message(golden)
    const ours = changeAddress({ do: action, address: given })
    expect(ours.type).toBe(theirs.type)
    // `ip addr change` only changes; ours also creates (NLM_F_CREATE 0x400).
    expect((ours.flags ?? 0) & ~(action === 'replace' ? 0x400 : 0)).toBe(theirs.flags)
    expect(parts(ours, 8)).toEqual(parts(theirs, 8))
    expect(decodeAddress(theirs.payload)).toMatchObject(given)
  })

  test('an IPv6 address: deprecated at once, without looking for duplicates', () => {
    const theirs =
      message(`54000000 14000506 00000000 00000000 0a80020003000000 14000200 20010db8000000000000000000000010
      14000100 20010db8000000000000000000000010 14000600 00000000 ffffffff 00000000 00000000`)
    const given = { index: 3, address: address('2001:db8::10'), prefix: 128, preferredFor: millis(0), nodad: true }
    expect(decodeAddress(theirs.payload)).toMatchObject({ ...given, validFor: undefined })
    const { payload } = changeAddress({ do: 'add', address: given })
    expect(decodeAddress(Buffer.from(payload))).toMatchObject(given)
    // IFA_ADDRESS alone says the same, and the flags have an attribute of their own.
    expect(parts({ payload }, 8)).toEqual([
      '0a80000003000000',
      '1400010020010db8000000000000000000000010',
      '1400060000000000ffffffff0000000000000000',
      '0800080002000000',
    ])
  })
})

describe.runIf(littleEndian)('encapsulations', () => {
  test.for<[string, Partial<Route>, string]>([
    [
      'encap mpls 100/200 ttl 5',
      { encapsulation: { kind: 'mpls', labels: [100, 200], ttl: 5 } },
      '180016800c00010000064000000c81000500020005000000 0600150001000000',
    ],
    ['encap mpls 16', { encapsulation: { kind: 'mpls', labels: [16] } }, '0c0016800800010000010100 0600150001000000'],
    [
      'encap ip id 5 src 10.0.0.1 dst 10.0.0.9 ttl 7 tos 16',
      {
        encapsulation: {
          kind: 'ip',
          id: 5n,
          source: address('10.0.0.1'),
          destination: address('10.0.0.9'),
          ttl: 7,
          tos: 0x16,
        },
      },
      '300016800c0001000000000000000005080002000a000009080003000a00000105000400070000000500050016000000 0600150002000000',
    ],
    [
      'encap ip6 id 6 src fd00::1 dst fd00::9 hoplimit 9 tc 3',
      {
        encapsulation: {
          kind: 'ip6',
          id: 6n,
          source: address('fd00::1'),
          destination: address('fd00::9'),
          ttl: 9,
          tos: 3,
        },
      },
      '480016800c000100000000000000000614000200fd00000000000000000000000000000914000300fd00000000000000000000000000000105000400090000000500050003000000 0600150004000000',
    ],
    [
      'encap ila 2001:db8:0:1',
      { encapsulation: { kind: 'ila', locator: hex('20010db800000001') } },
      '100016800c00010020010db800000001 0600150003000000',
    ],
    ['ttl-propagate disabled', { ttlPropagate: false }, '05001a0000000000'],
  ])('ip route add 10.9.0.0/16 %s', ([, more, theirs]) => {
    // prettier-ignore
    const destination = { address: address('10.9.0.0'), length: 16 }
    const ours = parts(changeRoute({ do: 'add', route: { family: 'inet', destination, ...more } }), 12).join('')
    // The order within the nested attribute is ours; padding is whatever was in iproute2's memory.
    for (const one of theirs.split(' '))
      expect(ours).toContain(one.slice(0, Buffer.from(one, 'hex').readUInt16LE() * 2))
  })
})

describe.runIf(littleEndian)('routes and rules', () => {
  const route: Route = {
    family: 'inet',
    destination: { address: address('198.51.100.0'), length: 24 },
    gateway: address('192.0.2.7'),
    index: 3,
    metric: 5,
    table: 100,
    protocol: 3,
  }
  test('ip route add 198.51.100.0/24 via 192.0.2.7 dev d0 metric 5 table 100', () => {
    const theirs = message(`3c00000018000506000000000000000002180000640300010000000008000100c6336400
      08000500c00002070800060005000000 0800040003000000`)
    const ours = changeRoute({ do: 'add', route })
    expect(ours).toMatchObject({ type: theirs.type, flags: theirs.flags })
    // The table is in the header and in RTA_TABLE (15), which holds numbers above 255, too.
    expect(parts(ours, 12).filter((part) => !part.startsWith('08000f00'))).toEqual(parts(theirs, 12))
    expect(decodeRoute(theirs.payload)).toMatchObject(route)
    expect(decodeRoute(Buffer.from(ours.payload))).toMatchObject(route)
  })

  const rule: Rule = {
    family: 'inet',
    from: { address: address('10.0.0.0'), length: 8 },
    mark: 1,
    markMask: 0xff,
    table: 100,
    priority: 77,
  }
  test('ip rule add from 10.0.0.0/8 fwmark 1/0xff table 100 priority 77', () => {
    const theirs = message(`3c0000002000050600000000000000000200080064000001000000000800
      02000a00000008000a000100000008001000ff000000080006004d000000`)
    const ours = changeRule({ do: 'add', rule })
    expect(ours).toMatchObject({ type: theirs.type, flags: theirs.flags })
    const more = ['08000f00', '05001500'] // FRA_TABLE, FRA_PROTOCOL
    expect(parts(ours, 12).filter((part) => !more.includes(part.slice(0, 8)))).toEqual(parts(theirs, 12))
    expect(decodeRule(theirs.payload)).toMatchObject(rule)
    expect(decodeRule(Buffer.from(ours.payload))).toMatchObject(rule)
  })
})

test.runIf(littleEndian)('ip link add link d0 name v0 address 00:00:5e:00:01:33 type macvlan mode private', () => {
  const theirs = message(`580000001000050600000000000000000000000000000000000000000000000 00a00010000005e0001330000
    0800050003000000 0700030076300000 1c001200 0b0001006d6163766c616e00 0c000200 0800010001000000`)
  const mac = Buffer.of(0, 0, 0x5e, 0, 1, 0x33)
  const ours = newLink({ name: 'v0', kind: 'macvlan', parent: 3, mac, data: macvlanMode(1) })
  expect(ours).toMatchObject({ type: theirs.type, flags: theirs.flags })
  // NLA_F_NESTED, and the kind's final zero: the kernel does not mind.
  const plain = (part: string): string => part.replace(/^1c0012..0.0001006d/, '1c0012000b0001006d')
  expect(parts(ours, 16).map(plain).sort()).toEqual(parts(theirs, 16).sort())
  expect(decodeLink(theirs.payload)).toMatchObject({
    name: 'v0',
    kind: 'macvlan',
    parent: 3,
    mac: Uint8Array.from(mac),
  })
})

const types = fc.constantFrom(16, 17, 20, 21, 24, 25, 32, 33)
/** Headers followed by attributes that are nearly right. */
const nearly = fc
  .tuple(
    fc.uint8Array({ minLength: 12, maxLength: 16 }),
    fc.array(fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 20 })), { maxLength: 6 }),
  )
  .map(([head, attributes]) =>
    Buffer.concat([
      head,
      ...attributes.map(([type, value]) =>
        Buffer.concat([Buffer.of(value.length + 4, 0, type, 0), value, Buffer.alloc(-value.length & 3)]),
      ),
    ]),
  )

property.prop(
  [
    types,
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      nearly,
    ),
  ],
  {
    numRuns: 2000,
  },
)('any bytes are an event, none, or a DecodeError', (type, payload) => {
  try {
    expect(decodeEvent({ type, payload }).length).toBeLessThan(2)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
})
