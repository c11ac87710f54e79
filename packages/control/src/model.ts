/**
 * What the control socket speaks: JSON, versioned by the path (`/v1/…`). Every view (command line, JSON, metrics) is
 * derived from these. Times are milliseconds since 1970, durations milliseconds, unless the name says otherwise.
 */

export interface Status {
  readonly schema: 1
  readonly version: string
  readonly pid: number
  readonly startedAt: number
  /** When this answer was made. */
  readonly at: number
  readonly config: ConfigStatus
  readonly kernel: KernelStatus
  readonly probers: readonly ProberStatus[]
  readonly virtualServers: readonly VirtualServerStatus[]
  /** Services in the kernel's table that are not ours: listed, never touched. */
  readonly foreign: readonly ForeignService[]
}

export interface ConfigStatus {
  readonly file: string
  readonly loadedAt: number
  /** Reloads carried out since the start. */
  readonly reloads: number
  /** The last reload that was refused, and why; undefined after one that succeeded. */
  readonly refused: { readonly at: number; readonly diagnostics: readonly string[] } | undefined
}

export interface KernelStatus {
  readonly reachable: boolean
  /** `1.2.1`, or `memory` for the table in memory. */
  readonly ipvs: string
  /** When the table was last read. */
  readonly auditedAt: number | undefined
  readonly audits: number
  /** Commands written since the start. */
  readonly writes: number
  /** Commands the kernel refused since the start. */
  readonly refused: number
  /** Differences found by audits and repaired since the start. */
  readonly drifts: number
  readonly lastError: { readonly at: number; readonly message: string } | undefined
}

export interface ProberStatus {
  readonly name: string
  readonly pid: number | undefined
  readonly checks: number
  readonly restarts: number
}

/** `unknown`: no verdict yet; what is believed meanwhile shows in the weights. */
export type ServerState = 'up' | 'down' | 'unknown'

export interface VirtualServerStatus {
  /** `192.0.2.1:80/tcp`, `fwmark 7/inet`, `group web/tcp`. */
  readonly name: string
  readonly services: readonly string[]
  readonly scheduler: string
  /** As keepalived.conf spells it: `NAT`, `DR`, `TUN`, `TUN gue:5555`. */
  readonly forwarding: string
  /** Seconds; 0: off. */
  readonly persistence: number
  readonly state: 'up' | 'down'
  readonly since: number
  /** Weight of alive servers, and what is needed to keep or gain quorum. */
  readonly aliveWeight: number
  readonly quorum: number
  readonly hysteresis: number
  readonly totals: Traffic
  readonly sorryServer: ServerStatus | undefined
  readonly servers: readonly ServerStatus[]
}

export interface ServerStatus {
  readonly name: string
  readonly state: ServerState
  /** When it turned so; undefined while unknown. */
  readonly since: number | undefined
  /** The sentence of the verdict that decides: the failed checker's, else the last one's. */
  readonly reason: string
  readonly class: string
  /** When that verdict was made. */
  readonly checkedAt: number | undefined
  readonly forwarding: string
  /** What the program wants the kernel to have; undefined: no entry. */
  readonly wantedWeight: number | undefined
  /** What the kernel has; undefined: no entry. */
  readonly kernelWeight: number | undefined
  /** When the kernel was asked. */
  readonly kernelAt: number | undefined
  readonly traffic: Traffic
  readonly checks: readonly CheckStatus[]
}

export interface Traffic {
  readonly activeConnections: number
  readonly inactiveConnections: number
  readonly connections: number
  /** Per second, averaged by the kernel. */
  readonly connectionRate: number
  readonly inByteRate: number
  readonly outByteRate: number
  readonly inBytes: number
  readonly outBytes: number
}

export interface CheckStatus {
  readonly kind: string
  readonly target: string
  readonly state: ServerState
  readonly since: number | undefined
  readonly failures: number
  readonly retry: number
  readonly reason: string
  readonly class: string
  readonly at: number | undefined
  readonly tookMs: number | undefined
  readonly probes: number
  readonly failed: number
  readonly nextInMs: number | undefined
  /** What the configuration says about its pace; tells how long a failure takes to be noticed. */
  readonly timing?: CheckPace | undefined
}

/** Milliseconds. */
export interface CheckPace {
  readonly delayLoop: number
  readonly delayBeforeRetry: number
  /** What one probe may take. */
  readonly timeout: number
}

export interface ForeignService {
  readonly name: string
  readonly scheduler: string
  readonly destinations: readonly string[]
}

/** One difference between what was wanted and what the kernel had. */
export interface Drift {
  readonly at: number
  /** `destination 10.0.0.2:80 of 192.0.2.1:80/tcp had weight 0, wanted 1`. */
  readonly what: string
  readonly repaired: boolean
}

export interface DriftReport {
  readonly at: number
  readonly found: readonly Drift[]
  /** The most recent ones of earlier audits, newest first. */
  readonly recent: readonly Drift[]
  readonly foreign: readonly ForeignService[]
}

export interface ReloadResult {
  readonly ok: boolean
  /** Rendered diagnostics, errors first. */
  readonly diagnostics: readonly string[]
  /** What changed, a line each; empty for an equal file. */
  readonly changes: readonly string[]
  /** Commands written to the kernel. */
  readonly writes: number
}

/** Something that happened, in order. */
export interface Event {
  readonly sequence: number
  readonly at: number
  /** `server.up`, `server.down`, `quorum.up`, `quorum.down`, `reload`, `drift`, … */
  readonly event: string
  readonly message: string
  readonly fields: Readonly<Record<string, string | number | boolean | undefined>>
}

/** `GET /v1/version`. Another pid or startedAt means another run: sequences of events began anew. */
export interface Version {
  readonly schema: 1
  readonly version: string
  readonly pid: number
  readonly startedAt: number
}

/** The body of every answer above 399. */
export interface Problem {
  readonly error: {
    /** For programs: `not-found`, `no-such-service`, `bad-request`, `forbidden`, `busy`, … */
    readonly code: string
    /** For people: a sentence. */
    readonly message: string
    /** What may have been meant. */
    readonly suggestions?: readonly string[]
  }
}

/** What the server needs from the director. */
export interface ControlHandlers {
  status(): Promise<Status>
  reload(): Promise<ReloadResult>
  /** Audits now and repairs. */
  audit(): Promise<DriftReport>
  /** The report of the last audit, without making one. Where it is missing, `GET /v1/audit` answers 501. */
  drift?(): Promise<DriftReport>
  /** Answers at once; the process ends afterwards. `keep`: leave the kernel's table as it is. */
  stop(options: { readonly keep: boolean }): void
  /**
   * Calls back for each event with a sequence above `after`: those still remembered at once, before it returns, in
   * order; later ones as they happen. Returns the unsubscriber. Events are shared, not copied: they never change.
   */
  subscribe(after: number, listener: (event: Event) => void): () => void
}
