import { fc, test as property } from '@fast-check/vitest'
import { type Address, address, type Millis, millis, seconds } from '@ipvs-director/core'
import { expect, test, vi } from 'vitest'
import { protocolOf } from './identity.ts'
import { initialState, nextDue, step } from './state-machine.ts'
import type { HeardAdvert, InstanceEffect, InstanceEvent, InstanceState, Phase } from './state.ts'
import { anInstance } from './testing/configs.ts'

// Properties take a while on a machine that is busy otherwise.
vi.setConfig({ testTimeout: 30_000 })

/** One instance on a clock of its own: events go in by hand, ticks when they are due. */
function machine(change: Parameters<typeof anInstance>[0] = {}, grouped = false) {
  let protocol = protocolOf(anInstance(change), grouped)
  let now = 0
  let state = initialState(protocol, millis(0))
  const effects: InstanceEffect[] = []
  const send = (event: InstanceEvent): InstanceEffect[] => {
    const done = step(state, protocol, event, millis(now))
    if (event.type === 'reconfigured') protocol = event.protocol
    state = done.state
    effects.push(...done.effects)
    return [...done.effects]
  }
  return {
    state: (): InstanceState => state,
    phase: (): Phase => state.phase,
    now: () => now,
    effects,
    send,
    /** What was done, by name; advertisements with their priority. */
    done: (from = 0) =>
      effects.slice(from).map((each) => (each.do === 'advertise' ? `advertise ${each.priority}` : each.do)),
    start: (delay = 0) => send({ type: 'start', delay: millis(delay) }),
    hear: (priority: number, more: Partial<HeardAdvert> = {}) =>
      send({ type: 'advert', advert: { ...advert(priority, state), ...more } }),
    /** Moves time, with a tick whenever one is due. */
    run(duration: number) {
      const until = now + duration
      for (let due = nextDue(state); due !== undefined && due <= until; due = nextDue(state)) {
        now = Math.max(now, due)
        send({ type: 'tick' })
      }
      now = until
    },
    /** Stands still: time passes without ticks. */
    stall(duration: number) {
      now += duration
    },
    left: (timer: keyof InstanceState['due']) => (state.due[timer] === undefined ? undefined : state.due[timer] - now),
  }
}

const own = address('192.0.2.5')
const lower = address('192.0.2.1')
const higher = address('192.0.2.9')
const advert = (priority: number, state: InstanceState, source: Address = lower): HeardAdvert => ({
  priority,
  interval: state.masterInterval,
  source,
  own,
  path: 0,
})
const down = 3609.375
const skew = 609.375

function master(change: Parameters<typeof anInstance>[0] = {}) {
  const it = machine(change)
  it.start()
  it.run(4100)
  expect(it.phase()).toBe('master')
  return it
}
function backup(change: Parameters<typeof anInstance>[0] = {}) {
  const it = machine(change)
  it.start()
  return it
}

test.for([
  ['a backup waits a whole Master_Down_Interval', {}, 0, 'backup', down],
  ['state MASTER gives no head start', { initialState: 'MASTER', priority: 150 }, 0, 'backup', 3414.0625],
  ['an owner takes over at once', { initialState: 'MASTER', priority: 255 }, 0, 'master', undefined],
  ['an owner without the wish waits', { initialState: 'BACKUP', priority: 255 }, 0, 'backup', 3003.90625],
  ['a startup delay holds everything back', {}, 5000, 'init', undefined],
] as const)('start: %s', ([, change, delay, phase, left]) => {
  const it = machine(change)
  it.start(delay)
  expect(it.phase()).toBe(phase)
  expect(it.left('down')).toBe(left)
  expect(it.effects[0]).toEqual({ do: 'release' })
})

test('adverts during the startup delay are thrown away, and all timers start at its end', () => {
  const it = machine()
  it.start(5000)
  it.hear(200)
  it.run(5000)
  expect([it.phase(), it.left('down'), it.state().master]).toEqual(['backup', down, undefined])
})

/** RFC 9568 §6.4.2. Own priority 100; 2 s after the start, so that 1609.375 ms are left. */
test.for([
  ['priority 0: only the skew is left', {}, 0, skew],
  ['a higher priority: the timer begins again', {}, 150, down],
  ['the same priority, whatever its address: begins again', {}, 100, down],
  ['a lower priority: discarded, the timer runs on', {}, 50, down - 2000],
  ['a lower priority with nopreempt: begins again', { preempt: false }, 50, down],
  ['a lower priority during preempt_delay: begins again', { preemptDelay: seconds(10) }, 50, down],
  [
    'a lower priority behind a shut gate: begins again',
    { preemptGate: { checkers: true, ipvsSync: false, timeout: undefined } },
    50,
    down,
  ],
] as const)('backup hears %s', ([, change, priority, left]) => {
  const it = backup(change)
  it.run(2000)
  it.hear(priority)
  expect(it.left('down')).toBe(left)
  expect(it.phase()).toBe('backup')
})

