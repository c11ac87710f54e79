import { millis } from '@ipvs-director/core'
import type { Config, VirtualServer } from '../config.ts'
import type { Remarks } from '../diagnostics.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import { damaged, placeOfKeyword, type Read, written } from '../read.ts'
import { placeOf, type Statement } from '../statement.ts'
import type { Tracked } from '../tracking-config.ts'
import type { SyncGroup, VrrpConfig, VrrpInstance } from '../vrrp-config.ts'
import { resolveBfd, resolveProcess, resolveScript, resolveTrackFile } from './definitions.ts'
import { resolveGarpGroups, resolveVrrpGlobals } from './globals.ts'
import { notifyOf, ownsAtStart, resolveInstance } from './instance.ts'
import { resolveAddress, resolveRoute, resolveRule } from './network.ts'
import { weightRules } from './rules-weights.ts'
import { placesIn, priorityOf, type VrrpRootText } from './text.ts'
import { withTrackGroups } from './track-groups.ts'
import { type Definitions, resolveTracking, withoutWeights } from './tracking.ts'

/** What the VRRP part is put together from. */
export interface VrrpParts {
  readonly root: VrrpRootText
  readonly virtualServers: readonly VirtualServer[]
  /** Top-level statements but the virtual servers. */
  readonly statements: readonly Statement[]
  /** Those with an error in them that their values do not show. */
  readonly broken: ReadonlySet<Statement>
  readonly remarks: Remarks
}

type Resolved = Pick<Config, 'vrrp' | 'trackFiles' | 'bfdInstances'> & { readonly leftOut: readonly string[] }

/** The effective VRRP part; blocks with an error in them, and what needs them, are left out and named. */
export function resolveVrrp(parts: VrrpParts): Resolved {
  const { root, broken } = parts
  const leftOut: string[] = []
  const whole = <T extends Read>(blocks: readonly T[]): readonly T[] =>
    blocks.filter((block) => {
      const fine = block[damaged] !== true && !broken.has(block[written])
      if (!fine) leftOut.push(nameOf(block))
      return fine
    })
  const present = <T>(list: readonly (T | undefined)[]): readonly T[] => list.filter((each) => each !== undefined)
  const scripts = present(whole(root.vrrpScripts).map(resolveScript))
  const trackFiles = present(whole([...root.trackFiles, ...root.vrrpTrackFiles]).map(resolveTrackFile))
  const processes = present(whole(root.vrrpTrackProcesses).map(resolveProcess))
  const bfdInstances = present(whole(root.bfdInstances).map(resolveBfd))
  const known: Definitions = {
    scripts: byName(scripts),
    files: byName(trackFiles),
    processes: byName(processes),
    bfd: byName(bfdInstances),
    virtualServers: parts.virtualServers,
  }
  const groups = whole(root.vrrpSyncGroups)
  const alone = resolveInstances(whole(root.vrrpInstances), groups, known, parts, leftOut)
  const entries = staticItems(parts)
  const trackGroups = whole(root.trackGroups).map(({ header, group }) => ({
    name: header,
    instances: group.filter((name) => alone.some((each) => each.name === name)),
  }))
  const instances = withTrackGroups(alone, trackGroups, entries)
  const syncGroups = resolveGroups(groups, instances, known, root, leftOut)
  const used = new Set([...instances, ...syncGroups].flatMap(({ track }) => track.scripts.map(({ name }) => name)))
  const vrrp: VrrpConfig = {
    globals: resolveVrrpGlobals(root.globalDefs),
    instances,
    syncGroups,
    scripts: scripts.filter(({ name }) => used.has(name)),
    processes,
    ...entries,
    trackGroups,
    garpGroups: resolveGarpGroups(root),
    linkbeat: linkbeatOf(root, instances),
    linkDelays: root.interfaceUpDownDelays.map(({ interface: name, down, up }) => ({
      interface: name,
      down: millis(down),
      up: millis(up ?? down),
    })),
  }
  return { vrrp, trackFiles, bfdInstances, leftOut }
}

