import type { Address, Family, Millis } from '@ipvs-director/core'
import type { Place, Script } from './place.ts'
import type { NetworkRoute, NetworkRule, ProtectedAddress } from './network-config.ts'
import type { Tracking, VrrpScript, TrackProcess } from './tracking-config.ts'

/**
 * The effective VRRP part of a configuration: every default, inheritance and correction of reference/vrrp.md applied.
 * Times are in milliseconds; what is not written and has no default is undefined.
 */
export interface VrrpConfig {
  readonly globals: VrrpGlobals
  /** Those without an error in them, in the order of the text; names are unique. */
  readonly instances: readonly VrrpInstance[]
  readonly syncGroups: readonly SyncGroup[]
  /** `vrrp_script` blocks that an instance or group follows. */
  readonly scripts: readonly VrrpScript[]
  /** `vrrp_track_process` blocks. */
  readonly processes: readonly TrackProcess[]
  /** `static_ipaddress`, `static_routes`, `static_rules`: there while the program runs. */
  readonly staticAddresses: readonly ProtectedAddress[]
  readonly staticRoutes: readonly NetworkRoute[]
  readonly staticRules: readonly NetworkRule[]
  /** `track_group`: names of instances by the group's name. */
  readonly trackGroups: readonly { readonly name: string; readonly instances: readonly string[] }[]
  /** `garp_group`, and the spacing of `vrrp_garp_interval` for interfaces in none. */
  readonly garpGroups: readonly GarpGroup[]
  /** `linkbeat_interfaces`; `linkbeat_use_polling` names the interface of each of its instances here too. */
  readonly linkbeat: readonly { readonly interface: string; readonly how: 'MII' | 'ETHTOOL' | 'IOCTL' | undefined }[]
  /** `interface_up_down_delays`: time a link must be down, or up, to count as that. */
  readonly linkDelays: readonly { readonly interface: string; readonly down: Millis; readonly up: Millis }[]
}

/** What `global_defs` says of VRRP and no instance says by itself. */
export interface VrrpGlobals {
  /** `default_interface`, eth0. */
  readonly defaultInterface: string
  /** `dynamic_interfaces`: interfaces may be missing, and with 'changes' be another one later. */
  readonly dynamicInterfaces: false | 'missing' | 'changes'
  /** `vrrp_startup_delay`. */
  readonly startupDelay: Millis
  /** `vrrp_delay_after_boot`. */
  readonly delayAfterBoot: Millis
  /** `vrrp_garp_interval`, `vrrp_gna_interval`: least time between two on one interface; 0: none. */
  readonly garpInterval: Millis
  readonly naInterval: Millis
  readonly logUnknownVrids: boolean
  readonly disableLocalIgmp: boolean
  readonly vmacPrefix: string
  readonly vmacAddressPrefix: string
  /** `vrrp_iptables`: chains; undefined: nftables is used. */
  readonly iptables: { readonly input: string | undefined; readonly output: string | undefined } | undefined
  /** `vrrp_ipsets`: names in keepalived's order; false: none are used; undefined: not written. */
  readonly ipsets: false | readonly string[] | undefined
  readonly nftables: {
    readonly table: string
    readonly priority: number
    readonly interfaceIndexes: boolean
    readonly counters: boolean
  }
  /** `iproute_etc_dir`, `iproute_usr_dir`; undefined: the usual ones. */
  readonly routeFolders: { readonly own: string | undefined; readonly shipped: string | undefined }
  /** `vrrp_notify_priority_changes` is in each instance; this is what a reload writes to the pipes. */
  readonly fifoStatesOnReload: boolean
  /** `vrrp_priority`: nice value, 0 where not given. */
  readonly niceness: number
  readonly lockMemory: boolean
  /** `vrrp_rt_priority`: SCHED_RR priority; 0: none. */
  readonly realtimePriority: number
  /** `vrrp_rlimit_rttime`, microseconds. */
  readonly realtimeLimit: number
  readonly processors: readonly number[]
  readonly processName: string | undefined
  /** `no_email_faults`. */
  readonly mailFaults: boolean
}

