import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { grown, NumberList } from './numbers.ts'

test.for([Float64Array, Int32Array, Uint8Array, Uint32Array])('%o grows into its own kind', (Kind) => {
  const more = grown(Kind.of(1, 2, 3), 5)
  expect(more).toBeInstanceOf(Kind)
  expect([...more]).toEqual([1, 2, 3, 0, 0])
})

property.prop([
  fc.array(
    fc.oneof(
      fc.record({ push: fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 100 }) }),
      fc.record({ drop: fc.nat(120) }),
    ),
  ),
])('a list of numbers is as an array with shift and push', (steps) => {
  const list = new NumberList()
  const model: number[] = []
  for (const step of steps) {
    if ('push' in step) {
      for (const number of step.push) list.push(number)
      model.push(...step.push)
    } else {
      list.drop(step.drop)
      model.splice(0, step.drop)
    }
    expect(Array.from({ length: list.size }, (_, n) => list.at(n))).toEqual(model)
    expect(list.at(list.size)).toBe(0)
  }
})
