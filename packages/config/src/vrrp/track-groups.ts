import type { NetworkRoute, NetworkRule, ProtectedAddress } from '../network-config.ts'
import type { VrrpConfig, VrrpInstance } from '../vrrp-config.ts'

type Static = Pick<VrrpConfig, 'staticAddresses' | 'staticRoutes' | 'staticRules'>

/**
 * `track_group`: the interface of a static entry that names the group being down, or not there, is a fault of the group's
 * instances. Entries with `no_track` are followed by nobody.
 */
export function withTrackGroups(
  instances: readonly VrrpInstance[],
  groups: VrrpConfig['trackGroups'],
  entries: Static,
): readonly VrrpInstance[] {
  if (groups.length === 0) return instances
  return instances.map((instance) => {
    const mine = new Set(groups.flatMap(({ name, instances: all }) => (all.includes(instance.name) ? [name] : [])))
    const followed = interfacesOf(entries, mine).filter((name) => isNews(name, instance))
    if (followed.length === 0) return instance
    const { track } = instance
    const interfaces = [...track.interfaces, ...followed.map((name) => ({ name, weight: 0, reverse: false }))]
    return { ...instance, track: { ...track, interfaces } }
  })
}

/** Its own interface counts already, unless `dont_track_primary`. */
const isNews = (name: string, { interface: own, trackPrimary, track }: VrrpInstance): boolean =>
  !(name === own && trackPrimary) && !track.interfaces.some((each) => each.name === name && each.weight === 0)

function interfacesOf({ staticAddresses, staticRoutes, staticRules }: Static, groups: ReadonlySet<string>): string[] {
  const named: readonly (readonly [ProtectedAddress | NetworkRoute | NetworkRule, string | undefined])[] = [
    ...staticAddresses.map((each) => [each, each.interface] as const),
    ...staticRoutes.map((each) => [each, each.interface] as const),
    ...staticRules.map((each) => [each, each.inputInterface] as const),
  ]
  const names = named.flatMap(([{ track, trackGroup }, on]) =>
    track && on !== undefined && trackGroup !== undefined && groups.has(trackGroup) ? [on] : [],
  )
  return [...new Set(names)]
}
