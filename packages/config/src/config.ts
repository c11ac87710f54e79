import type { Address, Family, Millis } from '@ipvs-director/core'
import type { AlarmSettings } from './alarm-config.ts'
import type { ServerSource } from './dynamic-config.ts'
import type { Place, Script } from './place.ts'
import type { ProcessSettings, SnmpSettings, SyncDaemon } from './service-config.ts'
import type { BfdInstance, TrackFile } from './tracking-config.ts'
import type { VrrpConfig } from './vrrp-config.ts'

export type { Place, Script } from './place.ts'

/**
 * The effective configuration: what the rest of the program works from. Every default and inheritance is applied, every
 * address parsed; nothing in it refers to the text but the places.
 */

export interface Config {
  readonly globals: Globals
  readonly virtualServers: readonly VirtualServer[]
  /** `virtual_server_group` blocks; missing: there are none. */
  readonly virtualServerGroups?: readonly VirtualServerGroup[]
  readonly vrrp: VrrpConfig
  /** `track_file` (and `vrrp_track_file`) blocks: instances and FILE_CHECK name them. */
  readonly trackFiles: readonly TrackFile[]
  /** `bfd_instance` blocks: instances and BFD_CHECK name them. */
  readonly bfdInstances: readonly BfdInstance[]
  readonly syncDaemon: SyncDaemon | undefined
  readonly snmp: SnmpSettings
  readonly process: ProcessSettings
}

export interface Globals {
  readonly routerId: string | undefined
  readonly scriptUser: { readonly user: string; readonly group?: string } | undefined
  readonly enableScriptSecurity: boolean
  /** Scripts have the supplementary groups of their user. */
  readonly setSupplementaryGroups: boolean
  /** Scripts are run by the path as written, symbolic links and all. */
  readonly useSymlinkPaths: boolean
  readonly lvsFlush: boolean
  /** `lvs_flush_on_stop`: false, the whole table, or each virtual server by one command. */
  readonly lvsFlushOnStop: false | 'all' | 'VS'
  readonly lvsTimeouts: { readonly tcp: number; readonly tcpFin: number; readonly udp: number } | undefined
  readonly checkerLogAllFailures: boolean
  readonly rsInitNotifies: boolean
  /** Own extension `reconcile_interval`: time between two audits of the kernel's table. Default 30 s. */
  readonly reconcileInterval: Millis
  /** Own extension `data_path_marks`: the marks that checks with `data_path` may use, both ends included. Absent: none. */
  readonly dataPathMarks?: { readonly first: number; readonly last: number }
  /** `nftables_ipvs`: groups are one service for a mark. Absent: each of their addresses is a service. */
  readonly groupMarks?: {
    readonly table: string
    readonly priority: number
    readonly first: number
    readonly counters: boolean
  }
  /** Mail, webhooks and notify FIFOs; absent: there are none. */
  readonly alarms?: AlarmSettings
}

export type Method = 'masq' | 'droute' | 'tunnel'

/** `lb_kind` / `lvs_method` with its tunnel options. */
export interface Forwarding {
  readonly method: Method
  readonly tunnel:
    | { readonly type: 'ipip' | 'gue' | 'gre'; readonly port: number; readonly checksum: 'none' | 'csum' | 'remcsum' }
    | undefined
}

/** What a virtual server answers for. A group has its entries expanded, ranges too. */
export type VirtualServerTarget =
  | { readonly kind: 'address'; readonly address: Address; readonly port: number }
  | { readonly kind: 'fwmark'; readonly fwmark: number; readonly family: Family }
  | {
      readonly kind: 'group'
      readonly group: string
      readonly entries: readonly (
        | { readonly kind: 'address'; readonly address: Address; readonly port: number }
        | { readonly kind: 'fwmark'; readonly fwmark: number; readonly family: Family }
      )[]
      /** Its addresses, where they are no services of their own but have a mark ({@link withGroupMarks}). */
      readonly marking?: GroupMarking
    }

/** What nftables is to mark. */
export interface GroupMarking {
  readonly mark: number
  /** Port 0: any. */
  readonly addresses: readonly { readonly address: Address; readonly port: number }[]
}

export interface VirtualServer {
  readonly place: Place
  /** As people name it: `192.0.2.1:80/tcp`, `fwmark 7/inet`, `group web/tcp`. Unique in a config. */
  readonly name: string
  readonly target: VirtualServerTarget
  /** Without meaning for fwmark services. */
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly scheduler: string
  readonly forwarding: Forwarding
  /** Seconds; 0: off. */
  readonly persistenceTimeout: number
  /** IPv4: mask as unsigned number; IPv6: prefix length. */
  readonly persistenceGranularity: number
  readonly persistenceEngine: string | undefined
  readonly onePacket: boolean
  readonly flag1: boolean
  readonly flag2: boolean
  readonly flag3: boolean
  readonly haSuspend: boolean
  readonly virtualhost: string | undefined
  readonly alpha: boolean
  readonly omega: boolean
  readonly quorum: number
  readonly hysteresis: number
  readonly quorumUp: Script | undefined
  readonly quorumDown: Script | undefined
  readonly delayLoop: Millis
  /**
   * Own extension `drain_on_removal`: a real server that a reload removes gets weight 0 for so long, or until it has no
   * connections, and is removed then; 0: at once.
   */
  readonly drainOnRemoval: Millis
  /** Own extension `panic_threshold`: per cent of the servers; fewer up, and none of the checks is believed; 0: never. */
  readonly panicThreshold: number
  /** Own extension `slow_start`: time in which a recovered server's weight grows; 0: at once. */
  readonly slowStart: Millis
  readonly smtpAlert: boolean
  readonly snmpName: string | undefined
  /** For SNMP, which shows them; the real servers and checkers have them resolved. */
  readonly serverDefaults?: ServerDefaults
  readonly sorryServer: SorryServer | undefined
  readonly realServers: readonly RealServer[]
  /** Own extension `real_servers_from`: more servers, from elsewhere. Absent: none. */
  readonly dynamic?: DynamicServers
}

