import type { SteerRequest, SteerTarget } from '@ipvs-director/control'
import type { Config } from '@ipvs-director/config'
import { formatEndpoint, parseAddress, parseEndpoint, type Address } from '@ipvs-director/core'
import {
  steerOf,
  templateOf,
  withAdded,
  withHost,
  withoutWishes,
  withRemoved,
  withSteer,
  type Overlay,
} from './overlay.ts'
import { describeSteer, type Admin, type Steer } from './steer.ts'
import { addServices, removeService } from './steering-services.ts'
import type { Steered, Wish } from './wish.ts'

/** Carries one request into the overlay: pure. `now` is the wall clock; `config` what runs, the overlay included. */
export function steered(overlay: Overlay, request: Wish, config: Config, now: number): Steered {
  switch (request.action) {
    case 'weight':
      return change(overlay, request, config, (steer) => ({ ...steer, weight: request.weight }))
    case 'force':
      return change(overlay, request, config, (steer) => ({ ...steer, force: request.force }))
    case 'disable':
      return change(overlay, request, config, (steer) => ({ ...steer, admin: { kind: 'disabled', since: now } }))
    case 'drain': {
      const deadline = request.deadline === undefined ? undefined : now + request.deadline
      const admin: Admin = { kind: 'draining', since: now, deadline, host: false }
      return change(overlay, request, config, (steer) => ({ ...steer, admin }))
    }
    case 'enable':
      return change(overlay, request, config, enabled)
    case 'maintenance':
      return maintenance(overlay, request, config, now)
    case 'add':
      return add(overlay, request, config)
    case 'remove':
      return remove(overlay, request, config)
    case 'add-service':
      return addServices(overlay, request, config)
    case 'remove-service':
      return removeService(overlay, request, config, now)
    case 'reset':
      return reset(overlay, request)
  }
}

interface Place {
  readonly service: string
  readonly server: string
}

/** The real servers a request means: of one service, or by that name in all of them; those on their way out are left alone. */
function placesOf(
  overlay: Overlay,
  config: Config,
  { service, server }: SteerTarget,
): readonly Place[] | { readonly problem: string; readonly candidates: readonly string[] } {
  const services = config.virtualServers.filter(({ name }) => service === undefined || name === service)
  if (services.length === 0) {
    return {
      problem: service === undefined ? 'there are no virtual servers' : `there is no virtual server ${service}`,
      candidates: config.virtualServers.map(({ name }) => name),
    }
  }
  const places = services.flatMap((virtual) =>
    virtual.realServers
      .filter((real) => formatEndpoint(real) === server)
      .map(() => ({ service: virtual.name, server })),
  )
  const staying = places.filter((place) => whyLeaving(overlay, place) === undefined)
  if (staying.length > 0) return staying
  const [leaving] = places
  if (leaving !== undefined) return { problem: whyLeaving(overlay, leaving) ?? '', candidates: [] }
  const where = service === undefined ? 'any virtual server' : service
  return {
    problem: `there is no real server ${server} in ${where}`,
    candidates: [...new Set(services.flatMap(({ realServers }) => realServers.map(formatEndpoint)))],
  }
}

/** Why nothing can be asked of a server any more but to wait for its connections; undefined: it stays. */
function whyLeaving(overlay: Overlay, { service, server }: Place): string | undefined {
  if (overlay.leavingServices.has(service))
    return `${server} leaves with ${service}, which is being removed: "reset ${service}" keeps it`
  return overlay.leaving.some((each) => each.service === service && formatEndpoint(each.real) === server)
    ? `${server} leaves ${service}, because the file has it no more: "add" brings it back, and so does a file with it`
    : undefined
}

function change(overlay: Overlay, request: SteerTarget, config: Config, to: (steer: Steer) => Steer): Steered {
  const places = placesOf(overlay, config, request)
  if ('problem' in places) return places
  let next = overlay
  const changes: string[] = []
  for (const { service, server } of places) {
    const steer = to(steerOf(overlay, service, server))
    next = withSteer(next, service, server, steer)
    changes.push(`${server} of ${service}: ${describeSteer(steer)}`)
  }
  return { overlay: next, changes }
}

function enabled({ weight, force }: Steer): Steer {
  return { ...(weight === undefined ? {} : { weight }), ...(force === undefined ? {} : { force }) }
}

