import type { Config, RealServer, VirtualServer } from '@ipvs-director/config'
import { formatEndpoint, parseEndpoint, type Address, type Endpoint } from '@ipvs-director/core'
import type { LeavingServer } from './leaving.ts'
import { isUnsteered, unsteered, type Steer } from './steer.ts'

/**
 * Everything that was asked for at run time, as it is persisted: names of services and servers as status shows them.
 * What names something that the file no longer has stays, shown as such, until it is reset.
 */
export interface Overlay {
  /** By service, then by server. */
  readonly steers: ReadonlyMap<string, ReadonlyMap<string, Steer>>
  /** Hosts in maintenance, with the wall clock of its beginning: servers that come to be there later are taken out, too. */
  readonly hosts: ReadonlyMap<Address, number>
  /** Servers that are not in the file. */
  readonly added: readonly AddedServer[]
  /** Servers of the file that are left out, by service. */
  readonly removed: ReadonlyMap<string, ReadonlySet<string>>
  /** Servers that a reload removed, whose connections may end first. Not persisted. */
  readonly leaving: readonly LeavingServer[]
  /** Virtual servers that are not in the file. */
  readonly services: readonly AddedService[]
  /** Virtual servers of the file that are left out. */
  readonly removedServices: ReadonlySet<string>
  /** Virtual servers on their way out: their real servers are drained first. */
  readonly leavingServices: ReadonlyMap<string, Drain>
}

/** A virtual server added by hand, as it was written: what that means is read anew by each run. */
export interface AddedService {
  readonly name: string
  /** The keepalived.conf snippet it is from; there may be others in it. */
  readonly text: string
  /** What the text means; undefined: it cannot be read (any more). */
  readonly virtual: VirtualServer | undefined
}

export interface Drain {
  /** Wall clock. */
  readonly since: number
  /** Wall clock at which it is over whatever is left; undefined: no limit. */
  readonly deadline: number | undefined
}

/** A server added by hand: like another one of its service, but for what is said here. */
export interface AddedServer {
  readonly service: string
  readonly server: string
  readonly weight: number | undefined
  /** The server it is like; undefined: the service's first. */
  readonly like: string | undefined
}

export const emptyOverlay: Overlay = {
  steers: new Map(),
  hosts: new Map(),
  added: [],
  removed: new Map(),
  leaving: [],
  services: [],
  removedServices: new Set(),
  leavingServices: new Map(),
}

export function isEmpty(overlay: Overlay): boolean {
  const { steers, hosts, added, removed, services, removedServices, leavingServices } = overlay
  const maps = [steers, hosts, removed, removedServices, leavingServices]
  return maps.every(({ size }) => size === 0) && added.length === 0 && services.length === 0
}

export function steerOf(overlay: Overlay, service: string, server: string): Steer {
  return overlay.steers.get(service)?.get(server) ?? unsteered
}

const nobody: ReadonlyMap<string, Steer> = new Map()

/** Every server of a service that somebody steers, with those on hosts in maintenance; all of a service that leaves. */
export function steersFor(overlay: Overlay, virtual: VirtualServer): ReadonlyMap<string, Steer> {
  const own = overlay.steers.get(virtual.name) ?? nobody
  const drain = overlay.leavingServices.get(virtual.name)
  if (drain !== undefined) return leavingSteers(own, virtual, drain)
  if (overlay.hosts.size === 0 && overlay.leaving.length === 0) return own
  const all = new Map(own)
  for (const { service, real, since, deadline } of overlay.leaving) {
    if (service === virtual.name)
      all.set(formatEndpoint(real), { admin: { kind: 'draining', since, deadline, host: false } })
  }
  for (const real of virtual.realServers) {
    const since = overlay.hosts.get(real.address)
    if (since === undefined) continue
    const name = formatEndpoint(real)
    const steer = all.get(name) ?? unsteered
    if (steer.admin !== undefined) continue
    all.set(name, { ...steer, admin: { kind: 'draining', since, deadline: undefined, host: true } })
  }
  return all
}

function leavingSteers(
  own: ReadonlyMap<string, Steer>,
  { realServers }: VirtualServer,
  { since, deadline }: Drain,
): ReadonlyMap<string, Steer> {
  return new Map(
    realServers.map((real) => {
      const name = formatEndpoint(real)
      const steer = own.get(name) ?? unsteered
      if (steer.admin?.kind === 'drained') return [name, steer]
      return [name, { ...steer, admin: { kind: 'draining', since, deadline, host: false } }]
    }),
  )
}

export function withSteer(overlay: Overlay, service: string, server: string, steer: Steer): Overlay {
  const servers = new Map(overlay.steers.get(service))
  if (isUnsteered(steer)) servers.delete(server)
  else servers.set(server, steer)
  const steers = new Map(overlay.steers)
  if (servers.size === 0) steers.delete(service)
  else steers.set(service, servers)
  return { ...overlay, steers }
}

