import { millis, seconds, type Millis } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import type { BfdSettings } from './machine.ts'
import { decodeBfd } from './packet.ts'
import { RunningSession } from './session.ts'

const settings: BfdSettings = {
  minTx: millis(10),
  minRx: millis(10),
  idleTx: seconds(1),
  multiplier: 5,
  passive: false,
}

/** Two ends of a link in memory. */
function link(a: Partial<BfdSettings> = {}, b: Partial<BfdSettings> = {}) {
  const clock = fakeClock()
  const told: string[] = []
  const sent = { a: [] as number[], b: [] as number[] }
  const cut = { a: false, b: false }
  const ends: { a?: RunningSession; b?: RunningSession } = {}
  const end = (name: 'a' | 'b', change: Partial<BfdSettings>): RunningSession => {
    const other = name === 'a' ? 'b' : 'a'
    return new RunningSession(
      { ...settings, ...change },
      name === 'a' ? 1 : 2,
      {
        clock,
        random: () => 0.5,
        send: (packet) => {
          sent[name].push(clock.now())
          decodeBfd(packet)
          if (!cut[name]) clock.after(millis(0.1), () => ends[other]?.arrived(packet))
        },
      },
      {
        changed: (state, diagnostic) => {
          told.push(`${name} ${state}${state === 'up' ? '' : ` ${diagnostic}`} ${Math.round(clock.now())}`)
        },
      },
    )
  }
  ends.a = end('a', a)
  ends.b = end('b', b)
  const rate = async (name: 'a' | 'b', during: Millis): Promise<number> => {
    const before = sent[name].length
    await clock.advance(during)
    return sent[name].length - before
  }
  return { clock, told, cut, sent, rate, ends }
}

test('two ends come up, and send as often as both can', async () => {
  const { clock, told, rate } = link({}, { minRx: millis(20) })
  await clock.advance(seconds(3))
  expect(told).toEqual(['a up 875', 'b up 875'])
  // 87.5 % of 20 ms and of 10 ms between two.
  expect(await rate('a', seconds(1))).toBeCloseTo(1000 / 17.5, -1)
  expect(await rate('b', seconds(1))).toBeCloseTo(1000 / 8.75, -1)
})

test('silence is noticed after the detection time', async () => {
  const { clock, told, cut } = link()
  await clock.advance(seconds(3))
  told.length = 0
  cut.b = true
  const from = clock.now()
  await clock.advance(millis(200))
  const [first, second] = told
  expect(first).toMatch(/^a down 1 /)
  const after = Number(first?.split(' ')[3]) - from
  expect(after).toBeGreaterThanOrEqual(40)
  expect(after).toBeLessThanOrEqual(52)
  // The other end is told at once.
  expect(second).toMatch(/^b down 3 /)
  cut.b = false
  await clock.advance(seconds(3))
  expect(told.slice(2).map((line) => line.slice(0, 4))).toEqual(['a up', 'b up'])
})

test('both ends passive never begin; one is enough', async () => {
  const both = link({ passive: true }, { passive: true })
  await both.clock.advance(seconds(10))
  expect([both.told, both.sent.a, both.sent.b]).toEqual([[], [], []])
  const one = link({ passive: true })
  await one.clock.advance(seconds(3))
  expect(one.told).toHaveLength(2)
})

test('who goes says so', async () => {
  const { clock, told, ends } = link()
  await clock.advance(seconds(3))
  told.length = 0
  ends.a?.close()
  delete ends.a
  await clock.advance(millis(5))
  expect(told).toEqual([`b down 3 3000`])
})

test('what is no packet, or another session’s, does not keep a session up', async () => {
  const { clock, told, ends, cut } = link()
  await clock.advance(seconds(3))
  told.length = 0
  cut.b = true
  for (let i = 0; i < 20; i++) {
    ends.a?.arrived(Buffer.alloc(24))
    ends.a?.arrived(Buffer.from('20c0051800000002000000630000271000002710000000000', 'hex'))
    await clock.advance(millis(5))
  }
  expect(told[0]).toMatch(/^a down 1 /)
})