test('a second priority 0 does not put the takeover off', () => {
  const it = backup()
  it.hear(0)
  it.run(400)
  it.hear(0)
  expect(it.left('down')).toBe(skew - 400)
})

test('v3 adopts the interval of the master, v2 keeps its own', () => {
  for (const [version, wanted] of [
    [2, 1000],
    [3, 5000],
  ] as const) {
    const it = backup({ version })
    it.hear(150, { interval: seconds(5) })
    expect(it.state().masterInterval).toBe(wanted)
  }
  const it = backup({ version: 3 })
  it.hear(150, { interval: seconds(5) })
  expect(it.left('down')).toBe(18_046.875)
})

/** RFC 9568 §6.4.2 (345), and reference §4: the order of becoming master. */
test('Master_Down_Timer: advert first, then addresses, then neighbours, then everybody hears of it', () => {
  const it = backup()
  const before = it.effects.length
  it.run(down)
  expect(it.phase()).toBe('master')
  expect(it.done(before)).toEqual(['log', 'advertise 100', 'hold', 'announce', 'turned'])
  expect(it.left('advert')).toBe(1000)
})

test('silence while packets were dropped is not believed, but not for ever', () => {
  const it = backup()
  for (let i = 0; i < 3; i++) {
    it.stall(down)
    it.send({ type: 'tick', missed: true })
    expect([it.phase(), it.left('down')]).toEqual(['backup', down])
  }
  it.stall(down)
  it.send({ type: 'tick', missed: true })
  expect(it.phase()).toBe('master')
})

/** RFC 9568 §6.4.3. Own priority 100, own address 192.0.2.5. */
test.for([
  ['priority 0: an advert at once', {}, 0, lower, 'master', ['log', 'advertise 100']],
  ['a higher priority: backup, quietly', {}, 150, lower, 'backup', ['silence', 'release', 'turned']],
  ['a higher priority, nopreempt or not', { preempt: false }, 150, lower, 'backup', ['silence', 'release', 'turned']],
  [
    'a higher priority with higher_prio_send_advert',
    { higherPrioritySendAdvert: true },
    150,
    lower,
    'backup',
    ['advertise 100', 'silence', 'release', 'turned'],
  ],
  ['the same priority from a higher address: backup', {}, 100, higher, 'backup', ['silence', 'release', 'turned']],
  [
    'the same priority from a lower address: stays',
    {},
    100,
    lower,
    'master',
    ['log', 'advertise 100', 'announce', 'heardLower'],
  ],
  [
    'a lower priority from a higher address: stays',
    {},
    50,
    higher,
    'master',
    ['log', 'advertise 100', 'announce', 'heardLower'],
  ],
  [
    'a lower priority with lower_prio_no_advert',
    { lowerPriorityNoAdvert: true },
    50,
    lower,
    'master',
    ['log', 'announce', 'heardLower'],
  ],
  ['its own address: tells, stays', {}, 100, own, 'master', ['log']],
] as const)('master hears %s', ([, change, priority, source, phase, done]) => {
  const it = master(change)
  it.run(300)
  const before = it.effects.length
  it.hear(priority, { source })
  expect(it.phase()).toBe(phase)
  expect(it.done(before)).toEqual(done)
})

test('a master that yields waits a Master_Down_Interval of the new one', () => {
  const it = master({ version: 3 })
  it.hear(150, { interval: seconds(2) })
  expect(it.state()).toMatchObject({ phase: 'backup', masterInterval: 2000, master: { address: lower, priority: 150 } })
  expect(it.left('down')).toBe(3 * 2000 + (156 * 2000) / 256)
})

test('numeric, not textual: 192.0.2.10 is higher than 192.0.2.9', () => {
  const it = master()
  it.hear(100, { own: address('192.0.2.9'), source: address('192.0.2.10') })
  expect(it.phase()).toBe('backup')
})

