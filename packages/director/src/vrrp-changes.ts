import type { VrrpConfig, VrrpInstance } from '@ipvs-director/config'

/** What changes for VRRP between two configurations, a line each: instances and sync groups with their VIPs. */
export function describeVrrpChanges(before: VrrpConfig | undefined, after: VrrpConfig): string[] {
  const lines: string[] = []
  const known = new Map(before?.instances.map((each) => [each.name, each]))
  const next = new Map(after.instances.map((each) => [each.name, each]))
  for (const [name, instance] of known) {
    if (!next.has(name)) lines.push(`remove vrrp_instance ${name} with ${vipsOf(instance).join(', ') || 'no VIP'}`)
  }
  for (const [name, instance] of next) {
    const earlier = known.get(name)
    if (earlier === undefined) lines.push(`add vrrp_instance ${name} with ${vipsOf(instance).join(', ') || 'no VIP'}`)
    else lines.push(...changesOf(earlier, instance))
  }
  if (textOf(before?.syncGroups ?? []) !== textOf(after.syncGroups)) lines.push('change the vrrp_sync_groups')
  return lines
}

function changesOf(before: VrrpInstance, after: VrrpInstance): string[] {
  const had = new Set(vipsOf(before))
  const has = new Set(vipsOf(after))
  const lines = [
    ...[...has].filter((vip) => !had.has(vip)).map((vip) => `add VIP ${vip} to vrrp_instance ${after.name}`),
    ...[...had].filter((vip) => !has.has(vip)).map((vip) => `remove VIP ${vip} from vrrp_instance ${after.name}`),
  ]
  const rest = (instance: VrrpInstance): string => textOf({ ...instance, addresses: [], excluded: [] })
  return rest(before) === rest(after) ? lines : [...lines, `change vrrp_instance ${after.name}`]
}

const vipsOf = ({ addresses, excluded }: VrrpInstance): string[] =>
  [...addresses, ...excluded].map(({ address, prefix }) => `${address}/${prefix}`)

/** Where something stands in the file changes nothing. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (key, member: unknown) => (key === 'place' ? undefined : member))
