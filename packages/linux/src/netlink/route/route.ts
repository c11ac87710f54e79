/** Routes (linux/rtnetlink.h). What multipath routes say of their next hops, and encapsulations, are written, and not read. */
import { addressBytes, type Address, type Family } from '@ipvs-director/core'
import { attributes, nested } from '../attributes.ts'
import type { NetlinkRequest } from '../channel.ts'
import { bytes, s32, text, u16, u32, u8 } from '../codecs.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../message.ts'
import { struct } from '../struct.ts'
import {
  AF_UNSPEC,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
} from './constants.ts'
import { encodeEncapsulation, type Encapsulation } from './encapsulation.ts'
import { familyFromNumber, familyNumber, readAddress, type Prefix } from './prefix.ts'

export interface Route {
  readonly family: Family
  /** Undefined: the default route. */
  readonly destination?: Prefix | undefined
  readonly gateway?: Address | undefined
  /** The interface packets leave by. */
  readonly index?: number | undefined
  /** The source address for connections that take this route. */
  readonly source?: Address | undefined
  /** Default 254, main. */
  readonly table?: number | undefined
  /** The lower, the better; the kernel's default is 0 for IPv4 and 1024 for IPv6. */
  readonly metric?: number | undefined
  /** Who made it: 2 kernel, 3 boot, 4 static (default), 18 keepalived. */
  readonly protocol?: number | undefined
  /** RT_SCOPE_ number; default by kind and gateway, as `ip route` has it. */
  readonly scope?: number | undefined
  /** RTN_ number: 1 unicast (default), 2 local, 6 blackhole, 7 unreachable, 8 prohibit. */
  readonly kind?: number | undefined
  /** The gateway is reachable by the interface, whatever the addresses say. */
  readonly onlink?: boolean | undefined
  /** IPv4: only for packets of this type of service. */
  readonly tos?: number | undefined
  /** Of the source in the upper 16 bits, of the destination in the lower. */
  readonly realms?: number | undefined
  /** ICMPV6_ROUTER_PREF_: 0 medium, 1 high, 3 low. */
  readonly preference?: number | undefined
  /** IPv6: seconds until the kernel removes it. */
  readonly expires?: number | undefined
  readonly metrics?: RouteMetrics | undefined
  readonly encapsulation?: Encapsulation | undefined
  /** MPLS: whether the TTL of the packet becomes the label's. */
  readonly ttlPropagate?: boolean | undefined
  /** Several ways instead of `gateway` and `index`. */
  readonly nextHops?: readonly RouteNextHop[] | undefined
}

/** RTAX_ values as the kernel has them (rtt in eighths of a millisecond, rttvar in quarters). */
export type RouteMetrics = Parameters<typeof routeMetrics.encode>[0]

/** One of several ways; weight 1 to 256. */
export interface RouteNextHop {
  readonly gateway?: Address | undefined
  readonly index?: number | undefined
  readonly weight: number
  readonly onlink?: boolean | undefined
  readonly realms?: number | undefined
}

/**
 * What to do with a route. 'add' refuses (EEXIST) where destination, table and metric are taken, 'replace' changes the one
 * that has them, 'prepend' and 'append' add another one before or after, and refuse only an equal one.
 */
export interface RouteChange {
  readonly do: 'add' | 'replace' | 'prepend' | 'append' | 'delete'
  readonly route: Route
}

const RTN_UNICAST = 1
const RTN_LOCAL = 2
const RTPROT_STATIC = 4
const RTNH_F_ONLINK = 4

/** struct rtmsg. */
const header = struct({
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  table: u8,
  protocol: u8,
  scope: u8,
  kind: u8,
  flags: u32,
})
const routeMetrics = attributes({
  /** Bit n: the kernel does not change metric n. */
  lock: [1, u32],
  mtu: [2, u32],
  window: [3, u32],
  rtt: [4, u32],
  rttvar: [5, u32],
  ssthresh: [6, u32],
  cwnd: [7, u32],
  advmss: [8, u32],
  reordering: [9, u32],
  hoplimit: [10, u32],
  initcwnd: [11, u32],
  /** 1: ECN. */
  features: [12, u32],
  rto_min: [13, u32],
  initrwnd: [14, u32],
  quickack: [15, u32],
  congctl: [16, text],
  fastopenNoCookie: [17, u32],
})
const NLA_F_NESTED = 0x8000
const routeAttributes = attributes({
  destination: [1, bytes],
  index: [4, u32],
  gateway: [5, bytes],
  metric: [6, u32],
  source: [7, bytes],
  metrics: [8, nested(routeMetrics)],
  nextHops: [9, bytes],
  realms: [11, u32],
  table: [15, u32],
  preference: [20, u8],
  encapsulation: [22, { ...bytes, typeFlags: NLA_F_NESTED }],
  encapsulationType: [21, u16],
  expires: [23, u32],
  ttlPropagate: [26, u8],
})
/** struct rtnexthop, before attributes of its own. */
const nextHopHeader = struct({ length: u16, flags: u8, hops: u8, index: s32 })

