import type { Address, Family, Millis } from '@ipvs-director/core'
import type { Place } from './place.ts'

/** Addresses, routes and rules that come and go with an instance, or are there while the program runs. */

/** A network: an address with the number of leading bits that count. */
export interface Prefix {
  readonly address: Address
  readonly length: number
}

/** What an entry of addresses, routes or rules has in common. */
interface Followed {
  readonly place: Place
  /** Its interface going down is a fault (false: `no_track`). */
  readonly track: boolean
  /** Of static entries: the `track_group` they belong to. */
  readonly trackGroup: string | undefined
}

/** An entry of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress. */
export interface ProtectedAddress extends Followed {
  readonly address: Address
  /** Default: all bits. */
  readonly prefix: number
  /** `dev`; else the instance's interface, or default_interface. Undefined: an instance without an interface. */
  readonly interface: string | undefined
  /** `brd +` and `brd -` are worked out. */
  readonly broadcast: Address | undefined
  /** RT_SCOPE_ number; a name that only iproute2's tables know stays one. */
  readonly scope: number | string
  readonly label: string | undefined
  readonly peer: Prefix | undefined
  readonly home: boolean
  readonly nodad: boolean
  readonly mngtmpaddr: boolean
  readonly noPrefixRoute: boolean
  readonly autojoin: boolean
  /** Undefined: as keepalived chooses (IPv6 /128: 0, else for ever). */
  readonly preferredLifetime: Millis | 'forever' | undefined
  /** It goes on a VMAC that is made on its interface for such addresses (`use_vmac` of its own, `use_vmac_addr`). */
  readonly useVmac: boolean
}

/** A metric of a route, as written; `lock`: the kernel must not change it. */
export interface RouteMetric {
  readonly value: string
  readonly lock: boolean
}

export interface NextHop {
  readonly gateway: Address | undefined
  readonly interface: string | undefined
  /** 1 to 256. */
  readonly weight: number
  readonly onlink: boolean
  readonly realms: string | undefined
}

export type RouteType =
  'unicast' | 'local' | 'broadcast' | 'multicast' | 'throw' | 'unreachable' | 'prohibit' | 'blackhole' | 'nat'

/** An entry of virtual_routes or static_routes. Names that only iproute2's tables know stay names. */
export interface NetworkRoute extends Followed {
  readonly family: Family
  readonly type: RouteType
  /** Undefined: the default route. */
  readonly destination: Prefix | undefined
  readonly source: Address | undefined
  readonly gateway: Address | undefined
  /** `or`: a second gateway of equal weight. */
  readonly alternative: Address | undefined
  readonly interface: string | undefined
  /** 254 is main. */
  readonly table: number | string
  readonly metric: number | undefined
  readonly scope: number | string | undefined
  readonly tos: string | undefined
  readonly protocol: number | string | undefined
  readonly metrics: Readonly<Record<string, RouteMetric>>
  readonly realms: string | undefined
  readonly quickAck: boolean | undefined
  readonly fastopenNoCookie: boolean | undefined
  readonly ecn: boolean
  readonly preference: 'low' | 'medium' | 'high' | undefined
  /** Seconds. */
  readonly expires: number | undefined
  readonly onlink: boolean
  /** The words after `encap`. */
  readonly encapsulation: readonly string[] | undefined
  readonly ttlPropagate: boolean | undefined
  readonly vrf: string | undefined
  readonly how: 'add' | 'append' | 'prepend'
  readonly nextHops: readonly NextHop[]
}

export interface NumberRange {
  readonly first: number
  readonly last: number
}

/** An entry of virtual_rules or static_rules. */
export interface NetworkRule extends Followed {
  readonly family: Family
  readonly not: boolean
  /** Undefined: any. */
  readonly from: Prefix | undefined
  readonly to: Prefix | undefined
  readonly tos: string | undefined
  readonly mark: { readonly value: number; readonly mask: number } | undefined
  readonly inputInterface: string | undefined
  readonly outputInterface: string | undefined
  readonly users: NumberRange | undefined
  readonly l3mdev: boolean
  readonly tunnelId: number | undefined
  readonly ipProtocol: string | undefined
  readonly sourcePorts: NumberRange | undefined
  readonly destinationPorts: NumberRange | undefined
  readonly action: 'table' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit'
  /** Of action table; undefined: the instance says none, and main is looked in. */
  readonly table: number | string | undefined
  /** Preference of the rule that action goto leads to. */
  readonly target: number | undefined
  readonly realms: string | undefined
  /** Where none is written: 16384, 16383 and so on, as in keepalived. */
  readonly preference: number
  readonly protocol: number | string | undefined
  readonly suppressPrefixLength: number | undefined
  readonly suppressInterfaceGroup: string | undefined
}
