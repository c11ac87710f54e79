/** When a check looks and how it changes its mind, for every kind that looks: as written, with each of the keywords. */
import { fakeClock } from '@ipvs-director/core/testing'
import { seconds } from '@ipvs-director/core'
import { describe, expect, test } from 'vitest'
import { checkers } from './checkers.ts'
import { createEngine } from './engine.ts'
import { createNodeIo } from './io/node-io.ts'
import type { ProbeIo } from './io/port.ts'
import { checkerOf } from './testing/ask.ts'
import { checkOf, recordedEvents } from './testing/checks.ts'
import { readChecker, type Around } from './testing/read.ts'
import { fail, pass, ProbeFailure } from './verdict.ts'

/** What must be in a block for it to be one. */
const required: Readonly<Record<string, string>> = {
  HTTP_GET: 'url {\n path /\n }',
  SSL_GET: 'url {\n path /\n }',
  MISC_CHECK: 'misc_path /bin/true',
}
const usual = 'delay_loop 10\n retry 1\n delay_before_retry 2\n warmup 0\n'

interface Course {
  /** Seconds at which it was probed. */
  readonly probes: string
  /** `down@13 up@23`: when it was told to be so; `down?` for a failure that was forgiven. */
  readonly told: string
}

/** Reads the block and runs it for 50 s against a server that is well (`+`) and not (`-`) as the script says; then well. */
async function follow(kind: string, words: string, script: string, random = 0.5, around: Around = {}): Promise<Course> {
  const { checker: read, remarks } = await readChecker(`${kind} {\n ${required[kind] ?? ''}\n ${words}\n }`, around)
  expect(remarks.filter((remark) => remark.startsWith('E'))).toEqual([])
  const clock = fakeClock()
  const events = recordedEvents()
  const probes: number[] = []
  const told: string[] = []
  const now = (): number => Math.round(clock.now() / 100) / 10
  const look = (): boolean => {
    const well = script[probes.length] !== '-'
    probes.push(now())
    return well
  }
  const checker = {
    ...checkerOf(kind),
    probe: () => Promise.resolve(look() ? pass('') : fail('refused', '')),
  }
  const doors: ProbeIo['doors'] = (answer) => {
    const asked: number[] = []
    return {
      ask: (place) => asked.push(place),
      go: () => {
        for (const place of asked.splice(0)) answer(place, look() ? undefined : new ProbeFailure('refused', ''))
      },
      giveUp: () => undefined,
      progress: () => undefined,
    }
  }
  const engine = createEngine({
    clock,
    random: () => random,
    io: { ...createNodeIo(), doors },
    checkers: [checker],
    events: {
      ...events,
      report: ({ up, turned, verdict }) => told.push(turned ? `${up ? 'up' : 'down'}@${now()}` : verdict.up ? '' : 'down?'), // prettier-ignore
    },
  })
  const initial = { up: true, unproven: false, seen: true }
  engine.setChecks([checkOf(kind, read?.connection, read?.options ?? {}, { timing: read?.timing ?? {}, initial })])
  await clock.advance(seconds(50))
  await engine.stop()
  return { probes: probes.join(' '), told: told.filter((each) => each !== '').join(' ') }
}

const kinds = checkers.filter(({ watch }) => watch === undefined).map(({ keyword }) => keyword)

// shows * delay_loop retry delay_before_retry warmup log_all_failures rise fall delay_loop_changing jitter
describe.for(kinds)('%s', (kind) => {
  const http = kind.endsWith('_GET')
  /** After the failures the one url must succeed twice. */
  const up = (once: string, twice: string): string => (http ? twice : once)

  test.for<[keyword: string, words: string, script: string, probes: string, told: string, random?: number]>([
    ['as usual', '', '+--', '1 11 13 23 33 43', up('down@13 up@23', 'down@13 up@33')],
    ['delay_loop', 'delay_loop 20', '+--', '1 21 23 43', up('down@23 up@43', 'down@23')],
    ['retry', 'retry 2', '+--', '1 11 13 15 25 35 45', ''],
    ['no retry', 'retry 0', '+--', '1 11 21 31 41', up('down@11 up@31', 'down@11 up@41')],
    ['fall', 'fall 3', '+--', '1 11 13 15 25 35 45', ''],
    ['delay_before_retry', 'delay_before_retry 5', '+--', '1 11 16 26 36 46', up('down@16 up@26', 'down@16 up@36')],
    ['warmup', 'warmup 8', '+--', '5 15 17 27 37 47', up('down@17 up@27', 'down@17 up@37')],
    ['log_all_failures', 'log_all_failures', '+--', '1 11 13 23 33 43', up('down? down@13 up@23', 'down? down@13 up@33')], // prettier-ignore
    ['rise', 'rise 2', '+--', '1 11 13 23 33 43', up('down@13 up@33', 'down@13 up@43')],
    ['delay_loop_changing', 'delay_loop_changing 1', '+-', '1 11 12 22 32 42', ''],
    ['delay_loop_changing, rising', 'delay_loop_changing 1\n rise 2', '+--', up('1 11 12 22 23 33 43', '1 11 12 22 23 24 34 44'), up('down@12 up@23', 'down@12 up@24')], // prettier-ignore
    ['jitter, as much less', 'jitter 10', '+', '1 10 19 28 37 46', '', 0],
    ['jitter, as much more', 'jitter 10', '+', '1 12 23 34 45', '', 1],
  ])('%s', async ([, words, script, probes, told, random]) => {
    expect(await follow(kind, usual + words, script, random)).toEqual({ probes, told })
  })

  test('without any of them, those of the real server, else of the virtual server', async () => {
    const virtualServer = 'retry 3\n delay_before_retry 4\n warmup 0'
    const realServer = 'retry 2\n delay_loop 9'
    const { probes, told } = await follow(kind, '', '+---', 0.5, { virtualServer, realServer })
    expect(probes).toMatch(/^1 10 14 18 27/)
    expect(told).toMatch(/^down@18/)
  })
})

// shows HTTP_GET|SSL_GET nb_get_retry
test.for(['HTTP_GET', 'SSL_GET'])('%s: nb_get_retry is retry', async (kind) => {
  expect(await follow(kind, `${usual.replace('retry 1', '')} nb_get_retry 2`, '+--')).toMatchObject({ told: '' })
})

// shows HTTP_GET|SSL_GET fast_recovery
test.for(['HTTP_GET', 'SSL_GET'])('%s: fast_recovery', async (kind) => {
  expect(await follow(kind, `${usual} fast_recovery`, '+--')).toEqual({
    probes: '1 11 13 23 23 33 43',
    told: 'down@13 up@23',
  })
})

const defaults: Readonly<Record<string, RegExp>> = {
  MISC_CHECK: /^1 11 21/,
  AGENT_CHECK: /^1 11 21/,
  DNS_CHECK: /^1 11 21/,
  HTTP_GET: /^1 11 14 24/,
  SSL_GET: /^1 11 14 24/,
}

test.for(kinds)('%s: what is built in', async (kind) => {
  const { probes } = await follow(kind, 'delay_loop 10\n warmup 0', '+------')
  expect(probes).toMatch(defaults[kind] ?? /^1 11 12 22/)
})
