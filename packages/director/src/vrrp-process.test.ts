/** The director's side, with a process that only writes down what it is told. */
import { seconds, systemClock, type Clock } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import type { VrrpEvent } from '@ipvs-director/vrrp'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { vrrpProtocolVersion, type VrrpWork } from './vrrp-messages.ts'
import { restartDelay, startVrrpProcess, type VrrpProcess } from './vrrp-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'vrrp-process-'))
const heard = join(folder, 'heard')
const entry = join(folder, 'vrrp.cjs')
/** While this file is there, pings are not answered. */
const hung = join(folder, 'hung')

/** Answers what it is asked; `crash` and `deaf` are names that a command may have. */
writeFileSync(
  entry,
  `const { appendFileSync, existsSync } = require('node:fs')
process.on('message', (message) => {
  appendFileSync(${JSON.stringify(heard)}, JSON.stringify(message) + '\\n')
  const say = (answer) => process.send(answer)
  if (message.do === 'start') {
    say({ say: 'ready' })
    say({ say: 'log', level: 'info', event: 'vrrp.test', message: 'at work', fields: undefined })
    say({ say: 'event', event: { type: 'group', name: 'G', state: 'BACKUP', why: 'started', at: 0 } })
    say({ nonsense: true })
  } else if (message.do === 'status') say({ say: 'status', ask: message.ask, status: { instances: [], groups: [] }, lag: { mean: 1, worst: 2 } })
  else if (message.do === 'command' && message.name === 'crash') process.exit(3)
  else if (message.do === 'command') say({ say: 'done', ask: message.ask, refused: message.name === 'nobody' ? 'there is no vrrp_instance nobody' : undefined })
  else if (message.do === 'ping' && !existsSync(${JSON.stringify(hung)})) say({ say: 'done', ask: message.ask, refused: undefined })
  else if (message.do === 'stop' && !message.keep) process.exit(0)
})
process.on('disconnect', () => process.exit())
`,
)

const work = { plan: { vrrp: { instances: [] }, trackFiles: [] }, scripts: {} } as unknown as VrrpWork
const logger = arrayLogger()
let events: VrrpEvent[] = []
let running: VrrpProcess | undefined

/** Delays as they were asked for; longer ones pass a thousand times as fast. */
const hurried = (delays: number[]): Clock => ({
  ...systemClock,
  after(delay, action) {
    delays.push(delay)
    return systemClock.after(delay >= 5000 ? seconds(delay / 1_000_000) : delay, action)
  },
})

function start(clock: Clock = systemClock): VrrpProcess {
  running = startVrrpProcess({ work, events: (event) => events.push(event), logger, clock, entry })
  return running
}

const told = (): Record<string, unknown>[] =>
  readFileSync(heard, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>) // prettier-ignore
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5))
}

beforeEach(() => {
  writeFileSync(heard, '')
  logger.lines.length = 0
  events = []
})
afterEach(async () => {
  await running?.stop()
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

test('it is started with its work; what it says and logs comes here, nonsense is remarked on', async () => {
  const vrrp = start()
  expect(await vrrp.status()).toMatchObject({ instances: [], groups: [], lag: { mean: 1, worst: 2 }, restarts: 0 })
  expect(told()[0]).toEqual({ do: 'start', version: vrrpProtocolVersion, work })
  expect(events).toMatchObject([{ type: 'group', name: 'G' }])
  expect(logger.lines.map(({ message }) => message)).toEqual([
    'the vrrp process is at work',
    'at work',
    'the vrrp process said something that is no message',
  ])
})

test('commands are carried out, or refused with the reason', async () => {
  const vrrp = start()
  await vrrp.command('move', 'V')
  await expect(vrrp.command('hold', 'nobody')).rejects.toThrow('there is no vrrp_instance nobody')
})

test('when it dies it is started again, and told all that still holds', async () => {
  const vrrp = start()
  vrrp.gateOpened('checkers')
  vrrp.report('virtualServer', 'web', { kind: 'bad', why: 'no quorum' })
  vrrp.report('virtualServer', 'web', { kind: 'good' })
  await vrrp.command('hold', 'V')
  await vrrp.command('hold', 'W')
  await vrrp.command('release', 'W')
  const later = { ...work, scripts: { enableScriptSecurity: true } } as unknown as VrrpWork
  vrrp.apply(later)
  await expect(vrrp.command('move', 'crash')).rejects.toThrow('the vrrp process does not answer')
  await until(() => told().filter((message) => message.do === 'start').length === 2)
  expect((await vrrp.status())?.restarts).toBe(1)
  const again = told().slice(told().findLastIndex((message) => message.do === 'start'))
  expect(again).toMatchObject([
    { do: 'start', work: later },
    { do: 'gate', gate: 'checkers' },
    { do: 'report', kind: 'virtualServer', name: 'web', status: { kind: 'good' } },
    { do: 'command', command: 'hold', name: 'V' },
    { do: 'status' },
  ])
  expect(logger.lines.some(({ message }) => message.includes('ended with exit code 3; it is started again in 0 s'))).toBe(true) // prettier-ignore
})

test('one that hangs is killed, and started again', async () => {
  writeFileSync(hung, '')
  const vrrp = start({ ...systemClock, after: (delay, action) => systemClock.after(seconds(delay / 100_000), action) })
  await until(() => told().filter((message) => message.do === 'start').length === 2)
  rmSync(hung)
  expect(logger.lines.map(({ message }) => message)).toContain(
    'the vrrp process does not answer any more: it is killed',
  )
  const pings = told().filter((message) => message.do === 'ping').length
  await until(() => told().filter((message) => message.do === 'ping').length > pings + 3) // it lives
  await vrrp.stop()
})

test('one that cannot live is started more and more slowly', () => {
  expect([1, 2, 3, 4, 8, 50].map((deaths) => restartDelay(deaths) / 1000)).toEqual([0, 1, 2, 4, 60, 60])
})

test('stopped, it is gone; one that will not go is killed', async () => {
  const first = start()
  await first.status()
  await first.stop()
  expect(await first.status()).toBeUndefined()
  expect(told().at(-1)).toEqual({ do: 'stop', keep: false })
  const delays: number[] = []
  const second = start(hurried(delays))
  await second.status()
  await second.stop({ keep: true }) // this one does not obey
  expect(delays).toContain(5000)
  expect(logger.lines.some(({ event }) => event === 'vrrp.died')).toBe(false)
})

test('a process that the system does not even begin is tried again', async () => {
  const before = logger.lines.length
  running = startVrrpProcess({ work, events: () => undefined, logger, clock: systemClock, entry: 'no\0name' })
  expect(logger.lines[before]).toMatchObject({ level: 'error', event: 'vrrp.died' })
  expect(logger.lines[before]?.message).toMatch(/^the vrrp process cannot run: /)
  expect(await running.status()).toBeUndefined()
  await running.stop()
})
