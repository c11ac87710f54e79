import { fc, test as property } from '@fast-check/vitest'
import type { VrrpInstance } from '@ipvs-director/config'
import { address, millis, seconds } from '@ipvs-director/core'
import { expect, test, vi } from 'vitest'
import { decodeAddresses, decodeHead } from './advertisement.ts'
import { checkPacket, type Listener, type Way } from './check.ts'
import { compose } from './compose.ts'
import { type ReceivedPacket, readIpv4 } from './packet.ts'
import { isRejection } from './rejection.ts'
import { createAhCounter, createFreshness } from './sequence.ts'
import { anInstance, aVip } from './testing/configs.ts'

// Properties take a while on a machine that is busy otherwise.
vi.setConfig({ testTimeout: 30_000 })

const secret = 'k'.repeat(32)
const hmac = {
  keys: [{ id: 1, encoding: 'text' as const, secret }],
  activeKey: 1,
  timeWindow: seconds(5),
  antiReplay: 'time' as const,
  mode: 'enforce' as const,
}
const keys = new Map([[1, new TextEncoder().encode(secret)]])
const source = address('192.0.2.1')
const peers = new Map([[source, { address: source, minTtl: undefined, maxTtl: undefined }]])
const multicast: Way = { unicast: false, peers: new Map(), peersOnly: false }
const unicast: Way = { unicast: true, peers, peersOnly: true }
const wall = 1_700_000_000_000

/** What a machine configured by `sender` says, as heard. */
function said(
  sender: Partial<VrrpInstance>,
  more: { wall?: number; to?: string; old?: boolean; ttl?: number; from?: string; priority?: number } = {},
): ReceivedPacket {
  const config = anInstance(sender)
  const to = address(more.to ?? (config.family === 'inet6' ? 'ff02::12' : '224.0.0.18'))
  const composer = {
    config,
    keys,
    freshness: config.hmac === undefined ? undefined : createFreshness('time', seconds(5)),
    ahCounter: createAhCounter(),
    nextId: () => 1,
    wall: () => more.wall ?? wall,
  }
  const from = address(more.from ?? (config.family === 'inet6' ? 'fe80::1' : '192.0.2.1'))
  const [packet] = compose(composer, more.priority ?? config.priority, {
    source: from,
    addresses: [to],
    unicast: more.to !== undefined,
    oldChecksum: more.old ?? false,
  })
  const heard =
    config.family === 'inet'
      ? readIpv4(packet!.bytes)!
      : ({ source: from, destination: to, ttl: 255, protocol: 112, header: undefined, payload: packet!.bytes } as const)
  return { ...heard, ttl: more.ttl ?? heard.ttl }
}

const listener = (config: Partial<VrrpInstance>, known = false): Listener => ({
  config: anInstance(config),
  keys,
  freshness: config.hmac === undefined ? undefined : createFreshness('time', seconds(5)),
  ahCounter: createAhCounter(),
  wall: () => wall,
  known: () => known,
})

const verdict = (packet: ReceivedPacket, way: Way, config: Partial<VrrpInstance>): string => {
  const checked = checkPacket(packet, way, listener(config))
  return isRejection(checked) ? checked.rejected : 'ok'
}

const pass = { type: 'PASS', password: 'secret' } as const
const ah = { type: 'AH', password: 'secret' } as const
const v3 = { version: 3 } as const