/** What a block says for the checks in it; keepalived's 0 for what it does not say. */
export interface CheckDefaults {
  readonly alpha: boolean
  readonly retry: number
  readonly delayBeforeRetry: Millis
  readonly warmup: Millis
  readonly delayLoop: Millis
  readonly connectTimeout: Millis
}

/** What a virtual server says for its real servers. */
export interface ServerDefaults extends CheckDefaults {
  readonly weight: number
  readonly inhibitOnFailure: boolean
}

/** A `virtual_server_group`, as it is written: fwmarks first, then addresses, each in the order of the file. */
export interface VirtualServerGroup {
  readonly name: string
  readonly members: readonly (
    | { readonly kind: 'fwmark'; readonly fwmark: number }
    /** `last` is `first` unless it is a range. */
    | { readonly kind: 'addresses'; readonly first: Address; readonly last: Address; readonly port: number }
  )[]
}

export interface SorryServer {
  readonly address: Address
  readonly port: number
  readonly forwarding: Forwarding
  readonly inhibit: boolean
}

export interface RealServer {
  readonly place: Place
  readonly address: Address
  readonly port: number
  readonly weight: number
  readonly forwarding: Forwarding
  readonly inhibitOnFailure: boolean
  /** Own extension `degraded_weight`: weight while down, instead of removal; undefined: it is removed or inhibited. */
  readonly degradedWeight: number | undefined
  /** Own extension `tier`: those above 0 serve when the lower ones do not make the quorum. */
  readonly tier: number
  readonly upperThreshold: number
  readonly lowerThreshold: number
  readonly notifyUp: Script | undefined
  readonly notifyDown: Script | undefined
  readonly smtpAlert: boolean
  readonly snmpName: string | undefined
  /** For SNMP, as in {@link VirtualServer}. */
  readonly checkDefaults?: CheckDefaults
  readonly virtualhost: string | undefined
  readonly checkers: readonly CheckerConfig[]
}

/** Real servers that are not in the file: own extensions `real_servers_from` and `real_server_template`. */
export interface DynamicServers {
  /** At least one, in the order of the file. */
  readonly sources: readonly ServerSource[]
  /**
   * The settings of those servers. Its address is 0.0.0.0 or :: and its port 0, and so are those of the checks that go to
   * the server itself: they stand for whatever the source answers.
   */
  readonly template: RealServer
}

/** When a checker runs and how it forgives; every value resolved by reference/checkers.md §1. */
export interface CheckTiming {
  readonly delayLoop: Millis
  /** Failures forgiven while up. */
  readonly retry: number
  readonly delayBeforeRetry: Millis
  /** Upper bound of the random first wait. */
  readonly warmup: Millis
  /** Time one probe (or one step of it, as the checker says) may take. */
  readonly timeout: Millis
  /** Down until the first success. */
  readonly alpha: boolean
  readonly logAllFailures: boolean
  /** Own extension: successes in a row until up again. Absent: 1. */
  readonly rise?: number
  /** Own extension `delay_loop_changing`: wait while failures or successes are being counted. Absent: the usual ones. */
  readonly changing?: Millis
  /** Own extension: each wait is up to this share (0 to 0.5) shorter or longer. Absent: 0. */
  readonly jitter?: number
}

/** Where a network checker connects, resolved: connect_ip and connect_port fall back to the real server's. */
export interface CheckConnection {
  readonly address: Address
  readonly port: number
  readonly bindAddress: Address | undefined
  readonly bindPort: number | undefined
  readonly bindInterface: string | undefined
  /** With `through` it is given by {@link withDataPathMarks}; 0 until then, and where no mark was left. */
  readonly fwmark: number
  /** Own extension `data_path`: the address is that of the virtual server, and is reached through this real server. */
  readonly through?: DataPath
}

/** A way from this machine to a real server as the packets of clients go. */
export interface DataPath {
  /** The real server. */
  readonly address: Address
  readonly forwarding: Forwarding
}

export interface CheckerConfig {
  readonly place: Place
  /** The block's keyword: TCP_CHECK, HTTP_GET, … */
  readonly kind: string
  readonly timing: CheckTiming
  /** Undefined for MISC_CHECK and others that open no connection of their own. */
  readonly connection: CheckConnection | undefined
  /** The checker's own options as its declaration types them; plain data that survives JSON. */
  readonly options: Readonly<Record<string, unknown>>
}
