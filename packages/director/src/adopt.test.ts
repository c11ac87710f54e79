import { expect, test } from 'vitest'
import { adoptedHealth } from './adopt.ts'
import { desiredTable } from './desired.ts'
import { createPool, isAlive } from './pool.ts'
import { realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'

const [first, second] = ['10.0.0.1:80', '10.0.0.2:80'] as const

/** What another run left: the table that it wanted. */
const left = (servers: readonly Parameters<typeof realServer>[]) =>
  desiredTable([createPool(virtualServer({ realServers: servers.map((each) => realServer(...each)) }), { since: 0 })])

function alive(wanted: Parameters<typeof virtualServer>[0], found: ReturnType<typeof left>): object | undefined {
  const health = adoptedHealth(virtualServer(wanted), found)
  return health === undefined ? undefined : Object.fromEntries([...health].map(([name, each]) => [name, isAlive(each)]))
}

test.for([
  ['who has an entry is up, who has none is down', {}, [[first]], { [first]: true, [second]: false }],
  [
    'weight 0 is down where failed servers keep an entry',
    { inhibitOnFailure: true },
    [[first, { weight: 0 }], [second]],
    { [first]: false, [second]: true },
  ],
  [
    'but not where that is its weight',
    { inhibitOnFailure: true, weight: 0 },
    [[first, { weight: 0 }]],
    { [first]: true, [second]: false },
  ],
  [
    'weight 0 is up where they do not: somebody is drained',
    {},
    [[first, { weight: 0 }]],
    { [first]: true, [second]: false },
  ],
  ['entries of others alone teach nothing', {}, [['10.9.9.9:80']], undefined],
  ['nor does an empty service', {}, [], undefined],
  [
    'alpha has to prove itself',
    { checkers: [tcpChecker(first, { alpha: true })] },
    [[first]],
    { [first]: false, [second]: false },
  ],
] as const)('%s', ([, real, found, expected]) => {
  const realServers = [first, second].map((name) => realServer(name, real))
  expect(alive({ realServers }, left(found as Parameters<typeof left>[0]))).toEqual(expected)
})

test('the sorry server alone: all are down', () => {
  const wanted = { realServers: [realServer(first)], sorryServer: sorryServer('10.9.9.9:80') }
  expect(alive(wanted, left([['10.9.9.9:80']]))).toEqual({ [first]: false })
})
