import { parseAddress } from '@ipvs-director/core'
import { emptyOverlay, type AddedServer, type AddedService, type Drain, type Overlay } from './overlay.ts'
import { stateFile } from './state-file.ts'
import type { Admin, Steer } from './steer.ts'

/** Where the overlay outlives the process. */
export interface OverlayStore {
  /** What was saved, and what could not be read of it; nothing saved reads as empty. */
  load(): { readonly overlay: Overlay; readonly problem: string | undefined }
  save(overlay: Overlay): void
}

/** Layout of the file; a file of another one is not read. */
const layout = 1

export function overlayFile(path: string): OverlayStore {
  const file = stateFile<Overlay>(path, {
    read: (text) => overlayFromJson(parsed(text)),
    write: (overlay) => `${JSON.stringify(overlayToJson(overlay), undefined, 1)}\n`,
  })
  return {
    load() {
      const { value = emptyOverlay, problem } = file.load()
      return { overlay: value, problem }
    },
    save: (overlay) => {
      file.save(overlay)
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

export function overlayToJson(overlay: Overlay): unknown {
  const { steers, hosts, added, removed, services, removedServices, leavingServices } = overlay
  return {
    layout,
    steers: Object.fromEntries([...steers].map(([service, servers]) => [service, Object.fromEntries(servers)])),
    hosts: Object.fromEntries(hosts),
    added,
    removed: Object.fromEntries([...removed].map(([service, servers]) => [service, [...servers]])),
    services: services.map(({ name, text }) => ({ name, text })),
    removedServices: [...removedServices],
    leavingServices: Object.fromEntries(leavingServices),
  }
}

/** Undefined for what is not an overlay of this layout. What earlier versions did not write is empty. */
export function overlayFromJson(value: unknown): Overlay | undefined {
  if (!isRecord(value) || value['layout'] !== layout) return undefined
  const { steers, hosts, added, removed, services = [], removedServices = [], leavingServices = {} } = value
  if (!isRecord(steers) || !isRecord(hosts) || !Array.isArray(added) || !isRecord(removed)) return undefined
  try {
    return {
      steers: new Map(
        Object.entries(steers).map(([service, servers]) => [
          service,
          new Map(Object.entries(need(isRecord(servers) && servers)).map(([name, steer]) => [name, steerFrom(steer)])),
        ]),
      ),
      hosts: new Map(Object.entries(hosts).map(([host, since]) => [need(parseAddress(host)), moment(since)])),
      added: added.map(addedFrom),
      leaving: [],
      services: need(Array.isArray(services) && services).map(serviceFrom),
      removedServices: new Set(need(Array.isArray(removedServices) && removedServices).map(word)),
      leavingServices: new Map(
        Object.entries(need(isRecord(leavingServices) && leavingServices)).map(([name, drain]) => [
          name,
          drainFrom(drain),
        ]),
      ),
      removed: new Map(
        Object.entries(removed).map(([service, names]) => [
          service,
          new Set(need(Array.isArray(names) && names).map(word)),
        ]),
      ),
    }
  } catch {
    return undefined
  }
}

function steerFrom(value: unknown): Steer {
  const { weight, force, admin } = need(isRecord(value) && value)
  return {
    ...(weight === undefined ? {} : { weight: moment(weight) }),
    ...(force === undefined ? {} : { force: need((force === 'up' || force === 'down') && force) }),
    ...(admin === undefined ? {} : { admin: adminFrom(admin) }),
  }
}

function adminFrom(value: unknown): Admin {
  const { kind, since, deadline, host } = need(isRecord(value) && value)
  const at = moment(since)
  switch (kind) {
    case 'disabled':
      return { kind, since: at }
    case 'draining':
      return { kind, since: at, deadline: deadline === undefined ? undefined : moment(deadline), host: host === true }
    case 'drained':
      return { kind, since: at, host: host === true }
    default:
      throw new TypeError('no such state')
  }
}

function addedFrom(value: unknown): AddedServer {
  const { service, server, weight, like } = need(isRecord(value) && value)
  return {
    service: word(service),
    server: word(server),
    weight: weight === undefined ? undefined : moment(weight),
    like: like === undefined ? undefined : word(like),
  }
}

function serviceFrom(value: unknown): AddedService {
  const { name, text } = need(isRecord(value) && value)
  return { name: word(name), text: word(text), virtual: undefined }
}

function drainFrom(value: unknown): Drain {
  const { since, deadline } = need(isRecord(value) && value)
  return { since: moment(since), deadline: deadline === undefined ? undefined : moment(deadline) }
}

function word(value: unknown): string {
  return need(typeof value === 'string' && value)
}

function moment(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new TypeError('not a number')
  return value
}

function need<T>(value: T | false | undefined): T {
  if (value === false || value === undefined) throw new TypeError('not as it was written')
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
