import type { CheckTiming } from '@ipvs-director/config'
import { millis, seconds } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import type { InitialHealth, Verdict } from './checker.ts'
import { httpHealth } from './http/health.ts'
import { commonHealth, dnsHealth, smtpHealth, type Course, type Health, type HealthMachine } from './health.ts'

const timing: CheckTiming = {
  delayLoop: seconds(10),
  retry: 2,
  delayBeforeRetry: seconds(1),
  warmup: seconds(0),
  timeout: seconds(5),
  alpha: false,
  logAllFailures: false,
}
const kept: InitialHealth = { up: true, unproven: false, seen: true }
const unknown: InitialHealth = { up: true, unproven: true, seen: false }
const added: InitialHealth = { up: true, unproven: false, seen: false }
const alpha: InitialHealth = { up: false, unproven: true, seen: false }
const alphaAdded: InitialHealth = { up: false, unproven: false, seen: false }
const keptDown: InitialHealth = { up: false, unproven: false, seen: true }
const one: Course = { parts: 1, fast: false }

const verdictOf: Record<string, Verdict> = {
  '+': { up: true, class: 'ok', reason: 'answered', took: millis(1) },
  '-': { up: false, class: 'refused', reason: 'refused', took: millis(1) },
  '!': { up: false, class: 'local', reason: 'no descriptors', took: millis(1) },
}

interface Walk {
  readonly health: Health
  /** Per verdict: `+` or `-` for what is believed after it, `^` or `v` when it turned there. */
  readonly trace: string
  /** Seconds to the next probe, per verdict. */
  readonly waits: string
  /** The part each probe was of. */
  readonly parts: string
}

function walk(
  machine: HealthMachine,
  verdicts: string,
  start = kept,
  options: { retry?: number; delayBeforeRetry?: number; course?: Course; rise?: number; changing?: number } = {},
): Walk {
  const knobs: CheckTiming = {
    ...timing,
    retry: options.retry ?? 2,
    delayBeforeRetry: seconds(options.delayBeforeRetry ?? 1),
    rise: options.rise ?? 1,
    ...(options.changing === undefined ? {} : { changing: seconds(options.changing) }),
  }
  let health = machine.start(start, knobs)
  let [trace, parts] = ['', '']
  const waits: number[] = []
  for (const symbol of verdicts) {
    parts += String(health.cursor)
    const step = machine.step(health, verdictOf[symbol]!, knobs, options.course ?? one)
    health = step.health
    trace += step.turned === 'up' ? '^' : step.turned === 'down' ? 'v' : health.up ? '+' : '-'
    waits.push(step.next / 1000)
  }
  return { health, trace, waits: waits.join(' '), parts }
}

test.for([
  ['', '', '', 'nothing happened'],
  ['--', '++', '1 1', 'two failures are forgiven, soon tried again'],
  ['---', '++v', '1 1 10', 'the third is not'],
  ['--+--', '+++++', '1 1 10 1 1', 'a success wipes the slate'],
  ['---+', '++v^', '1 1 10 10', 'one success brings it back'],
  ['-----', '++v--', '1 1 10 10 10', 'while down nothing is counted or hurried'],
  ['---+---', '++v^++v', '1 1 10 10 1 1 10', 'and it has all its retries again'],
  ['-!-!-', '++++v', '1 10 1 10 10', 'our own failure is neither failure nor success'],
  ['!!!!!', '+++++', '10 10 10 10 10', 'our own failure never takes a server down'],
] as const)('common, retry 2, up: %s → %s (%s s): %s', ([verdicts, trace, waits]) => {
  const seen = walk(commonHealth, verdicts)
  expect([seen.trace, seen.waits]).toEqual([trace, waits])
})

