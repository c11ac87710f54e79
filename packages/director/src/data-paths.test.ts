import type { CheckerConfig } from '@ipvs-director/config'
import { address } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { dataPathServices, dataPathStatus, wantedTable } from './data-paths.ts'
import { overlaid, emptyOverlay } from './overlay.ts'
import { createPool } from './pool.ts'
import { config, realServer, tcpChecker, virtualServer } from './testing/config.ts'

const droute = { method: 'droute', tunnel: undefined } as const

function through(server: string, fwmark: number, vip = '192.0.2.1:80'): CheckerConfig {
  const plain = tcpChecker(vip)
  const connection = { ...plain.connection!, fwmark, through: { address: address(server), forwarding: droute } }
  return { ...plain, connection }
}

const twice = config(
  [
    virtualServer({
      realServers: [
        realServer('10.0.0.1:80', { checkers: [through('10.0.0.1', 7), tcpChecker('10.0.0.1:80')] }),
        realServer('10.0.0.2:80', { checkers: [through('10.0.0.2', 8), through('10.0.0.2', 8)] }),
        realServer('10.0.0.3:80', { checkers: [through('10.0.0.3', 0)] }),
      ],
    }),
  ],
  { dataPathMarks: { first: 7, last: 8 } },
)

test('a service for each mark, with one destination', () => {
  const services = dataPathServices(twice)
  expect([...services.keys()]).toEqual(['fwmark 7/inet', 'fwmark 8/inet'])
  const [first] = services.values()
  expect(first).toMatchObject({ key: { fwmark: 7, family: 'inet' }, settings: { scheduler: 'rr', persistence: 0 } })
  expect([...first!.destinations.values()]).toEqual([
    { address: '10.0.0.1', port: 0, forwarding: 'droute', weight: 1, upperThreshold: 0, lowerThreshold: 0 },
  ])
})

test('they stand beside those of the pools, whatever the checks say', () => {
  const pools = twice.virtualServers.map((virtual) => createPool(virtual, { since: 0 }))
  expect([...wantedTable(pools, twice).keys()]).toEqual(['192.0.2.1:80/tcp', 'fwmark 7/inet', 'fwmark 8/inet'])
})

test('status tells which the kernel has', async () => {
  const actual = new Map([...dataPathServices(twice)].slice(1))
  expect(await dataPathStatus(twice, actual)).toEqual([
    { name: 'fwmark 7/inet', server: '10.0.0.1', forwarding: 'DR', present: false },
    { name: 'fwmark 8/inet', server: '10.0.0.2', forwarding: 'DR', present: true },
  ])
  expect(await dataPathStatus(undefined, actual)).toEqual([])
})

test('a server that is added at run time is checked through itself', () => {
  const added = { service: '192.0.2.1:80/tcp', server: '10.0.0.9:80', weight: undefined, like: '10.0.0.1:80' }
  const { virtualServers } = overlaid(twice, { ...emptyOverlay, added: [added] })
  const server = virtualServers[0]?.realServers.at(-1)
  expect(server?.checkers[0]?.connection).toMatchObject({ address: '192.0.2.1', through: { address: '10.0.0.9' } })
  expect(server?.checkers[1]?.connection).toMatchObject({ address: '10.0.0.9' })
})
