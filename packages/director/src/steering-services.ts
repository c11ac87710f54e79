import type { Config, VirtualServer } from '@ipvs-director/config'
import { idsOf, withLeavingService, withoutService } from './overlay-services.ts'
import type { Overlay } from './overlay.ts'
import type { Steered } from './wish.ts'

/** Adds the virtual servers of a snippet; none of them if one cannot be. */
export function addServices(
  overlay: Overlay,
  { text, read }: { readonly text: string; readonly read: readonly VirtualServer[] },
  config: Config,
): Steered {
  if (read.length === 0) return { problem: 'there is no virtual server in it', candidates: [] }
  const taken = new Map(config.virtualServers.flatMap((virtual) => idsOf(virtual).map((id) => [id, virtual.name])))
  const names = new Set(config.virtualServers.map(({ name }) => name))
  for (const virtual of read) {
    if (names.has(virtual.name)) return { problem: `there is a virtual server ${virtual.name} already`, candidates: [] }
    for (const id of idsOf(virtual)) {
      const other = taken.get(id)
      if (other !== undefined) return { problem: `${other} answers for ${id} already`, candidates: [] }
    }
  }
  const added = new Set(read.map(({ name }) => name))
  const services = [
    ...overlay.services.filter(({ name }) => !added.has(name)),
    ...read.map((virtual) => ({ name: virtual.name, text, virtual })),
  ]
  return { overlay: { ...overlay, services }, changes: read.map(({ name }) => `virtual server ${name}: added`) }
}

/** Leaves a virtual server out: at once, or once its real servers are drained. */
export function removeService(
  overlay: Overlay,
  request: { readonly service: string; readonly drain?: boolean | undefined; readonly deadline?: number | undefined },
  { virtualServers }: Config,
  now: number,
): Steered {
  const { service } = request
  const virtual = virtualServers.find(({ name }) => name === service)
  if (virtual === undefined) {
    const candidates = virtualServers.map(({ name }) => name)
    return { problem: `there is no virtual server ${service}`, candidates }
  }
  const drain = request.drain === true || request.deadline !== undefined
  if (!drain || virtual.realServers.length === 0) {
    return { overlay: withoutService(overlay, service), changes: [`virtual server ${service}: removed`] }
  }
  const deadline = request.deadline === undefined ? undefined : now + request.deadline
  const next = withLeavingService(overlay, service, { since: now, deadline })
  return { overlay: next, changes: [`virtual server ${service}: draining`] }
}
