import type { VirtualServer } from '../config.ts'
import type { VrrpInstanceText } from '../grammar/vrrp.ts'
import { keyProblem } from './authentication.ts'
import type { Say } from './say.ts'
import { findService } from './tracking.ts'

/** Keys that cannot be, and a number that no key has. */
export function hmacRules({ authHmac }: VrrpInstanceText, say: Say): void {
  if (authHmac === undefined) return
  if (authHmac.keys.length === 0) say('E036', 'auth_hmac needs a key', 'auth_hmac')
  for (const { value } of authHmac.keys) {
    const problem = keyProblem(value)
    if (problem !== undefined) say('E022', `auth_hmac: ${problem}`, 'auth_hmac')
  }
  const { activeKey } = authHmac
  if (activeKey !== undefined && !authHmac.keys.some(({ id }) => id === activeKey))
    say('E040', `auth_hmac has no key ${activeKey}`, 'auth_hmac')
}

/** `track_virtual_server` names virtual servers that are there. */
export function serviceRules(
  { trackVirtualServer }: Pick<VrrpInstanceText, 'trackVirtualServer'>,
  servers: readonly VirtualServer[],
  say: Say,
): void {
  for (const each of trackVirtualServer) {
    if (findService(each, servers) !== undefined) continue
    const name = 'group' in each ? `group ${each.group}` : 'fwmark' in each ? `fwmark ${each.fwmark}` : each.address
    say('E040', `no virtual_server is ${name}`, 'track_virtual_server')
  }
}

/** Arbitration asks somebody else: neither the instance's own addresses nor the other director can decide. */
export function arbitrationRules(text: VrrpInstanceText, say: Say): void {
  if (text.arbitration === undefined) return
  const held = [...text.virtualIpaddress, ...text.virtualIpaddressExcluded].map(({ address }) => address.address)
  for (const address of text.arbitration.addresses) {
    if (held.includes(address)) {
      say('W083', `${address} is an address of this instance: it answers only where it is held`, 'arbitration')
    } else if (text.unicastPeer.some((peer) => peer.address === address)) {
      say('W083', `${address} is the other director: when it is gone nobody takes over`, 'arbitration')
    }
  }
}
