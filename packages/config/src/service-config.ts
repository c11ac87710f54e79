import type { Address, Millis } from '@ipvs-director/core'
import type { Script } from './place.ts'

/** Settings of what stands around the services: the sync daemon, SNMP, processes. Defaults are keepalived's. */

/** `lvs_sync_daemon`: what is undefined the kernel chooses (port 8848, ttl 1, group 224.0.0.81, length by the MTU). */
export interface SyncDaemon {
  readonly interface: string
  /** The vrrp_instance it follows: master with it, else backup. Undefined: both run all the time. */
  readonly instance: string | undefined
  /** 0 to 255; default: the instance's VRID, or 0. */
  readonly id: number
  readonly maxLength: number | undefined
  readonly port: number | undefined
  readonly ttl: number | undefined
  readonly group: Address | undefined
}

export interface SnmpSettings {
  /** Undefined: the agent's usual socket. */
  readonly socket: string | undefined
  readonly traps: boolean
  readonly vrrp: boolean
  readonly checker: boolean
  /** VRRP-MIB (RFC 2787). */
  readonly rfcV2: boolean
  /** VRRPv3-MIB (RFC 6527). */
  readonly rfcV3: boolean
  /** How old figures may be. */
  readonly virtualServerAge: Millis
  readonly realServerAge: Millis
  /** Settings that have no other effect than to be shown, or that are resolved elsewhere. */
  readonly shown?: SnmpShown
}

/** Global settings as they are written; undefined: not at all. */
export interface SnmpShown {
  readonly smtpAlert: boolean | undefined
  readonly smtpAlertVrrp: boolean | undefined
  readonly smtpAlertChecker: boolean | undefined
  /** `linkbeat_use_polling` outside of instances. */
  readonly linkbeatPolling: boolean
  readonly v3ChecksumAsV2: boolean
}

/** `*_priority` and the like of one process. */
export interface Scheduling {
  /** Nice value. */
  readonly niceness: number
  readonly lockMemory: boolean
  /** SCHED_RR priority; 0: none. */
  readonly realtimePriority: number
  /** RLIMIT_RTTIME, microseconds. */
  readonly realtimeLimit: number
  readonly processors: readonly number[]
  /** Undefined: the usual one. */
  readonly name: string | undefined
}

export interface ProcessSettings {
  /** `instance`: in the names of pid files and in the log. */
  readonly instance: string | undefined
  readonly netNamespace: string | undefined
  /** `net_namespace_ipvs`; empty: the one the program was started in. */
  readonly ipvsNamespace: string | undefined
  readonly usePidDirectory: boolean
  /** Time that processes have to end. */
  readonly childWait: Millis
  readonly startup: { readonly script: Script; readonly timeout: Millis } | undefined
  readonly shutdown: { readonly script: Script; readonly timeout: Millis } | undefined
  readonly checker: Scheduling
  readonly bfd: Scheduling
  /** File mode mask; undefined: the usual one. */
  readonly umask: number | undefined
  /** `process_name`, or one by `process_names`; undefined: as it was started. */
  readonly name: string | undefined
  readonly files: ProcessFiles
}

/** Files around the configuration; undefined: none. */
export interface ProcessFiles {
  /** `reload_file`: is there while the configuration is being read; empty: in the state directory. */
  readonly reloadMarker: string | undefined
  /** `reload_time_file`: holds the time of the next reload; `repeat`: of each day. */
  readonly reloadTime: { readonly path: string; readonly repeat: boolean } | undefined
  /** `config_save_dir`: a copy of each effective configuration. */
  readonly configCopies: string | undefined
  /** `state_dump_file`: written at SIGUSR1; undefined: in the state directory. */
  readonly stateDump: string | undefined
  /** `data_use_instance`: instance and namespace stand in the name of that file. */
  readonly dumpNamesInstance: boolean
}
