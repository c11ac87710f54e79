import { openSocket, unixAddress } from '@ipvs-director/linux'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogging } from '../logging.ts'
import { fileSink } from './file.ts'
import { journalSink, renderJournal } from './journal.ts'
import { createStormGate } from './limit.ts'
import { renderJson, renderText, type LogLine } from './line.ts'
import { facilityOf, isJournal, logSettings, type LogWish } from './settings.ts'
import type { Sink } from './sink.ts'
import { streamSink } from './stream-sink.ts'
import { renderSyslog, syslogSink } from './syslog.ts'

const at = new Date(2026, 0, 2, 3, 4, 5, 678)
const line = (over: Partial<LogLine> = {}): LogLine => ({
  level: 'warn',
  event: 'server.down',
  message: 'Removing service 10.0.0.2:80 from VS 192.0.2.1:80/tcp: refused',
  fields: { server: '10.0.0.2:80', aliveWeight: 2, sorry: undefined },
  at,
  ...over,
})

describe('how a line looks', () => {
  test('as text, further lines indented', () => {
    expect(renderText(line({ message: 'a\nb' }))).toBe(`${at.toISOString()} warn server.down: a\n  b`)
  })
  test('as JSON', () => {
    expect(JSON.parse(renderJson(line()))).toEqual({
      time: at.toISOString(),
      level: 'warn',
      event: 'server.down',
      message: line().message,
      fields: { server: '10.0.0.2:80', aliveWeight: 2 },
    })
    expect(renderJson(line({ fields: undefined, message: 'a\nb' }))).not.toContain('\n')
  })
  test.for([
    ['warn', 16, '<132>'],
    ['info', 22, '<182>'],
    ['error', 3, '<27>'],
    ['debug', 1, '<15>'],
  ] as const)('syslog: %s with facility %i is %s', ([level, facility, priority]) => {
    const text = renderSyslog(line({ level, message: 'a\nb' }), facility, 'text', 7)
    expect(text).toBe(`${priority}Jan  2 03:04:05 ipvs-director[7]: server.down: a | b`)
  })
  test('syslog with JSON has the cookie that rsyslog looks for', () => {
    expect(renderSyslog(line(), 3, 'json', 7)).toMatch(/\]: @cee: \{.*"event":"server.down".*\}$/)
  })
  test('journald: the fields, one with a line end by its length', () => {
    const text = renderJournal(line({ message: 'a\nb' }), 22).toString('latin1')
    expect(text).toBe(
      'MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=4\nSYSLOG_FACILITY=22\nSYSLOG_IDENTIFIER=ipvs-director\n' +
        'DIRECTOR_EVENT=server.down\nDIRECTOR_SERVER=10.0.0.2:80\nDIRECTOR_ALIVE_WEIGHT=2\n',
    )
  })
})

describe('storms', () => {
  const said = (ms: number, event = 'a'): LogLine => line({ event, at: new Date(ms) })
  test('each event has its share; what is above is counted and told once', () => {
    const gate = createStormGate({ lines: 2, window: 1000 })
    expect([0, 1, 2, 3, 4].map((ms) => gate.admit(said(ms)))).toEqual([true, true, false, false, false])
    expect(gate.admit(said(5, 'b'))).toBe(true)
    expect(gate.due(999)).toEqual([])
    const [summary, ...more] = gate.due(1000)
    expect(more).toEqual([])
    expect(summary).toMatchObject({ level: 'warn', event: 'log.held', fields: { event: 'a', held: 3 } })
    expect(gate.due(1000)).toEqual([])
    expect(gate.admit(said(1001))).toBe(true)
  })
  test('a window that is over begins anew by itself', () => {
    const gate = createStormGate({ lines: 1, window: 1000 })
    expect([0, 1000, 1001].map((ms) => gate.admit(said(ms)))).toEqual([true, true, false])
    expect(gate.due(1002, true)).toHaveLength(1)
  })
  test('a clock that was set back does not hold lines for an hour', () => {
    const gate = createStormGate({ lines: 1, window: 1000 })
    expect(gate.admit(said(3_600_000))).toBe(true)
    expect(gate.admit(said(1))).toBe(true)
  })
})

describe('what the options mean', () => {
  const wish: LogWish = { detail: 0, format: undefined, facility: undefined, noSyslog: false, file: undefined, flush: false, console: false, journal: false, storm: undefined } // prettier-ignore
  test.for([
    ['nothing', {}, false, { level: 'info', console: true, syslog: undefined, journal: false }],
    ['-D', { detail: 1 }, false, { level: 'debug' }],
    ['-S 6', { facility: 22 }, false, { syslog: 22, console: true }],
    ['-S 6 -G', { facility: 22, noSyslog: true }, false, { syslog: undefined }],
    ['under systemd', {}, true, { console: false, journal: true, facility: 3, syslog: undefined }],
    ['-S 6 under systemd', { facility: 22 }, true, { journal: true, facility: 22, syslog: undefined }],
    ['-g', { file: '/f' }, false, { file: { path: '/f', flush: false } }],
    ['--log-storm 0', { storm: 0 }, false, { storm: undefined }],
    ['--log-storm 5', { storm: 5 }, false, { storm: { lines: 5, window: 10_000 } }],
  ] as const)('%s', ([, over, journal, wanted]) => {
    expect(logSettings({ ...wish, ...over }, journal)).toMatchObject(wanted)
  })
  test.for([
    ['0', 16],
    ['7', 23],
    ['local3', 19],
    ['user', 1],
    ['daemon', 3],
    ['8', undefined],
    ['mail', undefined],
  ] as const)('facility %s', ([word, number]) => {
    expect(facilityOf(word)).toBe(number)
  })
  test('the journal is told by device and inode', () => {
    expect(isJournal('8:99', { dev: 8, ino: 99 })).toBe(true)
    expect(isJournal('8:98', { dev: 8, ino: 99 })).toBe(false)
    expect(isJournal(undefined, { dev: 8, ino: 99 })).toBe(false)
  })
})