test('two paths with opposite orders: the lower path decides', () => {
  const it = master()
  it.hear(100, { source: lower, path: 0 })
  it.hear(100, { source: higher, path: 1 })
  expect(it.phase()).toBe('master')
  const alone = master()
  alone.hear(100, { source: higher, path: 1 })
  expect(alone.phase()).toBe('backup')
})

test('adverts leave on a steady grid', () => {
  const it = master({ version: 3, advertInterval: millis(100) })
  const before = it.effects.length
  it.run(10_000)
  expect(it.done(before).filter((each) => each === 'advertise 100')).toHaveLength(100)
})

test('a flood of lower adverts is answered at most twice an interval', () => {
  const it = master()
  const before = it.effects.length
  for (let i = 0; i < 1000; i++) {
    it.run(1)
    it.hear(50)
  }
  const done = it.done(before)
  expect(done.filter((each) => each === 'advertise 100').length).toBeLessThanOrEqual(4)
  expect(done.filter((each) => each === 'announce').length).toBeLessThanOrEqual(4)
})

test('a flood of lower adverts under many addresses is answered no more often', () => {
  const it = master()
  const before = it.effects.length
  for (let i = 0; i < 1000; i++) {
    it.run(1)
    it.hear(50, { source: address(`10.0.${i >> 8}.${i & 255}`) })
  }
  const done = it.done(before)
  expect(done.filter((each) => each === 'advertise 100').length).toBeLessThanOrEqual(4)
  expect(done.filter((each) => each === 'announce').length).toBeLessThanOrEqual(4)
  expect(done.filter((each) => each === 'alarm')).toHaveLength(1)
})

/** preempt_delay, reference §3. */
test('preempt_delay begins with the first lower advert; the takeover comes after it and the rest of the wait', () => {
  const it = backup({ preemptDelay: seconds(10) })
  for (let at = 0; at < 11; at++) {
    it.hear(50)
    it.run(1000)
    expect(it.phase()).toBe('backup')
  }
  // Over at 10 s; the last advert before that was taken at 10 s, the later ones are not.
  for (let at = 11; at < 16 && it.phase() === 'backup'; at++) {
    it.hear(50)
    it.run(1000)
  }
  expect(it.phase()).toBe('master')
})

test('preempt_delay does not matter when nobody is master, nor after a higher priority', () => {
  const silent = backup({ preemptDelay: seconds(100) })
  silent.run(down)
  expect(silent.phase()).toBe('master')
  const it = backup({ preemptDelay: seconds(10) })
  it.hear(50)
  it.run(5000 - 3000)
  it.hear(150)
  expect(it.state().due.preempt).toBeUndefined()
})

test('a priority that changes shifts the running wait by the difference of the formulas', () => {
  const it = backup()
  it.run(1000)
  it.send({ type: 'tracked', priority: 200, faults: [], waiting: false })
  expect(it.left('down')).toBe(3218.75 - 1000)
  expect(it.done()).toContain('priorityChanged')
})

/** FAULT, reference §3. */
test('a fault: priority 0 from a master, nothing from a backup; back by a whole wait', () => {
  const it = master()
  const before = it.effects.length
  it.send({ type: 'tracked', priority: 100, faults: ['interface eth0 is down'], waiting: false })
  expect(it.done(before)).toEqual(['advertise 0', 'silence', 'release', 'turned'])
  it.hear(200)
  expect([it.phase(), it.state().master]).toEqual(['fault', undefined])
  it.run(60_000)
  it.send({ type: 'tracked', priority: 100, faults: [], waiting: false })
  expect([it.phase(), it.left('down')]).toEqual(['backup', down])
  const quiet = backup()
  const start = quiet.effects.length
  quiet.send({ type: 'tracked', priority: 100, faults: ['x'], waiting: false })
  expect(quiet.done(start)).toEqual(['turned'])
})

test('an owner that leaves a fault waits an interval and its skew; unicast refreshes its own address', () => {
  const it = machine({
    priority: 255,
    initialState: 'MASTER',
    unicastPeers: [{ address: lower, minTtl: undefined, maxTtl: undefined }],
  })
  it.send({ type: 'tracked', priority: 255, faults: ['x'], waiting: false })
  it.start()
  expect(it.phase()).toBe('fault')
  it.send({ type: 'tracked', priority: 255, faults: [], waiting: false })
  expect(it.left('down')).toBe(1003.90625)
  expect(it.done()).toContain('announceSource')
})

