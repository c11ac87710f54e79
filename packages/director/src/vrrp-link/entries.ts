/** Addresses, routes and rules as configured, for the kernel. */
import type { NetworkRoute, NetworkRule, ProtectedAddress } from '@ipvs-director/config'
import { familyOf, millis, type Millis } from '@ipvs-director/core'
import { encapsulationOf } from './encapsulation.ts'
import {
  formatPrefix,
  routeNumber,
  type InterfaceAddress,
  type Route,
  type RouteMetrics,
  type RouteNames,
  type RouteNextHop,
  type RouteNumber,
  type Rule,
} from '@ipvs-director/linux'

/** The number of the interface of that name; undefined where there is none. */
export type IndexOf = (name: string) => number | undefined

/** rtnetlink.h, if_addr.h */
const routeTypes: Readonly<Record<NetworkRoute['type'], number>> = { unicast: 1, local: 2, broadcast: 3, multicast: 5, blackhole: 6, unreachable: 7, prohibit: 8, throw: 9, nat: 10 } // prettier-ignore
const ruleActions: Readonly<Record<NetworkRule['action'], number>> = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } // prettier-ignore
const routePreferences = { low: 3, medium: 0, high: 1 } as const
const ipProtocols: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, ipv6_icmp: 58, 'ipv6-icmp': 58, vrrp: 112, sctp: 132 } // prettier-ignore
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
export function kernelAddress(
  wanted: ProtectedAddress,
  index: number,
  lease: Millis | undefined,
  names: RouteNumber = routeNumber,
): InterfaceAddress {
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
    scope: numberOf(names, 'rt_scopes', wanted.scope),
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

/** The routing table of a VRF; undefined where there is no such VRF. */
export type TableOf = (vrf: string) => number | undefined

/** A route; throws an Error that names what is not there or not understood. */
export function kernelRoute(
  wanted: NetworkRoute,
  indexOf: IndexOf,
  tableOf: TableOf,
  names: RouteNumber = routeNumber,
): Route {
  const nextHops = nextHopsOf(wanted, indexOf, names)
  return {
    family: wanted.family,
    destination: wanted.destination,
    gateway: nextHops === undefined ? wanted.gateway : undefined,
    source: wanted.source,
    index: wanted.interface === undefined || nextHops !== undefined ? undefined : existing(wanted.interface, indexOf),
    table: wanted.vrf === undefined ? numberOf(names, 'rt_tables', wanted.table) : tableOfVrf(wanted.vrf, tableOf),
    metric: wanted.metric,
    protocol: wanted.protocol === undefined ? RTPROT_KEEPALIVED : numberOf(names, 'rt_protos', wanted.protocol),
    scope: wanted.scope === undefined ? undefined : numberOf(names, 'rt_scopes', wanted.scope),
    kind: routeTypes[wanted.type],
    onlink: wanted.onlink,
    tos: wanted.tos === undefined ? undefined : numberOf(names, 'rt_dsfield', wanted.tos),
    realms: realmsOf(wanted.realms, names),
    preference: wanted.preference === undefined ? undefined : routePreferences[wanted.preference],
    expires: wanted.expires,
    metrics: metricsOf(wanted),
    encapsulation: wanted.encapsulation === undefined ? undefined : encapsulationOf(wanted.encapsulation, names),
    ttlPropagate: wanted.ttlPropagate,
    nextHops,
  }
}

/** `or` is a second gateway of equal weight on the same interface. */
function nextHopsOf(wanted: NetworkRoute, indexOf: IndexOf, names: RouteNumber): readonly RouteNextHop[] | undefined {
  const own = wanted.alternative === undefined ? [] : [wanted.gateway, wanted.alternative]
  const both = own.map((gateway) => ({ gateway, interface: wanted.interface, weight: 1, onlink: wanted.onlink, realms: undefined })) // prettier-ignore
  const all = [...both, ...wanted.nextHops]
  if (all.length === 0) return undefined
  return all.map(({ gateway, interface: on, weight, onlink, realms }) => ({
    gateway,
    index: on === undefined ? undefined : existing(on, indexOf),
    weight,
    onlink,
    realms: realmsOf(realms, names),
  }))
}

type MetricName = Exclude<keyof RouteMetrics, 'lock' | 'features' | 'quickack' | 'fastopenNoCookie'>

/** RTAX_ numbers, for the bits of `lock`. */
const metricNumbers: Readonly<Record<MetricName, number>> = { mtu: 2, window: 3, rtt: 4, rttvar: 5, ssthresh: 6, cwnd: 7, advmss: 8, reordering: 9, hoplimit: 10, initcwnd: 11, rto_min: 13, initrwnd: 14, congctl: 16 } // prettier-ignore
/** The kernel's units in a millisecond. */
const perMillisecond: Readonly<Partial<Record<MetricName, number>>> = { rtt: 8, rttvar: 4, rto_min: 1 }

function metricsOf({ metrics, ecn, quickAck, fastopenNoCookie }: NetworkRoute): RouteMetrics | undefined {
  const values: Record<string, number | string> = {}
  let lock = 0
  for (const [name, metric] of Object.entries(metrics)) {
    if (!isMetric(name)) continue
    values[name] = name === 'congctl' ? metric.value : amount(metric.value, perMillisecond[name])
    if (metric.lock) lock |= 1 << metricNumbers[name]
  }
  if (lock !== 0) values.lock = lock
  if (ecn) values.features = 1
  if (quickAck !== undefined) values.quickack = quickAck ? 1 : 0
  if (fastopenNoCookie !== undefined) values.fastopenNoCookie = fastopenNoCookie ? 1 : 0
  return Object.keys(values).length === 0 ? undefined : values
}

const isMetric = (name: string): name is MetricName => name in metricNumbers

/** A number; of times `20ms`, `1s` or milliseconds, in the kernel's units. */
function amount(text: string, unit: number | undefined): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text)
  if (match === null) throw new Error(`${text} is no number`)
  return Math.round(Number(match[1]) * (match[2] === 's' ? 1000 : 1) * (unit ?? 1))
}

