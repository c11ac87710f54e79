import { constants } from 'node:os'
import { addressBytes, familyOf, type Address } from '@ipvs-director/core'
import { beyondLimits } from './limits.ts'
import type { IpvsRefusal } from './refusal.ts'
import { tunnelOf } from './same.ts'
import {
  destinationId,
  serviceFamily,
  serviceId,
  type Command,
  type Destination,
  type Service,
  type ServiceKey,
  type ServiceSettings,
} from './table.ts'

/** What kernel 6.1 can be built with; `none` is a service that no scheduler serves. */
export const kernelSchedulers: readonly string[] = [
  ...['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq', 'fo', 'ovf', 'twos', 'none'],
]

type MutableService = Service & { destinations: Map<string, Destination>; settings: ServiceSettings }

/** The state behind `memoryIpvs`: a table, and the refusals that ip_vs of Linux 6.1 was seen to answer with. */
export class MemoryTable {
  readonly services = new Map<string, MutableService>()
  /** Whether a sync daemon runs; it rules out destinations of the other family. */
  daemonRuns = false
  private readonly schedulers: ReadonlySet<string>

  constructor(schedulers: readonly string[]) {
    this.schedulers = new Set(schedulers)
  }

  /** Carries out one command; undefined when it was done, else why not. The order of the checks is the kernel's. */
  apply(command: Command): IpvsRefusal | undefined {
    const beyond = beyondLimits(command)
    if (beyond !== undefined) return beyond
    switch (command.do) {
      case 'addService':
        return this.addService(command.key, command.settings)
      case 'setService':
        return this.setService(command.key, command.settings)
      case 'deleteService':
        return this.services.delete(serviceId(command.key)) ? undefined : refuse('ESRCH')
      case 'addDestination':
        return this.addDestination(command.service, command.destination)
      case 'setDestination':
        return this.setDestination(command.service, command.destination)
      case 'deleteDestination': {
        const service = this.services.get(serviceId(command.service))
        if (service === undefined) return refuse('ESRCH')
        return service.destinations.delete(destinationId(command.destination)) ? undefined : refuse('ENOENT')
      }
      case 'flush':
        this.services.clear()
        return undefined
    }
  }

  /** Whether a destination of the other family than its service's is there. */
  get mixesFamilies(): boolean {
    for (const { key, destinations } of this.services.values()) {
      const family = serviceFamily(key)
      for (const { address } of destinations.values()) if (familyOf(address) !== family) return true
    }
    return false
  }

  private addService(key: ServiceKey, settings: ServiceSettings): IpvsRefusal | undefined {
    const id = serviceId(key)
    if (this.services.has(id)) return refuse('EEXIST')
    const refusal = this.checkSettings(key, settings)
    if (refusal === undefined) this.services.set(id, { key, settings, destinations: new Map() })
    return refusal
  }

  private setService(key: ServiceKey, settings: ServiceSettings): IpvsRefusal | undefined {
    const service = this.services.get(serviceId(key))
    if (service === undefined) return refuse('ESRCH')
    const refusal = this.checkSettings(key, settings)
    if (refusal === undefined) service.settings = settings
    return refusal
  }

  private checkSettings(key: ServiceKey, settings: ServiceSettings): IpvsRefusal | undefined {
    if (!this.schedulers.has(settings.scheduler)) return refuse('ENOENT')
    if (settings.engine !== undefined && settings.engine !== 'sip') return refuse('ENOENT')
    const prefix = settings.netmask
    return serviceFamily(key) === 'inet6' && (prefix < 1 || prefix > 128) ? refuse('EINVAL') : undefined
  }

  private addDestination(key: ServiceKey, destination: Destination): IpvsRefusal | undefined {
    const service = this.services.get(serviceId(key))
    if (service === undefined) return refuse('ESRCH')
    const refusal = this.checkDestination(key, destination)
    if (refusal !== undefined) return refusal
    const id = destinationId(destination)
    if (service.destinations.has(id)) return refuse('EEXIST')
    if (!isUnicast(destination.address)) return refuse('EINVAL')
    service.destinations.set(id, asRead(destination))
    return undefined
  }

  private setDestination(key: ServiceKey, destination: Destination): IpvsRefusal | undefined {
    const service = this.services.get(serviceId(key))
    if (service === undefined) return refuse('ESRCH')
    const refusal = this.checkDestination(key, destination)
    if (refusal !== undefined) return refusal
    const id = destinationId(destination)
    if (!service.destinations.has(id)) return refuse('ENOENT')
    service.destinations.set(id, asRead(destination))
    return undefined
  }

  private checkDestination(service: ServiceKey, destination: Destination): IpvsRefusal | undefined {
    const { forwarding, weight, upperThreshold, lowerThreshold, tunnel } = destination
    if (familyOf(destination.address) !== serviceFamily(service)) {
      if (forwarding !== 'tunnel' || this.daemonRuns) return refuse('EINVAL')
    }
    if (weight < 0 || lowerThreshold > upperThreshold) return refuse('ERANGE')
    return forwarding === 'tunnel' && tunnel?.type === 'gue' && tunnel.port === 0 ? refuse('EINVAL') : undefined
  }
}

/** The name of an errno: `EEXIST`. */
export type ErrorCode = keyof typeof constants.errno

/** A refusal by the name of its errno. */
export function refuse(code: ErrorCode): IpvsRefusal {
  return { errno: constants.errno[code], code }
}

/** As the kernel would give it back: without a tunnel that does not count. */
function asRead(destination: Destination): Destination {
  const tunnel = tunnelOf(destination)
  return tunnel === destination.tunnel ? destination : { ...destination, tunnel }
}

/**
 * What ip_vs takes for a real server. The kernel also refuses broadcast addresses of its own networks (127.255.255.255
 * for one) and takes its own link-local ones; a table in memory has no networks.
 */
function isUnicast(value: Address): boolean {
  const bytes = addressBytes(value)
  const [first = 0, second = 0] = bytes
  if (bytes.length === 4) return value !== '0.0.0.0' && (first & 0xf0) !== 0xe0 && value !== '255.255.255.255'
  if (value === '::' || first === 0xff) return false
  if (first === 0xfe && (second & 0xc0) === 0x80) return false
  return !isMapped(bytes)
}

const isMapped = (bytes: Uint8Array): boolean =>
  bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
