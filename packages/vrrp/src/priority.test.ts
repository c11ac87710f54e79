import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { type Status, tally } from './priority.ts'
import { initialHealth, isGood, rescaled, stepScript } from './script-health.ts'

const good: Status = { kind: 'good' }
const bad: Status = { kind: 'bad', why: 'exited with status 1' }
const unknown: Status = { kind: 'unknown' }
const value = (n: number): Status => ({ kind: 'value', value: n })
const one = (status: Status, weight: number, reverse = false, base = 100) =>
  tally(base, [{ what: 'script s', weight, reverse, status }])

/** reference/vrrp.md §5, row by row. */
test.for([
  [0, false, good, 100, 0],
  [0, false, bad, 100, 1],
  [0, true, good, 100, 1],
  [0, true, bad, 100, 0],
  [20, false, good, 120, 0],
  [20, false, bad, 100, 0],
  [-20, false, good, 100, 0],
  [-20, false, bad, 80, 0],
  [20, true, good, 80, 0],
  [20, true, bad, 100, 0],
  [-20, true, good, 100, 0],
  [-20, true, bad, 120, 0],
  [20, false, unknown, 100, 0],
  [-20, false, unknown, 100, 0],
  // Files: value times weight
  [0, false, value(0), 100, 0],
  [0, false, value(3), 100, 1],
  [0, true, value(0), 100, 1],
  [0, true, value(3), 100, 0],
  [1, false, value(7), 107, 0],
  [-2, false, value(7), 86, 0],
  [1, false, value(-7), 93, 0],
  [1, true, value(7), 93, 0],
  [1, false, value(400), 254, 0],
  [1, false, value(-253), 1, 0],
  [1, false, value(-254), 100, 1],
  [2, false, value(-127), 100, 1],
] as const)('weight %s, reverse %s, %o: priority %s, %s faults', ([weight, reverse, status, priority, faults]) => {
  const sum = one(status, weight, reverse)
  expect([sum.priority, sum.faults.length]).toEqual([priority, faults])
})

test('only what could be a fault is waited for', () => {
  expect(one(unknown, 0).waiting).toEqual(['script s'])
  expect(one(unknown, 5).waiting).toEqual([])
})

test('the sum itself has no limits, so that contributions cancel', () => {
  const things = [
    { what: 'a', weight: 200, reverse: false, status: good },
    { what: 'b', weight: -200, reverse: false, status: bad },
  ]
  expect(tally(100, things)).toMatchObject({ priority: 100, total: 100 })
  expect(tally(100, things.slice(0, 1))).toMatchObject({ priority: 254, total: 300 })
  expect(tally(100, things.slice(1))).toMatchObject({ priority: 1, total: -100 })
})

test("an owner's priority never changes, but a fault is a fault", () => {
  expect(one(bad, -50, false, 255)).toMatchObject({ priority: 255, total: 255, faults: [] })
  expect(one(bad, 0, false, 255).faults).toHaveLength(1)
})

property.prop([
  fc.integer({ min: 1, max: 254 }),
  fc.array(fc.tuple(fc.integer({ min: -253, max: 253 }), fc.boolean(), fc.boolean())),
])('the effective priority lies between 1 and 254, and the shares explain the sum', (base, list) => {
  const sum = tally(
    base,
    list.map(([weight, reverse, up]) => ({ what: 'x', weight, reverse, status: up ? good : bad })),
  )
  expect(sum.priority).toBeGreaterThanOrEqual(1)
  expect(sum.priority).toBeLessThanOrEqual(254)
  expect(sum.shares.reduce((total, { add }) => total + add, base)).toBe(sum.total)
})

const results = (text: string, rule: { rise: number; fall: number }, initFail = false): string => {
  let health = initialHealth(rule, initFail)
  return Array.from(text)
    .map((sign) => {
      health = stepScript(health, sign === '+', rule)
      return isGood(health, rule) ? 'G' : 'B'
    })
    .join('')
}

test.for([
  ['the first result decides alone: success', '+', 3, 3, false, 'G'],
  ['the first result decides alone: failure', '-', 3, 3, false, 'B'],
  ['init_fail: rise successes are wanted', '+++', 3, 3, true, 'BBG'],
  ['fall failures are wanted', '+---', 2, 3, false, 'GGGB'],
  ['a success fills it up again', '+--+--', 2, 3, false, 'GGGGGG'],
  ['a failure empties what rose', '-+-++', 2, 2, false, 'BBBBG'],
  ['rise 1, fall 1', '+-+-', 1, 1, false, 'GBGB'],
  ['asymmetric', '-++++-----', 4, 2, false, 'BBBBGGBBBB'],
] as const)('vrrp_script: %s', ([, text, rise, fall, initFail, wanted]) => {
  expect(results(text, { rise, fall }, initFail)).toBe(wanted)
})

test('a reload with other counts keeps the belief', () => {
  const up = stepScript(initialHealth({ rise: 2, fall: 3 }, false), true, { rise: 2, fall: 3 })
  expect(isGood(rescaled(up, { rise: 2, fall: 3 }, { rise: 5, fall: 1 }), { rise: 5, fall: 1 })).toBe(true)
  expect(rescaled(initialHealth({ rise: 2, fall: 3 }, false), { rise: 2, fall: 3 }, { rise: 5, fall: 1 })).toEqual({
    known: false,
    result: 4,
  })
})
