import { address, addressFromBytes } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { afterAnswer, patienceOf, type KnownServer } from './answer.ts'
import type { FoundServer } from './source.ts'

const server = (last: number, over: Partial<FoundServer> = {}): FoundServer => ({
  address: address(`10.0.0.${last}`),
  port: undefined,
  weight: undefined,
  tier: 0,
  ...over,
})
const lasts = (servers: readonly FoundServer[]): number[] => servers.map((each) => Number(each.address.split('.')[3]))
const known = (...all: number[]): KnownServer[] => all.map((each) => ({ ...server(each), missing: 0 }))
const found = (...all: number[]): FoundServer[] => all.map((each) => server(each))

test('newcomers serve at once, behind those that do already', () => {
  expect(lasts(afterAnswer(known(5, 3), found(1, 3, 5), patienceOf.dns))).toEqual([5, 3, 1])
})

test('with DNS a server goes at the second answer in a row without it', () => {
  const once = afterAnswer(known(1, 2, 3), found(1, 2), patienceOf.dns)
  expect(lasts(once)).toEqual([1, 2, 3])
  expect(lasts(afterAnswer(once, found(1, 2), patienceOf.dns))).toEqual([1, 2])
  const back = afterAnswer(once, found(1, 2, 3), patienceOf.dns)
  expect(lasts(afterAnswer(back, found(1, 2), patienceOf.dns))).toEqual([1, 2, 3])
})

test('with DNS at most half of them go at a time', () => {
  let now: readonly KnownServer[] = known(1, 2, 3, 4, 5)
  const counts = Array.from({ length: 5 }, () => (now = afterAnswer(now, found(9), patienceOf.dns)).length)
  expect(counts).toEqual([6, 3, 2, 1, 1])
  expect(lasts(now)).toEqual([9])
})

test('what etcd deletes goes at once', () => {
  expect(lasts(afterAnswer(known(1, 2, 3), found(2), patienceOf.etcd))).toEqual([2])
})

test('weights and tiers are as the last answer says', () => {
  const [only] = afterAnswer(known(1), [server(1, { weight: 9, tier: 2 })], patienceOf.dns)
  expect(only).toMatchObject({ weight: 9, tier: 2, missing: 0 })
})

const answers = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1 })

property.prop([fc.array(answers), answers])(
  'whatever was before, an answer that stays is what serves in the end',
  (earlier, last) => {
    let now: readonly KnownServer[] = []
    const asServers = (each: number[]): FoundServer[] =>
      each.map((n) => ({ ...server(1), address: addressFromBytes(Uint8Array.of(10, 0, 0, n)) }))
    for (const each of earlier) now = afterAnswer(now, asServers(each), patienceOf.dns)
    for (let i = 0; i < 12; i++) {
      now = afterAnswer(now, asServers(last), patienceOf.dns)
      for (const each of last) expect(lasts(now)).toContain(each)
    }
    expect(lasts(now).sort()).toEqual([...last].sort())
  },
)
