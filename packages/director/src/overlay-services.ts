import type { Config, VirtualServer } from '@ipvs-director/config'
import { serviceIdOf, serviceKeys } from './desired.ts'
import type { AddedService, Drain, Overlay } from './overlay.ts'

/** Its servers are drained; when the last one is, `withoutService` follows. */
export function withLeavingService(overlay: Overlay, name: string, drain: Drain): Overlay {
  return { ...overlay, leavingServices: new Map([...overlay.leavingServices, [name, drain]]) }
}

/** Leaves a virtual server out, with whatever was asked of its servers; one that was added is gone. */
export function withoutService(overlay: Overlay, name: string): Overlay {
  const services = overlay.services.filter((each) => each.name !== name)
  const wasAdded = services.length < overlay.services.length
  return {
    ...overlay,
    services,
    removedServices: wasAdded ? overlay.removedServices : new Set([...overlay.removedServices, name]),
    leavingServices: withoutKey(overlay.leavingServices, name),
    steers: withoutKey(overlay.steers, name),
    removed: withoutKey(overlay.removed, name),
    added: overlay.added.filter(({ service }) => service !== name),
  }
}

function withoutKey<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (!map.has(key)) return map
  const others = new Map(map)
  others.delete(key)
  return others
}

/** The kernel's services a virtual server answers for. */
export const idsOf = (virtual: VirtualServer): string[] => serviceKeys(virtual).map((key) => serviceIdOf(virtual, key))

/** The file's virtual servers without those left out, then those added by hand. */
export function withServices(file: Config, { services, removedServices }: Overlay): Config {
  if (services.length === 0 && removedServices.size === 0) return file
  const kept = file.virtualServers.filter(({ name }) => !removedServices.has(name))
  const taken = new Set(kept.flatMap(idsOf))
  const added = services.flatMap(({ virtual }) =>
    virtual === undefined || idsOf(virtual).some((id) => taken.has(id)) ? [] : [virtual],
  )
  return { ...file, virtualServers: [...kept, ...added] }
}

/** Virtual servers added by hand whose place the file takes: the file counts. */
export function supersededBy(file: Config, { services, removedServices }: Overlay): readonly AddedService[] {
  if (services.length === 0) return []
  const taken = new Set(file.virtualServers.filter(({ name }) => !removedServices.has(name)).flatMap(idsOf))
  return services.filter(({ virtual }) => virtual !== undefined && idsOf(virtual).some((id) => taken.has(id)))
}
