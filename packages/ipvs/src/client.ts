import type { Address, Family, KernelError } from '@ipvs-director/core'
import type {
  Command,
  Destination,
  DestinationCounters,
  ForwardingMethod,
  Service,
  ServiceKey,
  ServiceSettings,
  Statistics,
  Table,
} from './table.ts'

/** A service as the kernel lists it, without its destinations. */
export interface ServiceEntry {
  readonly key: ServiceKey
  readonly settings: ServiceSettings
  readonly statistics: Statistics
}

/** A destination as the kernel lists it. */
export interface DestinationEntry {
  readonly destination: Destination
  readonly counters: DestinationCounters
}

/** Connection timeouts in seconds; 0 in {@link IpvsClient.setTimeouts} keeps the kernel's value. */
export interface Timeouts {
  readonly tcp: number
  readonly tcpFin: number
  readonly udp: number
}

/** IPVS_DAEMON_ATTR_*: one of the two connection synchronisation daemons. */
export interface SyncDaemon {
  readonly state: 'master' | 'backup'
  readonly interface: string
  /** 0..255 */
  readonly syncId: number
  /** Largest datagram; undefined or 0: from the interface's MTU. */
  readonly maxLength?: number
  /** Multicast group; default 224.0.0.81. */
  readonly group?: Address
  /** UDP port, default 8848. */
  readonly port?: number
  /** Default 1. */
  readonly ttl?: number
}

export interface Info {
  /** For example `1.2.1`. */
  readonly version: string
  /** Size of the connection hash table. */
  readonly connectionTableSize: number
}

/** What a cheap look at the table (`/proc/net/ip_vs`) tells of a destination; the text takes bypass for masq. */
export interface DestinationGlance {
  readonly forwarding: ForwardingMethod
  readonly weight: number
  readonly activeConnections: number
  readonly inactiveConnections: number
}

/**
 * The kernel's IPVS, or a table in memory that refuses what the kernel refuses; both pass `testing/contract.ts`.
 * Every method rejects with an `IpvsError` that says what was tried on what and how it was refused.
 */
export interface IpvsClient {
  /**
   * Carries out the commands in order, going on after a refused one. Resolves to one element per command: undefined
   * when it was done, else why not.
   */
  execute(commands: readonly Command[]): Promise<readonly (IpvsError | undefined)[]>
  /** Every service, without destinations: one dump. */
  services(): Promise<readonly ServiceEntry[]>
  /** One service; undefined when there is none. */
  service(key: ServiceKey): Promise<ServiceEntry | undefined>
  /** The destinations of one service, sorted by address and port; empty when there is no such service. */
  destinations(service: ServiceKey): Promise<readonly DestinationEntry[]>
  /** The whole table with every setting. */
  table(): Promise<Table>
  /**
   * The whole table for an audit against `expected`: reads the cheap text first and asks by netlink only where the
   * text differs or cannot tell (flags, thresholds, tunnels). Equal to {@link table} in its result; services that are as
   * expected are the objects of `expected` themselves.
   */
  audit(expected: Table): Promise<Table>
  /**
   * Weights and connections of every destination, by service id and destination id, from the same cheap text: for
   * screens that look at a large table every second.
   */
  glance(): Promise<ReadonlyMap<string, ReadonlyMap<string, DestinationGlance>>>
  /** Sets the counters of one service, or of all, to zero. */
  zero(service?: ServiceKey): Promise<void>
  timeouts(): Promise<Timeouts>
  setTimeouts(timeouts: Timeouts): Promise<void>
  daemons(): Promise<readonly SyncDaemon[]>
  startDaemon(daemon: SyncDaemon): Promise<void>
  stopDaemon(daemon: Pick<SyncDaemon, 'state' | 'syncId'>): Promise<void>
  info(): Promise<Info>
  close(): void
}

/** A refusal by IPVS, with what was tried. */
export type IpvsError = KernelError
export type { Family, Service }
