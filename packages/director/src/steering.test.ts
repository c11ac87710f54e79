import type { Wish } from './wish.ts'
import { address, formatEndpoint } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { overlayFromJson, overlayToJson } from './overlay-file.ts'
import { emptyOverlay, isEmpty, overlaid, steersFor, type Overlay } from './overlay.ts'
import { steered } from './steering.ts'
import { config, realServer, tcpChecker, virtualServer } from './testing/config.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']
const web = virtualServer({ realServers: names.map((name) => realServer(name)) })
const tls = virtualServer({ name: '192.0.2.1:443/tcp', realServers: [realServer('10.0.0.1:443')] })
const both = config([web, tls])
const now = 1_000_000

/** Carries requests out one after the other; throws for one that is refused. */
function after(...requests: readonly Wish[]): Overlay {
  return requests.reduce((overlay, request) => {
    const outcome = steered(overlay, request, overlaid(both, overlay), now)
    if ('problem' in outcome) throw new Error(outcome.problem)
    return outcome.overlay
  }, emptyOverlay)
}

const serversOf = (overlay: Overlay): string[] =>
  overlaid(both, overlay).virtualServers.flatMap(({ realServers }) => realServers.map(formatEndpoint))

test.each<[string, Wish[], unknown]>([
  ['weight', [{ action: 'weight', server: names[0]!, weight: 7 }], { weight: 7 }],
  ['force', [{ action: 'force', server: names[0]!, force: 'down' }], { force: 'down' }],
  ['disable', [{ action: 'disable', server: names[0]! }], { admin: { kind: 'disabled', since: now } }],
  [
    'drain with a deadline',
    [{ action: 'drain', server: names[0]!, deadline: 5000 }],
    { admin: { kind: 'draining', since: now, deadline: now + 5000, host: false } },
  ],
  [
    'enable keeps the weight',
    [
      { action: 'weight', server: names[0]!, weight: 7 },
      { action: 'disable', server: names[0]! },
      { action: 'enable', server: names[0]! },
    ],
    { weight: 7 },
  ],
  [
    'reset',
    [
      { action: 'weight', server: names[0]!, weight: 7 },
      { action: 'reset', server: names[0]! },
    ],
    undefined,
  ],
  ['reset of everything', [{ action: 'disable', server: names[0]! }, { action: 'reset' }], undefined],
  [
    'maintenance and back',
    [
      { action: 'maintenance', host: '10.0.0.1', on: true },
      { action: 'maintenance', host: '10.0.0.1', on: false },
    ],
    undefined,
  ],
])('%s', (_, requests, wanted) => {
  expect(
    after(...requests)
      .steers.get(web.name)
      ?.get(names[0]!),
  ).toEqual(wanted)
})

test('maintenance drains a host in every service, also where it comes later', () => {
  const overlay = after({ action: 'maintenance', host: '10.0.0.1', on: true })
  expect([...overlay.steers.keys()]).toEqual([web.name, tls.name])
  const later = virtualServer({
    name: 'later',
    realServers: [realServer('10.0.0.1:8080'), realServer('10.0.0.2:8080')],
  })
  expect([...steersFor(overlay, later)]).toEqual([
    ['10.0.0.1:8080', { admin: { kind: 'draining', since: now, deadline: undefined, host: true } }],
  ])
})

test('maintenance leaves alone, both ways, what was taken out by hand', () => {
  const overlay = after(
    { action: 'disable', server: names[0]! },
    { action: 'maintenance', host: '10.0.0.1', on: true },
    { action: 'maintenance', host: '10.0.0.1', on: false },
  )
  expect(overlay.steers.get(web.name)?.get(names[0]!)).toEqual({ admin: { kind: 'disabled', since: now } })
  expect(overlay.steers.has(tls.name)).toBe(false)
})

test('an added server is like another one, its own checks go to it', () => {
  const overlay = after({ action: 'add', service: web.name, server: '10.0.0.9:81', weight: 5 })
  const added = overlaid(both, overlay).virtualServers[0]?.realServers.at(-1)
  expect(added).toMatchObject({ address: '10.0.0.9', port: 81, weight: 5 })
  expect(added?.checkers[0]?.connection).toMatchObject({ address: '10.0.0.9', port: 81 })
})

test('a check that went elsewhere goes there still', () => {
  const checker = tcpChecker('10.0.0.200:99')
  const odd = config([virtualServer({ realServers: [realServer('10.0.0.1:80', { checkers: [checker] })] })])
  const outcome = steered(emptyOverlay, { action: 'add', service: web.name, server: '10.0.0.9:80' }, odd, now)
  if ('problem' in outcome) throw new Error(outcome.problem)
  const added = overlaid(odd, outcome.overlay).virtualServers[0]?.realServers.at(-1)
  expect(added?.checkers[0]?.connection).toMatchObject({ address: address('10.0.0.200'), port: 99 })
})

