import { address, seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import type { VrrpEvent } from './events.ts'
import type { Instance } from './instance.ts'
import type { Interfaces } from './interfaces.ts'
import type { Phase } from './state.ts'
import { createStrays } from './strays.ts'
import { anInstance } from './testing/configs.ts'

const config = anInstance()
const [vip] = config.addresses.map((each) => each.address)
const on = config.interface ?? ''

function bench() {
  const clock = fakeClock()
  const logger = arrayLogger()
  const events: VrrpEvent[] = []
  let there: string[] = []
  const phases = new Map<string, Phase>([['a', 'backup']])
  const instances = (): Instance[] =>
    [...phases].map(([key, phase]) => ({ key, config: () => config, state: () => ({ phase }) }) as unknown as Instance)
  const interfaces = { all: () => [{ name: on, addresses: there.map((one) => address(one)) }] } as unknown as Interfaces
  const strays = createStrays({ clock, logger, interfaces, tell: (event) => events.push(event) }, instances)
  return {
    strays,
    clock,
    logger,
    phases,
    put: (...addresses: string[]) => (there = addresses),
    told: () => events.map((event) => ('kind' in event ? `${event.type} ${event.kind}` : event.type)),
  }
}

test('an address that a backup has by hand is told of once, and that it is gone', async () => {
  const { strays, clock, logger, put, told } = bench()
  put('10.9.9.9', vip ?? '')
  await clock.advance(seconds(5))
  expect([told(), strays.of('a')]).toEqual([[], []])
  await clock.advance(seconds(60))
  expect([told(), strays.of('a')]).toEqual([['alarm stray'], [vip]])
  expect(logger.lines[0]).toMatchObject({ level: 'error', event: 'vrrp.alarm.stray' })
  put('10.9.9.9')
  await clock.advance(seconds(5))
  expect([told(), strays.of('a')]).toEqual([['alarm stray', 'calm stray'], []])
  strays.close()
})

test.for<[string, Record<string, Phase>]>([
  ['a master', { a: 'master' }],
  ['another instance here that is master and has it, too', { a: 'backup', b: 'master' }],
  ['one that only starts', { a: 'init' }],
])('%s is no reason', async ([, given]) => {
  const { clock, put, phases, told, strays } = bench()
  for (const [key, phase] of Object.entries(given)) phases.set(key, phase)
  put(vip ?? '')
  await clock.advance(seconds(60))
  expect(told()).toEqual([])
  strays.close()
})

test('one that leaves again at once is nothing', async () => {
  const { clock, put, told, strays } = bench()
  put(vip ?? '')
  await clock.advance(seconds(6))
  put()
  await clock.advance(seconds(60))
  expect(told()).toEqual([])
  strays.close()
})