export function withHost(overlay: Overlay, host: Address, since: number | undefined): Overlay {
  const hosts = new Map(overlay.hosts)
  if (since === undefined) hosts.delete(host)
  else hosts.set(host, since)
  return { ...overlay, hosts }
}

/** Adds a server. One of the file that had been left out is taken back instead. */
export function withAdded(overlay: Overlay, added: AddedServer): Overlay {
  const others = overlay.added.filter((each) => each.service !== added.service || each.server !== added.server)
  if (overlay.removed.get(added.service)?.has(added.server) === true) {
    return { ...overlay, added: others, removed: without(overlay.removed, added.service, added.server) }
  }
  return { ...overlay, added: [...others, added] }
}

/** Leaves a server out, with whatever was asked of it. */
export function withRemoved(overlay: Overlay, service: string, server: string): Overlay {
  const plain = withSteer(overlay, service, server, unsteered)
  const others = plain.added.filter((each) => each.service !== service || each.server !== server)
  if (others.length < plain.added.length) return { ...plain, added: others }
  const servers = new Set(plain.removed.get(service)).add(server)
  return { ...plain, removed: new Map([...plain.removed, [service, servers]]) }
}

/** Forgets what was asked of one server, of a service, or of everything; whom a reload removed goes on leaving. */
export function withoutWishes(overlay: Overlay, service?: string, server?: string): Overlay {
  if (service === undefined) return { ...emptyOverlay, leaving: overlay.leaving }
  if (server === undefined) {
    const steers = new Map(overlay.steers)
    steers.delete(service)
    const removed = new Map(overlay.removed)
    removed.delete(service)
    const leavingServices = new Map(overlay.leavingServices)
    leavingServices.delete(service)
    const removedServices = new Set(overlay.removedServices)
    removedServices.delete(service)
    const services = overlay.services.filter(({ name }) => name !== service)
    const added = overlay.added.filter((each) => each.service !== service)
    return { ...overlay, steers, removed, added, services, removedServices, leavingServices }
  }
  const plain = withSteer(overlay, service, server, unsteered)
  return {
    ...plain,
    added: plain.added.filter((each) => each.service !== service || each.server !== server),
    removed: without(plain.removed, service, server),
  }
}

function without(removed: Overlay['removed'], service: string, server: string): Overlay['removed'] {
  const servers = new Set(removed.get(service))
  servers.delete(server)
  const next = new Map(removed)
  if (servers.size === 0) next.delete(service)
  else next.set(service, servers)
  return next
}

/** The file's configuration with the servers that were added and without those left out. */
export function overlaid(config: Config, overlay: Overlay): Config {
  if (overlay.added.length === 0 && overlay.removed.size === 0 && overlay.leaving.length === 0) return config
  return { ...config, virtualServers: config.virtualServers.map((virtual) => overlaidService(virtual, overlay)) }
}

function overlaidService(virtual: VirtualServer, overlay: Overlay): VirtualServer {
  const removed = overlay.removed.get(virtual.name)
  const added = overlay.added.filter(({ service }) => service === virtual.name)
  const leaving = overlay.leaving.filter(({ service }) => service === virtual.name)
  if (removed === undefined && added.length === 0 && leaving.length === 0) return virtual
  const kept = virtual.realServers.filter((real) => removed?.has(formatEndpoint(real)) !== true)
  const names = new Set(kept.map(formatEndpoint))
  const more = added.flatMap((each) => {
    const like = templateOf(virtual, each)
    const endpoint = parseEndpoint(each.server)
    if (like === undefined || endpoint === undefined || names.has(each.server)) return []
    return [serverLike(like, endpoint, each.weight)]
  })
  const there = new Set([...kept, ...more].map(formatEndpoint))
  const last = leaving.map(({ real }) => real).filter((real) => !there.has(formatEndpoint(real)))
  return { ...virtual, realServers: [...kept, ...more, ...last] }
}

/** The server whose settings an added one gets. */
export function templateOf(virtual: VirtualServer, { like }: AddedServer): RealServer | undefined {
  return like === undefined ? virtual.realServers[0] : virtual.realServers.find((real) => formatEndpoint(real) === like)
}

/** A copy of a server elsewhere: checks of the server itself go to the new place, others where they went. */
function serverLike(like: RealServer, endpoint: Endpoint, weight: number | undefined): RealServer {
  return {
    ...like,
    ...endpoint,
    weight: weight ?? like.weight,
    checkers: like.checkers.map((checker) => {
      const { connection } = checker
      if (connection?.through !== undefined) {
        return {
          ...checker,
          connection: { ...connection, through: { ...connection.through, address: endpoint.address } },
        }
      }
      if (connection?.address !== like.address) return checker
      const port = connection.port === like.port ? endpoint.port : connection.port
      return { ...checker, connection: { ...connection, address: endpoint.address, port } }
    }),
  }
}
