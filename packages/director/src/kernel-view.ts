import type { Traffic } from '@ipvs-director/control'
import { inSlices, millis, type Clock } from '@ipvs-director/core'
import {
  destinationId,
  serviceId,
  type DestinationEntry,
  type IpvsClient,
  type ServiceKey,
  type Statistics,
} from 'ipvs-netlink'
import { serviceKeys } from './desired.ts'
import type { Pool } from './pool.ts'

/** What the kernel counts, read for one status answer. */
export interface KernelView {
  /** Wall clock of the reading. */
  readonly at: number
  /** A service's figures; summed where the pool has several (group). */
  serviceTraffic(pool: Pool): Traffic
  /** A destination under the pool's services: weight of the first, figures summed; undefined where the kernel has none. */
  destination(pool: Pool, name: (key: ServiceKey) => string): { weight: number; traffic: Traffic } | undefined
}

export const noTraffic: Traffic = {
  activeConnections: 0,
  inactiveConnections: 0,
  connections: 0,
  persistentConnections: 0,
  connectionRate: 0,
  inPacketRate: 0,
  outPacketRate: 0,
  inPackets: 0,
  outPackets: 0,
  inByteRate: 0,
  outByteRate: 0,
  inBytes: 0,
  outBytes: 0,
}

/** How long one reading serves all who ask: several screens that watch cost the kernel one. */
const freshFor = millis(500)

/** Reads the kernel for status answers. */
export function createKernelReader(
  ipvs: IpvsClient,
  clock: Clock,
): {
  /** The view may be up to half a second old, and says so. */
  read(pools: readonly Pool[]): Promise<KernelView>
} {
  let last: { readonly pools: readonly Pool[]; readonly view: Promise<KernelView> } | undefined
  return {
    read(pools) {
      if (last?.pools === pools) return last.view
      const view = readKernel(ipvs, pools, clock.wall())
      const reading = { pools, view }
      last = reading
      // Not until somebody asks again: it is as large as the table.
      const forget = (): void => {
        if (last === reading) last = undefined
      }
      clock.after(freshFor, forget)
      view.catch(forget)
      return view
    },
  }
}

/** Up to this many services each one's destinations are read by netlink, figures and all; above, the cheap text. */
const detailedServices = 200

async function readKernel(ipvs: IpvsClient, pools: readonly Pool[], at: number): Promise<KernelView> {
  const services = new Map<string, Traffic>()
  await inSlices(await ipvs.services(), ({ key, statistics }) => {
    services.set(serviceId(key), fromStatistics(statistics))
  })
  const few = pools.length <= detailedServices ? pools.flatMap((pool) => serviceKeys(pool.config)) : undefined
  const destinations =
    few !== undefined && few.length <= detailedServices ? await readDetailed(ipvs, few) : await readGlance(ipvs)
  return {
    at,
    serviceTraffic(pool) {
      const ids = serviceKeys(pool.config).map(serviceId)
      const counted = sum(ids.map((id) => services.get(id) ?? noTraffic))
      for (const id of ids) {
        for (const { traffic } of destinations.get(id)?.values() ?? []) {
          counted.activeConnections += traffic.activeConnections
          counted.inactiveConnections += traffic.inactiveConnections
        }
      }
      return counted
    },
    destination(pool, name) {
      const found = serviceKeys(pool.config)
        .map((key) => destinations.get(serviceId(key))?.get(name(key)))
        .filter((entry) => entry !== undefined)
      const [first] = found
      return first === undefined
        ? undefined
        : {
            weight: first.weight,
            traffic: found.length === 1 ? first.traffic : sum(found.map(({ traffic }) => traffic)),
          }
    },
  }
}

type Entries = Map<string, ReadonlyMap<string, { weight: number; traffic: Traffic }>>

async function readDetailed(ipvs: IpvsClient, keys: readonly ServiceKey[]): Promise<Entries> {
  const entries: Entries = new Map()
  for (const key of keys) {
    const id = serviceId(key)
    if (entries.has(id)) continue
    const row = new Map<string, { weight: number; traffic: Traffic }>()
    entries.set(id, row)
    await inSlices(await ipvs.destinations(key), (entry) => {
      row.set(nameOf(entry), { weight: entry.destination.weight, traffic: trafficOf(entry) })
    })
  }
  return entries
}

async function readGlance(ipvs: IpvsClient): Promise<Entries> {
  const entries: Entries = new Map()
  for (const [id, destinations] of await ipvs.glance()) {
    const row = new Map<string, { weight: number; traffic: Traffic }>()
    entries.set(id, row)
    await inSlices(destinations, ([name, { weight, activeConnections, inactiveConnections }]) => {
      const idle = activeConnections === 0 && inactiveConnections === 0
      row.set(name, { weight, traffic: idle ? noTraffic : { ...noTraffic, activeConnections, inactiveConnections } })
    })
  }
  return entries
}

const nameOf = ({ destination }: DestinationEntry): string => destinationId(destination)

function trafficOf({ counters }: DestinationEntry): Traffic {
  return {
    ...fromStatistics(counters.statistics),
    activeConnections: counters.activeConnections,
    inactiveConnections: counters.inactiveConnections,
    persistentConnections: counters.persistentConnections,
  }
}

/** Bytes past 2^53 lose their last digits: good enough for a screen, exact in the library. */
function fromStatistics(statistics: Statistics): Traffic {
  return {
    ...noTraffic,
    connections: Number(statistics.connections),
    connectionRate: Number(statistics.connectionRate),
    inPacketRate: Number(statistics.inPacketRate),
    outPacketRate: Number(statistics.outPacketRate),
    inPackets: Number(statistics.inPackets),
    outPackets: Number(statistics.outPackets),
    inByteRate: Number(statistics.inByteRate),
    outByteRate: Number(statistics.outByteRate),
    inBytes: Number(statistics.inBytes),
    outBytes: Number(statistics.outBytes),
  }
}

function sum(parts: readonly Traffic[]): { -readonly [Count in keyof Traffic]: Traffic[Count] } {
  const total = { ...noTraffic }
  for (const part of parts) for (const key of Object.keys(noTraffic) as (keyof Traffic)[]) total[key] += part[key]
  return total
}
