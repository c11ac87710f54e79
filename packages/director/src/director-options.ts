import type { Prober, ProberEvents } from '@ipvs-director/checkers'
import type { Config, Globals } from '@ipvs-director/config'
import type { ControlHandlers, DriftReport, ProbingNeeds, Status, Version } from '@ipvs-director/control'
import type { Clock, Logger } from '@ipvs-director/core'
import type { VrrpEvent } from '@ipvs-director/vrrp'
import type { IpvsClient } from 'ipvs-netlink'
import type { Alarms } from './alarms/alarms.ts'
import type { EventLog } from './events.ts'
import type { Failover } from './failover.ts'
import type { GroupMarks } from './group-marks.ts'
import type { RunScript } from './notify.ts'
import type { OverlayStore } from './overlay-file.ts'
import type { OwnedServices } from './reconcile.ts'
import type { Snippet } from './snippet.ts'
import type { SourcesOptions } from './sources/sources.ts'
import type { ProberProcesses } from './status.ts'

/** What reading the configuration gives: the config unless nothing can run, and what is to be said about it. */
export interface Loaded {
  readonly config: Config | undefined
  /** Rendered, errors first. */
  readonly diagnostics: readonly string[]
  readonly errors: number
  readonly warnings: number
  /** Blocks that are not in `config` because of errors, as their first lines name them. */
  readonly leftOut: readonly string[]
  /** There is no block and no keyword in the file. */
  readonly blank?: boolean
}

/** What probes, and the processes it does it with. */
export type Probing = Prober & ProberProcesses

export interface DirectorOptions {
  readonly file: string
  readonly version: string
  /** Reads the configuration, or another file instead of it. */
  readonly load: (file?: string) => Promise<Loaded>
  readonly ipvs: IpvsClient
  /** `memory` for the table in memory. */
  readonly ipvsVersion: () => Promise<string>
  /** `globals` answers the configuration's as they are at that moment. */
  readonly startProber: (events: ProberEvents, globals: () => Globals) => Probing | Promise<Probing>
  readonly runScript: RunScript
  readonly owned: OwnedServices
  readonly overlay: OverlayStore
  /** Reads virtual servers that are added at run time; default: the reader of the file. */
  readonly readSnippet?: (text: string) => Promise<Snippet>
  /** Where `real_servers_from` leads to, and where last good answers are kept; default: the network, and nowhere. */
  readonly sources?: Pick<SourcesOptions, 'open' | 'store'>
  /** Mail, webhooks, FIFOs. */
  readonly alarms: (globals: () => Globals) => Pick<Alarms, 'apply' | 'tell' | 'stop'>
  /** The marks of groups (`nftables_ipvs`); default: none. */
  readonly marks?: (events: EventLog) => GroupMarks
  /** Told of each configuration that runs from now on. */
  readonly used?: (config: Config) => void
  /** VRRP; it is told of what it follows. */
  readonly failover: (events: EventLog, happened: (event: VrrpEvent) => void) => Failover
  /** What probing takes, once it is reckoned. */
  readonly probing?: () => ProbingNeeds | undefined
  readonly logger: Logger
  readonly clock: Clock
  /** `--compare`: another program writes the kernel's table, this one looks where it would have decided otherwise. */
  readonly compare?: boolean
  /** Addresses of this machine, for `ha_suspend`; default: as the kernel tells. */
  readonly ownAddresses?: () => ReadonlySet<string>
}

export interface StopOptions {
  /** Leave the kernel's table as it is. */
  readonly keep: boolean
  /** `--dont-release-vrrp`: leave the VIPs, and do not tell the other directors. */
  readonly keepVips?: boolean
}

/** The director's life: start once, then reload, steer and audit at will, stop once. */
export interface Director {
  /** Resolves when the kernel's table is as the file wants it; undefined when there is no configuration to run. */
  start(): Promise<Loaded>
  readonly reload: ControlHandlers['reload']
  readonly confirm: ControlHandlers['confirm']
  readonly plan: ControlHandlers['plan']
  readonly steer: ControlHandlers['steer']
  readonly vrrp: ControlHandlers['vrrp']
  readonly restartProber: ControlHandlers['restartProber']
  audit(): Promise<DriftReport>
  /** What the last audits found, without making one. */
  drift(): Promise<DriftReport>
  version(): Version
  status(): Promise<Status>
  stop(options: StopOptions): Promise<void>
  readonly subscribe: ControlHandlers['subscribe']
}
