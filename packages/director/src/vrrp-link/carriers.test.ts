import { millis, seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import type { LinkbeatKind } from '@ipvs-director/linux'
import { expect, test } from 'vitest'
import { createCarriers } from './carriers.ts'

function setUp(answers: Map<string, boolean>) {
  const clock = fakeClock()
  const logger = arrayLogger()
  const asked: string[] = []
  const changes: string[] = []
  const look = (name: string, kind: LinkbeatKind): boolean | undefined => {
    asked.push(`${name} ${kind}`)
    return answers.get(`${name} ${kind}`)
  }
  const carriers = createCarriers(() => ({ look, close: () => void asked.push('closed') }), clock, logger, (name) => void changes.push(`${name} ${carriers.carrier(name)}`)) // prettier-ignore
  return { clock, logger, asked, changes, carriers }
}

test('without a kind the most telling one that answers is kept, and only changes are told', async () => {
  const answers = new Map([['eth0 ETHTOOL', true], ['eth0 IOCTL', true]]) // prettier-ignore
  const { clock, asked, changes, carriers } = setUp(answers)
  carriers.poll([{ interface: 'eth0', how: undefined }])
  expect(asked.splice(0)).toEqual(['eth0 MII', 'eth0 ETHTOOL'])
  await clock.advance(seconds(2))
  expect(asked.splice(0)).toEqual(['eth0 ETHTOOL', 'eth0 ETHTOOL'])
  answers.set('eth0 ETHTOOL', false)
  await clock.advance(seconds(1))
  expect(changes).toEqual(['eth0 true', 'eth0 false'])
  carriers.poll([])
  expect(changes.at(-1)).toBe('eth0 undefined')
  await clock.advance(seconds(5))
  expect(clock.pending()).toBe(0)
})

test('what cannot be asked is said once, and asked again: it may appear', async () => {
  const answers = new Map<string, boolean>()
  const { clock, logger, changes, carriers } = setUp(answers)
  carriers.poll([{ interface: 'eth1', how: 'MII' }])
  await clock.advance(seconds(3))
  expect(logger.lines.map(({ message }) => message)).toEqual(["eth1: its link cannot be polled by MII, so the kernel's word counts"]) // prettier-ignore
  expect(changes).toEqual([])
  answers.set('eth1 MII', false)
  await clock.advance(millis(1000))
  expect(changes).toEqual(['eth1 false'])
  carriers.close()
  expect(clock.pending()).toBe(0)
})
