import { inSlices } from '@ipvs-director/core'
import { asExpected } from './audit.ts'
import type { DestinationEntry, DestinationGlance, IpvsClient, IpvsError, ServiceEntry, Timeouts } from './client.ts'
import { beyondTimeoutLimits } from './limits.ts'
import { MemoryCounters } from './memory-counters.ts'
import { MemoryDaemons } from './memory-daemons.ts'
import { kernelSchedulers, MemoryTable, refuse, type ErrorCode } from './memory-table.ts'
import { describe, refused, refusedCommand, type IpvsRefusal } from './refusal.ts'
import { sortedByEndpoint } from './sorted.ts'
import {
  serviceId,
  type Command,
  type DestinationCounters,
  type DestinationKey,
  type Service,
  type ServiceKey,
  type Table,
} from './table.ts'

export interface MemoryIpvsOptions {
  /** Names of the schedulers it knows; default: those of Linux 6.1. */
  readonly schedulers?: readonly string[]
  /** Whether the commands are kept for whoever looks; default true. What runs for long must not. */
  readonly keepLog?: boolean
}

/** A table in memory, with a hand on it. */
export interface MemoryIpvs extends IpvsClient {
  /** Commands tried so far, refused ones too. */
  readonly writes: number
  /** Those commands, oldest first; empty without `keepLog`. */
  readonly log: readonly Command[]
  /** From now on asks `rule` about each command before it is carried out; undefined: as the kernel would. */
  refuse(rule: ((command: Command) => ErrorCode | undefined) | undefined): void
  /** From now on every method rejects with this error; undefined: works again. */
  breakDown(error: Error | undefined): void
  /** Sets what the kernel would count for a destination; what is not given stays. */
  count(service: ServiceKey, destination: DestinationKey, counters: Partial<DestinationCounters>): void
}

/** Timeouts are kept in ticks of 31 bits; this is for HZ = 100. */
const longestTimeout = Math.floor((2 ** 31 - 1) / 100)

/**
 * An IPVS that forwards nothing: a table in memory that refuses what the kernel refuses. For tests, and for trying a
 * configuration where there is no kernel with IPVS. Passes `testing/contract.ts` like the kernel.
 */
