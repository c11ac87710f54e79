import { expect, test } from 'vitest'
import { tally } from './priority.ts'
import { trackedThings } from './reach.ts'
import { noTracking } from './testing/configs.ts'

const down = { get: () => undefined, status: () => ({ kind: 'bad', why: 'x' }) as const, source: undefined }
const following = (weight: number | undefined, reverse = false) => {
  const list = weight === undefined ? [] : [{ name: 'eth1', weight, reverse }]
  return { ...noTracking, interfaces: list, scripts: list }
}

/** An interface and a script of the same name, both bad: each counts once. */
test.for([
  // own, of the group → priority, faults
  [-10, undefined, 80, 0],
  [undefined, -10, 80, 0],
  [-10, -10, 80, 0],
  [-10, -20, 60, 0],
  [-10, 0, 100, 2],
  [0, -20, 100, 2],
] as const)('own weight %s, of the group %s', ([own, ofGroup, priority, faults]) => {
  const things = trackedThings(following(own), { track: following(ofGroup) }, down)
  const sum = tally(100, things)
  expect([sum.priority, sum.faults.length]).toEqual([priority, faults])
})
