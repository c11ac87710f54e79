import { afterEach, beforeEach, expect, test } from 'vitest'
import { inSlices, pause, stepsPerLook, stepwise } from './slices.ts'
import { workPerTurn, type WorkPerTurn } from './testing/index.ts'

let work: WorkPerTurn
beforeEach(() => {
  work = workPerTurn()
})
afterEach(() => {
  work.stop()
})

test('work that takes long is done in slices, in its order', async () => {
  const items = Array.from({ length: 10 * stepsPerLook }, (_, i) => i)
  const done: number[] = []
  await inSlices(items, (each) => {
    work.count()
    done.push(each)
  })
  expect(done).toEqual(items)
  expect(work.most()).toBe(stepsPerLook)
})

test('many short loops rest as one long loop does', async () => {
  for (let i = 0; i < 10 * stepsPerLook; i++) {
    await inSlices([i, i], () => {
      work.count()
    })
  }
  expect(work.most()).toBeLessThanOrEqual(stepsPerLook)
})

test('works side by side take turns, and no turn has two slices', async () => {
  const done: string[] = []
  const part = (name: string): Promise<void> =>
    stepwise(
      (function* () {
        for (const each of ['1', '2', '3']) {
          work.count()
          yield done.push(name + each)
        }
      })(),
    )
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
