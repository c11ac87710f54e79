import type { RealServer, VirtualServer } from '@ipvs-director/config'
import { formatEndpoint, seconds, stepwise } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { desiredTable } from './desired.ts'
import { createPool } from './pool.ts'
import { describeServiceChange } from './service-changes.ts'
import { realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']
const web = (overrides: Partial<VirtualServer> = {}, real: Partial<RealServer> = {}): VirtualServer =>
  virtualServer({ realServers: names.map((name) => realServer(name, real)), ...overrides })

const table = (virtual: VirtualServer) => desiredTable([createPool(virtual, { since: 0 })])
const changes = (before: VirtualServer, after: VirtualServer): Promise<readonly string[]> => {
  const [old, next] = [before, after].map(({ realServers }) => new Map(realServers.map((each) => [formatEndpoint(each), each]))) // prettier-ignore
  const servers = [...new Set([...old!.keys(), ...next!.keys()])].map((name) => {
    return { name, before: old!.get(name), after: next!.get(name) }
  })
  return stepwise(
    describeServiceChange({ before, after, servers, tables: { before: table(before), after: table(after) } }),
  )
}

const patient = tcpChecker('10.0.0.7:80', { delayLoop: seconds(77) })
const held = tcpChecker('10.0.0.4:80', { alpha: true })

test.for([
  [web(), [], 'what is equal'],
  [web({ place: { file: 'x', line: 9, column: 9 } }), [], 'what stands elsewhere'],
  [web({ scheduler: 'rr' }, { weight: 7 }), [], 'what the table shows'],
  [web({ quorum: 2, quorumDown: undefined }), ['change quorum of 192.0.2.1:80/tcp'], 'a setting'],
  [web({ sorryServer: sorryServer('10.0.0.9:80') }), ['change sorry_server of 192.0.2.1:80/tcp'], 'a sorry server'],
  [web({}, { checkers: [patient] }), ['change checks of 3 real servers of 192.0.2.1:80/tcp'], 'checks of all'],
  [
    web({ realServers: names.map((name, i) => realServer(name, i === 1 ? { checkers: [patient] } : {})) }),
    ['change checks of 10.0.0.2:80 of 192.0.2.1:80/tcp'],
    'checks of one',
  ],
  [
    web({ realServers: [...names.map((name) => realServer(name)), realServer('10.0.0.4:80', { checkers: [held] })] }),
    ['add 10.0.0.4:80 to 192.0.2.1:80/tcp, without an entry for now'],
    'a real server that has to prove itself',
  ],
] as const)('%#: %o', async ([after, expected]) => {
  expect(await changes(web(), after)).toEqual(expected)
})
