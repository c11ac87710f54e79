import { fc, test as property } from '@fast-check/vitest'
import { millis } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { checkers } from './checkers.ts'
import { delaysOf } from './delays.ts'
import { defaultTiming } from './testing/checks.ts'

const time = fc.integer({ min: 1, max: 100 }).map((n) => n * 100)
const knobs = fc.record({
  D: time,
  B: time,
  T: time,
  R: fc.nat(5),
  N: fc.integer({ min: 1, max: 4 }),
  S: fc.integer({ min: 1, max: 3 }),
})

const probing = checkers.filter((checker) => checker.watch === undefined).map((checker) => checker.keyword)

/** The rows of docs/checkers.md, written out as they stand there. */
property.prop([fc.constantFrom(...probing), knobs, fc.boolean()])(
  '%s: the walk agrees with the formula',
  (kind, { D, B, T, R, N, S }, fast) => {
    const timing = {
      ...defaultTiming,
      delayLoop: millis(D),
      delayBeforeRetry: millis(B),
      timeout: millis(T),
      retry: R,
      rise: S,
    }
    const http = kind === 'HTTP_GET' || kind === 'SSL_GET'
    const options = http
      ? { urls: Array.from({ length: N }), fastRecovery: fast }
      : { required: true, reply: { min: 0, max: 255 } }
    const turn = http ? N * D : D
    const silent = kind === 'MISC_CHECK' ? D + R * Math.max(B, T) + T : turn + (R + 1) * T + R * B
    const recovered = http ? Math.max(B, D) + (fast ? 0 : S * N * D) : S * D
    expect(delaysOf({ kind, timing, options })).toEqual({
      refused: turn + R * B,
      silent,
      recovered,
      successes: http ? S * N + 1 : S,
    })
  },
)

test('jitter makes every wait longer, delay_loop_changing those that count', () => {
  const timing = { ...defaultTiming, retry: 2, rise: 3, changing: millis(500), jitter: 0.1 }
  const { refused, recovered } = delaysOf({ kind: 'TCP_CHECK', timing, options: {} }) ?? {}
  expect([refused, recovered]).toEqual([expect.closeTo(12_100), expect.closeTo(12_100)])
})

test.for([
  ['AGENT_CHECK', { required: false }, { refused: Infinity, silent: Infinity }],
  ['AGENT_CHECK', { required: true }, { refused: 10_000, silent: 15_000 }],
  ['UDP_CHECK', {}, { refused: 10_000, silent: Infinity }],
] as const)('%s with %o: what it does not see takes for ever', ([kind, options, expected]) => {
  expect(delaysOf({ kind, timing: defaultTiming, options })).toMatchObject(expected)
})
