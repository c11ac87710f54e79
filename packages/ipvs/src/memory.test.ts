import { address } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { defaultDestination, defaultService } from './defaults.ts'
import { memoryIpvs } from './memory.ts'
import type { Command, Destination, ServiceKey } from './table.ts'
import { ipvsContract } from './testing/contract.ts'

ipvsContract('a table in memory', () => Promise.resolve({ client: memoryIpvs(), device: 'eth0' }))

const web: ServiceKey = { protocol: 'tcp', address: address('192.0.2.1'), port: 80 }
const real: Destination = { ...defaultDestination, address: address('10.0.0.2'), port: 80 }
const commands: readonly Command[] = [
  { do: 'addService', key: web, settings: defaultService('inet') },
  { do: 'addDestination', service: web, destination: real },
]

test('counts what is written and remembers it', async () => {
  const client = memoryIpvs()
  await client.execute(commands)
  await client.execute(commands)
  await client.table()
  expect(client.writes).toBe(4)
  expect(client.log).toEqual([...commands, ...commands])
})

test('refuses what it is told to', async () => {
  const client = memoryIpvs()
  client.refuse((command) => (command.do === 'addDestination' ? 'ENOMEM' : undefined))
  const errors = await client.execute(commands)
  expect(errors.map((error) => error?.message)).toEqual([
    undefined,
    'cannot add 10.0.0.2:80 to 192.0.2.1:80/tcp: ENOMEM',
  ])
  client.refuse(undefined)
  expect(await client.execute(commands.slice(1))).toEqual([undefined])
})

test('breaks down and recovers', async () => {
  const client = memoryIpvs()
  client.breakDown(new Error('no socket'))
  await expect(client.execute(commands)).rejects.toThrow('no socket')
  client.breakDown(undefined)
  expect(await client.execute(commands)).toEqual([undefined, undefined])
})

test('knows the schedulers it is given', async () => {
  const [error] = await memoryIpvs({ schedulers: ['rr'] }).execute(commands)
  expect(error?.message).toBe('cannot add 192.0.2.1:80/tcp: ENOENT (no such scheduler "wlc")')
})

test('shows the connections it is told, and forgets them with their destination', async () => {
  const client = memoryIpvs()
  await client.execute(commands)
  client.count(web, real, { activeConnections: 3, inactiveConnections: 1 })
  const seen = { forwarding: 'droute', weight: 1, activeConnections: 3, inactiveConnections: 1 }
  expect((await client.glance()).get('192.0.2.1:80/tcp')?.get('10.0.0.2:80')).toEqual(seen)
  expect(await client.destinations(web)).toMatchObject([{ counters: { activeConnections: 3, inactiveConnections: 1 } }])
  await client.execute([{ do: 'deleteDestination', service: web, destination: real }, ...commands.slice(1)])
  expect(await client.destinations(web)).toMatchObject([{ counters: { activeConnections: 0 } }])
})

test('zero starts the statistics anew and leaves the connections', async () => {
  const client = memoryIpvs()
  await client.execute(commands)
  const [entry] = await client.destinations(web)
  if (entry === undefined) throw new Error('no destination')
  client.count(web, real, { activeConnections: 3, statistics: { ...entry.counters.statistics, connections: 9n } })
  expect(await client.service(web)).toMatchObject({ statistics: { connections: 9n } })
  await client.zero(web)
  expect(await client.service(web)).toMatchObject({ statistics: { connections: 0n } })
  expect(await client.destinations(web)).toMatchObject([{ counters: { activeConnections: 3 } }])
})
