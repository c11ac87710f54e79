import type { Config, VirtualServer, RealServer, VrrpInstance } from '@ipvs-director/config'
import type { ServerStatus, Status, VirtualServerStatus, VrrpInstanceStatus } from '@ipvs-director/control'
import { hostname } from 'node:os'

/** What the tables are made from: the state of the program, and the configuration it runs. */
export interface SnmpSnapshot {
  readonly status: Status
  readonly config: Config
  /** An interface's number, as IF-MIB has it. */
  readonly interfaceIndex: (name: string) => number | undefined
}

export interface ServiceRow {
  readonly config: VirtualServer
  readonly status: VirtualServerStatus
}

export interface ServerRow {
  readonly service: VirtualServer
  readonly status: ServerStatus
  /** undefined: the sorry server. */
  readonly config: RealServer | undefined
}

export interface InstanceRow {
  readonly config: VrrpInstance
  readonly status: VrrpInstanceStatus
  readonly interfaceIndex: number | undefined
}

/** Pairs what is configured with what is known of it; what a reload is just changing is left out. */
export function serviceRows({ status, config }: SnmpSnapshot): ServiceRow[] {
  const byName = new Map(status.virtualServers.map((each) => [each.name, each]))
  return config.virtualServers.flatMap((each) => {
    const found = byName.get(each.name)
    return found === undefined ? [] : [{ config: each, status: found }]
  })
}

/** The real servers of a service in the order of the file, then its sorry server. */
export function serverRows({ config, status }: ServiceRow): ServerRow[] {
  const regular = config.realServers.flatMap((server, i): ServerRow[] => {
    const found = status.servers[i]
    return found === undefined ? [] : [{ service: config, status: found, config: server }]
  })
  const sorry = status.sorryServer
  return sorry === undefined ? regular : [...regular, { service: config, status: sorry, config: undefined }]
}

export function instanceRows({ status, config, interfaceIndex }: SnmpSnapshot): InstanceRow[] {
  const byName = new Map(status.vrrp?.instances.map((each) => [each.name, each]))
  return config.vrrp.instances.flatMap((each) => {
    const found = byName.get(each.name)
    if (found === undefined) return []
    const index = each.interface === undefined ? undefined : interfaceIndex(each.interface)
    return [{ config: each, status: found, interfaceIndex: index }]
  })
}

/** `router_id`, or the host's name. */
export const routerOf = ({ config }: SnmpSnapshot): string => config.globals.routerId ?? hostname()
