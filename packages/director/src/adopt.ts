import type { VirtualServer } from '@ipvs-director/config'
import { formatEndpoint } from '@ipvs-director/core'
import { destinationId, serviceId, type Destination, type Service, type Table } from 'ipvs-netlink'
import { destinationName, serviceKeys } from './desired.ts'
import { createPool, initialHealth, type ServerHealth } from './pool.ts'

/**
 * What the kernel's table says about a pool's servers, so that a restart changes nothing for the connections there are:
 * present with weight → up, absent or inhibited → down, until the first verdict. Alpha servers start down all the same.
 * Undefined when the kernel has none of the pool's services, or only empty ones: nothing to learn, a fresh start.
 */
export function adoptedHealth(virtual: VirtualServer, found: Table): Map<string, ServerHealth> | undefined {
  if (found.size === 0) return undefined
  const service = serviceKeys(virtual)
    .map((key) => found.get(serviceId(key)))
    .find((candidate) => candidate !== undefined && candidate.destinations.size > 0)
  if (service === undefined) return undefined
  const health = new Map<string, ServerHealth>()
  let known = hasSorry(virtual, service)
  for (const server of createPool(virtual, { since: 0 }).servers.values()) {
    const { config, name } = server
    const entry = service.destinations.get(destinationName(server, service.key))
    known ||= entry !== undefined
    const serving = entry !== undefined && isServing(entry, config.weight, config.inhibitOnFailure)
    health.set(name, initialHealth(config.checkers.map((checker) => serving && !checker.timing.alpha)))
  }
  return known ? health : undefined
}

function isServing(entry: Destination, configuredWeight: number, inhibit: boolean): boolean {
  return entry.weight > 0 || configuredWeight === 0 || !inhibit
}

function hasSorry(virtual: VirtualServer, service: Service): boolean {
  const sorry = virtual.sorryServer
  if (sorry === undefined) return false
  return [...service.destinations.values()].some(
    (entry) => destinationId(entry) === formatEndpoint(sorry) || entry.address === sorry.address,
  )
}
