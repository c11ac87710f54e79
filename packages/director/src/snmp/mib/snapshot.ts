import type { Config, VirtualServer, RealServer, Script, VrrpInstance } from '@ipvs-director/config'
import type { ServerStatus, Status, VirtualServerStatus, VrrpInstanceStatus } from '@ipvs-director/control'
import { inSlices } from '@ipvs-director/core'
import { hostname } from 'node:os'
import { text, type SnmpValue } from '../value.ts'

/** What the tables are made from: the state of the program, and the configuration it runs. */
export interface SnmpSnapshot {
  readonly status: Status
  readonly config: Config
  /** Wall clock at which sysUpTime of the master agent was 0; undefined: it never said. */
  readonly masterSince?: number | undefined
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
  /** As IF-MIB has it; keepalived's 0 for an instance without an interface. */
  readonly interfaceIndex: number
}

/** Pairs what is configured with what is known of it; what a reload is just changing is left out. */
export async function serviceRows({ status, config }: SnmpSnapshot): Promise<ServiceRow[]> {
  const byName = new Map<string, VirtualServerStatus>()
  await inSlices(status.virtualServers, (each) => {
    byName.set(each.name, each)
  })
  const rows: ServiceRow[] = []
  await inSlices(config.virtualServers, (each) => {
    const found = byName.get(each.name)
    if (found !== undefined) rows.push({ config: each, status: found })
  })
  return rows
}

/** The sorry server of a service, then its real servers in the order of the file, as keepalived counts them. */
export function* serverRows({ config, status }: ServiceRow): Generator<ServerRow> {
  const sorry = status.sorryServer
  if (sorry !== undefined) yield { service: config, status: sorry, config: undefined }
  for (const [i, server] of config.realServers.entries()) {
    const found = status.servers[i]
    if (found !== undefined) yield { service: config, status: found, config: server }
  }
}

/** Believed to serve: without a verdict yet, what the kernel is to have tells. */
export const isUp = ({ state, wantedWeight = 0 }: ServerStatus): boolean =>
  state === 'up' || (state === 'unknown' && wantedWeight > 0)

export function instanceRows(snapshot: SnmpSnapshot): InstanceRow[] {
  const { status, config } = snapshot
  const byName = new Map(status.vrrp?.instances.map((each) => [each.name, each]))
  const indexOf = interfaceIndexes(snapshot)
  return config.vrrp.instances.flatMap((each) => {
    const found = byName.get(each.name)
    return found === undefined ? [] : [{ config: each, status: found, interfaceIndex: indexOf(each.interface) ?? 0 }]
  })
}

/** An interface's number, as the vrrp process knows it: that of the namespace it works in. */
export function interfaceIndexes({ status }: SnmpSnapshot): (name: string | undefined) => number | undefined {
  const byName = new Map(status.vrrp?.interfaces?.map(({ name, index }) => [name, index]))
  return (name) => (name === undefined ? undefined : byName.get(name))
}

/** `router_id`, or the host's name. */
export const routerOf = ({ globals }: Pick<Config, 'globals'>): string => globals.routerId ?? hostname()

/** A command line as keepalived shows it: each word in quotes. */
export const commandText = (script: Script | true | undefined): SnmpValue | undefined =>
  script === undefined || script === true ? undefined : text(script.words.map((word) => `'${word}'`).join(' '))

/** The first word of a command line. */
export const pathText = (script: Script | undefined): SnmpValue | undefined => script && text(script.words[0] ?? '')
