import { address, addressFromBytes, millis, seconds } from '@ipvs-director/core'
import type { VrrpInstance } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { checkPacket, type Way } from './check.ts'
import { compose } from './compose.ts'
import { type ReceivedPacket, readIpv4 } from './packet.ts'
import { isRejection } from './rejection.ts'
import { createAhCounter } from './sequence.ts'
import { anInstance, aVip } from './testing/configs.ts'

/**
 * What keepalived 2.2.7 (Debian) sent on 192.0.2.1 and fe80::1, from the IP header on, recorded with tcpdump: the first
 * advertisement of each instance and the one with priority 0 at its end.
 */
const recorded: readonly (readonly [string, Partial<VrrpInstance>, string, string])[] = [
  [
    'v2, PASS, two addresses',
    {
      virtualRouterId: 51,
      priority: 100,
      auth: { type: 'PASS', password: '12345678' },
      addresses: [aVip('192.0.2.100'), aVip('192.0.2.101')],
    },
    '45c0002c00010000ff70188dc0000201e0000012213364020101242ac0000264c00002653132333435363738',
    '45c0002c00040000ff70188ac0000201e0000012213300020101882ac0000264c00002653132333435363738',
  ],
  [
    'v2, AH',
    {
      virtualRouterId: 52,
      priority: 120,
      auth: { type: 'AH', password: 'secret' },
      addresses: [aVip('192.0.2.102')],
    },
    '45c0004000010000ff3318b6c0000201e000001270040000c0000201000000010783d2060657fabef8097049213478010201a262c00002660000000000000000',
    '45c0004000040000ff3318b3c0000201e000001270040000c000020100000004a8bd3d8b0f2f937d332ef58e2134000102011a63c00002660000000000000000',
  ],
  [
    'v2, AH, unicast',
    {
      virtualRouterId: 56,
      priority: 200,
      auth: { type: 'AH', password: 'secret' },
      unicastPeers: [{ address: address('192.0.2.2'), minTtl: undefined, maxTtl: undefined }],
      addresses: [aVip('192.0.2.106')],
    },
    '45c0004000010000ff3336c6c0000201c000020270040000c000020100000001234b3d6f97ab0d9dfda7f09d2138c8010201525ac000026a0000000000000000',
    '45c0004000050000ff3336c2c0000201c000020270040000c0000201000000051b46e2b3480d619dc3c57df82138000102011a5bc000026a0000000000000000',
  ],
  [
    'v2, no authentication, owner, 2 s',
    { virtualRouterId: 57, priority: 255, advertInterval: seconds(2), addresses: [aVip('192.0.2.107')] },
    '45c0002800010000ff701891c0000201e00000122139ff0100021d57c000026b0000000000000000',
    '45c0002800050000ff70188dc0000201e00000122139000100021c58c000026b0000000000000000',
  ],
  [
    'v3, 0.25 s',
    { version: 3, virtualRouterId: 53, priority: 200, advertInterval: millis(250), addresses: [aVip('192.0.2.103')] },
    '45c0002000010000ff701899c0000201e00000123135c8010019a1b7c0000267',
    '45c0002000180000ff701882c0000201e000001231350001001969b8c0000267',
  ],
  [
    'v3, unicast: the peer stands in the pseudo header',
    {
      version: 3,
      virtualRouterId: 55,
      priority: 200,
      advertInterval: millis(500),
      unicastPeers: [{ address: address('192.0.2.2'), minTtl: undefined, maxTtl: undefined }],
      addresses: [aVip('192.0.2.105')],
    },
    '45c0002000010000ff7036a9c0000201c00002023137c8010032bfaac0000269',
    '45c00020000b0000ff70369fc0000201c000020231370001003287abc0000269',
  ],
  [
    'v3, IPv6',
    {
      family: 'inet6',
      virtualRouterId: 54,
      priority: 200,
      advertInterval: millis(500),
      addresses: [aVip('fe80::64'), aVip('2001:db8::64')],
    },
    '6c02843b002870fffe800000000000000000000000000001ff0200000000000000000000000000123136c8020032db63fe80000000000000000000000000006420010db8000000000000000000000064',
    '6c02843b002870fffe800000000000000000000000000001ff020000000000000000000000000012313600020032a364fe80000000000000000000000000006420010db8000000000000000000000064',
  ],
]

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

function received(hex: string): ReceivedPacket {
  const bytes = bytesOf(hex)
  const v4 = readIpv4(bytes)
  if (v4 !== undefined) return v4
  return {
    source: addressFromBytes(bytes.subarray(8, 24)),
    destination: addressFromBytes(bytes.subarray(24, 40)),
    ttl: bytes[7],
    protocol: 112,
    header: undefined,
    payload: bytes.subarray(40),
  }
}

const wayOf = (config: VrrpInstance): Way => ({
  unicast: config.unicastPeers.length > 0,
  peers: new Map(),
  peersOnly: false,
})

const listenerOf = (config: VrrpInstance) => ({
  config,
  keys: new Map(),
  freshness: undefined,
  ahCounter: createAhCounter(),
  wall: () => 0,
  known: () => false,
})

test.for(recorded)('%s: heard', ([, change, hex, zero]) => {
  const config = anInstance(change)
  const listener = listenerOf(config)
  const heard = checkPacket(received(hex), wayOf(config), listener)
  expect(heard).toMatchObject({
    differences: [],
    advertisement: { priority: config.priority, vrid: config.virtualRouterId, interval: config.advertInterval },
  })
  expect(checkPacket(received(zero), wayOf(config), listener)).toMatchObject({ advertisement: { priority: 0 } })
})

test.for(recorded)('%s: said in the same bytes', ([, change, hex, zero]) => {
  const config = anInstance(change)
  for (const [wanted, priority] of [
    [hex, config.priority],
    [zero, 0],
  ] as const) {
    const packet = received(wanted)
    const count = config.family === 'inet' ? bytesOf(wanted)[5]! : 1
    const ahCounter = createAhCounter()
    for (let i = 1; i < count; i++) ahCounter.next()
    const composer = { config, keys: new Map(), freshness: undefined, ahCounter, nextId: () => count, wall: () => 0 }
    const unicast = config.unicastPeers.length > 0
    const to = { source: packet.source, addresses: [packet.destination], unicast, oldChecksum: false }
    const [sent] = compose(composer, priority, to)
    const offset = config.family === 'inet' ? 0 : 40
    expect(Buffer.from(sent!.bytes).toString('hex')).toBe(wanted.slice(offset * 2))
  }
})

/** One flipped bit anywhere in what the recorded packet protects is noticed. */
test.for(recorded)('%s: no single flipped bit passes for another advertisement', ([, change, hex]) => {
  const config = anInstance(change)
  const original = checkPacket(received(hex), wayOf(config), listenerOf(config))
  const start = config.family === 'inet' ? 20 : 40
  for (let bit = start * 8; bit < hex.length * 4; bit++) {
    const bytes = bytesOf(hex)
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (0x80 >> (bit & 7))
    const changed = checkPacket(received(Buffer.from(bytes).toString('hex')), wayOf(config), listenerOf(config))
    if (!isRejection(changed)) expect(changed).toEqual(original)
  }
})