test.for([
  ['at daemon start the first failure counts at once', commonHealth, unknown, '-', 'v', '10'],
  ['at daemon start a success, then all retries', commonHealth, unknown, '+---', '+++v', '10 1 1 10'],
  ['our own failure does not use up the first result', commonHealth, unknown, '!-', '+v', '10 10'],
  ['added by a reload: all its retries', commonHealth, added, '---', '++v', '1 1 10'],
  ['alpha: down until the first success', commonHealth, alpha, '-+', '-^', '10 10'],
  ['alpha added by a reload: retried although down', commonHealth, alphaAdded, '---+', '---^', '1 1 10 10'],
  ['kept down: no retries', commonHealth, keptDown, '--+', '--^', '10 10 10'],
  ['dns retries while up', dnsHealth, kept, '---', '++v', '1 1 10'],
  ['dns does not retry an unsettled server that is down', dnsHealth, alphaAdded, '-', '-', '10'],
  ['smtp retries also while down', smtpHealth, keptDown, '----+', '----^', '1 1 10 1 10'],
  ['smtp retries the first cycle too', smtpHealth, unknown, '---', '++v', '1 1 10'],
] as const)('%s', ([, machine, start, verdicts, trace, waits]) => {
  const seen = walk(machine, verdicts, start)
  expect([seen.trace, seen.waits]).toEqual([trace, waits])
})

test('a first result is settled only when it decides', () => {
  expect(walk(commonHealth, '--', added).health.settled).toBe(false)
  expect(walk(commonHealth, '---', added).health.settled).toBe(true)
  expect(walk(commonHealth, '!', unknown).health.settled).toBe(false)
  expect(walk(commonHealth, '+', unknown).health.settled).toBe(true)
  expect(walk(httpHealth, '++', unknown, { course: { parts: 3, fast: false } }).health.settled).toBe(false)
  expect(walk(httpHealth, '+++', unknown, { course: { parts: 3, fast: false } }).health.settled).toBe(true)
})

const three: Course = { parts: 3, fast: false }
const threeFast: Course = { parts: 3, fast: true }

test.for([
  ['one url per round', kept, three, '+++++', '+++++', '01201', '10 10 10 10 10'],
  ['a failing url is retried in place', kept, three, '+--+', '++++', '0111', '10 1 1 10'],
  ['each url has its own retries', kept, three, '--+--+--+', '+++++++++', '000111222', '1 1 10 1 1 10 1 1 10'],
  ['the url that took it down is polled alone', kept, three, '+-----', '+++v--', '011111', '10 1 1 10 10 10'],
  ['then the list from its start', kept, three, '+---++++', '+++v---^', '01111012', '10 1 1 10 10 10 10 10'],
  ['a failure in that pass has its retries', kept, three, '---++--+', '++v-----', '00000111', '1 1 10 10 10 1 1 10'],
  ['and beyond them that url is the one', kept, three, '---++---+', '++v------', '000001111', '1 1 10 10 10 1 1 10 10'],
  ['one url needs two successes', kept, one, '---++', '++v-^', '00000', '1 1 10 10 10'],
  ['alpha needs one pass', alpha, three, '+++', '--^', '012', '10 10 10'],
  ['alpha, one url: one success', alpha, one, '+', '^', '0', '10'],
  ['the first failure counts at once', unknown, three, '-++++', 'v---^', '00012', '10 10 10 10 10'],
  ['a server kept down needs two successes', keptDown, one, '-++', '--^', '000', '10 10 10'],
  ['our own failure', kept, three, '+!!--!-', '++++++v', '0111111', '10 10 10 1 1 10 10'],
  ['fast: recovery at once', kept, threeFast, '---++++', '++v---^', '0000012', '1 1 10 0 0 0 10'],
  ['fast: the first pass at once', unknown, threeFast, '+++++', '+++++', '01201', '0 0 10 10 10'],
  ['fast: the first pass of alpha at once', alpha, threeFast, '+++', '--^', '012', '0 0 10'],
] as const)('http: %s', ([, start, course, verdicts, trace, parts, waits]) => {
  const seen = walk(httpHealth, verdicts, start, { course })
  expect([seen.trace, seen.parts, seen.waits]).toEqual([trace, parts, waits])
})

test('http: while down the longer of both waits', () => {
  expect(walk(httpHealth, '---', kept, { delayBeforeRetry: 30 }).waits).toBe('30 30 30')
  expect(walk(httpHealth, '---', kept, { delayBeforeRetry: 3 }).waits).toBe('3 3 10')
})

