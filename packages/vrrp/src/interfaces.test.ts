import { address, seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { createInterfaces } from './interfaces.ts'
import type { LinkInterface } from './link.ts'

const eth0: LinkInterface = {
  name: 'eth0',
  index: 2,
  up: true,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  announces: true,
  addresses: [address('192.0.2.1')],
}
const vip = address('192.0.2.100')

function setUp() {
  const clock = fakeClock()
  const logger = arrayLogger()
  const changes: string[] = []
  const interfaces = createInterfaces(
    clock,
    logger,
    (each) => each === vip,
    (name) => {
      changes.push(`${name} ${interfaces.get(name)?.up}`)
    },
  )
  return { clock, logger, changes, interfaces }
}

test('a change is told once; virtual addresses that come and go are none', () => {
  const { interfaces, changes } = setUp()
  interfaces.report('eth0', eth0)
  interfaces.report('eth0', { ...eth0, addresses: [address('192.0.2.1'), vip] })
  interfaces.report('eth0', { ...eth0 })
  expect(changes).toEqual(['eth0 true'])
  interfaces.report('eth0', { ...eth0, addresses: [address('192.0.2.2'), vip] })
  interfaces.report('eth0', { ...eth0, index: 7 })
  interfaces.report('eth0', undefined)
  expect(changes).toEqual(['eth0 true', 'eth0 true', 'eth0 true', 'eth0 undefined'])
})

test('interface_up_down_delays: up and down are believed after their time, and not when they were over before', async () => {
  const { interfaces, clock, changes, logger } = setUp()
  interfaces.configure([{ interface: 'eth0', down: seconds(2), up: seconds(3) }])
  interfaces.report('eth0', eth0)
  interfaces.report('eth0', { ...eth0, up: false })
  await clock.advance(seconds(1))
  interfaces.report('eth0', eth0)
  await clock.advance(seconds(10))
  expect(changes).toEqual(['eth0 true'])
  interfaces.report('eth0', { ...eth0, up: false })
  await clock.advance(seconds(2))
  expect(changes).toEqual(['eth0 true', 'eth0 false'])
  interfaces.report('eth0', eth0)
  await clock.advance(seconds(3))
  expect(changes.at(-1)).toBe('eth0 true')
  expect(logger.lines.map(({ message }) => message)).toContain('Netlink reports eth0 down')
})