test('removed, added and taken back', () => {
  expect(serversOf(after({ action: 'remove', server: names[1]! }))).toEqual([names[0], names[2], '10.0.0.1:443'])
  const back = after({ action: 'remove', server: names[1]! }, { action: 'add', service: web.name, server: names[1]! })
  expect(isEmpty(back)).toBe(true)
  const gone = after(
    { action: 'add', service: web.name, server: '10.0.0.9:80' },
    { action: 'weight', server: '10.0.0.9:80', weight: 3 },
    { action: 'remove', server: '10.0.0.9:80' },
  )
  expect(isEmpty(gone)).toBe(true)
})

test.each<[Wish, string, string[]]>([
  [{ action: 'disable', server: '10.0.0.8:80' }, 'no real server 10.0.0.8:80 in any', [...names, '10.0.0.1:443']],
  [{ action: 'disable', service: 'x', server: names[0]! }, 'no virtual server x', [web.name, tls.name]],
  [{ action: 'maintenance', host: '10.9.9.9', on: true }, 'no real server has the address', ['10.0.0.1', '10.0.0.2']],
  [{ action: 'maintenance', host: 'web1', on: true }, 'not an IP address', []],
  [{ action: 'maintenance', host: '10.0.0.1', on: false }, 'not in maintenance', []],
  [{ action: 'add', service: web.name, server: names[0]! }, 'already', []],
  [{ action: 'add', service: web.name, server: 'web9' }, 'not an address with a port', []],
  [{ action: 'add', service: web.name, server: '10.0.0.9:80', like: 'x' }, 'no real server x', names],
])('%j is refused', (request, words, candidates) => {
  const outcome = steered(emptyOverlay, request, both, now)
  expect(outcome).toMatchObject({ problem: expect.stringContaining(words) as string })
  expect('candidates' in outcome && outcome.candidates).toEqual(expect.arrayContaining(candidates))
})

test('nothing is asked of who is on the way out, but to come back', () => {
  const gone = { ...realServer('10.0.0.9:80'), checkers: [] }
  const leaving = { ...emptyOverlay, leaving: [{ service: web.name, real: gone, since: now, deadline: now + 5000 }] }
  const running = overlaid(both, leaving)
  const actions = ['enable', 'disable', 'drain', 'remove'] as const
  for (const action of actions) {
    const outcome = steered(leaving, { action, server: '10.0.0.9:80' }, running, now)
    expect(outcome).toMatchObject({ problem: expect.stringContaining('leaves 192.0.2.1:80/tcp') as string })
  }
  const back = steered(leaving, { action: 'add', service: web.name, server: '10.0.0.9:80' }, running, now)
  expect('overlay' in back && back.overlay.added).toHaveLength(1)
  const removed = after({ action: 'remove-service', service: web.name, drain: true })
  expect(steered(removed, { action: 'enable', service: web.name, server: names[0]! }, both, now)).toMatchObject({
    problem: '10.0.0.1:80 leaves with 192.0.2.1:80/tcp, which is being removed: "reset 192.0.2.1:80/tcp" keeps it',
  })
})

const target = fc.record({ server: fc.constantFrom(...names), service: fc.constantFrom(web.name, undefined) })
const request: fc.Arbitrary<Wish> = fc.oneof(
  target.map((to) => ({ action: 'disable' as const, ...to })),
  target.map((to) => ({ action: 'enable' as const, ...to })),
  target.map((to) => ({ action: 'remove' as const, ...to })),
  fc.tuple(target, fc.nat(10)).map(([to, weight]) => ({ action: 'weight' as const, ...to, weight })),
  fc.tuple(target, fc.option(fc.nat(9))).map(([to, time]) => ({
    action: 'drain' as const,
    ...to,
    deadline: time ?? undefined,
  })),
  fc.boolean().map((on) => ({ action: 'maintenance' as const, host: '10.0.0.2', on })),
  fc.constantFrom('10.0.0.7:80', ...names).map((server) => ({ action: 'add' as const, service: web.name, server })),
)

property.prop([fc.array(request, { maxLength: 20 })])('what was asked for survives being written down', (requests) => {
  let overlay: Overlay = emptyOverlay
  for (const each of requests) {
    const outcome = steered(overlay, each, overlaid(both, overlay), now)
    if ('overlay' in outcome) overlay = outcome.overlay
  }
  expect(overlayFromJson(JSON.parse(JSON.stringify(overlayToJson(overlay))))).toEqual(overlay)
  const cleared = steered(overlay, { action: 'reset' }, both, now)
  expect('overlay' in cleared && isEmpty(cleared.overlay)).toBe(true)
})

property.prop([fc.jsonValue()])('any JSON is an overlay or is not, without a throw', (value) => {
  const overlay = overlayFromJson(value)
  expect(overlay === undefined || overlay.steers instanceof Map).toBe(true)
})
