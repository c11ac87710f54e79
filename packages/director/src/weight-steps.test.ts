import { fc, test as property } from '@fast-check/vitest'
import { weightCauses, type WeightCause } from '@ipvs-director/control'
import { millis, seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { situationOf, wantedWeight } from './desired.ts'
import { createPool, type Pool, type ServerHealth } from './pool.ts'
import type { Admin, Steer } from './steer.ts'
import { realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'
import { weightSteps } from './weight-steps.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] as const
const [first, second, third] = names

type Real = NonNullable<Parameters<typeof realServer>[1]>
type Virtual = NonNullable<Parameters<typeof virtualServer>[0]>

/** Three servers of weight 4, the first one as told. */
function three(real: Real = {}, virtual: Virtual = {}): Pool {
  const realServers = names.map((name, i) => realServer(name, { weight: 4, ...(i === 0 ? real : {}) }))
  const pool = createPool(virtualServer({ realServers, ...virtual }), { since: 0 })
  pool.begin(0)
  return pool
}

function say(pool: Pool, server: string, up: boolean, weight?: number): void {
  const verdict = { up, class: up ? 'ok' : 'refused', reason: '', took: millis(1), ...(weight === undefined ? {} : { weight }) } as const // prettier-ignore
  pool.verdict(server, { checker: 0, up, first: false, verdict, at: 1 })
}

function steer(pool: Pool, wish: Steer): void {
  pool.steer(first, wish, 1)
}

const failed = (pool: Pool): void => {
  say(pool, first, false)
}
const allFailed = (pool: Pool): void => {
  for (const name of names) say(pool, name, false)
}
const nothing = (): void => undefined

const alpha = { checkers: [tcpChecker(first, { alpha: true })] }
const withSorry = { quorum: 9, sorryServer: sorryServer('10.0.0.9:80') }
const draining = { kind: 'draining', since: 1, deadline: undefined, host: false } as const

interface Row {
  readonly pool: () => Pool
  readonly then: (pool: Pool) => void
  /** What is told, as `cause → weight`. */
  readonly told: readonly string[]
}

const rows: Record<string, Row> = {
  'as configured': { pool: () => three(), then: nothing, told: [] },
  'weight 0 in the file': { pool: () => three({ weight: 0 }), then: nothing, told: [] },
  failed: { pool: () => three(), then: failed, told: ['down → none'] },
  inhibited: {
    pool: () => three({ inhibitOnFailure: true }),
    then: failed,
    told: ['down → none', 'inhibit_on_failure → 0'],
  },
  degraded: {
    pool: () => three({ degradedWeight: 1, inhibitOnFailure: true }),
    then: failed,
    told: ['down → none', 'degraded_weight → 1'],
  },
  'weight of a check': {
    pool: () => three(),
    then: (pool) => {
      say(pool, first, true, 7)
    },
    told: ['check → 7'],
  },
  'an agent that drains': {
    pool: () => three(),
    then: (pool) => {
      say(pool, first, true, 0)
    },
    told: ['check → 0'],
  },
  alpha: { pool: () => three(alpha), then: nothing, told: ['alpha → none'] },
  'alpha, inhibited': {
    pool: () => three({ ...alpha, inhibitOnFailure: true }),
    then: nothing,
    told: ['alpha → none', 'inhibit_on_failure → 0'],
  },
  'absent at the start': {
    pool: () => {
      const health = new Map<string, ServerHealth>([[first, { ...three().servers.get(first)!.health, failed: 1, checks: [{ up: false, seen: false, since: undefined, verdict: undefined, at: undefined }] }]]) // prettier-ignore
      return createPool(virtualServer({ realServers: names.map((name) => realServer(name)) }), {
        since: 0,
        health: (_, name) => health.get(name),
      })
    },
    then: nothing,
    told: ['adopted → none'],
  },
  'quorum lost': { pool: () => three({}, withSorry), then: (pool) => { say(pool, second, false) }, told: ['sorry_server → none'] }, // prettier-ignore
  'quorum lost, degraded': {
    pool: () => three({ degradedWeight: 1 }, withSorry),
    then: allFailed,
    told: ['sorry_server → none', 'down → none'],
  },
  panic: { pool: () => three({}, { panicThreshold: 50 }), then: allFailed, told: ['panic_threshold → 4'] },
  'a backup tier': { pool: () => three({ tier: 2 }), then: nothing, told: ['tier → 0'] },
  'a slow start': {
    pool: () => three({}, { slowStart: seconds(60) }),
    then: (pool) => {
      pool.servers.get(first)!.ramp = 0.5
    },
    told: ['slow_start → 2'],
  },
  'a weight by hand': { pool: () => three(), then: (pool) => { steer(pool, { weight: 9 }) }, told: ['hand → 9'] }, // prettier-ignore
  disabled: {
    pool: () => three(),
    then: (pool) => {
      steer(pool, { admin: { kind: 'disabled', since: 1 } })
    },
    told: ['hand → 0'],
  },
  'draining, and failed': {
    pool: () => three(),
    then: (pool) => {
      steer(pool, { admin: draining })
      failed(pool)
    },
    told: ['hand → none'],
  },
  'by maintenance of its host': {
    pool: () => three(),
    then: (pool) => {
      steer(pool, { admin: { kind: 'drained', since: 1, host: true } })
    },
    told: ['hand → none'],
  },
  'forced up': {
    pool: () => three(),
    then: (pool) => {
      failed(pool)
      steer(pool, { force: 'up' })
    },
    told: ['force → 4'],
  },
  'forced down': { pool: () => three(), then: (pool) => { steer(pool, { force: 'down' }) }, told: ['force → none'] }, // prettier-ignore
  'several at once': {
    pool: () => three({}, { panicThreshold: 50 }),
    then: (pool) => {
      say(pool, first, true, 8)
      steer(pool, { weight: 6 })
      say(pool, first, false)
      say(pool, second, false)
      say(pool, third, false)
      pool.servers.get(first)!.ramp = 0.5
    },
    told: ['hand → 6', 'panic_threshold → 6', 'slow_start → 3'],
  },
}

const stepsOf = (pool: Pool): ReturnType<typeof weightSteps> => weightSteps(pool.servers.get(first)!, situationOf(pool))

test.for(Object.entries(rows))('%s', ([, { pool: make, then, told }]) => {
  const pool = make()
  then(pool)
  expect(stepsOf(pool).map(({ by, weight }) => `${by} → ${weight ?? 'none'}`)).toEqual(told)
})

test('each cause has its row above', () => {
  const told = Object.values(rows).flatMap(({ told }) => told.map((text) => text.split(' ')[0] as WeightCause))
  expect([...new Set(told)].sort()).toEqual([...weightCauses].sort())
})

const admins: readonly (Admin | undefined)[] = [
  undefined,
  draining,
  { kind: 'disabled', since: 1 },
  { kind: 'drained', since: 1, host: false },
]

const steers = fc
  .tuple(fc.option(fc.nat(9)), fc.constantFrom(undefined, 'up', 'down'), fc.constantFrom(...admins))
  .map(([weight, force, admin]): Steer => ({
    ...(weight === null ? {} : { weight }),
    ...(force === undefined ? {} : { force }),
    ...(admin === undefined ? {} : { admin }),
  }))

property.prop([
  fc.record({ weight: fc.nat(9), tier: fc.nat(2), inhibitOnFailure: fc.boolean(), degradedWeight: fc.option(fc.nat(3), { nil: undefined }) }), // prettier-ignore
  fc.record({ quorum: fc.nat(9), panicThreshold: fc.nat(100), sorry: fc.boolean() }),
  fc.array(fc.tuple(fc.constantFrom(...names), fc.boolean(), fc.option(fc.nat(9), { nil: undefined }))),
  fc.boolean(),
  steers,
  fc.constantFrom(1, 0.5, 0.1),
])(
  'what is told leads from the configured weight to the wanted one',
  (real, virtual, verdicts, isAlpha, wish, ramp) => {
    const { sorry, ...rest } = virtual
    const pool = three({ ...real, ...(isAlpha ? alpha : {}) }, { ...rest, ...(sorry ? { sorryServer: sorryServer('10.0.0.9:80') } : {}) }) // prettier-ignore
    for (const [name, up, weight] of verdicts) say(pool, name, up, up ? weight : undefined)
    steer(pool, wish)
    const server = pool.servers.get(first)!
    server.ramp = ramp
    const situation = situationOf(pool)
    const last = weightSteps(server, situation).at(-1)
    expect(last === undefined ? real.weight : last.weight).toBe(wantedWeight(server, situation))
  },
)
