import type { VrrpConfig, VrrpInstance } from '@ipvs-director/config'
import { identityOf } from '@ipvs-director/vrrp'

/** What changes for VRRP between two configurations, a line each: instances and sync groups with their VIPs, and what is around them. */
export function describeVrrpChanges(before: VrrpConfig | undefined, after: VrrpConfig): string[] {
  const lines: string[] = []
  const byName = new Map(before?.instances.map((each) => [each.name, each]))
  const byIdentity = new Map(before?.instances.map((each) => [identityOf(each), each]))
  const identities = new Set(after.instances.map(identityOf))
  const names = new Set(after.instances.map(({ name }) => name))
  for (const instance of before?.instances ?? []) {
    if (names.has(instance.name) || identities.has(identityOf(instance))) continue
    lines.push(`remove vrrp_instance ${instance.name} with ${vipsOf(instance).join(', ') || 'no VIP'}`)
  }
  for (const instance of after.instances) {
    const { name } = instance
    const same = byIdentity.get(identityOf(instance))
    const earlier = same ?? byName.get(name)
    if (earlier === undefined) lines.push(`add vrrp_instance ${name} with ${vipsOf(instance).join(', ') || 'no VIP'}`)
    else lines.push(...changesOf(earlier, instance, same !== undefined))
  }
  if (textOf(before?.syncGroups ?? []) !== textOf(after.syncGroups)) lines.push('change the vrrp_sync_groups')
  if (before !== undefined && aroundOf(before) !== aroundOf(after))
    lines.push('change the settings of VRRP beside its instances')
  return lines
}

/** `same`: a master stays master. Otherwise what runs ends, and another virtual router begins as backup. */
function changesOf(before: VrrpInstance, after: VrrpInstance, same: boolean): string[] {
  const [had, has] = [addressesOf(before), addressesOf(after)]
  const where = `vrrp_instance ${after.name}`
  const lines = [
    ...(same ? [] : [`replace ${where}: it resigns, and begins anew as backup`]),
    ...(same && before.name !== after.name ? [`rename vrrp_instance ${before.name} to ${after.name}`] : []),
    ...vipsOf(after).flatMap((vip) => {
      if (!had.has(vip)) return [`add VIP ${vip} to ${where}`]
      return had.get(vip) === has.get(vip) ? [] : [`change VIP ${vip} of ${where}`]
    }),
    ...vipsOf(before).flatMap((vip) => (has.has(vip) ? [] : [`remove VIP ${vip} from ${where}`])),
  ]
  const rest = (instance: VrrpInstance): string => textOf({ ...instance, name: '', addresses: [], excluded: [] })
  return !same || rest(before) === rest(after) ? lines : [...lines, `change ${where}`]
}

const vipsOf = (instance: VrrpInstance): string[] => [...addressesOf(instance).keys()]

/** All that is said of each address, by its text. */
const addressesOf = ({ addresses, excluded }: VrrpInstance): ReadonlyMap<string, string> =>
  new Map(
    [addresses, excluded].flatMap((list, which) =>
      list.map((each) => [`${each.address}/${each.prefix}`, `${which} ${textOf(each)}`] as const),
    ),
  )

const aroundOf = (config: VrrpConfig): string => textOf({ ...config, instances: [], syncGroups: [] })

/** Where something stands in the file changes nothing. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (key, member: unknown) => (key === 'place' ? undefined : member))
