import type { Tracked, Tracking, VrrpInstance } from '@ipvs-director/config'
import type { Address } from '@ipvs-director/core'
import type { LinkInterface } from './link.ts'
import type { Status, TrackedThing } from './priority.ts'
import type { TrackerKind } from './trackers.ts'

/** What faults and contributions are worked out from. */
export interface Knowledge {
  readonly get: (name: string) => LinkInterface | undefined
  readonly status: (kind: TrackerKind, name: string) => Status
  readonly source: Address | undefined
}

/**
 * Everything an instance and its group follow by name, each once: of what both follow the group's weight counts, unless the
 * instance has none, which makes it a fault.
 */
export function trackedThings(
  track: Tracking,
  group: { readonly track: Tracking } | undefined,
  knowledge: Knowledge,
): readonly TrackedThing[] {
  const own = thingsOf(track, knowledge)
  if (group === undefined) return own
  const ofGroup = thingsOf(group.track, knowledge)
  const both = new Map(ofGroup.map((thing) => [thing.what, thing]))
  const mine = new Set(own.map(({ what }) => what))
  return [
    ...own.map((thing) => (thing.weight === 0 ? thing : (both.get(thing.what) ?? thing))),
    ...ofGroup.filter(({ what }) => !mine.has(what)),
  ]
}

function thingsOf(track: Tracking, { get, status }: Knowledge): readonly TrackedThing[] {
  const by = (kind: TrackerKind, label: string, list: readonly Tracked[]): readonly TrackedThing[] =>
    list.map(({ name, weight, reverse }) => ({ what: `${label} ${name}`, weight, reverse, status: status(kind, name) }))
  return [
    ...track.interfaces.map(({ name, weight, reverse }) => ({
      what: `interface ${name}`,
      weight,
      reverse,
      status: statusOf(get(name)),
    })),
    ...by('script', 'script', track.scripts),
    ...by('file', 'file', track.files),
    ...by('process', 'process', track.processes),
    ...by('bfd', 'bfd', track.bfd),
    ...by('virtualServer', 'virtual server', track.virtualServers),
  ]
}

const statusOf = (on: LinkInterface | undefined): Status =>
  on?.up === true ? { kind: 'good' } : { kind: 'bad', why: on === undefined ? 'does not exist' : 'is down' }

/** Why an instance cannot work at all, whatever it tracks: its interface, its source address, interfaces of what it holds. */
export function reachFaults(config: VrrpInstance, { get, source }: Knowledge): readonly string[] {
  const faults: string[] = []
  const primary = config.interface ?? config.vrf
  if (primary !== undefined) {
    const on = get(primary)
    if (on === undefined) faults.push(`interface ${primary} does not exist`)
    else if (!on.up && config.trackPrimary) faults.push(`interface ${primary} is down`)
    const { sourceAddress } = config
    if (
      on !== undefined &&
      sourceAddress !== undefined &&
      config.trackSourceAddress &&
      !on.addresses.includes(sourceAddress)
    ) {
      faults.push(`source address ${sourceAddress} is not on ${primary}`)
    }
  }
  if (source === undefined && (primary === undefined || get(primary) !== undefined)) {
    faults.push(`no source address${primary === undefined ? '' : ` on ${primary}`}`)
  }
  if (config.unicastFaultWithoutPeers && config.unicastPeers.length === 0) faults.push('no unicast peer')
  for (const name of interfacesInUse(config)) {
    if (name === primary) continue
    const on = get(name)
    if (on?.up !== true) faults.push(`interface ${name} ${on === undefined ? 'does not exist' : 'is down'}`)
  }
  return faults
}

/** Interfaces of addresses, routes and rules without `no_track`. */
function interfacesInUse(config: VrrpInstance): ReadonlySet<string> {
  const names = [
    ...[...config.addresses, ...config.excluded].filter(({ track }) => track).map((each) => each.interface),
    ...config.routes
      .filter(({ track }) => track)
      .flatMap((each) => [each.interface, ...each.nextHops.map((hop) => hop.interface)]),
    ...config.rules.filter(({ track }) => track).flatMap((each) => [each.inputInterface, each.outputInterface]),
  ]
  return new Set(names.filter((name) => name !== undefined))
}

/** Every interface whose state matters to an instance. */
export const watchedInterfaces = (config: VrrpInstance): readonly string[] => [
  ...(config.interface === undefined && config.vrf !== undefined ? [config.vrf] : []),
  ...(config.interface === undefined ? [] : [config.interface]),
  ...config.track.interfaces.map(({ name }) => name),
  ...config.heartbeatInterfaces,
  ...config.heartbeatPeers.flatMap((peer) => (peer.interface === undefined ? [] : [peer.interface])),
  ...interfacesInUse(config),
]
