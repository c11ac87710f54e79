import { expect, test } from 'vitest'
import { growthOf, isLeak } from '../soak/growth.ts'
import { gapsIn, unexplained, type Done, type Told } from '../soak/ledger.ts'
import { choiceBy, seeded } from '../soak/random.ts'

test('the same seed makes the same choices, another one others', () => {
  const of = (seed: number): number[] => {
    const choice = choiceBy(seeded(seed))
    return Array.from({ length: 20 }, () => choice.whole(1, 1000))
  }
  expect(of(7)).toEqual(of(7))
  expect(of(7)).not.toEqual(of(8))
  expect(of(7).every((n) => n >= 1 && n <= 1000)).toBe(true)
})

const megabyte = 2 ** 20
test.for([
  ['flat', () => 100 * megabyte, false],
  ['a saw', (at: number) => (100 + (at % 7)) * megabyte, false],
  ['a start that settles', (at: number) => Math.min(50 + at * 4, 100) * megabyte, false],
  ['a leak', (at: number) => (100 + at) * megabyte, true],
] as const)('%s', ([, value, leaks]) => {
  const growth = growthOf(Array.from({ length: 60 }, (_, at) => ({ at, value: value(at) })))
  expect(growth === undefined ? undefined : isLeak('rss', growth)).toBe(leaks)
})

test('too little says nothing', () => {
  expect(growthOf([1, 2, 3].map((at) => ({ at, value: at * 1e9 })))).toBeUndefined()
})

const told = (event: string, at: number, more: Partial<Told> = {}): Told => ({
  ...{ sequence: 1, at, event, message: '', fields: {}, director: 'one' },
  ...more,
})
const did = (cause: Done['cause'], from: number, more: Partial<Done> = {}): Done => ({ cause, from, to: from, ...more })

test.for([
  ['by what was done to the server', told('server.down', 1500, { fields: { server: 'a' } }), did('server', 1000, { server: 'a' }), true], // prettier-ignore
  ['not by another server', told('server.down', 1500, { fields: { server: 'a' } }), did('server', 1000, { server: 'b' }), false], // prettier-ignore
  ['not before it', told('server.down', 900), did('server', 1000), false],
  ['not long after it', told('server.down', 9000), did('server', 1000), false],
  ['not by what was done to the other director', told('drift', 1500), did('tamper', 1000, { director: 'two' }), false],
  ['not by a cause of another kind', told('vrrp.instance', 1500), did('server', 1000), false],
  ['an event nobody knows', told('what.is.this', 1500), did('start', 1000), false],
] as const)('explained %s', ([, event, done, explained]) => {
  expect(unexplained([event], [done], 5000)).toEqual(explained ? [] : [event])
})

test('gaps in a run', () => {
  expect(gapsIn('one', [1, 2, 3])).toEqual([])
  expect(gapsIn('one', [1, 2, 4, 5])).toEqual(['one: event 4 comes after 2'])
  expect(gapsIn('one', [2])).toEqual(['one: event 2 comes after 0'])
})