export function memoryIpvs(options: MemoryIpvsOptions = {}): MemoryIpvs {
  const table = new MemoryTable(options.schedulers ?? kernelSchedulers)
  const counters = new MemoryCounters()
  const daemons = new MemoryDaemons()
  const log: Command[] = []
  const { keepLog = true } = options
  let writes = 0
  let rule: ((command: Command) => ErrorCode | undefined) | undefined
  let broken: Error | undefined
  let timeouts: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 }

  /** Asynchronous like the kernel, so that nobody depends on an answer within the same turn of the event loop. */
  async function answer<T>(work: () => T | Promise<T>): Promise<T> {
    await Promise.resolve()
    if (broken !== undefined) throw broken
    return work()
  }

  function must(tried: string, refusal: IpvsRefusal | undefined): void {
    if (refusal !== undefined) throw refused(tried, refusal)
  }

  function execute(command: Command): IpvsError | undefined {
    writes++
    if (keepLog) log.push(command)
    const code = rule?.(command)
    table.daemonRuns = daemons.list().length > 0
    const refusal = code === undefined ? table.apply(command) : refuse(code)
    if (refusal !== undefined) return refusedCommand(command, refusal)
    if (command.do === 'deleteDestination') {
      const service = table.services.get(serviceId(command.service))
      if (service !== undefined) counters.forget(service, command.destination)
    }
    return undefined
  }

  /** In pieces as the kernel takes them. */
  async function executeAll(commands: readonly Command[]): Promise<(IpvsError | undefined)[]> {
    const results: (IpvsError | undefined)[] = []
    await inSlices(commands, (command) => {
      results.push(execute(command))
    })
    return results
  }

  const serviceEntry = (service: Service): ServiceEntry => ({
    key: service.key,
    settings: service.settings,
    statistics: counters.ofService(service),
  })

  const copyOf = (service: Service): Service => ({ ...service, destinations: new Map(service.destinations) })

  /** In pieces, as the kernel is read. */
  async function copy(): Promise<Table> {
    const copied = new Map<string, Service>()
    await inSlices(table.services, ([id, service]) => {
      copied.set(id, copyOf(service))
    })
    return copied
  }

  /** What is as expected is not copied. */
  async function audit(expected: Table): Promise<Table> {
    const found = new Map<string, Service>()
    await inSlices(table.services, ([id, service]) => {
      const same = asExpected(service, expected.get(id))
      found.set(id, same === service ? copyOf(service) : same)
    })
    return found
  }

  async function services(): Promise<ServiceEntry[]> {
    const entries: ServiceEntry[] = []
    await inSlices(table.services.values(), (service) => {
      entries.push(serviceEntry(service))
    })
    return entries
  }

  async function glance(): Promise<Map<string, Map<string, DestinationGlance>>> {
    const seen = new Map<string, Map<string, DestinationGlance>>()
    for (const [id, service] of table.services) {
      const destinations = new Map<string, DestinationGlance>()
      seen.set(id, destinations)
      await inSlices(service.destinations, ([name, destination]) => {
        const { activeConnections, inactiveConnections } = counters.of(service, destination)
        const forwarding = destination.forwarding === 'bypass' ? 'masq' : destination.forwarding
        destinations.set(name, { forwarding, weight: destination.weight, activeConnections, inactiveConnections })
      })
    }
    return seen
  }

  return {
    log,
    get writes() {
      return writes
    },
    refuse: (next) => {
      rule = next
    },
    breakDown: (error) => {
      broken = error
    },
    count(key, destination, counted) {
      const service = table.services.get(serviceId(key))
      if (service === undefined) throw new Error(`no service ${serviceId(key)} to count for`)
      counters.set(service, destination, counted)
    },

    execute: (commands) => answer(() => executeAll(commands)),
    services: () => answer(services),
    service: (key) =>
      answer(() => {
        const service = table.services.get(serviceId(key))
        return service === undefined ? undefined : serviceEntry(service)
      }),
    destinations: (key) =>
      answer(async () => {
        const service = table.services.get(serviceId(key))
        if (service === undefined) return []
        const entries: DestinationEntry[] = []
        await inSlices(await sortedByEndpoint([...service.destinations.values()], (each) => each), (destination) => {
          entries.push({ destination, counters: counters.of(service, destination) })
        })
        return entries
      }),
    table: () => answer(copy),
    audit: (expected) => answer(() => audit(expected)),
    glance: () => answer(glance),
    zero: (key) =>
      answer(() => {
        const service = key === undefined ? undefined : table.services.get(serviceId(key))
        must(describe.zero(key), key !== undefined && service === undefined ? refuse('ESRCH') : undefined)
        for (const each of service === undefined ? table.services.values() : [service]) counters.zero(each)
      }),
    timeouts: () => answer(() => timeouts),
    setTimeouts: ({ tcp, tcpFin, udp }) =>
      answer(() => {
        must(describe.setTimeouts, beyondTimeoutLimits({ tcp, tcpFin, udp }))
        must(describe.setTimeouts, Math.max(tcp, tcpFin, udp) > longestTimeout ? refuse('EINVAL') : undefined)
        timeouts = { tcp: tcp || timeouts.tcp, tcpFin: tcpFin || timeouts.tcpFin, udp: udp || timeouts.udp }
      }),
    daemons: () => answer(() => daemons.list()),
    startDaemon: (daemon) =>
      answer(() => {
        must(describe.startDaemon(daemon), table.mixesFamilies ? refuse('EINVAL') : daemons.start(daemon))
      }),
    stopDaemon: (daemon) =>
      answer(() => {
        must(describe.stopDaemon(daemon), daemons.stop(daemon.state))
      }),
    info: () => answer(() => ({ version: '1.2.1', connectionTableSize: 4096 })),
    close: () => {
      broken ??= new Error('the IPVS client is closed')
    },
  }
}
