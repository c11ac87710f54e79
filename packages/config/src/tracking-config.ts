import type { Address, Family, Millis } from '@ipvs-director/core'
import type { Place, Script } from './place.ts'

/** A thing an instance or group follows, by name. Weight 0: it being bad is a fault (with `reverse`: it being good). */
export interface Tracked {
  readonly name: string
  /** Resolved: its own, else that of the block it names. */
  readonly weight: number
  readonly reverse: boolean
}

/** What an instance or a group follows. Every name is that of something in the configuration, but for interfaces. */
export interface Tracking {
  readonly interfaces: readonly Tracked[]
  readonly scripts: readonly Tracked[]
  readonly files: readonly Tracked[]
  readonly processes: readonly Tracked[]
  readonly bfd: readonly Tracked[]
  /** Own extension `track_virtual_server`: names as in `VirtualServer.name`. Good: it has its quorum. */
  readonly virtualServers: readonly Tracked[]
}

/** `vrrp_script`. */
export interface VrrpScript {
  readonly place: Place
  readonly name: string
  /** The command, with the user and group of `user`. */
  readonly script: Script
  readonly interval: Millis
  readonly timeout: Millis
  readonly weight: number
  readonly reverse: boolean
  readonly rise: number
  readonly fall: number
  /** Counts as failed until its first result. */
  readonly initFail: boolean
}

/** `track_file`, for instances and FILE_CHECK. */
export interface TrackFile {
  readonly place: Place
  readonly name: string
  readonly path: string
  readonly weight: number
  readonly reverse: boolean
  /** `init_file`: write this number at the start; only where there is no file, unless `overwrite`. */
  readonly init: { readonly value: number; readonly overwrite: boolean } | undefined
}

/** `vrrp_track_process`. */
export interface TrackProcess {
  readonly place: Place
  readonly name: string
  /** Name of the process (or its whole command line's first word), and its parameters. */
  readonly process: string
  readonly parameters: readonly string[]
  /** How parameters are compared. */
  readonly match: 'exact' | 'initial' | 'partial'
  /** Compare the whole command line rather than the name; also when parameters are given. */
  readonly fullCommand: boolean
  readonly weight: number
  readonly reverse: boolean
  readonly quorum: number
  /** Undefined: no limit. */
  readonly quorumMax: number | undefined
  readonly forkDelay: Millis
  readonly terminateDelay: Millis
}

/** `bfd_instance`, for instances and BFD_CHECK. */
export interface BfdInstance {
  readonly place: Place
  readonly name: string
  readonly family: Family
  readonly neighbor: Address
  readonly source: Address | undefined
  readonly minRx: Millis
  readonly minTx: Millis
  readonly idleTx: Millis
  readonly multiplier: number
  readonly passive: boolean
  readonly ttl: number
  /** 255: any. */
  readonly maxHops: number
  readonly multihop: boolean
  readonly weight: number
  readonly reverse: boolean
  /** Who is told. */
  readonly vrrp: boolean
  readonly checker: boolean
}
