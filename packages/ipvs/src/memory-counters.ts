import { destinationId, type DestinationCounters, type DestinationKey, type Service, type Statistics } from './table.ts'

const noStatistics: Statistics = {
  connections: 0n,
  inPackets: 0n,
  outPackets: 0n,
  inBytes: 0n,
  outBytes: 0n,
  connectionRate: 0n,
  inPacketRate: 0n,
  outPacketRate: 0n,
  inByteRate: 0n,
  outByteRate: 0n,
}

const noCounters: DestinationCounters = {
  activeConnections: 0,
  inactiveConnections: 0,
  persistentConnections: 0,
  statistics: noStatistics,
}

const statisticNames = Object.keys(noStatistics) as (keyof Statistics)[]

/** What a kernel would have counted: nothing by itself, only what it is told. Gone with its service. */
export class MemoryCounters {
  private readonly counted = new WeakMap<Service, Map<string, DestinationCounters>>()

  of(service: Service, destination: DestinationKey): DestinationCounters {
    return this.counted.get(service)?.get(destinationId(destination)) ?? noCounters
  }

  set(service: Service, destination: DestinationKey, counters: Partial<DestinationCounters>): void {
    const known = this.counted.get(service) ?? new Map<string, DestinationCounters>()
    known.set(destinationId(destination), { ...this.of(service, destination), ...counters })
    this.counted.set(service, known)
  }

  forget(service: Service, destination: DestinationKey): void {
    this.counted.get(service)?.delete(destinationId(destination))
  }

  /** The sum over the service's destinations. */
  ofService(service: Service): Statistics {
    const sum = { ...noStatistics }
    for (const { statistics } of this.counted.get(service)?.values() ?? []) {
      for (const name of statisticNames) sum[name] += statistics[name]
    }
    return sum
  }

  /** Statistics start anew; connections are still there. */
  zero(service: Service): void {
    const known = this.counted.get(service)
    for (const [id, counters] of known ?? []) known?.set(id, { ...counters, statistics: noStatistics })
  }
}
