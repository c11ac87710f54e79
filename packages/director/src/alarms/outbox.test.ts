import { millis, seconds } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { createOutbox, Refused, type OutboxOptions } from './outbox.ts'

function outbox(over: Partial<OutboxOptions<number>> = {}) {
  const clock = fakeClock()
  const got: { at: number; items: readonly number[]; dropped: number }[] = []
  const said: string[] = []
  let answer: Error | undefined
  const box = createOutbox<number>({
    name: 'mail',
    clock,
    take: (waiting) => (waiting <= 2 ? 1 : waiting),
    deliver: async (items, dropped) => {
      if (answer !== undefined) throw answer
      got.push({ at: clock.now(), items, dropped })
    },
    gather: millis(100),
    burst: 3,
    window: seconds(10),
    retry: [seconds(1), seconds(5)],
    keep: 5,
    trouble: (message) => void said.push(message),
    recovered: (message) => void said.push(message),
    ...over,
  })
  return { box, clock, got, said, answer: (error: Error | undefined) => void (answer = error) }
}

test('a few go one by one, soon', async () => {
  const { box, clock, got } = outbox()
  box.add(1)
  box.add(2)
  expect(got).toEqual([])
  await clock.advance(millis(100))
  expect(got.map(({ items }) => items)).toEqual([[1], [2]])
  expect(box.figures).toMatchObject({ waiting: 0, delivered: 2, dropped: 0 })
})

test('many at once go together', async () => {
  const { box, clock, got } = outbox()
  for (const i of [1, 2, 3, 4]) box.add(i)
  await clock.advance(millis(100))
  expect(got.map(({ items }) => items)).toEqual([[1, 2, 3, 4]])
})

test('after a burst the rest waits for the end of the window, and goes together', async () => {
  const { box, clock, got } = outbox()
  for (const i of [1, 2, 3, 4, 5, 6]) {
    box.add(i)
    await clock.advance(seconds(1))
  }
  expect(got.map(({ items }) => items)).toEqual([[1], [2], [3]])
  await clock.advance(seconds(10))
  expect(got.slice(3)).toEqual([{ at: 10_100, items: [4, 5, 6], dropped: 0 }])
})

test('what fails is tried again in order with longer waits; trouble and its end are told once', async () => {
  const { box, clock, got, said, answer } = outbox()
  answer(new Error('refused'))
  box.add(1)
  await clock.advance(millis(1200))
  expect(box.figures).toMatchObject({ failures: 2, waiting: 1, trouble: 'refused' })
  await clock.advance(seconds(4))
  expect(box.figures.failures).toBe(2)
  await clock.advance(seconds(1))
  expect(box.figures.failures).toBe(3)
  box.add(2)
  answer(undefined)
  await clock.advance(seconds(5))
  expect(got.map(({ items }) => items)).toEqual([[1], [2]])
  expect(said).toEqual(['mail: refused; 1 wait', 'mail works again, 1 wait'])
  expect(box.figures.trouble).toBeUndefined()
})

test('what is refused for good does not hold up the rest', async () => {
  const { box, clock, got, answer } = outbox()
  answer(new Refused('no such user'))
  box.add(1)
  await clock.advance(millis(100))
  answer(undefined)
  box.add(2)
  await clock.advance(seconds(1))
  expect(got).toEqual([expect.objectContaining({ items: [2], dropped: 1 })])
})

test('without room the oldest are dropped, and the next delivery says how many', async () => {
  const { box, clock, got, answer } = outbox()
  answer(new Error('down'))
  for (let i = 1; i <= 8; i++) box.add(i)
  await clock.advance(millis(100))
  answer(undefined)
  await clock.advance(seconds(1))
  expect(got).toEqual([{ at: 1100, items: [4, 5, 6, 7, 8], dropped: 3 }])
  expect(box.figures).toMatchObject({ delivered: 5, dropped: 3 })
})

test('the end delivers at once what waits, and gives up in time', async () => {
  const first = outbox()
  first.box.add(1)
  await first.box.finish(seconds(1))
  expect(first.got.map(({ items }) => items)).toEqual([[1]])
  first.box.add(2)
  expect(first.box.figures.waiting).toBe(0)
  const second = outbox({ deliver: () => new Promise(() => undefined) })
  second.box.add(1)
  let ended = false
  const end = second.box.finish(seconds(1)).then(() => (ended = true))
  await second.clock.advance(millis(999))
  expect(ended).toBe(false)
  await second.clock.advance(millis(1))
  await end
})
