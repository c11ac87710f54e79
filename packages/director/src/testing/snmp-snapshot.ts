import type { Config, VirtualServer } from '@ipvs-director/config'
import type { ServerStatus, Status, VirtualServerStatus } from '@ipvs-director/control'
import { server as serverStatus, virtualServer as serviceStatus } from '@ipvs-director/control/testing'
import { formatEndpoint, millis } from '@ipvs-director/core'
import { aPlan } from '@ipvs-director/vrrp/testing'
import type { SnmpSnapshot } from '../snmp/mib/snapshot.ts'
import { config } from './config.ts'

const traffic = {
  activeConnections: 3,
  inactiveConnections: 4,
  connections: 5_000_000_000,
  connectionRate: 6,
  persistentConnections: 0,
  inPacketRate: 11,
  outPacketRate: 12,
  inPackets: 13,
  outPackets: 14,
  inByteRate: 7,
  outByteRate: 8,
  inBytes: 9_000_000_000,
  outBytes: 10,
}

const server = (name: string): ServerStatus => serverStatus({ name, traffic })

const service = (from: VirtualServer): VirtualServerStatus =>
  serviceStatus({
    name: from.name,
    scheduler: from.scheduler,
    quorum: from.quorum,
    totals: traffic,
    sorryServer: from.sorryServer === undefined ? undefined : server(formatEndpoint(from.sorryServer)),
    servers: from.realServers.map((real) => server(formatEndpoint(real))),
  })

export const allSnmp: Config['snmp'] = { socket: undefined, traps: true, vrrp: true, checker: true, rfcV2: true, rfcV3: true, virtualServerAge: millis(5000), realServerAge: millis(5000) } // prettier-ignore

/** A snapshot in which everything is up. */
export function snmpSnapshot(
  services: readonly VirtualServer[],
  vrrp: Partial<Config['vrrp']> = {},
  status: Partial<Status> = {},
): SnmpSnapshot {
  return {
    config: {
      ...config(services, { routerId: 'LVS_1' }),
      snmp: allSnmp,
      vrrp: aPlan([], vrrp).vrrp,
    },
    status: { version: '0.1.0', virtualServers: services.map(service), vrrp: undefined, ...status } as Status,
  }
}
