import type { Family } from '@ipvs-director/core'
import * as c from './constants.ts'
import type { ForwardingMethod, Protocol, Tunnel } from './table.ts'

/** Our words for the kernel's numbers, both ways. */

export const protocolNumbers: Readonly<Record<Protocol, number>> = {
  tcp: c.IPPROTO_TCP,
  udp: c.IPPROTO_UDP,
  sctp: c.IPPROTO_SCTP,
}

/** IP_VS_CONN_F_MASQ, …: a method's number is its place. */
export const forwardingMethods: readonly ForwardingMethod[] = ['masq', 'local', 'tunnel', 'droute', 'bypass']

/** IP_VS_CONN_F_TUNNEL_TYPE_*: a type's number is its place. */
export const tunnelTypes: readonly Tunnel['type'][] = ['ipip', 'gue', 'gre']

export const checksumFlags: Readonly<Record<Tunnel['checksum'], number>> = {
  none: 0,
  csum: c.IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
  remcsum: c.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
}

export const familyNumber = (family: Family): number => (family === 'inet' ? c.AF_INET : c.AF_INET6)

export function protocolName(number: number): Protocol | undefined {
  switch (number) {
    case c.IPPROTO_TCP:
      return 'tcp'
    case c.IPPROTO_UDP:
      return 'udp'
    case c.IPPROTO_SCTP:
      return 'sctp'
    default:
      return undefined
  }
}