/** `2` is the destination's, `1/2` also the source's. */
function realmsOf(text: string | undefined, names: RouteNumber): number | undefined {
  if (text === undefined) return undefined
  const [first = '', second] = text.split('/')
  const to = numberOf(names, 'rt_realms', second ?? first)
  return second === undefined ? to : ((numberOf(names, 'rt_realms', first) << 16) | to) >>> 0
}

/** A rule; throws an Error for names that nobody knows. */
export function kernelRule(wanted: NetworkRule, names: RouteNumber = routeNumber): Rule {
  return {
    family: wanted.family,
    priority: wanted.preference,
    from: wanted.from,
    to: wanted.to,
    inputInterface: wanted.inputInterface,
    outputInterface: wanted.outputInterface,
    mark: wanted.mark?.value,
    markMask: wanted.mark?.mask,
    table:
      wanted.action === 'table' && !wanted.l3mdev
        ? numberOf(names, 'rt_tables', wanted.table ?? RT_TABLE_MAIN)
        : undefined,
    action: ruleActions[wanted.action],
    not: wanted.not,
    tos: wanted.tos === undefined ? undefined : numberOf(names, 'rt_dsfield', wanted.tos),
    goto: wanted.target,
    realms: realmsOf(wanted.realms, names),
    tunnelId: wanted.tunnelId,
    suppressPrefixLength: wanted.suppressPrefixLength,
    suppressGroup:
      wanted.suppressInterfaceGroup === undefined ? undefined : numberOf(names, 'group', wanted.suppressInterfaceGroup),
    l3mdev: wanted.l3mdev,
    users: wanted.users,
    ipProtocol: wanted.ipProtocol === undefined ? undefined : protocolNumber(wanted.ipProtocol),
    sourcePorts: wanted.sourcePorts,
    destinationPorts: wanted.destinationPorts,
    protocol: wanted.protocol === undefined ? RTPROT_KEEPALIVED : numberOf(names, 'rt_protos', wanted.protocol),
  }
}

function tableOfVrf(vrf: string, tableOf: TableOf): number {
  const table = tableOf(vrf)
  if (table === undefined) throw new Error(`there is no VRF ${vrf}`)
  return table
}

function existing(name: string, indexOf: IndexOf): number {
  const index = indexOf(name)
  if (index === undefined) throw new Error(`there is no interface ${name}`)
  return index
}

function numberOf(names: RouteNumber, kind: RouteNames, value: number | string): number {
  const number = typeof value === 'number' ? value : names(kind, value)
  if (number === undefined) throw new Error(`nobody knows the name ${value} (${kind} of iproute2)`)
  return number
}

function protocolNumber(name: string): number {
  const number = /^\d+$/.test(name) ? Number(name) : ipProtocols[name.toLowerCase()]
  if (number === undefined) throw new Error(`nobody knows the protocol ${name}`)
  return number
}