function resolveInstances(
  texts: readonly (VrrpInstanceText & Read)[],
  groups: readonly (VrrpSyncGroupText & Read)[],
  known: Definitions,
  { root: { globalDefs, linkbeatUsePolling }, remarks }: VrrpParts,
  leftOut: string[],
): readonly VrrpInstance[] {
  const whole = (name: string): boolean => texts.some((text) => text.header === name && ownsAtStart(text, globalDefs))
  let preference = firstPreference
  return texts.flatMap((text) => {
    const track = resolveTracking(text, known)
    if (track === undefined || text.virtualRouterId === undefined) {
      leftOut.push(nameOf(text))
      return []
    }
    const group = groups.find((each) => each.group.includes(text.header))
    weightRules(text, group, known, (code, message, keyword) => {
      remarks.add(code, placeOfKeyword(text, keyword), message)
    })
    const moves = group !== undefined && !group.syncGroupTrackingWeight
    const owner = priorityOf(text) === 255
    const counted = owner ? withoutWeights(track, 'drop') : moves ? withoutWeights(track, 'keep') : track
    const interfaces = counted.interfaces.filter(({ name }) => name !== text.interface)
    const home = {
      globals: globalDefs,
      track: { ...counted, interfaces },
      group,
      groupOwns: group?.group.every(whole),
      nextPreference: () => preference--,
      linkbeatPolling: linkbeatUsePolling,
    }
    return [resolveInstance(text, text.virtualRouterId, home)]
  })
}

/** Groups that have members; an instance is in the first that names it. */
function resolveGroups(
  texts: readonly (VrrpSyncGroupText & Read)[],
  instances: readonly VrrpInstance[],
  known: Definitions,
  { globalDefs }: VrrpRootText,
  leftOut: string[],
): readonly SyncGroup[] {
  const free = new Set(instances.map(({ name }) => name))
  return texts.flatMap((text) => {
    const members = text.group.filter((name) => free.delete(name))
    const track = resolveTracking(text, known)
    if (members.length === 0 || track === undefined) {
      leftOut.push(nameOf(text))
      return []
    }
    return [
      {
        place: placeOf(text[written]),
        name: text.header,
        instances: members,
        track,
        trackingWeight: text.syncGroupTrackingWeight,
        notify: notifyOf(text, globalDefs, undefined),
      },
    ]
  })
}

function staticItems({
  root,
  statements,
}: VrrpParts): Pick<VrrpConfig, 'staticAddresses' | 'staticRoutes' | 'staticRules'> {
  const nowhere = { file: '', line: 1, column: 1 }
  const places = (keyword: string) =>
    placesIn(
      statements.filter(({ field }) => field?.name === keyword),
      nowhere,
    )
  const device = root.globalDefs?.defaultInterface ?? 'eth0'
  let preference = firstPreference
  const [addresses, routes, rules] = ['static_ipaddress', 'static_routes', 'static_rules'].map(places)
  return {
    staticAddresses: root.staticIpAddress.map((each, i) => resolveAddress(each, addresses?.(i) ?? nowhere, device)),
    staticRoutes: root.staticRoutes.map((each, i) => resolveRoute(each, routes?.(i) ?? nowhere)),
    staticRules: root.staticRules.map((each, i) => resolveRule(each, rules?.(i) ?? nowhere, () => preference--)),
  }
}

function linkbeatOf(root: VrrpRootText, instances: readonly VrrpInstance[]): VrrpConfig['linkbeat'] {
  const named = new Set(root.linkbeatInterfaces.map((each) => each.interface))
  const polled = instances.flatMap((each) =>
    each.linkbeatPolling && each.interface !== undefined && !named.has(each.interface) ? [each.interface] : [],
  )
  return [
    ...root.linkbeatInterfaces.map(({ interface: name, how }) => ({ interface: name, how })),
    ...[...new Set(polled)].map((name) => ({ interface: name, how: undefined })),
  ]
}

/** Of the first rule that has none. */
const firstPreference = 16_384

const byName = (list: readonly Tracked[]): ReadonlyMap<string, Tracked> =>
  new Map(list.map((each) => [each.name, each]))

const nameOf = (block: Read): string => [block[written].keyword, ...block[written].args].join(' ')