let folder: string
const closing: { close(): void }[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'))
})
afterEach(() => {
  for (const each of closing.splice(0)) each.close()
  rmSync(folder, { recursive: true })
})
const read = (name: string): string => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '')
const message = (one: LogLine): string => one.message

describe('a file', () => {
  const open = (flush: boolean, path = join(folder, 'log')): Sink => fileSink({ path, flush, render: message })
  test.for([true, false])('is appended to, in order (flush: %s)', async (flush) => {
    for (const round of [0, 1]) {
      const sink = open(flush)
      for (let i = 0; i < 500; i++) sink.write(line({ message: `${round * 500 + i}` }))
      if (flush) expect(read('log').trimEnd().split('\n')).toHaveLength(round * 500 + 500)
      await sink.end(5000)
    }
    expect(read('log').trimEnd().split('\n')).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`))
  })
  test.for([true, false])('that was moved away is opened anew on request (flush: %s)', async (flush) => {
    const sink = open(flush)
    sink.write(line({ message: 'before' }))
    await new Promise(setImmediate)
    await sink.end(5000)
    renameSync(join(folder, 'log'), join(folder, 'log.1'))
    sink.reopen()
    sink.write(line({ message: 'after' }))
    await sink.end(5000)
    expect([read('log.1'), read('log')]).toEqual(['before\n', 'after\n'])
  })
  test('that was moved away is noticed without a request', async () => {
    let now = 0
    const sink = fileSink({ path: join(folder, 'log'), flush: true, render: message, now: () => now })
    sink.write(line({ message: 'before' }))
    renameSync(join(folder, 'log'), join(folder, 'log.1'))
    now = 1500
    sink.write(line({ message: 'after' }))
    await sink.end(5000)
    expect([read('log.1'), read('log')]).toEqual(['before\n', 'after\n'])
  })
  test.for([true, false])('on a full disk: the line is lost and counted, nothing throws (flush: %s)', async (flush) => {
    const sink = open(flush, '/dev/full')
    sink.write(line())
    await sink.end(5000)
    expect(sink.health()).toEqual({ lost: 1, trouble: expect.stringContaining('ENOSPC') as string })
  })
  test('in a folder that is not there: told, and written once it is', async () => {
    const path = join(folder, 'later', 'log')
    const sink = open(true, path)
    sink.write(line())
    expect(sink.health().trouble).toContain('ENOENT')
    const { mkdirSync } = await import('node:fs')
    mkdirSync(join(folder, 'later'))
    sink.write(line({ message: 'now' }))
    expect(sink.health()).toEqual({ lost: 1, trouble: undefined })
    expect(readFileSync(path, 'utf8')).toBe('now\n')
    await sink.end(100)
  })
})

test('standard error whose reader is gone costs lines, not the program', async () => {
  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
  const sink = streamSink('standard error', broken, message)
  sink.write(line())
  await new Promise(setImmediate)
  sink.write(line())
  expect(sink.health()).toEqual({ lost: 2, trouble: 'EPIPE' })
  await sink.end(100)
})

test.for(['syslog', 'journal'] as const)('%s over its socket', async (kind) => {
  const path = join(folder, 'socket')
  const got: string[] = []
  const socket = openSocket(
    { domain: 1, type: 2, protocol: 0 },
    { message: (data) => void got.push(data.toString()), error: () => undefined },
  )
  closing.push(socket)
  socket.bind(unixAddress(path))
  socket.start()
  const sink = kind === 'syslog' ? syslogSink(22, 'text', path) : journalSink(3, path)
  for (let i = 0; i < 100; i++) sink.write(line({ message: `no ${i}` }))
  await sink.end(5000)
  while (got.length < 100) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(got[0]).toContain(kind === 'syslog' ? 'server.down: no 0' : 'MESSAGE=no 0')
  expect(got[99]).toContain('no 99')
})

test('the whole log: what was said before it was opened, in order, limited, to a file as JSON', async () => {
  const path = join(folder, 'log')
  const logging = createLogging({
    ...logSettings({ detail: 0, format: 'json', facility: undefined, noSyslog: true, file: path, flush: false, console: false, journal: false, storm: 300 }, false), // prettier-ignore
    console: false,
  })
  logging.logger.info('start', 'Starting')
  logging.logger.debug('detail', 'not at this level')
  await logging.open()
  for (let i = 0; i < 1000; i++) logging.logger.warn('server.down', `no ${i}`, { server: `s${i}` })
  logging.logger.info('stopped', 'Stopped')
  await logging.close()
  const lines = read('log')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { event: string; message: string; fields?: object })
  expect(lines).toHaveLength(1 + 300 + 1 + 1)
  expect(lines[0]).toMatchObject({ event: 'start', level: 'info' })
  expect(lines[300]).toMatchObject({ event: 'server.down', fields: { server: 's299' } })
  expect(lines.at(-2)).toMatchObject({ event: 'stopped' })
  expect(lines.at(-1)).toMatchObject({ event: 'log.held', fields: { event: 'server.down', held: 700 } })
})
