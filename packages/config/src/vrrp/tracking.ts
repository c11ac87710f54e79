import type { VirtualServer } from '../config.ts'
import type { TrackedService } from '../grammar/tracked-service.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import type { Tracked, Tracking } from '../tracking-config.ts'

/** What can be followed, by name: with the weight that holds where the follower names none. */
export interface Definitions {
  readonly scripts: ReadonlyMap<string, Tracked>
  readonly files: ReadonlyMap<string, Tracked>
  readonly processes: ReadonlyMap<string, Tracked>
  readonly bfd: ReadonlyMap<string, Tracked>
  readonly virtualServers: readonly VirtualServer[]
}

interface TrackedText {
  readonly name: string
  readonly weight: number | undefined
  readonly reverse: 'reverse' | 'noreverse' | undefined
}

type TrackingText = Pick<
  VrrpInstanceText | VrrpSyncGroupText,
  'trackInterface' | 'trackScript' | 'trackFile' | 'trackProcess' | 'trackBfd' | 'trackVirtualServer'
>

/** What is followed, with its weights; undefined when something named is not there (it has an error of its own). */
export function resolveTracking(text: TrackingText, known: Definitions): Tracking | undefined {
  const scripts = text.trackScript.map((each) => resolved(each, known.scripts))
  const files = text.trackFile.map((each) => resolved(each, known.files))
  const processes = text.trackProcess.map((each) => resolved(each, known.processes))
  const bfd = text.trackBfd.map((each) => resolved(each, known.bfd))
  const virtualServers = text.trackVirtualServer.map((each) => trackedService(each, known.virtualServers))
  if (!whole(scripts) || !whole(files) || !whole(processes) || !whole(bfd) || !whole(virtualServers)) return undefined
  const interfaces = text.trackInterface.map(({ name, weight, reverse }) => ({
    name,
    weight: weight ?? 0,
    reverse: reverse === 'reverse',
  }))
  return { interfaces, scripts, files, processes, bfd, virtualServers }
}

const whole = <T>(list: readonly (T | undefined)[]): list is readonly T[] => !list.includes(undefined)

function resolved(text: TrackedText, known: ReadonlyMap<string, Tracked>): Tracked | undefined {
  const found = known.get(text.name)
  if (found === undefined) return undefined
  const reverse = text.reverse === undefined ? found.reverse : text.reverse === 'reverse'
  return { name: text.name, weight: text.weight ?? found.weight, reverse }
}

function trackedService(text: TrackedService, servers: readonly VirtualServer[]): Tracked | undefined {
  const found = findService(text, servers)
  if (found === undefined) return undefined
  return { name: found.name, weight: text.weight ?? 0, reverse: text.reverse === 'reverse' }
}

/** The virtual server that is meant. */
export function findService(text: TrackedService, servers: readonly VirtualServer[]): VirtualServer | undefined {
  return servers.find(({ target, protocol }) => {
    if (text.protocol !== undefined && target.kind !== 'fwmark' && text.protocol.toLowerCase() !== protocol)
      return false
    if ('group' in text) return target.kind === 'group' && target.group === text.group
    if ('fwmark' in text) return target.kind === 'fwmark' && target.fwmark === text.fwmark
    return target.kind === 'address' && target.address === text.address && target.port === (text.port ?? 0)
  })
}

/**
 * Only what needs no weight counts: owners, and members of a group that moves as one, do not change their priority. keepalived
 * (2.2.7, 2.4) says of such a member that it ignores weights of interfaces, and counts them all the same: `keep`.
 */
export function withoutWeights(tracking: Tracking, interfaces: 'keep' | 'drop'): Tracking {
  const plain = (list: readonly Tracked[]): readonly Tracked[] => list.filter(({ weight }) => weight === 0)
  return {
    interfaces: interfaces === 'drop' ? plain(tracking.interfaces) : tracking.interfaces,
    scripts: plain(tracking.scripts),
    files: plain(tracking.files),
    processes: plain(tracking.processes),
    bfd: plain(tracking.bfd),
    virtualServers: plain(tracking.virtualServers),
  }
}
