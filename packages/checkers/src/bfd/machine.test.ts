import { millis, seconds } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { detectionTime, jittered, newSession, packetOf, receive, silence, transmitInterval } from './machine.ts'
import type { BfdSession, BfdSettings } from './machine.ts'
import { bfdStates, type BfdState } from './packet.ts'

const settings: BfdSettings = {
  minTx: millis(10),
  minRx: millis(20),
  idleTx: seconds(1),
  multiplier: 5,
  passive: false,
}
const ours = newSession(settings, 7)
const theirs = { ...packetOf(newSession({ ...settings, minTx: millis(50), minRx: millis(30), multiplier: 3 }, 9)) }
const hear = (session: BfdSession, change: Partial<typeof theirs>): BfdSession =>
  receive(session, { ...theirs, yourDiscriminator: 7, ...change })?.session ?? session

/** RFC 5880 §6.2, the rows by our state, the columns by theirs. */
test.for([
  ['down', 'adminDown', 'down'],
  ['down', 'down', 'init'],
  ['down', 'init', 'up'],
  ['down', 'up', 'down'],
  ['init', 'adminDown', 'down'],
  ['init', 'down', 'init'],
  ['init', 'init', 'up'],
  ['init', 'up', 'up'],
  ['up', 'adminDown', 'down'],
  ['up', 'down', 'down'],
  ['up', 'init', 'up'],
  ['up', 'up', 'up'],
  ['adminDown', 'up', 'adminDown'],
] as const)('%s, told %s: %s', ([state, told, after]) => {
  expect(hear({ ...ours, state }, { state: told }).state).toBe(after)
})

test('why it went down', () => {
  expect(hear({ ...ours, state: 'up' }, { state: 'down' }).diagnostic).toBe(3)
  expect(silence({ ...ours, state: 'up' })).toMatchObject({ state: 'down', diagnostic: 1, remoteDiscriminator: 0 })
  expect(silence(ours)).toMatchObject({ state: 'down', diagnostic: 0 })
})

test('times are the slower of what one end wants to send and the other can take', () => {
  const up = hear(ours, { state: 'init', desiredMinTx: millis(50), requiredMinRx: millis(30), multiplier: 3 })
  expect(up.state).toBe('up')
  expect(transmitInterval(up)).toBe(30)
  expect(detectionTime(up)).toBe(150)
  expect(detectionTime(hear(up, { state: 'up', desiredMinTx: millis(5) }))).toBe(3 * 20)
  expect(transmitInterval(ours)).toBe(1000)
  expect(detectionTime(ours)).toBeUndefined()
})

test('nothing is sent where the other end wants nothing, has to begin, or asks when it wants to know', () => {
  expect(transmitInterval(hear(ours, { state: 'down', requiredMinRx: millis(0) }))).toBeUndefined()
  const passive = newSession({ ...settings, passive: true }, 7)
  expect(transmitInterval(passive)).toBeUndefined()
  expect(transmitInterval(hear(passive, { state: 'down' }))).toBe(1000)
  const demanded = hear(hear(ours, { state: 'init' }), { state: 'up', demand: true, final: true })
  expect(transmitInterval(demanded)).toBeUndefined()
})

test('the new interval is announced by polling until the other end confirms it', () => {
  const up = hear(ours, { state: 'init' })
  expect(packetOf(up)).toMatchObject({ poll: true, final: false, desiredMinTx: 10, requiredMinRx: 20 })
  expect(packetOf(hear(up, { state: 'up' })).poll).toBe(true)
  expect(packetOf(hear(up, { state: 'up', final: true })).poll).toBe(false)
})

test('a poll is answered by a packet that is final and no poll itself', () => {
  const asked = receive(hear(ours, { state: 'init' }), { ...theirs, yourDiscriminator: 7, state: 'up', poll: true })
  expect(asked?.reply).toBe(true)
  expect(asked === undefined ? undefined : packetOf(asked.session, true)).toMatchObject({ poll: false, final: true })
})

test('a packet for another session changes nothing', () => {
  expect(receive(ours, { ...theirs, yourDiscriminator: 8 })).toBeUndefined()
})

property.prop([fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 1, max: 255 })])(
  'jitter takes up to a quarter away and adds nothing',
  (random, multiplier) => {
    const interval = jittered(millis(100), newSession({ ...settings, multiplier }, 1), random)
    expect(interval).toBeGreaterThanOrEqual(75)
    expect(interval).toBeLessThanOrEqual(multiplier === 1 ? 90 : 100)
  },
)

type Happening = { readonly state: BfdState; readonly final: boolean } | 'silence'
const happenings = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ state: fc.constantFrom(...bfdStates), final: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant<Happening>('silence') },
  ),
  { maxLength: 30 },
)

property.prop([happenings])('never up without the other end having answered us, and never stuck', (list) => {
  let session = ours
  for (const each of list) {
    const before = session
    session = each === 'silence' ? silence(session) : hear(session, each)
    if (session.state === 'up' && before.state !== 'up') {
      expect(each).not.toBe('silence')
      expect(session.remoteState === 'init' || before.state === 'init').toBe(true)
    }
  }
  expect(hear(hear(silence(session), { state: 'down' }), { state: 'init' }).state).toBe('up')
})
