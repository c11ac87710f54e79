import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { coloured, plain } from '../paint.ts'
import { busyStatus, event, largeStatus, server, status, virtualServer } from '../testing/index.ts'
import { displayWidth } from '../text.ts'
import { calm, keysOf, pressed, type WatchEffect, type WatchState } from './keys.ts'
import { emptyMemory, remember, type WatchMemory } from './memory.ts'
import { watchPicture, type Room } from './picture.ts'
import { listRows } from './rows.ts'

const [one, two] = ['192.0.2.1:80/tcp', '192.0.2.2:80/tcp'] as const
const small = status({
  virtualServers: [one, two].map((name) =>
    virtualServer({ name, servers: ['10.0.0.1:80', '10.0.0.2:80'].map((each) => server({ name: each })) }),
  ),
})

/** What a row of keys leads to. */
function after(...keys: readonly string[]): { state: WatchState; effects: WatchEffect[] } {
  let state = calm
  const effects: WatchEffect[] = []
  for (const key of keys) {
    const next = pressed(state, key, listRows(small, state.toggled), 3)
    state = next.state
    if (next.effect !== undefined) effects.push(next.effect)
  }
  return { state, effects }
}

const [up, down, pageDown, end] = ['\x1b[A', '\x1b[B', '\x1b[6~', '\x1b[F'] as const

test.for([
  [[down], `${one} 10.0.0.1:80`],
  [['j', 'j', 'j'], two],
  [['j', 'j', 'k'], `${one} 10.0.0.1:80`],
  [[up], one],
  [[pageDown], two],
  [[end], `${two} 10.0.0.2:80`],
  [[end, 'g'], one],
  [[end, down], `${two} 10.0.0.2:80`],
  [['\x1bOB'], `${one} 10.0.0.1:80`],
] as const)('%j chooses %s', ([keys, chosen]) => {
  expect(after(...keys).state.chosen).toBe(chosen)
})

test.for([
  ['d', 'drain'],
  ['x', 'disable'],
  ['e', 'enable'],
] as const)('%s asks, y does it', ([key, action]) => {
  const asked = after('j', 'j', key)
  const what = `${action} 10.0.0.2:80 of ${one}`
  expect(asked).toMatchObject({ state: { question: { what } }, effects: [] })
  const request = { action, server: '10.0.0.2:80', service: one }
  expect(after('j', 'j', key, 'y')).toMatchObject({
    state: { question: undefined },
    effects: [{ do: 'steer', what, request }],
  })
})

test('any other key takes a question back and does nothing else', () => {
  for (const key of ['n', 'd', down, '\r', ' ', '\x1b']) {
    const { state, effects } = after('j', 'd', key)
    expect(state).toMatchObject({ question: undefined, chosen: `${one} 10.0.0.1:80` })
    expect(state.message).toContain('not done: drain')
    expect(effects).toEqual([])
  }
})

test('y without a question does nothing, and a virtual server is not drained', () => {
  expect(after('j', 'y').effects).toEqual([])
  expect(after('d', 'y')).toMatchObject({ effects: [], state: { question: undefined } })
  expect(after('d').state.message).toBe('choose a real server to drain')
})

test('q quits, also out of a question', () => {
  for (const keys of [['q'], ['j', 'd', 'q'], ['\x03']]) expect(after(...keys).effects).toEqual([{ do: 'quit' }])
})

test('enter closes a virtual server, and opens it again', () => {
  const closed = after('j', '\r').state
  expect(listRows(small, closed.toggled).map(({ key }) => key)).toEqual([one, two, `${two} 10.0.0.1:80`, `${two} 10.0.0.2:80`]) // prettier-ignore
  expect(closed.chosen).toBe(one)
  expect(listRows(small, after('\r', '\r').state.toggled)).toHaveLength(6)
})

test('a chosen row that is gone: the first one', () => {
  const state = { ...calm, chosen: 'gone' }
  expect(pressed(state, 'j', listRows(small, new Set()), 3).state.chosen).toBe(`${one} 10.0.0.1:80`)
  expect(pressed(state, 'd', [], 3)).toEqual({ state: { ...state, message: undefined, question: undefined } })
})

test('many servers: only those that are not up, until it is opened', () => {
  const large = largeStatus(5, 20)
  const rows = listRows(large, new Set())
  expect(rows.every(({ server: each }) => each === undefined || each.state !== 'up')).toBe(true)
})

test.for([
  ['jj', ['j', 'j']],
  ['\x1b[A\x1b[6~q', ['\x1b[A', '\x1b[6~', 'q']],
  ['\x1bOAé\r', ['\x1bOA', 'é', '\r']],
  ['\x1b', ['\x1b']],
] as const)('%j is %j', ([typed, keys]) => {
  expect(keysOf(typed)).toEqual(keys)
})

