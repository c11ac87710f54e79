import { millis, seconds } from '@ipvs-director/core'
import { fakeClock, type FakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import type { Check } from './checker.ts'
import type { Checker } from './define.ts'
import { createEngine, type Engine, type EngineOptions } from './engine.ts'
import { httpHealth } from './http/health.ts'
import type { Opening, ProbeIo, Progress } from './io/port.ts'
import { checkOf, connectionTo, recordedEvents } from './testing/checks.ts'
import { scriptedChecker, type AskedProbe } from './testing/scripted.ts'
import { tcpCheck } from './tcp.ts'
import { ProbeFailure } from './verdict.ts'

const noIo: ProbeIo = {
  connect: () => Promise.reject(new Error('no network in this test')),
  doors: () => ({ ask: () => undefined, go: () => undefined, giveUp: () => undefined, progress: () => undefined }),
  exchanges: true,
  datagrams: () => Promise.reject(new Error('no network in this test')),
  ping: () => Promise.reject(new Error('no network in this test')),
  run: () => Promise.reject(new Error('no scripts in this test')),
  bfd: () => () => undefined,
  watchFile: () => () => undefined,
  forgetMaterial: () => undefined,
}

interface Bench {
  readonly clock: FakeClock
  readonly engine: Engine
  readonly asked: AskedProbe[]
  readonly events: ReturnType<typeof recordedEvents>
  /** Seconds at which the check of that name was probed. */
  readonly times: (name?: string) => number[]
}

function bench(options: Partial<EngineOptions> = {}, change: Parameters<typeof scriptedChecker>[1] = {}): Bench {
  const clock = fakeClock()
  const events = recordedEvents()
  const { checker, asked } = scriptedChecker(clock, change)
  const engine = createEngine({ clock, random: () => 0.5, io: noIo, checkers: [checker], events, ...options })
  const times = (name?: string): number[] =>
    asked.filter((probe) => name === undefined || probe.name === name).map((probe) => probe.at / 1000)
  return { clock, engine, asked, events, times }
}

const scripted = (script: string, change: Parameters<typeof checkOf>[3] = {}, name = 'a'): Check =>
  checkOf('SCRIPTED', undefined, { name, script }, change)

test.for([
  ['+', 0, [1, 11, 21], 'every delay_loop'],
  ['-', 0, [1, 11, 21], 'down: every delay_loop'],
  ['+--+', 2, [1, 11, 12, 13, 23], 'retries follow by delay_before_retry'],
] as const)('%s, retry %i: probed at %o: %s', async ([script, retry, expected]) => {
  const { clock, engine, times } = bench()
  engine.setChecks([scripted(script, { timing: { retry } })])
  await clock.advance(seconds(25))
  expect(times()).toEqual(expected)
})

test('the first probe waits 1 s and a random part of the warm-up', async () => {
  const { clock, engine, times } = bench()
  engine.setChecks([scripted('+', { timing: { warmup: seconds(4) } })])
  await clock.advance(seconds(12))
  expect(times()).toEqual([3])
})

test.for([
  [0, [1, 10, 19], 'as much shorter'],
  [0.5, [1, 11, 21], 'as it is'],
  [1, [1, 12, 23], 'as much longer'],
] as const)('jitter 10 %%, random %d: probed at %o: %s', async ([random, expected]) => {
  const { clock, engine, times } = bench({ random: () => random })
  engine.setChecks([scripted('+', { timing: { jitter: 0.1 } })])
  await clock.advance(seconds(25))
  expect(times()).toEqual(expected)
})

test.for([
  [seconds(10), millis(3000), false, 14, 'from the end of one that fails'],
  [seconds(10), millis(50), false, 11.05, 'from the end of one that fails'],
  [seconds(10), millis(50), true, 11, 'from the start of one that is soon done'],
  [seconds(10), millis(100), true, 11, 'from the start'],
  [seconds(10), millis(3000), true, 13.9, 'from the end but for 100 ms'],
  [millis(500), millis(50), true, 1.5, 'from the start'],
  [millis(500), millis(80), true, 1.53, 'from the end but for a tenth of the interval'],
] as const)(
  'every %i ms, a probe of %i ms, up: %s: the next comes at %d s, %s',
  async ([delayLoop, took, up, next]) => {
    const { clock, engine, asked, times } = bench()
    engine.setChecks([scripted('.', { timing: { delayLoop } })])
    await clock.advance(millis(1000 + took))
    asked[0]?.answer(up ? { up, class: 'ok', reason: '' } : { up, class: 'refused', reason: '' })
    await clock.advance(millis(delayLoop))
    expect(times()).toEqual([1, next])
  },
)

test('that starts wait for others to start with does not make probes rarer', async () => {
  let draw = 0
  const { clock, engine, times } = bench({ random: () => (draw++ * 0.618034) % 1 })
  const timing = { delayLoop: seconds(1), warmup: seconds(1), jitter: 0.1 }
  engine.setChecks(Array.from({ length: 400 }, (_, n) => scripted('+', { timing }, `check ${n}`)))
  await clock.advance(seconds(5))
  const before = times().length
  await clock.advance(seconds(50))
  // Each waits 10 ms on average: without making up for it there would be 1 % less.
  expect((times().length - before) / (400 * 50)).toBeCloseTo(1, 2.5)
})

test.for([
  [4, true, 11, 'made up for'],
  [7, true, 13, 'made up for by half of the interval'],
  [4, false, 14.97, 'not made up for but for what starting in rounds may take: it failed'],
] as const)('one that starts %d s late, up: %s: the next comes at %d s, %s', async ([late, up, next]) => {
  const { clock, engine, asked, times } = bench({ limit: 1 }, { deadline: seconds(100) })
  const timing = { timeout: seconds(100) }
  engine.setChecks([scripted('.', { timing }, 'slow'), scripted('.', { timing }, 'late')])
  await clock.advance(seconds(1 + late))
  engine.setChecks([scripted('.', { timing }, 'late')])
  asked[0]?.answer({ up: true, class: 'ok', reason: '' })
  await clock.advance(millis(0))
  asked[1]?.answer(up ? { up, class: 'ok', reason: '' } : { up, class: 'refused', reason: '' })
  await clock.advance(seconds(15))
  expect(times('late')).toEqual([1 + late, next])
})

test('from its start where the checker says so, and at once when that has passed', async () => {
  const { clock, engine, asked, times } = bench({}, { interval: 'start', deadline: seconds(100) })
  engine.setChecks([scripted('.', { timing: { timeout: seconds(100) } })])
  await clock.advance(seconds(4))
  asked[0]?.answer({ up: true, class: 'ok', reason: 'within' })
  await clock.advance(seconds(19))
  expect(times()).toEqual([1, 11])
  asked[1]?.answer({ up: true, class: 'ok', reason: 'beyond' })
  await clock.advance(seconds(1))
  expect(times()).toEqual([1, 11, 23])
})

test('never two probes of one check at once', async () => {
  const { clock, engine, times } = bench({}, { deadline: seconds(3600) })
  engine.setChecks([scripted('.', { timing: { timeout: seconds(3600) } })])
  await clock.advance(seconds(1000))
  expect(times()).toEqual([1])
})

test('a probe ends at its timeout, and its verdict counts', async () => {
  const { clock, engine, events, asked } = bench()
  engine.setChecks([scripted('?')])
  await clock.advance(millis(5999))
  expect(events.reports).toEqual([])
  await clock.advance(millis(1))
  expect(asked[0]?.attempt.ended).toBe('timeout')
  expect(events.reports).toMatchObject([{ up: false, turned: true, verdict: { class: 'timeout', took: 5000 } }])
})

test('a step that is done starts the timeout anew, but never beyond the deadline', async () => {
  const { clock, engine, asked } = bench({}, { deadline: seconds(12) })
  engine.setChecks([scripted('?')])
  await clock.advance(seconds(5))
  asked[0]?.attempt.step()
  await clock.advance(seconds(4))
  asked[0]?.attempt.step()
  await clock.advance(millis(3999))
  expect(asked[0]?.attempt.ended).toBeUndefined()
  await clock.advance(millis(1))
  expect(asked[0]?.attempt.ended).toBe('timeout')
})

test('a probe that does not end after its end is given up, and said to be', async () => {
  const { clock, engine, events } = bench()
  engine.setChecks([scripted('.')])
  await clock.advance(seconds(10))
  expect(events.reports).toEqual([])
  await clock.advance(seconds(1))
  expect(events.reports).toMatchObject([{ up: false, verdict: { class: 'timeout' } }])
  expect(events.troubles).toEqual([expect.stringContaining('did not end by itself')])
  expect(engine.busy).toBe(0)
})

test('the standard signal tells the same end', async () => {
  const { clock, engine, asked } = bench()
  engine.setChecks([scripted('?')])
  await clock.advance(seconds(1))
  const signal = asked[0]?.attempt.signal
  expect(signal?.aborted).toBe(false)
  await clock.advance(seconds(5))
  expect([signal?.aborted, signal?.reason]).toEqual([true, 'timeout'])
  expect(asked[0]?.attempt.signal.aborted).toBe(true)
})

test.for([
  ['+', {}, [{ first: true, turned: false, up: true }], 'the first verdict, then silence'],
  ['-', {}, [{ first: true, turned: true, up: false }], 'first and turned at once'],
  ['+-+', {}, [{ first: true }, { turned: true, up: false }, { turned: true, up: true }], 'each turn'],
  ['+', { initial: { seen: true, unproven: false } }, [], 'nothing where it was seen before'],
  ['+--', { timing: { retry: 1 } }, [{ first: true }, { turned: true, up: false }], 'not the forgiven ones'],
  [
    '+--',
    { timing: { retry: 1, logAllFailures: true } },
    [{ first: true }, { turned: false, up: true, verdict: { up: false } }, { turned: true, up: false }],
    'the forgiven ones too with log_all_failures',
  ],
  ['--', { timing: { retry: 1 }, initial: { unproven: false } }, [{ first: true, turned: true }], 'first when decided'],
  ['!!+', {}, [{ first: true, up: true }], 'not our own failures'],
  ['+5577+', {}, [{ first: true }, { verdict: { weight: 5 } }, { verdict: { weight: 7 } }, {}], 'weights that change'],
] as const)('%s %o: %o: %s', async ([script, change, expected]) => {
  const { clock, engine, events } = bench()
  engine.setChecks([scripted(script, change)])
  await clock.advance(seconds(65))
  expect(events.reports).toHaveLength(expected.length)
  expect(events.reports).toMatchObject(expected)
})

test('our own failure is trouble once, not per probe', async () => {
  const { clock, engine, events } = bench()
  engine.setChecks([scripted('!!!+!!')])
  await clock.advance(seconds(35))
  expect(events.troubles).toEqual(['SCRIPTED: as scripted'])
  await clock.advance(seconds(30))
  expect(events.troubles).toHaveLength(2)
})

test('trouble by the thousand is told in a few lines', async () => {
  const { clock, engine, events } = bench()
  engine.setChecks(Array.from({ length: 1000 }, (_, i) => scripted('!', {}, String(i))))
  await clock.advance(seconds(5))
  expect(events.troubles).toHaveLength(11)
  expect(events.troubles.at(-1)).toContain('and 989 more like it')
})

test('checks that stay keep state and timer, others start and stop', async () => {
  const { clock, engine, times, asked, events } = bench()
  const [a, b, c] = [scripted('+', {}, 'a'), scripted('?', {}, 'b'), scripted('+', {}, 'c')]
  engine.setChecks([a, b])
  await clock.advance(seconds(5))
  engine.setChecks([a, c])
  expect(asked.find((probe) => probe.name === 'b')?.attempt.ended).toBe('stopped')
  await clock.advance(seconds(20))
  expect([times('a'), times('b'), times('c')]).toEqual([[1, 11, 21], [1], [6, 16]])
  expect(events.reports.map((report) => report.id)).toEqual([a.id, c.id])
  expect((await engine.figures()).map((figures) => figures.id)).toEqual([a.id, c.id])
})

test('figures tell the last verdict, counts and the next start', async () => {
  const { clock, engine } = bench()
  const check = scripted('++-', { timing: { retry: 2 } })
  engine.setChecks([check])
  expect(await engine.figures()).toMatchObject([{ up: true, last: undefined, probes: 0, nextIn: 1000 }])
  await clock.advance(seconds(21.5))
  expect(await engine.figures([check.id, 'unknown'])).toMatchObject([
    { up: true, failures: 1, probes: 3, failed: 1, late: 0, nextIn: 500, last: { up: false, at: 21_000 } },
  ])
})

test('no more at once than the limit; the others wait and count as late', async () => {
  const { clock, engine, asked, times } = bench({ limit: 2 }, { deadline: seconds(100) })
  engine.setChecks(['a', 'b', 'c'].map((name) => scripted('.', { timing: { timeout: seconds(100) } }, name)))
  await clock.advance(seconds(3))
  expect([times(), engine.busy]).toEqual([[1, 1], 2])
  asked[0]?.answer({ up: true, class: 'ok', reason: 'done' })
  await clock.advance(seconds(0))
  expect(times()).toEqual([1, 1, 3])
  expect((await engine.figures()).map((figures) => figures.late).sort()).toEqual([0, 0, 1])
})

test('the parts of a check are walked by its machine', async () => {
  const { clock, engine, asked } = bench({}, { health: httpHealth })
  engine.setChecks([scripted('+')])
  await clock.advance(seconds(25))
  expect(asked.map((probe) => probe.part)).toEqual([0, 0, 0])
})

test('an unknown kind is trouble and nothing else', async () => {
  const { clock, engine, events } = bench()
  engine.setChecks([checkOf('NO_CHECK', undefined), scripted('+')])
  await clock.advance(seconds(2))
  expect(events.troubles).toEqual(['there is no checker NO_CHECK'])
  expect(events.reports).toHaveLength(1)
})

test('stop ends what is under way and leaves no timer', async () => {
  const { clock, engine, asked } = bench()
  engine.setChecks([scripted('?', {}, 'a'), scripted('+', {}, 'b')])
  await clock.advance(seconds(2))
  await engine.stop()
  expect(asked[0]?.attempt.ended).toBe('stopped')
  expect(clock.pending()).toBe(0)
})

/** A check that only asks for a connection, and what its doors are asked; the test answers. */
function doorBench(timing: Parameters<typeof checkOf>[3] = {}, limit = 5000, random = () => 0.5) {
  const clock = fakeClock()
  const events = recordedEvents()
  const asked: string[] = []
  let tell: (place: number, failure?: ProbeFailure, status?: number) => void = () => undefined
  const steps: { progress?: Progress; meanwhile?: (() => void) | undefined } = {}
  const doors: ProbeIo['doors'] = (told) => {
    tell = (place, failure, status) => {
      told(place, failure, status)
    }
    const nameOf = (opening: Opening): string => (typeof opening === 'object' ? opening.request('me') : opening)
    return {
      ask: (place, at, opening) => asked.push(`${nameOf(opening)} ${at.port} by ${place} at ${clock.now() / 1000}`),
      go: () => {
        asked.push('go')
        steps.meanwhile?.()
      },
      giveUp: (place) => asked.push(`give up ${place} at ${clock.now() / 1000}`),
      progress: () => steps.progress,
    }
  }
  const engine = createEngine({
    clock,
    random,
    io: { ...noIo, doors },
    checkers: [tcpCheck, talking(clock)],
    events,
    limit,
  })
  const check = (port: number, kind = 'TCP_CHECK'): Check => checkOf(kind, connectionTo(port), {}, timing)
  return { clock, engine, events, asked, steps, tell: (...said: Parameters<typeof tell>) => { tell(...said) }, check } // prettier-ignore
}

/** One that asks something over the connection. */
const talking = (clock: FakeClock): Checker => ({
  ...scriptedChecker(clock, { deadline: seconds(6) }).checker,
  opens: () => ({ request: () => 'ask', reader: () => ({ take: () => undefined, fault: () => undefined, status: 0 }) }),
})

test('what is asked over a connection: its status counts as it was last', async () => {
  const { clock, engine, events, asked, tell, check } = doorBench()
  engine.setChecks([check(1, 'SCRIPTED')])
  await clock.advance(seconds(1))
  expect(asked).toEqual(['ask 1 by 0 at 1', 'go'])
  for (const status of [200, 204]) {
    await clock.advance(millis(5))
    tell(0, undefined, status)
    await clock.advance(millis(9995))
  }
  expect(events.reports).toMatchObject([{ verdict: { reason: 'got 200 after 5 ms from 127.0.0.1:1' } }])
  expect((await engine.figures())[0]?.last?.reason).toBe('got 204 after 5 ms from 127.0.0.1:1')
})

test('each step of it has the whole timeout, and all of them together the time of the probe', async () => {
  const { clock, engine, events, asked, steps, check } = doorBench({ timing: { timeout: seconds(2) } })
  engine.setChecks([check(1, 'SCRIPTED')])
  await clock.advance(seconds(1))
  for (let second = 2; second <= 10; second += 1.5) {
    steps.progress = { steppedAt: clock.now(), waiting: 'no end of the answer from' }
    await clock.advance(seconds(1.5))
  }
  expect(asked.filter((said) => said !== 'go').slice(1)).toEqual(['give up 0 at 7'])
  expect(events.reports).toMatchObject([
    { verdict: { class: 'timeout', reason: 'no end of the answer from 127.0.0.1:1 after 6 s' } },
  ])
})

test('where nothing can be asked over it the probe is made that there is', async () => {
  const events = recordedEvents()
  const clock = fakeClock()
  const scripted = scriptedChecker(clock)
  const engine = createEngine({
    clock,
    io: { ...noIo, exchanges: false },
    checkers: [{ ...scripted.checker, opens: (options) => talking(clock).opens(options) }],
    events,
  })
  engine.setChecks([checkOf('SCRIPTED', connectionTo(1), { name: 'one', script: '+' }, {})])
  await clock.advance(seconds(5))
  expect(scripted.asked).toHaveLength(1)
})

test('those that are due at once are asked in one go, and told as any other', async () => {
  const { clock, engine, events, asked, tell, check } = doorBench()
  engine.setChecks([check(1), check(2)])
  await clock.advance(seconds(1))
  expect(asked).toEqual(['connect 1 by 0 at 1', 'connect 2 by 1 at 1', 'go'])
  await clock.advance(millis(250))
  tell(0)
  tell(1, new ProbeFailure('refused', 'connection refused: 127.0.0.1:2'))
  expect(events.reports).toMatchObject([
    { up: true, first: true, verdict: { class: 'ok', reason: 'connected to 127.0.0.1:1 after 250 ms', took: 250 } },
    { up: false, turned: true, verdict: { class: 'refused', took: 250 } },
  ])
  await clock.advance(seconds(10))
  expect(asked.slice(3)).toEqual(['connect 1 by 0 at 11.15', 'go', 'connect 2 by 1 at 11.25', 'go'])
})

test('one that stays up is counted, and its last verdict is put into words when somebody asks', async () => {
  const { clock, engine, events, tell, check } = doorBench()
  engine.setChecks([check(1)])
  for (let round = 1; round <= 3; round++) {
    await clock.advance(millis(round === 1 ? 1000 : 10_000 - (round - 1)))
    await clock.advance(millis(round))
    tell(0)
  }
  expect(events.reports).toHaveLength(1)
  const [{ last, probes, failed, durations, nextIn } = {}] = await engine.figures()
  expect(last).toEqual({
    up: true,
    class: 'ok',
    reason: 'connected to 127.0.0.1:1 after 3 ms',
    took: 3,
    at: 21_003,
  })
  expect([probes, failed, durations?.sum, nextIn]).toEqual([3, 0, 6, 9997])
  await clock.advance(seconds(10))
  tell(0, new ProbeFailure('local', 'no socket'))
  expect((await engine.figures())[0]?.last).toMatchObject({ class: 'local', reason: 'no socket' })
  expect(events.troubles).toHaveLength(1)
})

test('one that does not answer is given up at its timeout, and what it says later is nothing', async () => {
  const { clock, engine, events, asked, tell, check } = doorBench({ timing: { timeout: seconds(3) } })
  engine.setChecks([check(1)])
  await clock.advance(millis(3999))
  expect(events.reports).toEqual([])
  await clock.advance(millis(1))
  expect(asked.at(-2)).toBe('give up 0 at 4')
  expect(events.reports).toMatchObject([
    { up: false, verdict: { class: 'timeout', reason: 'no connection to 127.0.0.1:1 after 3 s', took: 3000 } },
  ])
  tell(0)
  expect(await engine.figures()).toMatchObject([{ up: false, probes: 1, nextIn: 10_000 }])
  expect(engine.busy).toBe(0)
})

test('a check that goes while it is asked is given up; one that takes its place hears nothing of that', async () => {
  const { clock, engine, events, asked, tell, check } = doorBench()
  engine.setChecks([check(1)])
  await clock.advance(seconds(1))
  engine.setChecks([check(2)])
  expect([asked.at(-1), engine.busy]).toEqual(['give up 0 at 1', 0])
  tell(0)
  await clock.advance(seconds(1))
  expect(asked.at(-2)).toBe('connect 2 by 0 at 2')
  expect(events.reports).toEqual([])
  await engine.stop()
  expect([asked.at(-1), engine.busy, clock.pending()]).toEqual(['give up 0 at 2', 0, 0])
})

test.for([
  ['few', 500, 30, 35],
  ['more than start in one go', 10_000, 20, 260],
] as const)(
  'probes start in rounds, %s of them: none early, and none later than its round',
  async ([, count, most, rounds]) => {
    let drawn = 0
    const warmup = seconds(1)
    const { clock, engine, asked, check } = doorBench({ timing: { warmup } }, count, () => drawn++ / count)
    engine.setChecks(Array.from({ length: count }, (_, n) => check(n + 1)))
    await clock.advance(seconds(3))
    const started = asked.flatMap((each) => {
      const [, place = NaN, at = NaN] = (/by (\d+) at ([\d.]+)$/.exec(each) ?? []).map(Number)
      return Number.isNaN(place) ? [] : [at * 1000 - (1000 + (1000 / count) * place)]
    })
    expect(started).toHaveLength(count)
    expect(Math.min(...started)).toBeGreaterThan(-0.001)
    expect(Math.max(...started)).toBeLessThan(most + 0.001)
    expect(asked.filter((each) => each === 'go').length).toBeLessThanOrEqual(rounds)
  },
)

/** Of so many equal parts of the time between two moments: how many were asked in each, beside what would be even. */
function shares(asked: readonly string[], from: number, to: number, count: number): number[] {
  const parts = new Array<number>(count).fill(0)
  for (const each of asked) {
    const part = Math.floor((count * (Number(/ at ([\d.]+)$/.exec(each)?.[1]) - from)) / (to - from))
    if (parts[part] !== undefined) parts[part]++
  }
  const even = parts.reduce((sum, each) => sum + each, 0) / count
  return parts.map((each) => each / even)
}

/** What is done with the places asked in each go. */
function onGo({ asked, steps }: ReturnType<typeof doorBench>, hear: (places: readonly number[]) => void): void {
  let before = 0
  steps.meanwhile = () => {
    const places = asked.slice(before).flatMap((each) => / by (\d+) /.exec(each)?.[1] ?? [])
    before = asked.length
    hear(places.map(Number))
  }
}

/** Answers each that is asked, so much later as so many are asked with it. */
function answering(doors: ReturnType<typeof doorBench>, perProbe: number): void {
  onGo(doors, (places) => {
    doors.clock.after(millis(perProbe * places.length), () => {
      for (const place of places) doors.tell(place)
    })
  })
}

test('probes stay spread over the interval where those that start together take longest', async () => {
  let draw = 0
  const timing = { delayLoop: seconds(1), warmup: seconds(1) }
  const doors = doorBench({ timing }, 5000, () => (draw++ * 0.618034) % 1)
  answering(doors, 0.3)
  doors.engine.setChecks(Array.from({ length: 3000 }, (_, n) => doors.check(n + 1)))
  await doors.clock.advance(seconds(60))
  expect(Math.max(...shares(doors.asked, 55, 60, 50))).toBeLessThan(1.5)
})

test.for([
  [1, 1],
  [3, 3],
  [2.5, 2],
] as const)(
  'a warm-up of %d intervals: first probes are spread evenly over %i of them',
  async ([warmup, intervals]) => {
    let draw = 0
    const timing = { delayLoop: seconds(1), warmup: seconds(warmup) }
    const { clock, engine, asked, check } = doorBench({ timing }, 5000, () => (draw++ * 0.7548777) % 1)
    engine.setChecks(Array.from({ length: 3000 }, (_, n) => check(n + 1)))
    await clock.advance(seconds(1 + warmup + 0.1))
    expect(asked.filter((each) => each !== 'go')).toHaveLength(3000)
    const even = shares(asked, 1, 1 + intervals, 10 * intervals)
    expect(Math.max(...even)).toBeLessThan(1.25)
    expect(Math.min(...even)).toBeGreaterThan(0.75)
  },
)

test('those that are all due at one moment move apart, a hundredth of the interval at a time, and then stay', async () => {
  const [delayLoop, count] = [200, 1000]
  const doors = doorBench({ timing: { delayLoop: millis(delayLoop), warmup: millis(0) } })
  answering(doors, 0.01)
  const { asked, clock, engine, check } = doors
  engine.setChecks(Array.from({ length: count }, (_, n) => check(n + 1)))
  await clock.advance(seconds(30))
  expect(Math.max(...shares(asked, 1, 2, 50))).toBeGreaterThan(8)
  expect(Math.max(...shares(asked, 5, 6, 50))).toBeGreaterThan(5)
  expect(Math.max(...shares(asked, 25, 30, 50))).toBeLessThan(1.5)
  const ofOne = asked.flatMap((each) => (each.includes(' by 123 ') ? 1000 * Number(/ at (.*)$/.exec(each)?.[1]) : []))
  const waits = ofOne.slice(1).map((at, n) => at - (ofOne[n] ?? NaN))
  expect(Math.min(...waits)).toBeGreaterThan(0.99 * delayLoop - 30)
  expect(Math.max(...waits)).toBeLessThan(delayLoop + 30)
  for (const wait of waits.slice(-25)) expect(wait).toBeCloseTo(delayLoop, 5)
})

test('where too many are due at once, one that is to be tried again without a wait is', async () => {
  const timing = { retry: 1, delayBeforeRetry: millis(0), warmup: millis(0) }
  const doors = doorBench({ timing })
  const { clock, engine, asked, tell, check } = doors
  onGo(doors, (places) => {
    for (const place of places) tell(place, new ProbeFailure('refused', 'connection refused'))
  })
  engine.setChecks(
    Array.from({ length: 500 }, (_, n) => ({ ...check(n + 1), initial: { up: true, unproven: false, seen: true } })),
  )
  await clock.advance(seconds(3))
  expect(asked.filter((each) => each !== 'go')).toHaveLength(1000)
  expect((await engine.figures()).filter(({ nextIn }) => nextIn === undefined || !(nextIn > 0))).toEqual([])
})

test('those that wait for a free place are asked once others are done', async () => {
  const { clock, engine, asked, tell, check } = doorBench({}, 1)
  engine.setChecks([check(1), check(2)])
  await clock.advance(seconds(3))
  expect(asked).toEqual(['connect 1 by 0 at 1', 'go'])
  expect((await engine.figures()).map(({ nextIn }) => nextIn)).toEqual([undefined, 0])
  tell(0)
  await clock.advance(seconds(0))
  expect(asked.slice(2)).toEqual(['connect 2 by 1 at 3', 'go'])
  expect((await engine.figures()).map(({ late }) => late)).toEqual([0, 1])
})

test('one that takes the place of another which opened at once has its time limit, too', async () => {
  const { clock, engine, events, asked, steps, tell, check } = doorBench({ timing: { timeout: seconds(2) } }, 1)
  engine.setChecks([check(1), check(2)])
  steps.meanwhile = () => {
    steps.meanwhile = undefined
    tell(0)
  }
  await clock.advance(seconds(4))
  expect(asked.filter((said) => said !== 'go').slice(1)).toEqual(['connect 2 by 1 at 1', 'give up 1 at 3'])
  expect(events.reports).toMatchObject([{ up: true }, { verdict: { class: 'timeout' } }])
})

test('whoever hears of a verdict may want no more of that check', async () => {
  const { clock, engine, events, asked, tell, check } = doorBench()
  events.report = () => {
    engine.setChecks([])
  }
  engine.setChecks([check(1)])
  await clock.advance(seconds(1))
  tell(0)
  await clock.advance(seconds(30))
  expect([asked.length, engine.size, clock.pending()]).toEqual([2, 0, 0])
})

test('ten thousand starts at one moment are all made', async () => {
  const { clock, engine, events } = bench()
  engine.setChecks(Array.from({ length: 10_000 }, (_, i) => scripted('+', {}, String(i))))
  await clock.advance(seconds(2))
  expect(events.reports).toHaveLength(10_000)
  expect(engine.busy).toBe(0)
})
