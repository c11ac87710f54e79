import type { Globals, Script } from '@ipvs-director/config'
import { seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { createNotifier, type Notifier } from './notify.ts'

const script = (name: string): Script => ({ words: [name], place: { file: 'x', line: 1, column: 1 } })

/** Scripts that end when the test says so. */
function bench() {
  const clock = fakeClock()
  const logger = arrayLogger()
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const told: string[] = []
  const notifier: Notifier = createNotifier({
    run: ({ words: [name = ''] }) => {
      started.push(name)
      return new Promise((resolve) => ends.set(name, resolve))
    },
    globals: () => ({}) as Globals,
    clock,
    logger,
    events: { add: (event) => void told.push(event) },
  })
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await clock.advance(seconds(0))
  }
  const tell = (names: readonly string[], why: (name: string) => string = (name) => name): void => {
    for (const name of names) notifier.run(script(name), why(name))
  }
  return { clock, logger, started, told, end, tell }
}

const many = (count: number, name: string): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`)

test('a storm of transitions is not a storm of processes; order is kept', async () => {
  const { started, end, tell } = bench()
  tell(many(40, 's'))
  expect(started).toEqual(many(16, 's'))
  await end('s3')
  await end('s4')
  expect(started).toEqual(many(18, 's'))
})

test('sixteen that hang keep nobody waiting for long, and are told of', async () => {
  const { clock, logger, started, told, tell } = bench()
  tell(many(16, 'hung'))
  tell(['master'])
  await clock.advance(seconds(9))
  expect(started).not.toContain('master')
  await clock.advance(seconds(1))
  expect(started).toContain('master')
  tell(['backup'])
  expect(started).toContain('backup')
  expect(told).toEqual(many(16, 'x').map(() => 'script.hangs'))
  expect(logger.lines[0]).toMatchObject({
    level: 'warn',
    event: 'script.hangs',
    message: 'hung0: hung0 hangs: it has not ended within 10 s',
  })
})

test('one thing whose scripts hang waits for them, others do not', async () => {
  const { started, end, tell } = bench()
  tell(many(6, 'a'), () => 'notify of VI_1')
  tell(['b'])
  expect(started).toEqual([...many(4, 'a'), 'b'])
  await end('a1')
  expect(started.at(-1)).toBe('a4')
})

test('there is an end to it', async () => {
  const { clock, started, end, tell } = bench()
  tell(many(400, 'hung'))
  await clock.advance(seconds(3600))
  expect(started).toHaveLength(256)
  await end('hung0')
  expect(started).toHaveLength(257)
})
