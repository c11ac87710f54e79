import type { DnsSource } from '@ipvs-director/config'
import { address, addressBytes, seconds } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { Resolver } from 'node:dns/promises'
import { expect, onTestFinished, test } from 'vitest'
import { nameServer, recordType, srvData, type WireRecord } from '../testing/name-server.ts'
import { dnsSource, resolveBy, type Resolve } from './dns.ts'
import type { Listing } from './source.ts'

const settings: DnsSource = {
  kind: 'dns',
  name: 'web.example',
  type: 'A',
  family: 'inet',
  minTtl: seconds(5),
  port: undefined,
  max: 256,
}

const refused = (code: string): Error => Object.assign(new Error(`query ${code}`), { code })

/** Records by `TYPE name`; an error is thrown, nothing is ENOTFOUND. Counts what was asked. */
function world(records: Record<string, unknown>, random = 0) {
  const asked: string[] = []
  const look = async <T>(what: string): Promise<T> => {
    asked.push(what)
    const found = records[what] ?? refused('ENOTFOUND')
    if (found instanceof Error) throw found
    return found as T
  }
  const resolve: Resolve = {
    a: (name) => look(`A ${name}`),
    aaaa: (name) => look(`AAAA ${name}`),
    srv: (name) => look(`SRV ${name}`),
  }
  const clock = fakeClock()
  return {
    records,
    asked,
    clock,
    open: (over: Partial<DnsSource> = {}) =>
      dnsSource({ ...settings, ...over }, { clock, random: () => random, resolve }),
  }
}

const a = (ttl: number, ...addresses: string[]) => addresses.map((address) => ({ address, ttl }))
const shown = ({ servers }: Listing): string[] =>
  servers.map(({ address, port, weight, tier }) => [address, port, weight, tier].map((each) => each ?? '-').join(' '))

test('addresses, each once, in order; what is no target is told', async () => {
  const w = world({ 'A web.example': a(60, '10.0.0.10', '10.0.0.9', '10.0.0.10', '0.0.0.0') })
  const listing = await w.open().list()
  expect(shown(listing)).toEqual(['10.0.0.9 - - 0', '10.0.0.10 - - 0'])
  expect(listing.remarks).toEqual(['web.example: 0.0.0.0 is no address of a server'])
})

test('IPv6 addresses', async () => {
  const w = world({ 'AAAA web.example': a(60, '2001:DB8:0::1') })
  expect(shown(await w.open({ type: 'AAAA', family: 'inet6' }).list())).toEqual(['2001:db8::1 - - 0'])
})

test('SRV: priorities are tiers by rank, weights above 0 count, a target without an address is left out', async () => {
  const w = world({
    'SRV web.example': [
      { name: 'b.example', port: 81, priority: 20, weight: 0 },
      { name: 'a.example', port: 80, priority: 10, weight: 7 },
      { name: 'gone.example', port: 80, priority: 10, weight: 1 },
      { name: 'a.example', port: 80, priority: 20, weight: 9 },
    ],
    'A a.example': a(60, '10.0.0.1'),
    'A b.example': a(60, '10.0.0.2'),
  })
  const listing = await w.open({ type: 'SRV' }).list()
  expect(shown(listing)).toEqual(['10.0.0.1 80 7 0', '10.0.0.2 81 - 1'])
  expect(listing.remarks).toEqual(['gone.example, a target of web.example, has no address'])
})

test('SRV: a target that cannot be looked up makes the answer fail, rather than take its servers out', async () => {
  const w = world({
    'SRV web.example': [{ name: 'a.example', port: 80, priority: 10, weight: 7 }],
    'A a.example': refused('ETIMEOUT'),
  })
  await expect(w.open({ type: 'SRV' }).list()).rejects.toThrow('ETIMEOUT')
})

test.for([
  ['no such name', refused('ENOTFOUND'), 'query ENOTFOUND'],
  ['nothing that can be used', a(1, '0.0.0.0'), 'web.example has no A record that can be used'],
] as const)('%s is a failure', async ([, found, reason]) => {
  await expect(world({ 'A web.example': found }).open().list()).rejects.toThrow(reason)
})