/** reference/vrrp.md §1.5: each question, asked of a packet that fails only it. */
test.for([
  ['plain', {}, {}, {}, multicast, 'ok'],
  ['another version', v3, {}, {}, multicast, 'version'],
  ['TTL 254', {}, {}, { ttl: 254 }, multicast, 'ttl'],
  ['TTL 64 by unicast', {}, {}, { ttl: 64, to: '192.0.2.2' }, unicast, 'ok'],
  [
    'TTL 64 where the peer must be on the link',
    {},
    {},
    { ttl: 64, to: '192.0.2.2' },
    { ...unicast, peers: new Map([[source, { address: source, minTtl: 255, maxTtl: undefined }]]) },
    'ttl',
  ],
  ['a password where none is expected', { auth: pass }, {}, {}, multicast, 'authMismatch'],
  ['no password where one is expected', {}, { auth: pass }, {}, multicast, 'authMismatch'],
  ['a wrong password', { auth: pass }, { auth: { ...pass, password: 'secreT' } }, {}, multicast, 'authFailure'],
  ['AH where a password is expected', { auth: ah }, { auth: pass }, {}, multicast, 'authMismatch'],
  ['a password where AH is expected', { auth: pass }, { auth: ah }, {}, multicast, 'authMismatch'],
  ['AH with another password', { auth: ah }, { auth: { ...ah, password: 'other' } }, {}, multicast, 'authFailure'],
  ['AH', { auth: ah }, { auth: ah }, {}, multicast, 'ok'],
  ['v2 with another interval', { advertInterval: seconds(2) }, {}, {}, multicast, 'interval'],
  ['v3 with another interval', { ...v3, advertInterval: millis(500) }, v3, {}, multicast, 'ok'],
  ['multicast where unicast is configured', {}, {}, {}, unicast, 'kind'],
  ['unicast where multicast is configured', {}, {}, { to: '192.0.2.2' }, multicast, 'kind'],
  ['unicast from a stranger', {}, {}, { to: '192.0.2.2', from: '192.0.2.7' }, unicast, 'peer'],
  ['an owner that ignores adverts', {}, { priority: 255, ownerIgnoreAdverts: true }, {}, multicast, 'owner'],
  ['v3 unicast with the checksum of old versions', v3, v3, { to: '192.0.2.2', old: true }, unicast, 'ok'],
  ['the same, never', v3, { ...v3, oldUnicastChecksum: 'never' }, { to: '192.0.2.2', old: true }, unicast, 'checksum'],
  ['v3 with a v2 checksum', { ...v3, v3ChecksumAsV2: true }, v3, {}, multicast, 'checksum'],
  ['the same, configured', { ...v3, v3ChecksumAsV2: true }, { ...v3, v3ChecksumAsV2: true }, {}, multicast, 'ok'],
  ['a v3 checksum, with v3_checksum_as_v2 here', v3, { ...v3, v3ChecksumAsV2: true }, {}, multicast, 'ok'],
  ['a trailer', { hmac }, { hmac }, {}, multicast, 'ok'],
  ['a trailer over IPv6', { family: 'inet6', hmac }, { family: 'inet6', hmac }, {}, multicast, 'ok'],
  ['no trailer', {}, { hmac }, {}, multicast, 'hmacMissing'],
  ['no trailer, permissive', {}, { hmac: { ...hmac, mode: 'permissive' } }, {}, multicast, 'ok'],
  ['a trailer that is not expected', { hmac }, {}, {}, multicast, 'length'],
  ['a trailer of another time', { hmac }, { hmac }, { wall: wall + 6000 }, multicast, 'hmacStale'],
  ['a trailer within the window', { hmac }, { hmac }, { wall: wall + 4000 }, multicast, 'ok'],
] as readonly (readonly [
  string,
  Partial<VrrpInstance>,
  Partial<VrrpInstance>,
  Parameters<typeof said>[1],
  Way,
  string,
])[])('%s', ([, sender, receiver, how, way, wanted]) => {
  expect(verdict(said(sender, how), way, receiver)).toBe(wanted)
})

test('heard again: a trailer and an authentication header are told apart from new ones', () => {
  for (const [config, reason] of [
    [{ hmac }, 'hmacReplay'],
    [{ auth: ah }, 'authFailure'],
  ] as const) {
    const packet = said(config)
    const ears = listener(config)
    expect(isRejection(checkPacket(packet, multicast, ears))).toBe(false)
    expect(checkPacket(packet, multicast, ears)).toMatchObject({ rejected: reason })
  }
})

