/** Addresses, routes and rules as configured, for the kernel. */
import type { NetworkRoute, NetworkRule, ProtectedAddress } from '@ipvs-director/config'
import { familyOf, millis, type Millis } from '@ipvs-director/core'
import { formatPrefix, routeNumber, type InterfaceAddress, type Route, type Rule } from '@ipvs-director/linux'

/** The number of the interface of that name; undefined where there is none. */
export type IndexOf = (name: string) => number | undefined

/** rtnetlink.h, if_addr.h */
const routeTypes: Readonly<Record<NetworkRoute['type'], number>> = { unicast: 1, local: 2, broadcast: 3, multicast: 5, blackhole: 6, unreachable: 7, prohibit: 8, throw: 9, nat: 10 } // prettier-ignore
const ruleActions: Readonly<Record<NetworkRule['action'], number>> = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } // prettier-ignore
const IFA_F_HOMEADDRESS = 0x10
const IFA_F_MANAGETEMPADDR = 0x100
const IFA_F_MCAUTOJOIN = 0x400
const RTPROT_KEEPALIVED = 18
const RT_TABLE_MAIN = 254

/** As `ip` prints it: `10.0.0.5/24 dev eth0`. */
export const addressText = ({ address, prefix, interface: on }: ProtectedAddress): string =>
  `${formatPrefix({ address, length: prefix })}${on === undefined ? '' : ` dev ${on}`}`

export const routeText = (route: NetworkRoute): string =>
  [
    route.destination === undefined ? 'default' : formatPrefix(route.destination),
    ...(route.gateway === undefined ? [] : ['via', route.gateway]),
    ...(route.interface === undefined ? [] : ['dev', route.interface]),
    ...(route.table === RT_TABLE_MAIN ? [] : ['table', route.table]),
  ].join(' ')

export const ruleText = (rule: NetworkRule): string =>
  [
    `${rule.preference}:`,
    'from',
    rule.from === undefined ? 'all' : formatPrefix(rule.from),
    ...(rule.to === undefined ? [] : ['to', formatPrefix(rule.to)]),
    ...(rule.table === undefined ? [] : ['lookup', rule.table]),
  ].join(' ')

/**
 * An address with a lifetime in the kernel. Of IPv6, nobody looks for duplicates (the other director has it, or had it a
 * moment ago), and a host address is no source of new connections unless the configuration says so.
 */
export function kernelAddress(wanted: ProtectedAddress, index: number, lease: Millis | undefined): InterfaceAddress {
  const isV6 = familyOf(wanted.address) === 'inet6'
  const { preferredLifetime, peer } = wanted
  const deprecated = isV6 && wanted.prefix === 128 && preferredLifetime === undefined
  const preferredFor = preferredLifetime === 'forever' ? undefined : (preferredLifetime ?? (deprecated ? millis(0) : undefined)) // prettier-ignore
  return {
    index,
    address: wanted.address,
    prefix: peer?.length ?? wanted.prefix,
    peer: peer?.address,
    broadcast: wanted.broadcast,
    label: wanted.label,
    scope: numberOf('rt_scopes', wanted.scope),
    nodad: isV6 ? true : undefined,
    noPrefixRoute: wanted.noPrefixRoute,
    validFor: lease,
    preferredFor,
    moreFlags:
      (wanted.home ? IFA_F_HOMEADDRESS : 0) |
      (wanted.mngtmpaddr ? IFA_F_MANAGETEMPADDR : 0) |
      (wanted.autojoin ? IFA_F_MCAUTOJOIN : 0),
  }
}

/** A route; throws an Error that names what is not supported or not there. */
export function kernelRoute(wanted: NetworkRoute, indexOf: IndexOf): Route {
  refuseUnsupported(wanted)
  return {
    family: wanted.family,
    destination: wanted.destination,
    gateway: wanted.gateway,
    source: wanted.source,
    index: wanted.interface === undefined ? undefined : existing(wanted.interface, indexOf),
    table: numberOf('rt_tables', wanted.table),
    metric: wanted.metric,
    protocol: wanted.protocol === undefined ? RTPROT_KEEPALIVED : numberOf('rt_protos', wanted.protocol),
    scope: wanted.scope === undefined ? undefined : numberOf('rt_scopes', wanted.scope),
    kind: routeTypes[wanted.type],
    onlink: wanted.onlink,
  }
}

function refuseUnsupported(route: NetworkRoute): void {
  const given = {
    or: route.alternative !== undefined,
    nexthop: route.nextHops.length > 0,
    encap: route.encapsulation !== undefined,
    tos: route.tos !== undefined,
    realms: route.realms !== undefined,
    metrics: Object.keys(route.metrics).length > 0,
    pref: route.preference !== undefined,
    expires: route.expires !== undefined,
    'ttl-propagate': route.ttlPropagate !== undefined,
  }
  refuse(given, `route ${routeText(route)}`)
}

/** A rule; throws an Error that names what is not supported. */
export function kernelRule(wanted: NetworkRule): Rule {
  refuse(
    {
      not: wanted.not,
      tos: wanted.tos !== undefined,
      uidrange: wanted.users !== undefined,
      l3mdev: wanted.l3mdev,
      tun_id: wanted.tunnelId !== undefined,
      ipproto: wanted.ipProtocol !== undefined,
      sport: wanted.sourcePorts !== undefined,
      dport: wanted.destinationPorts !== undefined,
      goto: wanted.action === 'goto',
      realms: wanted.realms !== undefined,
      suppress_prefixlength: wanted.suppressPrefixLength !== undefined,
      suppress_ifgroup: wanted.suppressInterfaceGroup !== undefined,
    },
    `rule ${ruleText(wanted)}`,
  )
  return {
    family: wanted.family,
    priority: wanted.preference,
    from: wanted.from,
    to: wanted.to,
    inputInterface: wanted.inputInterface,
    outputInterface: wanted.outputInterface,
    mark: wanted.mark?.value,
    markMask: wanted.mark?.mask,
    table: wanted.action === 'table' ? numberOf('rt_tables', wanted.table ?? RT_TABLE_MAIN) : undefined,
    action: ruleActions[wanted.action],
    protocol: wanted.protocol === undefined ? RTPROT_KEEPALIVED : numberOf('rt_protos', wanted.protocol),
  }
}

function refuse(given: Readonly<Record<string, boolean>>, what: string): void {
  const words = Object.keys(given).filter((word) => given[word])
  if (words.length > 0) throw new Error(`cannot add the ${what}: ${words.join(', ')} not supported`)
}

function existing(name: string, indexOf: IndexOf): number {
  const index = indexOf(name)
  if (index === undefined) throw new Error(`there is no interface ${name}`)
  return index
}

function numberOf(kind: Parameters<typeof routeNumber>[0], value: number | string): number {
  const number = typeof value === 'number' ? value : routeNumber(kind, value)
  if (number === undefined) throw new Error(`nobody knows the name ${value} (${kind} of iproute2)`)
  return number
}