test('a script without a result that could be a fault is waited for in init', () => {
  const it = machine()
  it.send({ type: 'tracked', priority: 100, faults: [], waiting: true })
  it.start()
  it.run(10_000)
  expect(it.phase()).toBe('init')
  it.send({ type: 'tracked', priority: 100, faults: [], waiting: false })
  expect(it.phase()).toBe('backup')
})

test('an address removed by somebody else: priority 0, and back as master one skew later', () => {
  const it = master()
  const before = it.effects.length
  it.send({ type: 'lost', what: '192.0.2.100/32' })
  expect(it.done(before)).toEqual(['log', 'advertise 0', 'silence', 'release', 'turned'])
  it.run(skew - 1)
  expect(it.phase()).toBe('backup')
  it.run(1)
  expect(it.phase()).toBe('master')
})

/** Gratuitous ARPs, reference §4. */
test('announcements: at once, after garp_master_delay, then each refresh', () => {
  const it = machine({
    announcing: {
      masterDelay: seconds(5),
      masterRepeat: 5,
      masterRefresh: seconds(10),
      masterRefreshRepeat: 1,
      lowerPriorityDelay: seconds(3),
      lowerPriorityRepeat: 2,
      extraInterfaces: undefined,
    },
  })
  it.start()
  it.run(down)
  const times: [number, number][] = []
  for (let at = 0; at <= 36; at++) {
    const before = it.effects.length
    it.run(1000)
    for (const each of it.effects.slice(before)) if (each.do === 'announce') times.push([at + 1, each.repeat])
    if (at === 19) it.hear(50)
  }
  expect(times).toEqual([
    [5, 5],
    [15, 1],
    [23, 2],
    [25, 1],
    [35, 1],
  ])
})

/** The lease, DESIGN.md. */
test('a lease is renewed with the advertisements, at about a third of it', () => {
  const it = master({ vipLease: seconds(3) })
  const before = it.effects.length
  it.run(30_000)
  const done = it.done(before)
  expect(done.filter((each) => each === 'renew')).toHaveLength(30)
  expect(done.indexOf('renew')).toBe(done.indexOf('advertise 100') + 1)
  expect(it.state().leaseUntil! - it.now()).toBeGreaterThan(2000 - 1)
  const none = master({ vipLease: undefined })
  none.run(30_000)
  expect(none.done()).not.toContain('renew')
})

/** The stall guard, DESIGN.md. */
test.for([
  [3000, 'master'],
  [3007, 'master'],
  [3009, 'backup'],
  [60_000, 'backup'],
] as const)('a master that stood still for %s ms is %s when it looks', ([pause, phase]) => {
  const it = master()
  it.run(it.left('advert')!)
  it.stall(pause)
  const before = it.effects.length
  it.send({ type: 'tick' })
  expect(it.phase()).toBe(phase)
  if (phase === 'master') return
  // Silently: a priority 0 would throw the new master's backups into an election.
  expect(it.done(before)).toEqual(['alarm', 'silence', 'release', 'turned'])
  expect(it.left('down')).toBe(down)
})

test('timer_expired_backup: after a stall it waits as long as that priority does', () => {
  const it = master({ timerExpiredBackup: 1 })
  it.stall(10_000)
  it.send({ type: 'tick' })
  expect(it.left('down')).toBe(3996.09375)
})

/** Split brain. */
test('a rival that goes on advertising is told of once, and its silence, too', () => {
  const it = master()
  for (let i = 0; i < 10; i++) {
    it.run(1000)
    it.hear(50)
  }
  expect(it.done().filter((each) => each === 'alarm')).toHaveLength(1)
  expect(it.state().contest).toMatchObject({ address: lower, priority: 50, adverts: 10 })
  it.run(3700)
  expect(it.state().contest).toBeUndefined()
  expect(it.done().filter((each) => each === 'calm')).toHaveLength(1)
})

test('two adverts that cross ours while mastership moves are no alarm', () => {
  const it = master()
  it.hear(50)
  it.run(500)
  it.hear(50)
  it.run(10_000)
  expect(it.done()).not.toContain('alarm')
})

test('another machine that claims our address: told of, and contested at most once an interval', () => {
  const it = master()
  const before = it.effects.length
  for (let i = 0; i < 300; i++) {
    it.send({ type: 'claimed', address: address('192.0.2.100'), mac: '02:00:00:00:00:99' })
    it.run(10)
  }
  const done = it.done(before)
  expect(done.filter((each) => each === 'alarm')).toHaveLength(1)
  expect(done.filter((each) => each === 'announce')).toHaveLength(3)
  it.run(20_000)
  expect(it.done(before)).toContain('calm')
})

