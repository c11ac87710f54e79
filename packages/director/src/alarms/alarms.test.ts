import type { AlarmSettings } from '@ipvs-director/config'
import { seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEventLog } from '../events.ts'
import { createPool, initialHealth } from '../pool.ts'
import { config, realServer, virtualServer } from '../testing/config.ts'
import { tell, tellBegin, tellGone } from '../transitions.ts'
import type { Alarm } from './alarm.ts'
import { createAlarms, type Alarms } from './alarms.ts'

let folder: string
let alarms: Alarms | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alarms-'))
})
afterEach(async () => {
  await alarms?.stop(0)
  alarms = undefined
  rmSync(folder, { recursive: true })
})

const mail = {
  to: ['ops@example.net'],
  from: 'lb1@example.net',
  host: '192.0.2.25',
  port: 25,
  helo: undefined,
  timeout: seconds(5),
  tls: 'off',
  verify: true,
  ca: undefined,
  auth: undefined,
  general: true,
} as const

function start(settings: Partial<AlarmSettings>) {
  const clock = fakeClock()
  const logger = arrayLogger()
  const mails: string[] = []
  const made = createAlarms({
    clock,
    logger,
    runFifoScript: () => Promise.resolve(''),
    post: async ({ raw }) => void mails.push(/Subject: (.*)\r/.exec(raw)?.[1] ?? ''),
  })
  alarms = made
  const service = virtualServer({ smtpAlert: true, realServers: [realServer('10.0.0.2:80')] })
  const apply = (alarmSettings: Partial<AlarmSettings>): void => {
    made.apply(config([service], { routerId: 'LVS_1', alarms: { mail: undefined, webhooks: [], fifos: [], ...alarmSettings } })) // prettier-ignore
  }
  apply(settings)
  const to = { logger, events: createEventLog(() => clock.wall()), notifier: { run: () => undefined, drain: () => Promise.resolve() }, alarm: (told: Alarm) => { made.tell(told) } } // prettier-ignore
  return { alarms: made, apply, clock, mails, to, service, logger }
}

const fifo = (name: string, events: 'all' | 'lvs' | 'vrrp') => ({ path: join(folder, name), user: undefined, group: undefined, events, script: undefined }) // prettier-ignore
function drain(name: string): string[] {
  const fd = openSync(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(65_536)
  let text = ''
  try {
    text = buffer.toString('utf8', 0, readSync(fd, buffer))
  } catch {
    // nothing in it
  }
  closeSync(fd)
  return text.split('\n').slice(0, -1)
}
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('what happens to a pool reaches the pipes at once and mail together', async () => {
  const { clock, mails, to, service } = start({ mail, fifos: [fifo('all', 'all'), fifo('lvs', 'lvs'), fifo('vrrp', 'vrrp')] }) // prettier-ignore
  await until(() => ['all', 'lvs', 'vrrp'].every((name) => existsSync(join(folder, name))))
  const pool = createPool(service, {
    health: (_, name) => (name === '10.0.0.2:80' ? initialHealth([true]) : undefined),
    since: 0,
  })
  await tellBegin(pool.begin(0).map((effect) => ({ pool, effect })), to) // prettier-ignore
  const verdict = { up: false, class: 'refused', reason: 'connection refused' } as never
  for (const effect of pool.verdict('10.0.0.2:80', { checker: 0, up: false, first: true, verdict, at: 1 })) tell(pool, effect, to) // prettier-ignore
  alarms?.tell({ kind: 'vrrp', event: { type: 'calm', name: 'VI_1', kind: 'split' as never, text: 'over', at: 2 }, notifications: [{ do: 'fifo', line: 'INSTANCE "VI_1" MASTER 100' }] }) // prettier-ignore
  const lines = [
    'VS [192.0.2.1]:tcp:80 UP',
    'RS [10.0.0.2]:tcp:80 [192.0.2.1]:tcp:80 DOWN',
    'VS [192.0.2.1]:tcp:80 DOWN',
  ]
  await clock.advance(seconds(1))
  expect(drain('all')).toEqual([...lines, 'INSTANCE "VI_1" MASTER 100'])
  expect(drain('vrrp')).toEqual(['INSTANCE "VI_1" MASTER 100'])
  expect(mails).toEqual(['[LVS_1] 4 changes: 2 DOWN, 1 UP, 1 other'])
})

test('events that come in a richer form are not told twice; others are', async () => {
  const { alarms: made, clock, mails } = start({ mail })
  const event = (name: string) => ({ kind: 'event' as const, event: { sequence: 1, at: 0, event: name, message: 'x', fields: {} } }) // prettier-ignore
  for (const name of ['server.down', 'quorum.up', 'vrrp.state', 'reload.refused', 'start']) made.tell(event(name))
  await clock.advance(seconds(1))
  expect(mails).toEqual(['[LVS_1] reload.refused'])
})

test('the end of a pool is told, and what waits is delivered at the stop', async () => {
  const { alarms: made, mails, to, service } = start({ mail })
  const pool = createPool(service, {
    health: (_, name) => (name === '10.0.0.2:80' ? initialHealth([true]) : undefined),
    since: 0,
  })
  pool.begin(0)
  tellGone(pool, 'Shutting down', to)
  expect(mails).toEqual([])
  await made.stop(1000)
  expect(mails).toHaveLength(2)
  expect(mails[1]).toBe('[LVS_1] Virtualserver [192.0.2.1]:tcp:80 - DOWN')
})

test('a reload keeps what is equal, opens what is new, closes what is gone', async () => {
  const { alarms: made, apply, clock, mails } = start({ mail, fifos: [fifo('a', 'all'), fifo('b', 'lvs')] })
  await until(() => existsSync(join(folder, 'a')) && existsSync(join(folder, 'b')))
  made.tell({ kind: 'event', event: { sequence: 1, at: 0, event: 'reload.refused', message: 'x', fields: {} } })
  apply({ mail, fifos: [fifo('a', 'all'), fifo('c', 'lvs')] })
  await until(() => existsSync(join(folder, 'c')) && !existsSync(join(folder, 'b')))
  expect(existsSync(join(folder, 'a'))).toBe(true)
  await clock.advance(seconds(1))
  expect(mails).toHaveLength(1)
  apply({})
  await until(() => !existsSync(join(folder, 'a')) && !existsSync(join(folder, 'c')))
  expect(made.figures()).toEqual({ mail: undefined, webhooks: [], fifos: [] })
})
