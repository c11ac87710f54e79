import { type Address, addressBytes, addressFromBytes, familyOf, type Family, seconds } from '@ipvs-director/core'
import type { routeKind, ruleKind } from '../grammar/routes.ts'
import type { staticAddressKind, vipKind } from '../grammar/vip.ts'
import type { Place } from '../place.ts'
import type { Kind } from '../kind.ts'
import type { Network } from '../network.ts'
import type { NetworkRoute, NetworkRule, NumberRange, Prefix, ProtectedAddress } from '../network-config.ts'

type Of<K> = K extends Kind<infer T> ? T : never
export type AddressText = Of<typeof vipKind> | Of<typeof staticAddressKind>
export type RouteText = Of<typeof routeKind>
export type RuleText = Of<typeof ruleKind>

/** RT_SCOPE_ numbers (rtnetlink.h) by iproute2's names. */
const scopes: Readonly<Record<string, number>> = {
  global: 0,
  universe: 0,
  site: 200,
  link: 253,
  host: 254,
  nowhere: 255,
}
/** RT_TABLE_ numbers. */
const tables: Readonly<Record<string, number>> = { unspec: 0, default: 253, main: 254, local: 255 }
/** RTPROT_ numbers. */
const protocols: Readonly<Record<string, number>> = {
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  gated: 8,
  ra: 9,
  mrt: 10,
  zebra: 11,
  bird: 12,
  dnrouted: 13,
  xorp: 14,
  ntk: 15,
  dhcp: 16,
  keepalived: 18,
  babel: 42,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
}
const main = 254

/** A number, where the word is one or a name everybody knows; else the word, for iproute2's tables. */
function numbered(word: string, names: Readonly<Record<string, number>>): number | string {
  if (/^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(word)) return Number(word)
  return names[word] ?? word
}

const bitsOf = (family: Family): number => (family === 'inet' ? 32 : 128)

const prefixOf = ({ address, prefix }: Network): Prefix => ({ address, length: prefix ?? bitsOf(familyOf(address)) })

/** An address entry; `home` is the interface it goes on when it names none. */
export function resolveAddress(text: AddressText, place: Place, home: string | undefined): ProtectedAddress {
  const { address, length } = prefixOf(text.address)
  return {
    place,
    address,
    prefix: length,
    interface: text.dev ?? home,
    broadcast: broadcastOf(text.brd, address, length),
    scope: text.scope === undefined || address.includes(':') ? 0 : numbered(text.scope, scopes),
    label: address.includes(':') ? undefined : text.label,
    peer: text.peer === undefined ? undefined : prefixOf(text.peer),
    home: text.home === true,
    nodad: text.nodad === true,
    mngtmpaddr: text.mngtmpaddr === true,
    noPrefixRoute: text.noprefixroute === true,
    autojoin: text.autojoin === true,
    preferredLifetime:
      text.preferred_lft === undefined || text.preferred_lft === 'forever'
        ? text.preferred_lft
        : seconds(Number(text.preferred_lft)),
    useVmac: 'use_vmac' in text && text.use_vmac === true,
    track: text.no_track !== true,
    trackGroup: 'track_group' in text ? text.track_group : undefined,
  }
}

/** `+` sets all bits of the host, `-` none. */
function broadcastOf(text: string | undefined, address: Address, length: number): Address | undefined {
  if (text === undefined) return undefined
  if (text !== '+' && text !== '-') return text as Address
  const bytes = addressBytes(address)
  for (let bit = length; bit < 32; bit++) {
    const mask = 0x80 >> (bit & 7)
    const byte = bytes[bit >> 3] ?? 0
    bytes[bit >> 3] = text === '+' ? byte | mask : byte & ~mask
  }
  return addressFromBytes(bytes)
}

const metricNames = [
  'mtu',
  'hoplimit',
  'advmss',
  'rtt',
  'rttvar',
  'reordering',
  'window',
  'cwnd',
  'initcwnd',
  'initrwnd',
  'ssthresh',
  'rto_min',
  'congctl',
] as const

