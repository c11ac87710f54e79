import { formatEndpoint, inOnePiece, type Address, type Endpoint, type Family } from '@ipvs-director/core'

/**
 * The kernel's IPVS table in memory. Of each object there are three types: what finds it (key), what can be edited
 * (settings) and what only the kernel counts (counters). `diff` compares the settings of equal keys.
 */

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** A service found by protocol, address and port (0: any port, needs persistence). */
export interface AddressServiceKey {
  readonly protocol: Protocol
  readonly address: Address
  readonly port: number
}

/** A service found by firewall mark, 1..2^32-1; the kernel keeps one per family. */
export interface MarkServiceKey {
  readonly fwmark: number
  readonly family: Family
}

export type ServiceKey = AddressServiceKey | MarkServiceKey

/** IP_VS_SVC_*: everything NEW_SERVICE and SET_SERVICE want. */
export interface ServiceSettings {
  /** Scheduler module, at most 15 characters: rr, wrr, lc, wlc, sh, mh, … */
  readonly scheduler: string
  /** Persistence timeout in seconds; 0: not persistent. */
  readonly persistence: number
  /**
   * Granularity of persistence. IPv4: the mask as an unsigned number (0xffffffff: each client alone);
   * IPv6: the prefix length (128: each client alone).
   */
  readonly netmask: number
  /** Persistence engine (`sip`), at most 15 characters; only with persistence. */
  readonly engine: string | undefined
  /** IP_VS_SVC_F_ONEPACKET: each UDP packet scheduled by itself. */
  readonly onePacket: boolean
  /** IP_VS_SVC_F_SCHED1: sh-fallback, mh-fallback. */
  readonly flag1: boolean
  /** IP_VS_SVC_F_SCHED2: sh-port, mh-port. */
  readonly flag2: boolean
  /** IP_VS_SVC_F_SCHED3. */
  readonly flag3: boolean
}

/** `masq` NAT, `local` this host, `tunnel` TUN, `droute` DR, `bypass` to the original destination. */
export type ForwardingMethod = 'masq' | 'local' | 'tunnel' | 'droute' | 'bypass'

/** Encapsulation of `tunnel`; `port` (host order) only for gue; `checksum` not for ipip, `remcsum` only for gue. */
export interface Tunnel {
  readonly type: 'ipip' | 'gue' | 'gre'
  readonly port: number
  readonly checksum: 'none' | 'csum' | 'remcsum'
}

/** A destination's key is its endpoint; its family may differ from the service's with `tunnel`. */
export type DestinationKey = Endpoint

export interface DestinationSettings {
  readonly forwarding: ForwardingMethod
  /** 0..2^31-1; 0 takes no new connections and keeps those it has. */
  readonly weight: number
  /** Connections at which the destination is overloaded; 0: no limit. */
  readonly upperThreshold: number
  /** Connections below which it is taken again; 0: three quarters of the upper. */
  readonly lowerThreshold: number
  /** Only with `tunnel`; undefined is plain ipip. */
  readonly tunnel: Tunnel | undefined
}

export interface Destination extends DestinationSettings {
  readonly address: Address
  readonly port: number
}

/** A service with what it sends to, keyed by {@link destinationId}. */
export interface Service {
  readonly key: ServiceKey
  readonly settings: ServiceSettings
  readonly destinations: ReadonlyMap<string, Destination>
}

/** All services, keyed by {@link serviceId}. */
export type Table = ReadonlyMap<string, Service>

/** IPVS_STATS_ATTR_*, 64 bits wide, added up by the kernel every two seconds; rates are per second, averaged by it. */
export interface Statistics {
  readonly connections: bigint
  readonly inPackets: bigint
  readonly outPackets: bigint
  readonly inBytes: bigint
  readonly outBytes: bigint
  readonly connectionRate: bigint
  readonly inPacketRate: bigint
  readonly outPacketRate: bigint
  readonly inByteRate: bigint
  readonly outByteRate: bigint
}

/** What the kernel counts for one destination. */
export interface DestinationCounters {
  readonly activeConnections: number
  readonly inactiveConnections: number
  readonly persistentConnections: number
  readonly statistics: Statistics
}

/** What a command does to the table. `flush` removes every service, ours or not. */
export type Command =
  | { readonly do: 'addService' | 'setService'; readonly key: ServiceKey; readonly settings: ServiceSettings }
  | { readonly do: 'deleteService'; readonly key: ServiceKey }
  | {
      readonly do: 'addDestination' | 'setDestination'
      readonly service: ServiceKey
      readonly destination: Destination
    }
  | { readonly do: 'deleteDestination'; readonly service: ServiceKey; readonly destination: DestinationKey }
  | { readonly do: 'flush' }

export const isMark = (key: ServiceKey): key is MarkServiceKey => 'fwmark' in key

/** The service's name and key in a {@link Table}: `192.0.2.1:80/tcp`, `[2001:db8::1]:53/udp`, `fwmark 7/inet`. */
export function serviceId(key: ServiceKey): string {
  return isMark(key) ? `fwmark ${key.fwmark}/${key.family}` : inOnePiece(`${formatEndpoint(key)}/${key.protocol}`)
}

/** The destination's name and key under its service: `10.0.0.2:80`. */
export function destinationId(key: DestinationKey): string {
  return formatEndpoint(key)
}

/** The family a service's packets have. */
export function serviceFamily(key: ServiceKey): Family {
  return isMark(key) ? key.family : key.address.includes(':') ? 'inet6' : 'inet'
}
