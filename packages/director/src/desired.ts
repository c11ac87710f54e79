import type { Forwarding, VirtualServer, VirtualServerTarget } from '@ipvs-director/config'
import { formatEndpoint, type Address } from '@ipvs-director/core'
import {
  destinationId,
  serviceFamily,
  serviceId,
  type Destination,
  type Service,
  type ServiceKey,
  type ServiceSettings,
} from 'ipvs-netlink'
import { fullWeight, isAlive, isServing, servingWeight, type Pool, type PoolServer } from './pool.ts'

/** The kernel services a virtual server stands for: one, or one per entry of its group. */
export function serviceKeys(virtual: VirtualServer): ServiceKey[] {
  const target: VirtualServerTarget = virtual.target
  if (target.kind === 'group') return target.entries.map((entry) => keyOf(entry, virtual.protocol))
  return [keyOf(target, virtual.protocol)]
}

/** A service's id; where it is the virtual server's name it is that very text, which is there already. */
export function serviceIdOf({ name }: VirtualServer, key: ServiceKey): string {
  const id = serviceId(key)
  return id === name ? name : id
}

type PlainTarget = Exclude<VirtualServerTarget, { kind: 'group' }>

function keyOf(target: PlainTarget, protocol: VirtualServer['protocol']): ServiceKey {
  return target.kind === 'fwmark'
    ? { fwmark: target.fwmark, family: target.family }
    : { protocol, address: target.address, port: target.port }
}

/** What the kernel is to hold for one pool as it stands now: pure, in the order of the configuration. */
export function desiredServices(pool: Pool): Service[] {
  return serviceKeys(pool.config).map((key) => desiredService(pool, key))
}

/**
 * Alive servers with their weight; failed ones with weight 0 if inhibited, else absent. While quorum is lost and a sorry
 * server is configured it serves alone (reference/checkers.md §5). Servers that have the same entry are as one: see
 * {@link offer}.
 */
