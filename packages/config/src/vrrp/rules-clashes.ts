import type { Remarks } from '../diagnostics.ts'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { VrrpInstanceText } from '../grammar/vrrp.ts'
import { placeOfKeyword, type Read, written } from '../read.ts'
import type { Statement } from '../statement.ts'
import type { AddressText } from './network.ts'
import { familyOfInstance } from './text.ts'

type Instance = VrrpInstanceText & Read

/**
 * Two instances with one VRID that hear the same advertisements fight each other; keepalived refuses to start. Answers
 * the second of each two.
 */
export function sameVrid(
  instances: readonly Instance[],
  globals: GlobalDefsText | undefined,
  remarks: Remarks,
): readonly Statement[] {
  const broken: Statement[] = []
  const seen = new Map<string, Instance[]>()
  for (const instance of instances) {
    if (instance.virtualRouterId === undefined) continue
    const key = listensOn(instance, globals)
    const others = seen.get(key) ?? []
    seen.set(key, [...others, instance])
    const other = others.find((each) => sharesPeers(each, instance))
    if (other === undefined) continue
    const text = `virtual_router_id ${instance.virtualRouterId} on ${instance.interface ?? instance.unicastSrcIp ?? ''} is taken by vrrp_instance ${other.header}`
    remarks.add('E052', placeOfKeyword(instance, 'virtual_router_id'), text, {
      related: [{ place: placeOfKeyword(other, 'virtual_router_id'), text: 'the first one' }],
    })
    broken.push(instance[written])
  }
  return broken
}

/** Interface, family, and group or own address: what tells an instance's advertisements from others' of its VRID. */
function listensOn(instance: Instance, globals: GlobalDefsText | undefined): string {
  const family = familyOfInstance(instance)
  const global = family === 'inet' ? globals?.vrrpMcastGroup4 : globals?.vrrpMcastGroup6
  const where =
    instance.unicastPeer.length > 0
      ? `unicast ${instance.unicastSrcIp ?? ''}`
      : `multicast ${instance.mcastDstIp ?? global ?? ''}`
  return `${instance.virtualRouterId ?? ''} ${instance.interface ?? ''} ${family} ${where}`
}

/** By unicast a VRID may be used again towards other machines. */
function sharesPeers(a: Instance, b: Instance): boolean {
  if (a.unicastPeer.length === 0) return true
  return a.unicastPeer.some((peer) => b.unicastPeer.some((each) => each.address === peer.address))
}

/** One address in two instances, or twice in one: both hold it. */
export function sameAddress(instances: readonly Instance[], remarks: Remarks): void {
  const seen = new Map<string, Instance>()
  for (const block of instances) {
    for (const entry of [...block.virtualIpaddress, ...block.virtualIpaddressExcluded]) {
      const key = addressKey(entry, block.interface)
      const other = seen.get(key)
      if (other === undefined) {
        seen.set(key, block)
        continue
      }
      const place = placeOfKeyword(block, 'virtual_ipaddress')
      if (other === block) remarks.add('W065', place, `${entry.address.address} stands twice in it`)
      else {
        remarks.add('W065', place, `${entry.address.address} stands also in vrrp_instance ${other.header}`, {
          related: [{ place: placeOfKeyword(other, 'virtual_ipaddress'), text: 'the first one' }],
        })
      }
    }
  }
}

/** Two entries with one key are the same address at the same place. */
const addressKey = ({ address, dev }: AddressText, home: string | undefined): string =>
  `${address.address} ${dev ?? home ?? ''}`
