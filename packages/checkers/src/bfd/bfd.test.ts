import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { address, millis, seconds, systemClock } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { fakeClock } from '@ipvs-director/core/testing'
import { createSocket } from 'node:dgram'
import { afterEach, expect, test } from 'vitest'
import { checkers } from '../checkers.ts'
import { createEngine, type Engine } from '../engine.ts'
import { ProbeFailure } from '../verdict.ts'
import type { BfdListener, BfdWish, ProbeIo } from '../io/port.ts'
import { checkOf, recordedEvents } from '../testing/checks.ts'
import { checkOfBfd } from './instance.ts'
import { readChecker } from '../testing/read.ts'
import { until } from '../testing/until.ts'

const running: Engine[] = []
afterEach(async () => {
  for (const engine of running.splice(0)) await engine.stop()
})

const wish = (neighbor: string, source: string, change: Partial<BfdWish> = {}): BfdWish => ({
  neighbor: address(neighbor),
  source: address(source),
  settings: { minTx: millis(20), minRx: millis(20), idleTx: seconds(1), multiplier: 5, passive: false },
  ttl: 255,
  maxHops: 0,
  multihop: false,
  ...change,
})

function following(options: BfdWish, timing = {}) {
  const events = recordedEvents()
  const engine = createEngine({ clock: systemClock, events })
  running.push(engine)
  engine.setChecks([checkOf('BFD_CHECK', undefined, { ...options }, { timing, initial: { up: false } })])
  return { engine, events, last: () => events.reports.at(-1) }
}

const without = addonAvailable() ? test : test.skip
if (!addonAvailable()) console.warn('BFD over sockets is not tested: the native addon is not built')

without('two of ours, by the kernel: up, and down when one goes', { timeout: 20_000 }, async () => {
  const a = following(wish('127.0.0.2', '127.0.0.3'))
  const b = following(wish('127.0.0.3', '127.0.0.2', { ttl: 255 }))
  await until(() => a.last()?.up === true && b.last()?.up === true)
  expect(a.last()?.verdict.reason).toBe('BFD session with 127.0.0.2 is up')
  await b.engine.stop()
  await until(() => a.last()?.up === false)
  expect(a.last()?.verdict).toMatchObject({
    class: 'mismatch',
    reason: 'BFD session with 127.0.0.2 is down: the other end said down',
  })
})

without('IPv6, several hops', { timeout: 20_000 }, async () => {
  const a = following(wish('::1', '::1', { multihop: true, ttl: 64 }))
  // With itself: its own discriminator comes back, so it is its own neighbour.
  await until(() => a.events.reports.length > 0)
  expect(a.last()?.up).toBe(true)
})

without('what comes from further away is not heard', { timeout: 20_000 }, async () => {
  const a = following(wish('127.0.0.4', '127.0.0.5'))
  const b = following(wish('127.0.0.5', '127.0.0.4', { ttl: 254, maxHops: 255 }))
  await until(() => a.events.reports.length > 0)
  expect(a.last()?.verdict).toMatchObject({ class: 'timeout', reason: 'no BFD session with 127.0.0.4 within 5 s' })
  expect(b.last()?.up ?? false).toBe(false)
})

without('strangers and noise change nothing', { timeout: 20_000 }, async () => {
  const a = following(wish('127.0.0.6', '127.0.0.7'))
  const b = following(wish('127.0.0.7', '127.0.0.6'))
  await until(() => a.last()?.up === true && b.last()?.up === true)
  const stranger = createSocket('udp4')
  await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.8', resolve))
  stranger.setTTL(255)
  for (let i = 0; i < 200; i++) {
    stranger.send(Buffer.from('20400518000000630000000000002710000027100000000', 'hex'), 3784, '127.0.0.7')
    stranger.send(Buffer.alloc(i), 3784, '127.0.0.7')
  }
  await new Promise((resolve) => setTimeout(resolve, 300))
  stranger.close()
  expect(a.events.reports.map(({ up }) => up)).toEqual([true])
})

without('no address of ours to send from is our own failure', async () => {
  const a = following(wish('127.0.0.2', '192.0.2.7'))
  await until(() => a.events.troubles.length > 0)
  expect(a.events.troubles[0]).toMatch(/BFD_CHECK: no socket for it: no local address .*: BFD with 127.0.0.2/)
  expect(a.events.reports).toEqual([])
})

