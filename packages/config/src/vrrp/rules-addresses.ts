import { type Address, familyOf, isLinkLocal } from '@ipvs-director/core'
import type { VrrpInstanceText } from '../grammar/vrrp.ts'
import { type Read, written } from '../read.ts'
import { hasInterface } from './network.ts'
import type { Say } from './say.ts'
import { familyOfInstance } from './text.ts'

/** An advertisement counts its addresses in one byte, and IPv6 ones fill a frame of 1500 bytes with 90. */
const most = { inet: 255, inet6: 90 } as const

/** What can be wrong with the addresses of an instance. */
export function addressRules(instance: VrrpInstanceText & Read, version: 2 | 3, strict: boolean, say: Say): void {
  const all = instance.virtualIpaddress
  if (all.length === 0 && !instance.noVirtualIpaddress) {
    const text = `vrrp_instance ${instance.header} has no virtual_ipaddress`
    if (version === 3 || strict) say('E065', `${text}, which VRRPv3 and vrrp_strict insist on`)
    else say('W066', `${text} (no_virtual_ipaddress says that this is meant)`)
  }
  const family = familyOfInstance(instance)
  const other = all.find((entry) => familyOf(entry.address.address) !== family)
  if (other !== undefined) {
    const text = `${other.address.address} is of another family than the first address: put it into virtual_ipaddress_excluded`
    say('W067', text, 'virtual_ipaddress')
  }
  const count = all.filter((entry) => familyOf(entry.address.address) === family).length
  if (count > most[family]) {
    const text = `an advertisement has room for ${most[family]} addresses; the other ${count - most[family]} are held and not advertised`
    say('W082', text, 'virtual_ipaddress')
  }
  for (const list of [all, instance.virtualIpaddressExcluded]) {
    const odd = list.find((entry) => isNoHost(entry.address.address))
    if (odd !== undefined) say('W055', `${odd.address.address} is no address of a host`, 'virtual_ipaddress')
  }
  const [first] = all
  if (family === 'inet6' && first !== undefined && !isLinkLocal(first.address.address)) {
    say('N014', 'the first IPv6 address should be a link-local one (RFC 9568 §5.2.9)', 'virtual_ipaddress')
  }
}

/** The addresses beyond these are excluded ones. */
export const mostAddresses = (family: keyof typeof most): number => most[family]

/** 127.0.0.0, 0.0.0.0 and the like: a slip of the hand. */
export function isNoHost(address: Address): boolean {
  return address === '127.0.0.0' || address.startsWith('0.') || address === '255.255.255.255' || address === '::'
}

/** Routes and rules that do not say enough. */
export function routeRules(instance: VrrpInstanceText, say: Say): void {
  const vague = instance.virtualRoutes.find((each) => each.no_track !== true && !hasInterface(each))
  if (vague !== undefined) {
    const to = vague.to === undefined || vague.to === 'default' ? 'default' : vague.to.address
    say('W085', `the route to ${to} has no dev: whether it can be there is not followed`, 'virtual_routes')
  }
  if (instance.virtualRules.some(({ preference }) => preference === undefined))
    say('W086', 'a rule has no preference: 16384 and less is used', 'virtual_rules')
}

/** What can be wrong with unicast. */
export function unicastRules(instance: VrrpInstanceText & Read, say: Say): void {
  const peers = instance.unicastPeer.map((each) => each.address)
  const source = instance.unicastSrcIp
  const only = (['unicast_peer', 'unicast_src_ip', 'unicast_ttl', 'check_unicast_src'] as const).find((keyword) =>
    has(instance, keyword),
  )
  if (peers.length === 0 && only !== undefined)
    say('W069', `${only} has no effect without a peer in unicast_peer: multicast is used`, only)
  if (source !== undefined && peers.includes(source)) {
    say('N015', `${source} is this machine's own unicast_src_ip: it is left out`, 'unicast_peer')
  }
  if (peers.length > 0 && instance.useVmac !== undefined && !instance.vmacXmitBase)
    say('W087', 'by unicast advertisements leave from the interface below: vmac_xmit_base is used', 'use_vmac')
  const twice = peers.find((each, i) => peers.indexOf(each) !== i)
  if (twice !== undefined) say('W074', `unicast_peer has ${twice} twice`, 'unicast_peer')
  const vip = [...instance.virtualIpaddress, ...instance.virtualIpaddressExcluded].find(({ address }) =>
    peers.includes(address.address),
  )
  if (vip !== undefined)
    say('W074', `unicast_peer has ${vip.address.address}, which is an address of this instance`, 'unicast_peer')
  const mixed = peers.find((each) => source !== undefined && familyOf(each) !== familyOf(source))
  if (mixed !== undefined)
    say('E061', `${mixed} is of another family than unicast_src_ip ${source ?? ''}`, 'unicast_peer')
}

const has = (block: Read, keyword: string): boolean =>
  block[written].body?.some((child) => child.field?.name === keyword) === true