export function desiredService(pool: Pool, key: ServiceKey): Service {
  const steps = growService(pool, key)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** The same, with a rest after each server: there may be very many. */
export function* growService(pool: Pool, key: ServiceKey): Generator<undefined, Service, undefined> {
  const virtual = pool.config
  const destinations = new Map<string, Destination>()
  const situation = situationOf(pool)
  const { sorryActive } = situation
  for (const server of pool.servers.values()) {
    const weight = wantedWeight(server, situation)
    if (weight !== undefined) {
      const destination = destinationOf(server, weight, key)
      offer(destinations, idOf(server, destination), destination)
    }
    yield
  }
  const sorry = virtual.sorryServer
  if (sorry !== undefined && (sorryActive || sorry.inhibit)) {
    const destination = {
      ...plain(sorry.address, portFor(sorry.port, sorry.forwarding, key), sorry.forwarding),
      weight: sorryActive ? 1 : 0,
    }
    const id = destinationId(destination)
    if (sorryActive || !destinations.has(id)) destinations.set(id, destination)
  }
  return { key, settings: settingsOf(virtual, key), destinations }
}

/**
 * DR and TUN deliver to the service's own port, so that in a group two real servers may be one entry: it is as the one wants it
 * that wants the most of it, and goes when nobody wants it. To be drained, both must be.
 */
function offer(destinations: Map<string, Destination>, id: string, destination: Destination): void {
  const before = destinations.get(id)
  if (before === undefined || before.weight < destination.weight) destinations.set(id, destination)
}

/** Whether the entry of a server would serve without it, too. */
export function isServedByAnother(pool: Pool, server: PoolServer, key: ServiceKey): boolean {
  const name = destinationName(server, key)
  const situation = situationOf(pool)
  return [...pool.servers.values()].some(
    (other) =>
      other !== server &&
      other.config.address === server.config.address &&
      destinationName(other, key) === name &&
      (wantedWeight(other, situation) ?? 0) > 0,
  )
}

/** Virtual servers of which every real server has an entry of its own, and no other tier. */
const simple = new WeakMap<VirtualServer, boolean>()

/**
 * Whether a server's entry hangs on that server alone as the pool stands now: there is no other tier, no sorry server in the
 * table, and no two servers have the same entry.
 */
export function isSimple(pool: Pool, key: ServiceKey): boolean {
  const virtual = pool.config
  if (isSorryActive(pool) || virtual.sorryServer?.inhibit === true) return false
  let known = simple.get(virtual)
  if (known === undefined) {
    const { realServers } = virtual
    known = realServers.every(
      ({ port, forwarding, tier }) => tier === realServers[0]?.tier && portFor(port, forwarding, key) === port,
    )
    simple.set(virtual, known)
  }
  return known
}

/** The entry of one server of a pool that {@link isSimple}, by its id; undefined: none, or there is no such server. */
export function desiredEntry(pool: Pool, name: string, key: ServiceKey): [string, Destination | undefined] {
  const server = pool.servers.get(name)
  if (server === undefined) return [name, undefined]
  const weight = wantedWeight(server, { sorryActive: false, panic: pool.panic, tier: Infinity })
  const destination = destinationOf(server, weight ?? 0, key)
  return [idOf(server, destination), weight === undefined ? undefined : destination]
}

/** Most have the endpoint of their server, whose name is there already: each text less counts in a large table. */
function idOf({ name, config }: PoolServer, destination: Destination): string {
  return destination.port === config.port ? name : destinationId(destination)
}

/** The sorry server takes the connections when quorum is lost. */
export function isSorryActive(pool: Pool): boolean {
  return !pool.quorum.up && pool.config.sorryServer !== undefined
}

/** What a server's weight hangs on beside itself. */
export interface Situation {
  readonly sorryActive: boolean
  /** The checks are not believed. */
  readonly panic: boolean
  /** Servers of higher tiers stand by. */
  readonly tier: number
}

export function situationOf(pool: Pool): Situation {
  return { sorryActive: isSorryActive(pool), panic: pool.panic, tier: highestTier(pool) }
}

/** The tiers that serve: as many from the lowest on as make the quorum; all where they do not. */
function highestTier(pool: Pool): number {
  const weights = new Map<number, number>()
  for (const server of pool.servers.values()) {
    const { tier } = server.config
    weights.set(tier, (weights.get(tier) ?? 0) + (isServing(server) ? fullWeight(server) : 0))
  }
  if (weights.size < 2) return Infinity
  let sum = 0
  for (const [tier, weight] of [...weights].sort(([a], [b]) => a - b)) {
    sum += weight
    if (sum >= pool.config.quorum) return tier
  }
  return Infinity
}

/**
 * Weight the kernel is to have for a server; undefined: no entry. One that is being drained keeps its entry as long as it
 * can answer.
 */
export function wantedWeight(server: PoolServer, { sorryActive, panic, tier }: Situation): number | undefined {
  const { steer, health, config } = server
  if (steer.admin?.kind === 'drained') return undefined
  if (steer.admin !== undefined) return isAlive(health) || config.inhibitOnFailure ? 0 : undefined
  const serving = isServing(server) || (panic && steer.force !== 'down')
  if (serving && !sorryActive) return config.tier > tier ? 0 : servingWeight(server)
  if (!sorryActive && config.degradedWeight !== undefined) return config.degradedWeight
  return config.inhibitOnFailure ? 0 : undefined
}

/** The endpoint a server has under a service: DR and TUN deliver to the service's own port. */
export function destinationName({ config }: Pick<PoolServer, 'config'>, key: ServiceKey): string {
  const { address, port, forwarding } = config
  return formatEndpoint({ address, port: portFor(port, forwarding, key) })
}

function destinationOf(server: PoolServer, weight: number, key: ServiceKey): Destination {
  const { config } = server
  return {
    ...plain(config.address, portFor(config.port, config.forwarding, key), config.forwarding),
    weight,
    upperThreshold: config.upperThreshold,
    lowerThreshold: config.lowerThreshold,
  }
}

function plain(address: Address, port: number, forwarding: Forwarding): Destination {
  return {
    address,
    port,
    forwarding: forwarding.method,
    weight: 0,
    upperThreshold: 0,
    lowerThreshold: 0,
    tunnel: forwarding.tunnel,
  }
}

function portFor(port: number, forwarding: Forwarding, key: ServiceKey): number {
  if (forwarding.method === 'masq' && port !== 0) return port
  return 'fwmark' in key ? 0 : key.port
}

let lastSettings: ServiceSettings | undefined

/** The same object as the last time where nothing differs: there may be thousands of services. */
function settingsOf(virtual: VirtualServer, key: ServiceKey): ServiceSettings {
  const settings = ownSettings(virtual, key)
  if (lastSettings === undefined || !isSame(lastSettings, settings)) lastSettings = settings
  return lastSettings
}

const isSame = (a: ServiceSettings, b: ServiceSettings): boolean =>
  (Object.keys(a) as (keyof ServiceSettings)[]).every((key) => a[key] === b[key])

/** What is wanted of a virtual server's service beside its destinations. */
export const isSetAs = ({ settings }: Service, virtual: VirtualServer, key: ServiceKey): boolean =>
  isSame(settings, ownSettings(virtual, key))

function ownSettings(virtual: VirtualServer, key: ServiceKey): ServiceSettings {
  const everybodyAlone = serviceFamily(key) === 'inet' ? 0xffffffff : 128
  return {
    scheduler: virtual.scheduler,
    persistence: virtual.persistenceTimeout,
    netmask: virtual.persistenceTimeout > 0 ? virtual.persistenceGranularity : everybodyAlone,
    engine: virtual.persistenceTimeout > 0 ? virtual.persistenceEngine : undefined,
    onePacket: virtual.onePacket,
    flag1: virtual.flag1,
    flag2: virtual.flag2,
    flag3: virtual.flag3,
  }
}

/** All pools' services by id. Where two name the same service their destinations are joined; the first one's settings stand. */
export function desiredTable(pools: Iterable<Pool>): Map<string, Service> {
  const table = new Map<string, Service>()
  for (const pool of pools) {
    for (const service of desiredServices(pool)) join(table, serviceIdOf(pool.config, service.key), service)
  }
  return table
}

function join(table: Map<string, Service>, id: string, service: Service): void {
  const before = table.get(id)
  if (before === undefined) {
    table.set(id, service)
    return
  }
  const destinations = new Map(before.destinations)
  for (const [name, destination] of service.destinations) offer(destinations, name, destination)
  table.set(id, { ...before, destinations })
}
