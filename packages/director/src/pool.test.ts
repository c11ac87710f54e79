import { millis } from '@ipvs-director/core'
import { expect, test, describe } from 'vitest'
import { createPool, effectiveWeight, isAlive, quorumStep, type Pool, type PoolEffect } from './pool.ts'
import { realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']

function threeServers(overrides: Parameters<typeof virtualServer>[0] = {}): Pool {
  return createPool(virtualServer({ realServers: names.map((name) => realServer(name)), ...overrides }), { since: 0 })
}

function verdict(
  pool: Pool,
  server: string,
  up: boolean,
  extra: { weight?: number; checker?: number; first?: boolean } = {},
): PoolEffect[] {
  const { weight, checker = 0, first = false } = extra
  return pool.verdict(server, {
    checker,
    up,
    first,
    at: 5,
    verdict: {
      up,
      class: up ? 'ok' : 'refused',
      reason: 'seen',
      took: millis(1),
      ...(weight === undefined ? {} : { weight }),
    },
  })
}

const kinds = (effects: readonly PoolEffect[]): string[] =>
  effects.map((effect) => ('up' in effect ? `${effect.kind} ${effect.up ? 'up' : 'down'}` : effect.kind))

describe('quorum with hysteresis', () => {
  test.each([
    // up, weight, quorum, hysteresis → up
    [true, 1, 1, 0, true],
    [true, 0, 1, 0, false],
    [false, 0, 1, 0, false],
    [false, 1, 1, 0, true],
    [true, 2, 3, 1, true],
    [true, 1, 3, 1, false],
    [false, 3, 3, 1, false],
    [false, 4, 3, 1, true],
    [true, 0, 1, 1, false],
    [false, 0, 0, 0, false],
  ])('up %s, weight %i, quorum %i±%i → %s', (up, weight, quorum, hysteresis, expected) => {
    expect(quorumStep({ up, aliveWeight: 99 }, weight, { quorum, hysteresis })).toEqual({
      up: expected,
      aliveWeight: weight,
    })
  })
})

test('at the start non-alpha servers count, and quorum is told', () => {
  const pool = threeServers()
  expect(kinds(pool.begin(1))).toEqual(['quorum up'])
  expect(pool.quorum).toEqual({ up: true, aliveWeight: 3 })
})

test('an alpha pool starts down, silently without a sorry server, told with one', () => {
  const realServers = names.map((name) => realServer(name, { checkers: [tcpChecker(name, { alpha: true })] }))
  expect(kinds(threeServers({ realServers }).begin(1))).toEqual([])
  const withSorry = threeServers({ realServers, sorryServer: sorryServer('10.0.0.9:80') })
  expect(kinds(withSorry.begin(1))).toEqual(['quorum down'])
})

test('the last server takes the quorum with it, the first brings it back', () => {
  const pool = threeServers()
  pool.begin(1)
  expect(kinds(verdict(pool, names[0]!, false))).toEqual(['server down'])
  expect(kinds(verdict(pool, names[1]!, false))).toEqual(['server down'])
  expect(kinds(verdict(pool, names[2]!, false))).toEqual(['server down', 'quorum down'])
  expect(pool.quorum).toEqual({ up: false, aliveWeight: 0 })
  expect(kinds(verdict(pool, names[1]!, true))).toEqual(['server up', 'quorum up'])
  expect(pool.since).toBe(5)
  expect(pool.turns).toBe(3)
  expect(names.map((name) => pool.servers.get(name)?.health.turns)).toEqual([1, 2, 1])
})

test('a server is alive when all its checkers are', () => {
  const name = '10.0.0.1:80'
  const pool = createPool(
    virtualServer({ realServers: [realServer(name, { checkers: [tcpChecker(name), tcpChecker('10.0.0.1:81')] })] }),
    { since: 0 },
  )
  const alive = (): boolean => isAlive(pool.servers.get(name)!.health)
  expect(kinds(verdict(pool, name, false, { checker: 1 }))).toEqual(['server down'])
  expect(kinds(verdict(pool, name, false, { checker: 0 }))).toEqual([])
  expect(kinds(verdict(pool, name, true, { checker: 1 }))).toEqual([])
  expect(alive()).toBe(false)
  expect(kinds(verdict(pool, name, true, { checker: 0 }))).toContain('server up')
  expect(alive()).toBe(true)
})

test('of several checks that fail first the one is told that takes the server out', () => {
  const checkers = [tcpChecker(names[0]!), tcpChecker(names[0]!)]
  const pool = threeServers({ realServers: [realServer(names[0]!, { checkers }), realServer(names[1]!)] })
  pool.begin(1)
  expect(kinds(verdict(pool, names[0]!, false, { first: true }))).toEqual(['server down'])
  expect(kinds(verdict(pool, names[0]!, false, { checker: 1, first: true }))).toEqual([])
})

test('the first success of one of two alpha checks says nothing of the server yet', () => {
  const checkers = [tcpChecker(names[0]!, { alpha: true }), tcpChecker(names[0]!, { alpha: true })]
  const pool = threeServers({ realServers: [realServer(names[0]!, { checkers }), realServer(names[1]!)] })
  pool.begin(1)
  expect(kinds(verdict(pool, names[0]!, true, { first: true }))).toEqual([])
  expect(kinds(verdict(pool, names[0]!, true, { checker: 1, first: true }))).toEqual(['server up'])
})

test('the first verdict is told when bad or when the checker had to prove itself, not when good as assumed', () => {
  const pool = threeServers()
  pool.begin(1)
  expect(verdict(pool, names[0]!, true, { first: true })).toEqual([])
  const alpha = createPool(
    virtualServer({ realServers: [realServer(names[0]!, { checkers: [tcpChecker(names[0]!, { alpha: true })] })] }),
    { since: 0 },
  )
  expect(verdict(alpha, names[0]!, false, { first: true })[0]).toMatchObject({
    kind: 'server',
    up: false,
    turned: false,
  })
})

test('a dynamic weight moves the server and, at zero, its quorum', () => {
  const pool = createPool(virtualServer({ realServers: [realServer(names[0]!, { weight: 10 })] }), { since: 0 })
  pool.begin(1)
  const weight = (): number => effectiveWeight(pool.servers.get(names[0]!)!.health, 10)
  expect(verdict(pool, names[0]!, true, { weight: 4 })[0]).toEqual(expect.objectContaining({ from: 10, to: 4 }))
  expect(weight()).toBe(4)
  expect(kinds(verdict(pool, names[0]!, true, { weight: 0 }))).toEqual(['weight', 'quorum down'])
  expect(kinds(verdict(pool, names[0]!, true))).toEqual(['weight', 'quorum up'])
  expect(weight()).toBe(10)
})

test('the shares of several dynamic checkers add up and a failed one takes its own back', () => {
  const name = names[0]!
  const checkers = [tcpChecker(name), tcpChecker('10.0.0.1:81')]
  const pool = createPool(virtualServer({ realServers: [realServer(name, { weight: 10, checkers })] }), { since: 0 })
  const weight = (): number => effectiveWeight(pool.servers.get(name)!.health, 10)
  verdict(pool, name, true, { weight: 12, checker: 0 })
  verdict(pool, name, true, { weight: 7, checker: 1 })
  expect(weight()).toBe(9)
  verdict(pool, name, false, { checker: 0 })
  expect(weight()).toBe(7)
  verdict(pool, name, true, { weight: 0, checker: 1 })
  verdict(pool, name, true, { weight: 0, checker: 0 })
  expect(weight()).toBe(0)
})

test('the sum of alive weights stays right over any course of verdicts', () => {
  const pool = threeServers()
  pool.begin(1)
  let seed = 42
  for (let i = 0; i < 500; i++) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    const up = (seed >> 8) % 3 !== 0
    verdict(pool, names[(seed >> 16) % 3]!, up, up && (seed >> 4) % 2 === 0 ? { weight: (seed >> 10) % 7 } : {})
    let sum = 0
    for (const { health, config } of pool.servers.values())
      if (isAlive(health)) sum += effectiveWeight(health, config.weight)
    expect(pool.quorum.aliveWeight).toBe(sum)
  }
})
