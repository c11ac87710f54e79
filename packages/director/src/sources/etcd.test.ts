import { systemClock, seconds } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { spawnSync } from 'node:child_process'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeGateway, type EtcdGateway } from '../testing/etcd-gateway.ts'
import { realEtcd } from '../testing/real-etcd.ts'
import { etcdSource } from './etcd.ts'
import type { Listing } from './source.ts'

const hasEtcd = spawnSync('etcd', ['--version']).status === 0
if (!hasEtcd)
  console.log('etcd is not installed (Debian: etcd-server): a small gateway in memory stands in for it alone')

const shown = ({ servers }: Listing): string =>
  servers.map(({ address, port, weight }) => [address, port ?? '-', weight ?? '-'].join(' ')).join(', ')

const settings = (url: string) => ({ kind: 'etcd', url, prefix: '/web/', port: undefined, max: 256 }) as const
const wait = { timeout: 15_000, interval: 20 }

/** What is told of a gateway, the last of it first. */
function following(url: string, clock = systemClock): { last: () => string | undefined; all: string[] } {
  const all: string[] = []
  const stop = etcdSource(settings(url), { clock, random: () => 0 }).watch({
    answered: (listing) => void all.push(shown(listing)),
    failed: (reason) => void all.push(`failed: ${reason}`),
  })
  onTestFinished(stop)
  return { last: () => all.at(-1), all }
}

async function fake() {
  const gateway = await fakeGateway()
  onTestFinished(() => gateway.stop())
  return gateway
}

async function real(): Promise<EtcdGateway> {
  const gateway = await realEtcd()
  onTestFinished(() => gateway.end())
  return gateway
}

const gateways: (readonly [string, () => Promise<EtcdGateway>])[] = [['a small gateway', fake]]
if (hasEtcd) gateways.push(['etcd', real])

describe.for(gateways)('%s', ([, open]) => {
  test('keys that begin with the prefix are servers, as they come, change and go', async () => {
    const etcd = await open()
    await etcd.put('/web/a', '10.0.0.1:80')
    await etcd.put('/web0', '10.0.0.8:80')
    await etcd.put('/wea/z', '10.0.0.9:80')
    const told = following(etcd.url)
    await expect.poll(told.last, wait).toBe('10.0.0.1 80 -')
    await etcd.put('/web/b', '10.0.0.2 weight 5')
    await expect.poll(told.last, wait).toBe('10.0.0.1 80 -, 10.0.0.2 - 5')
    await etcd.put('/web/b', '10.0.0.2 weight 6')
    await expect.poll(told.last, wait).toBe('10.0.0.1 80 -, 10.0.0.2 - 6')
    await etcd.remove('/web/a')
    await expect.poll(told.last, wait).toBe('10.0.0.2 - 6')
    await etcd.remove('/web/b')
    await expect.poll(told.last, wait).toBe('failed: no key under /web/ is a server')
    await etcd.put('/web/c', '{"address": "2001:db8::1", "port": 8080}')
    await expect.poll(told.last, wait).toBe('2001:db8::1 8080 -')
  })

  test('after it was gone it is followed again, with what happened meanwhile', async () => {
    const etcd = await open()
    await etcd.put('/web/a', '10.0.0.1:80')
    const told = following(etcd.url)
    await expect.poll(told.last, wait).toBe('10.0.0.1 80 -')
    await etcd.stop()
    await expect.poll(told.last, wait).toMatch(/^failed: /)
    await etcd.start()
    await expect.poll(told.last, wait).toBe('10.0.0.1 80 -')
    await etcd.put('/web/b', '10.0.0.2')
    await expect.poll(told.last, wait).toBe('10.0.0.1 80 -, 10.0.0.2 - -')
  }, 40_000)

  test('list: what is there, or why nothing is', async () => {
    const etcd = await open()
    const source = etcdSource(settings(etcd.url), { clock: systemClock, random: () => 0 })
    await expect(source.list()).rejects.toThrow('no key under /web/')
    await etcd.put('/web/a', 'nonsense')
    await etcd.put('/web/b', '10.0.0.1')
    await etcd.put('/web/c', '10.0.0.1')
    const listing = await source.list()
    expect(shown(listing)).toBe('10.0.0.1 - -')
    expect(listing.remarks).toEqual(['the value of /web/a is no server'])
  })
})

test('a watch from a revision that was compacted begins anew with a listing', async () => {
  const etcd = await fake()
  etcd.silently('/web/a', '10.0.0.1')
  etcd.compactNext()
  const told = following(etcd.url)
  await expect.poll(() => etcd.asked.length, wait).toBe(4)
  expect(etcd.asked).toEqual(['/v3/kv/range', '/v3/watch', '/v3/kv/range', '/v3/watch'])
  expect(told.all).toEqual(['10.0.0.1 - -', '10.0.0.1 - -'])
  await etcd.put('/web/b', '10.0.0.2')
  await expect.poll(told.last, wait).toBe('10.0.0.1 - -, 10.0.0.2 - -')
})

test.for(['{"error":{"grpc_code":14,"message":"leader changed"}}', 'no JSON', '[]'])(
  'a watch that says %s is a failure, and tried again',
  async (line) => {
    const etcd = await fake()
    etcd.silently('/web/a', '10.0.0.1')
    const told = following(etcd.url)
    await expect.poll(() => etcd.asked.length, wait).toBe(2)
    etcd.say(line)
    await expect.poll(() => etcd.asked.length, wait).toBe(4)
    expect(told.all).toEqual(['10.0.0.1 - -', expect.stringMatching(/^failed: /), '10.0.0.1 - -'])
  },
)

test('a watch that is silent is not believed for ever: it is listed anew', async () => {
  const etcd = await fake()
  etcd.silently('/web/a', '10.0.0.1')
  const clock = fakeClock()
  const told = following(etcd.url, clock)
  await expect.poll(() => etcd.asked.length, wait).toBe(2)
  etcd.silently('/web/b', '10.0.0.2')
  await clock.advance(seconds(30))
  await expect.poll(told.last, wait).toBe('10.0.0.1 - -, 10.0.0.2 - -')
  expect(told.all.filter((each) => each.startsWith('failed'))).toEqual([])
})

test('at the end its connection is closed, and nothing more is told', async () => {
  const etcd = await fake()
  etcd.silently('/web/a', '10.0.0.1')
  const clock = fakeClock()
  const told: unknown[] = []
  const stop = etcdSource(settings(etcd.url), { clock, random: () => 0 }).watch({
    answered: (each) => void told.push(each),
    failed: (each) => void told.push(each),
  })
  await expect.poll(() => etcd.watches(), wait).toBe(1)
  stop()
  await expect.poll(() => etcd.watches(), wait).toBe(0)
  expect(told).toHaveLength(1)
  expect(clock.pending()).toBe(0)
})