test.for([
  ['three successes bring it up', commonHealth, keptDown, '+++', '--^', '10 10 10', {}],
  ['a failure starts the count anew', commonHealth, keptDown, '++-+++', '-----^', '10 10 10 10 10 10', {}],
  ['our own failure does not', commonHealth, keptDown, '++!+', '---^', '10 10 10 10', {}],
  ['up it stays by any success', commonHealth, kept, '--+--+', '++++++', '1 1 10 1 1 10', {}],
  ['counting may be faster', commonHealth, keptDown, '+++', '--^', '3 3 10', { changing: 3 }],
  ['in both directions', commonHealth, kept, '---+++', '++v--^', '3 3 10 3 3 10', { changing: 3 }],
  ['alpha rises, too', commonHealth, alpha, '+++', '--^', '10 10 10', {}],
  ['a forgiven failure starts it anew: alpha', commonHealth, alphaAdded, '++-+++', '-----^', '10 10 1 10 10 10', {}],
  ['a forgiven failure starts it anew: smtp', smtpHealth, keptDown, '++-+++', '-----^', '10 10 1 10 10 10', {}],
  ['a forgiven failure starts it anew: http', httpHealth, keptDown, '++-+++', '-----^', '10 10 1 10 10 10', {}],
  ['http counts whole walks', httpHealth, keptDown, '++++', '---^', '10 10 10 10', {}],
  [
    'http failing in a walk starts anew',
    httpHealth,
    keptDown,
    '++---++++',
    '--------^',
    '3 3 3 3 10 3 3 3 10',
    { changing: 3 },
  ],
] as const)('rise 3: %s', ([, machine, start, text, trace, waits, more]) => {
  const seen = walk(machine, text, start, { rise: 3, ...more })
  expect([seen.trace, seen.waits]).toEqual([trace, waits])
})

const verdicts = fc.array(fc.constantFrom('+', '-', '!'), { maxLength: 40 }).map((symbols) => symbols.join(''))
const machines = fc.constantFrom(commonHealth, dnsHealth, smtpHealth, httpHealth)

property.prop([machines, verdicts, fc.nat(4)])(
  'never down with fewer than retry + 1 failures',
  (machine, text, retry) => {
    const counted = text.replaceAll('!', '')
    const seen = walk(machine, counted, kept, { retry })
    const down = seen.trace.indexOf('v')
    if (down >= 0) expect(counted.slice(0, down + 1).endsWith('-'.repeat(retry + 1))).toBe(true)
    else expect(counted).not.toContain('-'.repeat(retry + 1))
  },
)

property.prop([machines, verdicts])('our own failures change nothing but time', (machine, text) => {
  const without = walk(machine, text.replaceAll('!', ''))
  expect(walk(machine, text).health).toEqual(without.health)
})

property.prop([machines, verdicts, fc.integer({ min: 1, max: 4 }), fc.boolean()])(
  'turns alternate and agree with what is believed',
  (machine, text, parts, fast) => {
    const { trace } = walk(machine, text, unknown, { course: { parts, fast } })
    let up = true
    for (const mark of trace) {
      if (mark === '^' || mark === 'v') expect(mark === '^').toBe(!up)
      if (mark === '^' || mark === 'v') up = mark === '^'
      expect(mark === '^' || mark === '+').toBe(up)
    }
  },
)

property.prop([machines, verdicts, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })])(
  'never up again with fewer than rise successes since the last failure that counted',
  (machine, text, rise, parts) => {
    const course: Course = { parts, fast: false }
    const seen = walk(machine, text.replaceAll('!', ''), keptDown, { rise, course, retry: 0 })
    const needed = machine === httpHealth ? 1 + rise * parts : rise
    const counted = text.replaceAll('!', '')
    const up = seen.trace.indexOf('^')
    if (up >= 0) expect(counted.slice(0, up + 1).endsWith('+'.repeat(needed))).toBe(true)
    else expect(counted).not.toContain('+'.repeat(needed))
  },
)