test.for([
  { ttl: 20, random: 0, wait: 20 },
  { ttl: 20, random: 0.5, wait: 21 },
  { ttl: 0, random: 0, wait: 5 },
  { ttl: 1_000_000, random: 0, wait: 3600 },
])('an answer with a TTL of $ttl s is good for $wait s', async ({ ttl, random, wait }) => {
  const w = world({ 'A web.example': a(ttl, '10.0.0.1') }, random)
  const stop = w.open().watch({ answered: () => undefined, failed: () => undefined })
  await w.clock.advance(seconds(wait - 0.001))
  expect(w.asked).toHaveLength(1)
  await w.clock.advance(seconds(0.002))
  expect(w.asked).toHaveLength(2)
  stop()
  expect(w.clock.pending()).toBe(0)
})

test('the shortest TTL of all records counts, for SRV 30 s at most', async () => {
  const w = world({
    'SRV web.example': [{ name: 'a.example', port: 80, priority: 10, weight: 7 }],
    'A a.example': a(600, '10.0.0.1'),
  })
  const stop = w.open({ type: 'SRV' }).watch({ answered: () => undefined, failed: () => undefined })
  await w.clock.advance(seconds(31))
  expect(w.asked).toHaveLength(4)
  stop()
})

test('failures are told with their reason and tried again, ever more rarely, until an answer', async () => {
  const w = world({ 'A web.example': refused('ETIMEOUT') })
  const told: string[] = []
  const stop = w.open().watch({
    answered: (listing) => void told.push(`${w.clock.now() / 1000}: ${shown(listing).join()}`),
    failed: (reason) => void told.push(`${w.clock.now() / 1000}: ${reason}`),
  })
  await w.clock.advance(seconds(40))
  w.records['A web.example'] = a(60, '10.0.0.1')
  await w.clock.advance(seconds(60))
  stop()
  expect(told).toEqual([
    '0: query ETIMEOUT',
    '5: query ETIMEOUT',
    '15: query ETIMEOUT',
    '35: query ETIMEOUT',
    '75: 10.0.0.1 - - 0',
  ])
})

test('an answer that comes after the end is not told', async () => {
  const w = world({ 'A web.example': a(60, '10.0.0.1') })
  const told: unknown[] = []
  w.open().watch({ answered: (each) => void told.push(each), failed: (each) => void told.push(each) })()
  await w.clock.advance(seconds(100))
  expect(told).toEqual([])
  expect(w.asked).toHaveLength(1)
})

const host = (type: number, text: string, ttl = 60): WireRecord => ({ type, ttl, data: addressBytes(address(text)) })
const srv = (...[priority, weight, port, target]: Parameters<typeof srvData>): WireRecord => ({
  type: recordType.srv,
  ttl: 60,
  data: srvData(priority, weight, port, target),
})

test('over the wire: TTLs, SRV with a target that is gone, a name without records, no such name', async () => {
  const server = await nameServer({
    'web.example': [host(recordType.a, '10.0.0.1', 7), host(recordType.a, '10.0.0.2', 9)],
    'six.example': [host(recordType.aaaa, '2001:db8::1')],
    '_http._tcp.example': [srv(1, 5, 8080, 'web.example'), srv(2, 0, 80, 'gone.example'), srv(3, 0, 80, 'six.example')],
  })
  onTestFinished(() => {
    server.close()
  })
  const resolve = resolveBy(() => {
    const resolver = new Resolver({ timeout: 2000, tries: 2 })
    resolver.setServers([server.address])
    return resolver
  })
  const clock = fakeClock()
  const list = (over: Partial<DnsSource>) =>
    dnsSource({ ...settings, ...over }, { clock, random: () => 0, resolve }).list()
  expect(await resolve.a('web.example')).toContainEqual({ address: '10.0.0.1', ttl: 7 })
  expect(shown(await list({ name: 'web.example' }))).toEqual(['10.0.0.1 - - 0', '10.0.0.2 - - 0'])
  expect(shown(await list({ name: 'six.example', type: 'AAAA', family: 'inet6' }))).toEqual(['2001:db8::1 - - 0'])
  const listing = await list({ name: '_http._tcp.example', type: 'SRV' })
  expect(shown(listing)).toEqual(['10.0.0.1 8080 5 0', '10.0.0.2 8080 5 0'])
  expect(listing.remarks).toEqual([
    'gone.example, a target of _http._tcp.example, has no address',
    'six.example, a target of _http._tcp.example, has no address',
  ])
  await expect(list({ name: 'six.example' })).rejects.toThrow('ENODATA')
  await expect(list({ name: 'no.example' })).rejects.toThrow('ENOTFOUND')
})