test('the patience of the start counts from when the session can be held', async () => {
  const clock = fakeClock()
  const events = recordedEvents()
  let listener: BfdListener | undefined
  const io = {
    bfd: (_: BfdWish, given: BfdListener) => {
      listener = given
      return () => undefined
    },
    doors: () => undefined,
    forgetMaterial: () => undefined,
  } as unknown as ProbeIo
  const engine = createEngine({ clock, events, io })
  running.push(engine)
  engine.setChecks([checkOf('BFD_CHECK', undefined, { ...wish('127.0.0.2', '127.0.0.3') }, { initial: { up: true } })])
  listener?.broke(new ProbeFailure('local', 'no local address 127.0.0.3'))
  await clock.advance(seconds(60))
  expect([events.reports, events.troubles.length]).toEqual([[], 1])
  listener?.opened()
  await clock.advance(seconds(4))
  expect(events.reports).toEqual([])
  await clock.advance(seconds(1))
  expect(events.reports).toMatchObject([
    { up: false, turned: true, verdict: { class: 'timeout', reason: 'no BFD session with 127.0.0.2 within 5 s' } },
  ])
  listener?.opened()
  listener?.changed('up', 0)
  await clock.advance(seconds(60))
  expect(events.reports.map(({ up }) => up)).toEqual([false, true])
})

without('an address that comes later: then silence counts', { timeout: 20_000 }, async () => {
  const taken = createSocket({ type: 'udp4', reuseAddr: false })
  await new Promise<void>((resolve) => taken.bind(3784, '127.0.0.11', resolve))
  const a = following(wish('127.0.0.10', '127.0.0.11', { settings: { minTx: millis(20), minRx: millis(20), idleTx: seconds(1), multiplier: 1, passive: false } })) // prettier-ignore
  await until(() => a.events.troubles.length > 0)
  taken.close()
  await until(() => a.events.reports.length > 0, 15_000)
  expect(a.last()?.verdict).toMatchObject({ up: false, reason: 'no BFD session with 127.0.0.10 within 1 s' })
})

const top = `bfd_instance b1 {
  neighbor_ip 10.0.0.1
  source_ip 10.0.0.9
  min_rx 50
  multiplier 3
  max_hops 1
}`

// shows BFD_CHECK name
test('a bfd_instance as it is written', async () => {
  const { checker, remarks } = await readChecker('BFD_CHECK {\n name b1\n alpha\n }', { top })
  expect(remarks.filter((remark) => remark.startsWith('E'))).toEqual([])
  expect(checker).toMatchObject({
    timing: { alpha: true },
    connection: undefined,
    options: {
      neighbor: '10.0.0.1',
      source: '10.0.0.9',
      settings: { minTx: 10, minRx: 50, idleTx: 1000, multiplier: 3, passive: false },
      ttl: 255,
      maxHops: 1,
      multihop: false,
    },
  })
})

test.for([
  ['BFD_CHECK {\n name other\n }', 'E063 no bfd_instance is named "other"'],
  ['BFD_CHECK {\n name v\n }', 'E063 the bfd_instance v is for VRRP only'],
] as const)('%s: %s', async ([text, remark]) => {
  const around = { top: `${top}\nbfd_instance v {\n neighbor_ip 10.0.0.2\n vrrp\n}` }
  expect((await readChecker(text, around)).remarks).toContain(remark)
})

test('the check of an instance asks for the session that a BFD_CHECK of it does', async () => {
  const text = `${top}\nvirtual_server 192.0.2.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.1 80 {\n BFD_CHECK {\n name b1\n }\n }\n }`
  const read = filesInMemory(new Map([['/test.conf', text]]))
  const { config } = await loadConfig('/test.conf', { checkers, read, configId: 'test' })
  const [instance] = config?.bfdInstances ?? []
  const written = config?.virtualServers[0]?.realServers[0]?.checkers[0]?.options
  const check = instance && checkOfBfd(instance)
  expect(check).toMatchObject({ kind: 'BFD_CHECK', connection: undefined, initial: { up: false } })
  expect(JSON.stringify(check?.options)).toBe(JSON.stringify(written))
})