/** Reads RTM_NEWROUTE and RTM_DELROUTE; undefined for routes that are neither IPv4 nor IPv6. Throws a DecodeError. */
export function decodeRoute(payload: Buffer): Route | undefined {
  const head = header.decode(payload)
  const family = familyFromNumber(head.family)
  if (family === undefined) return undefined
  const given = routeAttributes.decodeRange(payload, header.size, payload.length)
  const destination = readAddress(given.destination)
  return {
    family,
    destination: destination === undefined ? undefined : { address: destination, length: head.destinationLength },
    gateway: readAddress(given.gateway),
    index: given.index,
    source: readAddress(given.source),
    table: given.table ?? head.table,
    metric: given.metric,
    protocol: head.protocol,
    scope: head.scope,
    kind: head.kind,
    onlink: (head.flags & RTNH_F_ONLINK) !== 0,
    tos: head.tos,
    realms: given.realms,
    preference: given.preference,
    expires: given.expires,
    metrics: given.metrics,
  }
}

/** All routes of one family or of both: a dump. */
export function allRoutes(family?: Family): NetlinkRequest {
  return {
    type: RTM_GETROUTE,
    payload: header.encode({ family: family === undefined ? AF_UNSPEC : familyNumber(family) }),
  }
}

export function changeRoute({ do: action, route }: RouteChange): NetlinkRequest {
  const table = route.table ?? RT_TABLE_MAIN
  const head = header.encode({
    family: familyNumber(route.family),
    destinationLength: route.destination?.length ?? 0,
    tos: route.tos ?? 0,
    table: table < 256 ? table : 0,
    protocol: route.protocol ?? (action === 'delete' ? 0 : RTPROT_STATIC),
    scope: route.scope ?? (action === 'delete' ? RT_SCOPE_NOWHERE : usualScope(route)),
    kind: route.kind ?? (action === 'delete' ? 0 : RTN_UNICAST),
    flags: route.onlink === true ? RTNH_F_ONLINK : 0,
  })
  const encapsulation = route.encapsulation === undefined ? undefined : encodeEncapsulation(route.encapsulation)
  const body = routeAttributes.encode({
    destination: route.destination === undefined ? undefined : addressBytes(route.destination.address),
    index: route.index,
    gateway: route.gateway === undefined ? undefined : addressBytes(route.gateway),
    metric: route.metric,
    source: route.source === undefined ? undefined : addressBytes(route.source),
    realms: route.realms,
    preference: route.preference,
    expires: route.expires,
    metrics: route.metrics,
    encapsulation: encapsulation?.data,
    encapsulationType: encapsulation?.type,
    ttlPropagate: route.ttlPropagate === undefined ? undefined : Number(route.ttlPropagate),
    nextHops: route.nextHops === undefined ? undefined : Buffer.concat(route.nextHops.map(encodeNextHop)),
    table,
  })
  const payload = Buffer.concat([head, body])
  if (action === 'delete') return { type: RTM_DELROUTE, payload }
  return { type: RTM_NEWROUTE, flags: NLM_F_CREATE | placing[action], payload }
}

const placing = { add: NLM_F_EXCL, replace: NLM_F_REPLACE, prepend: 0, append: NLM_F_APPEND } as const

function encodeNextHop({ gateway, index, weight, onlink, realms }: RouteNextHop): Buffer {
  const own = routeAttributes.encode({ gateway: gateway === undefined ? undefined : addressBytes(gateway), realms })
  const length = nextHopHeader.size + own.length
  const flags = onlink === true ? RTNH_F_ONLINK : 0
  return Buffer.concat([nextHopHeader.encode({ length, flags, hops: weight - 1, index: index ?? 0 }), own])
}

function usualScope(route: Route): number {
  if (route.kind === RTN_LOCAL) return RT_SCOPE_HOST
  const hops = route.nextHops ?? [route]
  const direct = (route.kind ?? RTN_UNICAST) === RTN_UNICAST && hops.every(({ gateway }) => gateway === undefined)
  return route.family === 'inet' && direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
}
