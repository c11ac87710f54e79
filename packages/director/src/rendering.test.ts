import type { RealServer, VirtualServer } from '@ipvs-director/config'
import { address, stepsPerLook } from '@ipvs-director/core'
import { fakeClock, workPerTurn, type WorkPerTurn } from '@ipvs-director/core/testing'
import { afterEach, expect, test } from 'vitest'
import { createKernelReader } from './kernel-view.ts'
import { serviceRows } from './snmp/mib/snapshot.ts'
import { serverNodes } from './snmp/mib/keepalived-servers.ts'
import { serviceNodes } from './snmp/mib/keepalived-services.ts'
import { config, realServer, virtualServer } from './testing/config.ts'
import { snmpSnapshot } from './testing/snmp-snapshot.ts'
import { world, type World } from './testing/world.ts'

/** More services than are read one by one, for the cheap reading of the kernel. */
const services = 300
const servers = 5

const turnsFor = (steps: number): number => Math.floor(steps / stepsPerLook)

let work: WorkPerTurn | undefined
afterEach(() => {
  work?.stop()
  work = undefined
})

/** Virtual servers of which each real server counts how often it is looked at. */
function large(): VirtualServer[] {
  return Array.from({ length: services }, (_, i) =>
    virtualServer({
      name: `10.1.${Math.floor(i / 250)}.${i % 250}:80/tcp`,
      target: { kind: 'address', address: address(`10.1.${Math.floor(i / 250)}.${i % 250}`), port: 80 },
      realServers: Array.from({ length: servers }, (_, j) => counting(realServer(`10.2.${j}.${i % 250}:80`))),
    }),
  )
}

function counting(server: RealServer): RealServer {
  const { checkers } = server
  return Object.defineProperty(server, 'checkers', {
    enumerable: true,
    get() {
      work?.count()
      return checkers
    },
  })
}

async function running(): Promise<World> {
  const all = world(config(large()))
  await all.director.start()
  return all
}

test('a status looks at few servers before others may have their turn', async () => {
  const { director } = await running()
  work = workPerTurn()
  const { virtualServers } = await director.status()
  expect(virtualServers).toHaveLength(services)
  expect(work.most()).toBeLessThanOrEqual(3 * stepsPerLook)
  // Each is paired with the kernel's entry, too.
  expect(work.turns()).toBeGreaterThanOrEqual(turnsFor(4 * services * servers))
})

test('the kernel is read service by service, destination by destination', async () => {
  const { ipvs } = await running()
  work = workPerTurn()
  await createKernelReader(ipvs, fakeClock()).read([])
  expect(work.turns()).toBeGreaterThanOrEqual(turnsFor(2 * services))
})

test('an audit rests at each service in each of its passes', async () => {
  const { director } = await running()
  work = workPerTurn()
  expect((await director.audit()).found).toEqual([])
  // Read, compared both ways with what was believed, told from other people's, compared with what is wanted and ours.
  expect(work.turns()).toBeGreaterThanOrEqual(turnsFor(6 * services))
})

test('the tables of SNMP are made row by row', async () => {
  const snapshot = snmpSnapshot(large())
  work = workPerTurn()
  const rows = await serviceRows(snapshot)
  expect(work.turns()).toBeGreaterThanOrEqual(turnsFor(2 * services))
  await serverNodes(rows)
  expect(work.turns()).toBeGreaterThanOrEqual(turnsFor((2 + servers) * services))
  await serviceNodes(snapshot, rows)
  expect(work.turns()).toBeGreaterThanOrEqual(turnsFor((3 + servers) * services))
})

test('a table in memory is listed and audited in pieces', async () => {
  const { ipvs } = await running()
  const wanted = await ipvs.table()
  work = workPerTurn()
  for (const read of [() => ipvs.services(), () => ipvs.table(), () => ipvs.audit(wanted)]) {
    const before = work.turns()
    await read()
    expect(work.turns() - before).toBeGreaterThanOrEqual(turnsFor(services))
  }
})