test("a new master's gratuitous ARP that is read before its advertisement is no claim", () => {
  const it = master()
  const before = it.effects.length
  it.send({ type: 'claimed', address: address('192.0.2.100'), mac: '02:00:00:00:00:99' })
  it.hear(150)
  it.run(1000)
  expect(it.done(before)).toEqual(['silence', 'release', 'turned'])
})

const arbitration = {
  require: 'any' as const,
  addresses: [lower],
  interval: seconds(1),
  timeout: seconds(1),
  fall: 3,
  stepDown: true,
}

test('arbitration: silence alone is not enough to take over', () => {
  const it = backup({ arbitration })
  it.run(down)
  expect([it.phase(), it.done().at(-1)]).toEqual(['backup', 'ask'])
  it.send({ type: 'arbitrated', answered: false })
  expect(it.phase()).toBe('backup')
  expect(it.done()).toContain('alarm')
  it.run(1000)
  expect(it.done().at(-1)).toBe('ask')
  it.send({ type: 'arbitrated', answered: true })
  expect(it.phase()).toBe('master')
})

test('arbitration: an answer that never comes counts as none, and one that comes too late changes nothing', () => {
  const it = backup({ arbitration })
  it.run(down + 2000)
  expect(it.done()).toContain('alarm')
  it.send({ type: 'arbitrated', answered: true })
  expect(it.phase()).toBe('backup')
  it.run(1000)
  it.hear(150)
  it.send({ type: 'arbitrated', answered: true })
  expect(it.phase()).toBe('backup')
})

test.for([
  [true, 'backup'],
  [false, 'master'],
] as const)('arbitration: a master that loses them, step_down %s: %s', ([stepDown, phase]) => {
  const it = backup({ arbitration: { ...arbitration, stepDown } })
  it.run(down)
  it.send({ type: 'arbitrated', answered: true })
  for (let i = 0; i < 3; i++) {
    it.run(1000)
    it.send({ type: 'arbitrated', answered: false })
  }
  expect(it.phase()).toBe(phase)
  expect(it.done()).toContain('alarm')
})

test('the preempt gate opens by its events, or by its timeout', () => {
  const gate = { checkers: true, ipvsSync: true, timeout: seconds(30) }
  const it = backup({ preemptGate: gate })
  it.send({ type: 'gateOpened', gate: 'checkers' })
  expect(it.state().gates).toEqual(['ipvsSync'])
  for (let i = 0; i < 29; i++) {
    it.hear(50)
    it.run(1000)
  }
  expect(it.phase()).toBe('backup')
  for (let i = 0; i < 6; i++) {
    it.hear(50)
    it.run(1000)
  }
  expect(it.phase()).toBe('master')
})

/** Planned switch-over. */
test('move: priority 0, then it stays backup of whoever takes over, until it is released', () => {
  const it = master()
  const before = it.effects.length
  it.send({ type: 'move' })
  expect(it.done(before)).toEqual(['advertise 0', 'silence', 'release', 'turned'])
  for (let i = 0; i < 20; i++) {
    it.hear(50)
    it.run(1000)
  }
  expect(it.phase()).toBe('backup')
  it.send({ type: 'free' })
  for (let i = 0; i < 4; i++) {
    it.hear(50)
    it.run(1000)
  }
  expect(it.phase()).toBe('master')
})

test('move with nobody to take over: the address comes back by itself', () => {
  const it = master()
  it.send({ type: 'move' })
  it.run(down)
  expect([it.phase(), it.state().yielding]).toEqual(['master', false])
})

test('hold: never master, even alone, until it is released', () => {
  const it = master()
  it.send({ type: 'hold' })
  it.run(100_000)
  expect(it.phase()).toBe('backup')
  it.send({ type: 'free' })
  it.run(down)
  expect(it.phase()).toBe('master')
})

/** Reload and stop, reference §10. */
test('a reload: a master stays master, says at once what it advertises now, and installs what is new', () => {
  const it = master()
  const before = it.effects.length
  const protocol = protocolOf(anInstance({ priority: 120, advertInterval: seconds(2) }), false)
  it.send({ type: 'reconfigured', protocol, addressesChanged: true })
  expect(it.done(before)).toEqual(['advertise 100', 'hold', 'announce'])
  expect([it.phase(), it.left('advert')]).toEqual(['master', 2000])
  const quiet = it.effects.length
  it.send({ type: 'reconfigured', protocol, addressesChanged: false })
  expect(it.done(quiet)).toEqual(['advertise 100', 'renew'])
})