test('another list of addresses is taken, and told', () => {
  const checked = checkPacket(said({ addresses: [aVip('192.0.2.100'), aVip('192.0.2.9')] }), multicast, listener({}))
  expect(checked).toMatchObject({ differences: ['expected 1 VIPs but received 2'] })
  const other = checkPacket(said({ addresses: [aVip('192.0.2.9')] }), multicast, listener({}))
  expect(other).toMatchObject({ differences: ['VIP 192.0.2.100 is not present in the advert'] })
  const known = checkPacket(said({ addresses: [aVip('192.0.2.9')] }), multicast, listener({}, true))
  expect(known).toMatchObject({ differences: [] })
})

test('an interval of 0 is no interval', () => {
  const packet = said(v3)
  const payload = packet.payload.slice()
  payload[5] = 0
  const sum = ((payload[6]! << 8) | payload[7]!) + 100
  payload[6] = sum >> 8
  payload[7] = sum & 0xff
  expect(verdict({ ...packet, payload }, multicast, v3)).toBe('malformed')
})

test('freshness: the sequence grows even when the clock stands or goes back', () => {
  const freshness = createFreshness('monotonic', seconds(5))
  const first = freshness.next(wall)
  const second = freshness.next(wall)
  const third = freshness.next(wall - 60_000)
  expect(second > first && third > second).toBe(true)
  const timed = createFreshness('time', seconds(5))
  timed.next(wall)
  expect(timed.next(wall - 60_000) >> 32n).toBe(BigInt(Math.floor((wall - 60_000) / 1000)))
})

const anyPacket = fc.record({
  source: fc.constantFrom(source, address('10.0.0.1')),
  destination: fc.constantFrom(address('224.0.0.18'), address('192.0.2.2')),
  ttl: fc.constantFrom(255, 64, undefined),
  protocol: fc.constantFrom(112 as const, 51 as const),
  header: fc.constantFrom(new Uint8Array(20), undefined),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: 8, maxLength: 60 }).map((bytes) => Uint8Array.from([0x21, 51, ...bytes])),
    fc.uint8Array({ minLength: 8, maxLength: 60 }).map((bytes) => Uint8Array.from([112, 4, 0, 0, ...bytes])),
  ),
})

property.prop(
  [
    anyPacket,
    fc.constantFrom<Partial<VrrpInstance>>({}, v3, { auth: ah }, { auth: pass }, { hmac }, { family: 'inet6' }),
    fc.constantFrom(multicast, unicast),
  ],
  { numRuns: 1000 },
)('any bytes are taken or refused with a reason, and nothing is thrown', (packet, config, way) => {
  const checked = checkPacket(packet, way, listener(config))
  if (isRejection(checked)) expect(checked.text.length).toBeGreaterThan(5)
})

property.prop([fc.uint8Array({ maxLength: 5000 }), fc.constantFrom('inet' as const, 'inet6' as const)], {
  numRuns: 1000,
})('any bytes decode or are refused', (bytes, family) => {
  const decoded = decodeHead(bytes, family)
  if (!isRejection(decoded)) expect(decodeAddresses(decoded.octets, family).length).toBe(bytes[3])
})

property.prop([fc.uint8Array({ maxLength: 100 })])('any bytes are an IPv4 packet of ours or none', (bytes) => {
  const packet = readIpv4(bytes)
  if (packet !== undefined) expect(packet.payload.length + packet.header!.length).toBeLessThanOrEqual(bytes.length)
})

/** Whatever is configured the same on both machines is understood. */
property.prop([
  fc.record({
    version: fc.constantFrom(2 as const, 3 as const),
    virtualRouterId: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 1, max: 254 }),
    advertInterval: fc.integer({ min: 1, max: 40 }).map(seconds),
    addresses: fc
      .array(fc.integer({ min: 1, max: 254 }), { maxLength: 255 })
      .map((list) => list.map((each) => aVip(`10.0.0.${each}`))),
    auth: fc.constantFrom(undefined, pass, ah),
    hmac: fc.constantFrom(undefined, hmac),
  }),
])('what is said is heard', (config) => {
  const fitting = config.version === 3 ? { ...config, auth: undefined } : config
  const checked = checkPacket(said(fitting), multicast, listener(fitting))
  expect(checked).toMatchObject({
    differences: [],
    advertisement: { priority: config.priority, vrid: config.virtualRouterId, interval: config.advertInterval },
  })
})
