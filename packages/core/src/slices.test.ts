import { afterEach, beforeEach, expect, test } from 'vitest'
import { inSlices, pause, stepwise } from './slices.ts'
import { workPerTurn, type WorkPerTurn } from './testing/index.ts'

let work: WorkPerTurn
beforeEach(() => {
  work = workPerTurn()
})
afterEach(() => {
  work.stop()
})

test('work that takes long is done in slices, in its order', async () => {
  const done: number[] = []
  await inSlices([1, 2, 3], (each) => {
    work.count()
    done.push(each)
  })
  expect(done).toEqual([1, 2, 3])
  expect(work.most()).toBe(1)
})

test('works side by side take turns, and no turn has two slices', async () => {
  const done: string[] = []
  const part = (name: string): Promise<void> =>
    inSlices(['1', '2', '3'], (each) => {
      work.count()
      done.push(name + each)
    })
  await pause() // from here on each begins in the turn of another
  await Promise.all([part('a'), part('b'), part('c')])
  expect(done.slice(-6)).toEqual(['a2', 'b2', 'c2', 'a3', 'b3', 'c3'])
  expect(work.turns()).toBeGreaterThanOrEqual(7)
})

test('steps rest in between, and come to something', async () => {
  function* steps(): Generator<undefined, string> {
    for (let i = 0; i < 5; i++) {
      work.count()
      yield undefined
    }
    return 'done'
  }
  expect(await stepwise(steps())).toBe('done')
  expect(work.most()).toBe(1)
})

test('a little work waits for nobody', async () => {
  work.stop()
  await pause()
  expect(pause()).toBeUndefined()
})