function maintenance(
  overlay: Overlay,
  request: SteerRequest & { action: 'maintenance' },
  config: Config,
  now: number,
): Steered {
  const host = parseAddress(request.host)
  if (host === undefined) return { problem: `${request.host} is not an IP address`, candidates: [] }
  const places = config.virtualServers.flatMap((virtual) =>
    virtual.realServers
      .filter(({ address }) => address === host)
      .map((real) => ({ service: virtual.name, server: formatEndpoint(real) })),
  )
  if (!request.on) {
    if (!overlay.hosts.has(host)) {
      return { problem: `${host} is not in maintenance`, candidates: [...overlay.hosts.keys()] }
    }
    return { overlay: backFromMaintenance(overlay, host), changes: [`${host}: back from maintenance`] }
  }
  if (places.length === 0) {
    const hosts = config.virtualServers.flatMap(({ realServers }) => realServers.map(({ address }) => address))
    return { problem: `no real server has the address ${host}`, candidates: [...new Set<string>(hosts)] }
  }
  let next = withHost(overlay, host, now)
  const deadline = request.deadline === undefined ? undefined : now + request.deadline
  for (const { service, server } of places) {
    const steer = steerOf(overlay, service, server)
    if (steer.admin !== undefined) continue
    next = withSteer(next, service, server, { ...steer, admin: { kind: 'draining', since: now, deadline, host: true } })
  }
  return { overlay: next, changes: places.map(({ service, server }) => `${server} of ${service}: draining`) }
}

function backFromMaintenance(overlay: Overlay, host: Address): Overlay {
  let next = withHost(overlay, host, undefined)
  for (const [service, servers] of overlay.steers) {
    for (const [server, steer] of servers) {
      const { admin } = steer
      if (admin === undefined || admin.kind === 'disabled' || !admin.host) continue
      if (parseEndpoint(server)?.address === host) next = withSteer(next, service, server, enabled(steer))
    }
  }
  return next
}

function add(overlay: Overlay, request: SteerRequest & { action: 'add' }, config: Config): Steered {
  const { service, weight, like } = request
  const virtual = config.virtualServers.find(({ name }) => name === service)
  if (virtual === undefined) {
    const candidates = config.virtualServers.map(({ name }) => name)
    return { problem: `there is no virtual server ${service}`, candidates }
  }
  const endpoint = parseEndpoint(request.server)
  if (endpoint === undefined) return { problem: `${request.server} is not an address with a port`, candidates: [] }
  const server = formatEndpoint(endpoint)
  const isThere = virtual.realServers.some((real) => formatEndpoint(real) === server)
  if (isThere && whyLeaving(overlay, { service, server }) === undefined) {
    return { problem: `${service} has ${server} already`, candidates: [] }
  }
  const added = { service, server, weight, like }
  if (overlay.removed.get(service)?.has(server) !== true && templateOf(virtual, added) === undefined) {
    const candidates = virtual.realServers.map(formatEndpoint)
    const problem =
      like === undefined
        ? `${service} has no real server to take the settings from; write it into the file`
        : `there is no real server ${like} in ${service} to take the settings from`
    return { problem, candidates }
  }
  return { overlay: withAdded(overlay, added), changes: [`${server} of ${service}: added`] }
}

function remove(overlay: Overlay, request: SteerTarget, config: Config): Steered {
  const places = placesOf(overlay, config, request)
  if ('problem' in places) return places
  const next = places.reduce((before, { service, server }) => withRemoved(before, service, server), overlay)
  return { overlay: next, changes: places.map(({ service, server }) => `${server} of ${service}: removed`) }
}

function reset(overlay: Overlay, { service, server }: SteerRequest & { action: 'reset' }): Steered {
  if (server !== undefined && service === undefined) {
    const services = new Set([
      ...overlay.steers.keys(),
      ...overlay.removed.keys(),
      ...overlay.added.map((a) => a.service),
    ])
    const next = [...services].reduce((before, name) => withoutWishes(before, name, server), overlay)
    return { overlay: next, changes: [`${server}: as configured`] }
  }
  const what = server ?? service ?? 'everything'
  return { overlay: withoutWishes(overlay, service, server), changes: [`${what}: as configured`] }
}
