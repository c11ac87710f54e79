import type { CheckerConfig, Config, RealServer } from '@ipvs-director/config'
import type { DataPathStatus } from '@ipvs-director/control'
import { familyOf, inSlices } from '@ipvs-director/core'
import { destinationId, serviceId, type Destination, type Service, type Table } from 'ipvs-netlink'
import { desiredTable } from './desired.ts'
import type { Pool } from './pool.ts'
import { forwardingText } from './status.ts'

type Connection = NonNullable<CheckerConfig['connection']>

/**
 * The services by which checks with `data_path` reach one real server each: for a mark of data_path_marks, with that
 * server alone. They are ours like those of the pools, and no client ever gets to them.
 */
export function dataPathServices({ globals, virtualServers }: Config): Map<string, Service> {
  const services = new Map<string, Service>()
  if (globals.dataPathMarks === undefined) return services
  for (const at of Array.from(serversIn(virtualServers), connectionsOf).flat()) {
    const service = serviceOf(at)
    if (service !== undefined) services.set(serviceId(service.key), service)
  }
  return services
}

function* serversIn(virtualServers: Config['virtualServers']): Generator<RealServer> {
  for (const { realServers } of virtualServers) yield* realServers
}

const connectionsOf = ({ checkers }: RealServer): Connection[] =>
  checkers.flatMap(({ connection }) => (connection?.through === undefined ? [] : [connection]))

function serviceOf({ address, fwmark, through }: Connection): Service | undefined {
  if (fwmark === 0 || through === undefined) return undefined
  const family = familyOf(address)
  const { method, tunnel } = through.forwarding
  const limits = { upperThreshold: 0, lowerThreshold: 0 }
  const destination: Destination = {
    address: through.address,
    port: 0,
    forwarding: method,
    weight: 1,
    ...limits,
    tunnel,
  }
  const flags = { onePacket: false, flag1: false, flag2: false, flag3: false }
  return {
    key: { fwmark, family },
    settings: {
      scheduler: 'rr',
      persistence: 0,
      netmask: family === 'inet' ? 0xffffffff : 128,
      engine: undefined,
      ...flags,
    },
    destinations: new Map([[destinationId(destination), destination]]),
  }
}

/** What the kernel is to hold for a configuration whose pools are as these. */
export function wantedTable(pools: Iterable<Pool>, config: Config): Map<string, Service> {
  const table = desiredTable(pools)
  for (const [id, service] of dataPathServices(config)) table.set(id, service)
  return table
}

/** The services of data paths as they are believed to be. */
export async function dataPathStatus(config: Config | undefined, actual: Table): Promise<DataPathStatus[]> {
  const found = new Map<string, DataPathStatus>()
  await inSlices(serversIn(config?.virtualServers ?? []), (server) => {
    for (const at of connectionsOf(server)) {
      const service = serviceOf(at)
      if (service === undefined || at.through === undefined) continue
      const name = serviceId(service.key)
      const { address, forwarding } = at.through
      found.set(name, { name, server: address, forwarding: forwardingText(forwarding), present: actual.has(name) })
    }
  })
  return [...found.values()]
}