/** A route entry. `home`: see {@link resolveAddress}; only routes through nothing else need it. */
export function resolveRoute(text: RouteText, place: Place): NetworkRoute {
  const named = text.to === undefined || text.to === 'default' ? undefined : prefixOf(text.to)
  const to = named?.length === 0 ? undefined : named
  const hint = named?.address ?? text.via ?? text.src ?? text.nexthops?.find(({ via }) => via !== undefined)?.via
  return {
    place,
    family: text.family ?? (hint === undefined ? 'inet' : familyOf(hint)),
    type: text.type ?? 'unicast',
    destination: to,
    source: text.src,
    gateway: text.via,
    alternative: text.or,
    interface: text.dev,
    table: text.table === undefined ? main : numbered(text.table, tables),
    metric: text.metric,
    scope: text.scope === undefined ? undefined : numbered(text.scope, scopes),
    tos: text.tos,
    protocol: text.protocol === undefined ? undefined : numbered(text.protocol, protocols),
    metrics: Object.fromEntries(
      metricNames.flatMap((name) => {
        const given = text[name]
        return given === undefined ? [] : [[name, given] as const]
      }),
    ),
    realms: text.realms,
    quickAck: text.quickack,
    fastopenNoCookie: text.fastopen_no_cookie,
    ecn: text.features !== undefined,
    preference: text.pref,
    expires: text.expires,
    onlink: text.onlink === true,
    encapsulation: text.encap,
    ttlPropagate: text.ttl_propagate === undefined ? undefined : text.ttl_propagate === 'enabled',
    vrf: text.vrf,
    how: text.how ?? 'prepend',
    nextHops: (text.nexthops ?? []).map((hop) => ({
      gateway: hop.via,
      interface: hop.dev,
      weight: hop.weight ?? 1,
      onlink: hop.onlink === true,
      realms: hop.realms,
    })),
    track: text.no_track !== true && hasInterface(text),
    trackGroup: text.track_group,
  }
}

/** Whether a route says which interface it goes over: what cannot be followed otherwise. */
export const hasInterface = (text: RouteText): boolean =>
  text.dev !== undefined || (text.nexthops ?? []).some(({ dev }) => dev !== undefined)

/** A rule entry; ambiguous family is IPv4. `nextPreference`: the preference of one that has none. */
export function resolveRule(text: RuleText, place: Place, nextPreference: () => number): NetworkRule {
  const [from, to] = [text.from, text.to].map((each) =>
    each === undefined || each === 'default' ? undefined : prefixOf(each),
  )
  const hint = from ?? to
  return {
    place,
    family: text.family ?? (hint === undefined ? 'inet' : familyOf(hint.address)),
    not: text.not === true,
    from,
    to,
    tos: text.tos,
    mark: markOf(text.fwmark),
    inputInterface: text.iif,
    outputInterface: text.oif,
    users: rangeOf(text.uidrange),
    l3mdev: text.l3mdev === true,
    tunnelId: text.tunnel_id,
    ipProtocol: text.ipproto,
    sourcePorts: rangeOf(text.sport),
    destinationPorts: rangeOf(text.dport),
    action: actionOf(text),
    table: text.table === undefined ? undefined : numbered(text.table, tables),
    target: text.goto,
    realms: text.realms,
    preference: text.preference ?? nextPreference(),
    protocol: text.protocol === undefined ? undefined : numbered(text.protocol, protocols),
    suppressPrefixLength: text.suppress_prefixlength,
    suppressInterfaceGroup: text.suppress_ifgroup,
    track: text.no_track !== true,
    trackGroup: text.track_group,
  }
}

function actionOf({ action, type, goto, nop }: RuleText): NetworkRule['action'] {
  if (action !== undefined) return action
  if (type === 'blackhole' || type === 'unreachable' || type === 'prohibit') return type
  return goto !== undefined ? 'goto' : nop === true ? 'nop' : 'table'
}

function markOf(text: string | undefined): NetworkRule['mark'] {
  if (text === undefined) return undefined
  const [value = '', mask] = text.split('/')
  return { value: Number(value), mask: mask === undefined ? 0xffffffff : Number(mask) }
}

function rangeOf(text: string | undefined): NumberRange | undefined {
  if (text === undefined) return undefined
  const [first = '', last = first] = text.split('-')
  return { first: Number(first), last: Number(last) }
}