const room = (over: Partial<Room> = {}): Room => ({ width: 80, height: 24, paint: plain, unicode: true, ...over })

function remembered(): WatchMemory {
  const memory = emptyMemory()
  for (let i = 0; i < 20; i++) remember(memory, busyStatus(), i === 19 ? [event(1)] : [])
  return memory
}

describe('the picture', () => {
  test('at 80 columns', () => {
    // Where a line ends depends on the length of the zone.
    onTestFinished(() => { vi.restoreAllMocks() }) // prettier-ignore
    vi.spyOn(Date.prototype, 'getTimezoneOffset').mockReturnValue(0)
    const lines = watchPicture(busyStatus(), remembered(), { ...calm, chosen: '192.0.2.1:80/tcp 10.0.0.4:80' }, room({ height: 30 })) // prettier-ignore
    expect(`\n${lines.map((line) => line.trimEnd()).join('\n')}\n`.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/, 'TIME'))
      .toMatchInlineSnapshot(`
        "
        ipvs-director 0.1.0, pid 4711, up 3 h 12 min
        config /etc/keepalived/keepalived.conf, loaded 3 h 10 min ago, 2 reloads
        kernel IPVS 1.2.1, audited 4 s ago, figures 4 s old, 12 writes, 1 drift repaired
        2 virtual servers, 1 down; 5 real servers: 2 up, 2 down, 1 unknown

            NAME                         STATE   FOR   WGT ACT CPS RATE      MS LATENCY
            192.0.2.1:80/tcp             up      3 min 2/4  57  61 ████████
              10.0.0.2:80                up      3 min   3  41  45 ████████ 0.8 ████████
              10.0.0.3:80                up      3 min 1!0  16  16 ████████ 0.8 ████████
              failing (2 of 3 forgiven): HTTP_GET: no answer within 3 s
          >   10.0.0.4:80                down    12 s    -   0   0 ▁▁▁▁▁▁▁▁ 0.8 ████████
              cannot connect to 10.0.0.4:80: ECONNREFUSED (2 s ago)
              TCP_CHECK 10.0.0.4:80: down for 12 s, took 0.8 ms, 6 of 30 probes failed,
                next in 4 s
              10.0.0.5:80                unknown -       -   0   0 ▁▁▁▁▁▁▁▁
              not probed yet
          [2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp
                                         down    40 s  0/1   0   0 ▁▁▁▁▁▁▁▁
          [2001:db8:1234:5678:9abc:def0:1234:1]:53
                                         down    12 s    -   0   0 ▁▁▁▁▁▁▁▁ 0.8 ████████
              HTTP_GET http://[2001:db8:1234:5678:9abc:def0:1234:1]:8053/health answered
                503 Service Unavailable, wanted 200..299

        last events
        TIME 10.0.0.4:80 of 192.0.2.1:80/tcp is down: cannot connect to
        arrows choose, enter opens, d drain, x disable, e enable, q quits
        "
      `)
  })

  test('what does not fit follows what is chosen', () => {
    const many = status({ virtualServers: [virtualServer({ name: one, servers: Array.from({ length: 35 }, (_, i) => server({ name: `10.0.0.${i}:80` })) })] }) // prettier-ignore
    for (const i of [0, 17, 34]) {
      const chosen = `${one} 10.0.0.${i}:80`
      const lines = watchPicture(many, emptyMemory(), { ...calm, chosen }, room({ height: 12 }))
      expect(lines.filter((line) => line.startsWith('  >'))).toMatchObject([expect.stringContaining(`10.0.0.${i}:80`)])
      expect(lines).toHaveLength(12)
    }
  })

  test('a question stands at the bottom', () => {
    const { state } = after('j', 'd')
    expect(watchPicture(small, emptyMemory(), state, room()).at(-1)).toBe(
      `drain 10.0.0.1:80 of ${one}? y does it, any other key not`,
    )
  })

  property.prop([fc.integer({ min: 20, max: 200 }), fc.integer({ min: 1, max: 60 }), fc.boolean(), fc.boolean()])(
    'is never wider or higher than the terminal',
    (width, height, colour, unicode) => {
      const paint = colour ? coloured : plain
      const lines = watchPicture(busyStatus(), remembered(), calm, room({ width, height, paint, unicode }))
      expect(lines.length).toBeLessThanOrEqual(height)
      const bare = lines.map((line) => line.replace(/\x1b\[[0-9;]*m/g, ''))
      for (const line of bare) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      if (!unicode) expect(bare.join('')).toMatch(/^[\x00-\x7f]*$/)
    },
  )
})
