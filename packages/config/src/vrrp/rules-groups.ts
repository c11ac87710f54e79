import type { Remarks } from '../diagnostics.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import { placeOfKeyword, type Read, written } from '../read.ts'
import { placeOf } from '../statement.ts'

/** What can be wrong with a sync group and its members; `taken`: instances of earlier groups by name. */
export function groupRules(
  group: VrrpSyncGroupText & Read,
  instances: ReadonlyMap<string, VrrpInstanceText & Read>,
  taken: Map<string, string>,
  remarks: Remarks,
): void {
  for (const name of group.group) {
    const other = taken.get(name)
    if (other === undefined) taken.set(name, group.header)
    else {
      const where = other === group.header ? 'twice in it' : `in vrrp_sync_group ${other} already`
      remarks.add('W078', placeOfKeyword(group, 'group'), `${name} is ${where}: it is left out here`)
    }
  }
  if (group.group.length === 1) {
    remarks.add('W079', placeOf(group[written]), `vrrp_sync_group ${group.header} has one instance only`)
  }
  const members = group.group.flatMap((name) => instances.get(name) ?? [])
  const [first] = members
  const slower = members.find((each) => each.advertInt !== first?.advertInt)
  if (first !== undefined && slower !== undefined) {
    const text = `${first.header} and ${slower.header} of one group have different advert_int: the group fails over as the slower one does`
    remarks.add('W064', placeOf(group[written]), text)
  }
  if (new Set(members.map((each) => each.priority ?? 100)).size > 1) {
    const text = `the instances of vrrp_sync_group ${group.header} have different priorities: two machines may each win some`
    remarks.add('W064', placeOf(group[written]), text)
  }
  if (new Set(members.map((each) => each.nopreempt)).size > 1) {
    const text = `not all instances of vrrp_sync_group ${group.header} have nopreempt: those without take the others with them`
    remarks.add('W064', placeOf(group[written]), text)
  }
}