/** `garp_group`. */
export interface GarpGroup {
  readonly interfaces: readonly string[]
  readonly garpInterval: Millis
  readonly naInterval: Millis
}

/** How gratuitous ARPs and unsolicited neighbour advertisements are sent; `repeat` counts messages for each address. */
export interface Announcing {
  readonly masterDelay: Millis
  readonly masterRepeat: number
  /** 0: no refresh. */
  readonly masterRefresh: Millis
  readonly masterRefreshRepeat: number
  readonly lowerPriorityDelay: Millis
  readonly lowerPriorityRepeat: number
  /** `garp_extra_if`; undefined: off. */
  readonly extraInterfaces: { readonly all: boolean; readonly interval: Millis } | undefined
}

/** `authentication`; never with VRRPv3 or in strict mode. */
export interface VrrpAuth {
  readonly type: 'PASS' | 'AH'
  /** At most eight bytes in UTF-8. */
  readonly password: string
}

/** A key of `auth_hmac`: 32 to 64 bytes as text or hexadecimal digits, or the path of a file that holds one. */
export type HmacKey =
  | { readonly id: number; readonly encoding: 'text' | 'hex'; readonly secret: string }
  | { readonly id: number; readonly path: string }

/** `auth_hmac` (keepalived 2.4). */
export interface VrrpHmac {
  readonly keys: readonly HmacKey[]
  /** Number of the key to send with. */
  readonly activeKey: number
  readonly timeWindow: Millis
  readonly antiReplay: 'time' | 'monotonic'
  readonly mode: 'enforce' | 'permissive' | 'receive-only'
}

export interface UnicastPeer {
  readonly address: Address
  readonly minTtl: number | undefined
  readonly maxTtl: number | undefined
}

/** Own extension `heartbeat_peer`. */
export interface HeartbeatPeer {
  readonly address: Address
  readonly source: Address | undefined
  readonly interface: string | undefined
}

/** `use_vmac`. */
export interface Vmac {
  /** Undefined: made of the prefix and the VRID. */
  readonly name: string | undefined
  /** Undefined: the one of RFC 9568. */
  readonly mac: string | undefined
  readonly group: number | undefined
  readonly netlinkNotifyMessage: boolean
  /** `vmac_xmit_base`: advertisements leave by the interface below; always so with unicast. */
  readonly transmitBase: boolean
}

/** `use_ipvlan`. */
export interface Ipvlan {
  readonly name: string | undefined
  readonly address: string | undefined
  readonly mode: 'bridge' | 'private' | 'vepa'
  readonly group: number | undefined
}

/** Own extension `arbitration`. */
export interface Arbitration {
  readonly require: 'any' | 'all'
  readonly addresses: readonly Address[]
  readonly interval: Millis
  readonly timeout: Millis
  readonly fall: number
  readonly stepDown: boolean
}

/** Own extension `preempt_gate`. */
export interface PreemptGate {
  readonly checkers: boolean
  readonly ipvsSync: boolean
  /** Undefined: it waits for ever. */
  readonly timeout: Millis | undefined
}

/** The scripts of an instance or a group. */
export interface VrrpNotify {
  readonly master: Script | undefined
  readonly backup: Script | undefined
  readonly fault: Script | undefined
  readonly stop: Script | undefined
  readonly any: Script | undefined
  /** `notify_priority_changes`: events on the pipes, too. */
  readonly priorityChanges: boolean
  readonly smtpAlert: boolean
}