test('a reload that ends the leases makes the addresses of a master last', () => {
  const it = master()
  const before = it.effects.length
  const protocol = protocolOf(anInstance({ vipLease: undefined }), false)
  it.send({ type: 'reconfigured', protocol, addressesChanged: false })
  expect(it.effects.slice(before)).toContainEqual({ do: 'hold', lease: undefined })
  it.run(10_000)
  expect(it.done(before)).not.toContain('renew')
})

test('a reload of a backup changes the running wait by the difference of the formulas', () => {
  const it = backup()
  it.run(1000)
  it.send({
    type: 'reconfigured',
    protocol: protocolOf(anInstance({ advertInterval: seconds(2) }), false),
    addressesChanged: false,
  })
  expect(it.left('down')).toBe(down + 3000 - 1000)
})

test.for([
  [false, ['advertise 0', 'silence', 'release', 'turned']],
  [true, ['turned']],
] as const)('stop of a master, keep %s', ([keep, done]) => {
  const it = master()
  const before = it.effects.length
  it.send({ type: 'stop', keep })
  expect(it.done(before)).toEqual(done)
  it.run(100_000)
  it.hear(0)
  expect(it.phase()).toBe('stopped')
})

test('in a group it asks, waits, and goes when the group says so', () => {
  const it = machine({}, true)
  it.start()
  it.run(down)
  expect([it.phase(), it.done().at(-1), it.state().wants, it.left('down')]).toEqual([
    'backup',
    'wantMaster',
    true,
    down,
  ])
  it.hear(150)
  expect([it.done().at(-2), it.state().wants]).toEqual(['unwant', false])
  it.send({ type: 'groupMaster' })
  expect(it.phase()).toBe('master')
  const before = it.effects.length
  it.send({ type: 'groupBackup', why: 'VI_2 left', resign: false })
  expect(it.done(before)).toEqual(['silence', 'release', 'turned'])
})

/** Whatever comes, in whatever order: holding is being master, and a deadline never lies in the past after a tick. */
const anyEvent: fc.Arbitrary<InstanceEvent> = fc.oneof(
  fc.constant<InstanceEvent>({ type: 'tick' }),
  fc.record({
    type: fc.constant('advert' as const),
    advert: fc.record({
      priority: fc.integer({ min: 0, max: 255 }),
      interval: fc.integer({ min: 1, max: 4095 }).map((each) => millis(each * 10)),
      source: fc.constantFrom(lower, own, higher),
      own: fc.constantFrom(own, undefined),
      path: fc.integer({ min: 0, max: 2 }),
    }),
  }),
  fc.record({
    type: fc.constant('tracked' as const),
    priority: fc.integer({ min: 1, max: 254 }),
    faults: fc.constantFrom([], [], ['x']),
    waiting: fc.boolean(),
  }),
  fc.constantFrom<InstanceEvent>(
    { type: 'lost', what: 'x' },
    { type: 'claimed', address: own, mac: 'm' },
    { type: 'arbitrated', answered: true },
    { type: 'arbitrated', answered: false },
    { type: 'gateOpened', gate: 'checkers' },
    { type: 'groupMaster' },
    { type: 'groupBackup', why: 'x', resign: true },
    { type: 'groupAnnounce' },
    { type: 'move' },
    { type: 'hold' },
    { type: 'free' },
  ),
)

property.prop([
  fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: 5000 })), { maxLength: 60 }),
  fc.boolean(),
  fc.record({
    preempt: fc.boolean(),
    preemptDelay: fc.constantFrom(0, 5000).map(millis),
    version: fc.constantFrom(2 as const, 3 as const),
    arbitration: fc.constantFrom(undefined, arbitration),
  }),
])(
  'whatever happens: it holds exactly while it is master, and something is always due unless it is in fault',
  (events, grouped, change) => {
    const it = machine(change, grouped)
    let holding = false
    let seen = 0
    const look = (): void => {
      for (const each of it.effects.slice(seen)) {
        if (each.do === 'hold') holding = true
        else if (each.do === 'release') holding = false
      }
      seen = it.effects.length
      expect(holding).toBe(it.phase() === 'master')
      const due: Millis | undefined = nextDue(it.state())
      if (it.phase() === 'backup' || it.phase() === 'master') expect(due).toBeDefined()
    }
    it.start()
    for (const [event, pause] of events) {
      it.send(event)
      look()
      it.run(pause)
      look()
    }
  },
)