export interface VrrpInstance {
  readonly place: Place
  readonly name: string
  readonly family: Family
  readonly version: 2 | 3
  /** Undefined only with unicast peers and a source address. */
  readonly interface: string | undefined
  readonly vrf: string | undefined
  readonly virtualRouterId: number
  /** 1 to 255, the base: trackers add to it. */
  readonly priority: number
  /** MASTER only for an owner that takes over at once, or as a wish without effect; `preempt` is resolved by it. */
  readonly initialState: 'MASTER' | 'BACKUP'
  /** What its block says, where its group does not agree; only to be shown. */
  readonly configuredState?: 'MASTER' | 'BACKUP'
  /** v2: whole seconds; v3: hundredths, at most 40.95 s. */
  readonly advertInterval: Millis
  /** 3 in strict mode. */
  readonly downTimerAdverts: number
  readonly strict: boolean
  readonly auth: VrrpAuth | undefined
  readonly hmac: VrrpHmac | undefined
  readonly preempt: boolean
  readonly preemptDelay: Millis

  /** What is advertised: of one family, at least one unless `no_virtual_ipaddress` or VRRPv2. */
  readonly addresses: readonly ProtectedAddress[]
  /** Held, and not advertised: any family. */
  readonly excluded: readonly ProtectedAddress[]
  readonly routes: readonly NetworkRoute[]
  readonly rules: readonly NetworkRule[]
  readonly promoteSecondaries: boolean
  /** Packets to the addresses are taken; false: dropped by the firewall. */
  readonly accept: boolean
  readonly vmac: Vmac | undefined
  readonly ipvlan: Ipvlan | undefined

  /** Undefined: the interface's first. */
  readonly sourceAddress: Address | undefined
  readonly trackSourceAddress: boolean
  readonly multicastGroup: Address
  /** Empty: multicast. */
  readonly unicastPeers: readonly UnicastPeer[]
  /** Undefined: the kernel's, as for IPv6 where none is written. */
  readonly unicastTtl: number | undefined
  /** A fault rather than multicast when unicast was meant and no peer is left. */
  readonly unicastFaultWithoutPeers: boolean
  readonly checkUnicastSource: boolean
  /** `old_unicast_checksum`: always, never, or where the peer turns out to need it. */
  readonly oldUnicastChecksum: 'always' | 'never' | 'auto'
  readonly v3ChecksumAsV2: boolean
  readonly skipCheckAdvertAddresses: boolean
  readonly lowerPriorityNoAdvert: boolean
  readonly higherPrioritySendAdvert: boolean
  readonly ownerIgnoreAdverts: boolean
  /** `timer_expired_backup`: priority to be backup with after a stall; undefined: off. */
  readonly timerExpiredBackup: number | undefined
  /** Bytes, or how many times the MTU of the interface or the length of an advertisement; undefined: the kernel's. */
  readonly receiveBuffer: number | { readonly times: number; readonly of: 'MTU' | 'ADVERT' } | undefined

  readonly announcing: Announcing
  /** False: `dont_track_primary`. */
  readonly trackPrimary: boolean
  readonly track: Tracking
  readonly notify: VrrpNotify
  /** `notify_deleted`: DELETED is told, with a command or without (true); undefined: FAULT is told instead. */
  readonly notifyDeleted: Script | true | undefined
  readonly notifyMasterRxLowerPriority: Script | undefined
  /** `lvs_sync_daemon_interface` of this instance, deprecated. */
  readonly lvsSyncDaemonInterface: string | undefined
  readonly linkbeatPolling: boolean

  /** Own extension: how long the kernel keeps an address that nobody renews; undefined: for ever. */
  readonly vipLease: Millis | undefined
  readonly heartbeatInterfaces: readonly string[]
  readonly heartbeatPeers: readonly HeartbeatPeer[]
  readonly arbitration: Arbitration | undefined
  readonly preemptGate: PreemptGate | undefined
}

export interface SyncGroup {
  readonly place: Place
  readonly name: string
  /** Names of instances, each in this group only; those with an error in them are missing. */
  readonly instances: readonly string[]
  readonly track: Tracking
  /** Weights of what the members track count. */
  readonly trackingWeight: boolean
  readonly notify: VrrpNotify
}
