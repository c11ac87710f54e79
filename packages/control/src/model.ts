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
  /** Missing: it is not reckoned yet. */
  readonly probing?: ProbingNeeds | undefined
  /** Undefined: there is no VRRP, or it is silent. */
  readonly vrrp: VrrpStatus | undefined
  /** Instances of which nothing is known, as the vrrp process does not answer; missing: it does, or there is none. */
  readonly vrrpSilent?: readonly string[] | undefined
  readonly virtualServers: readonly VirtualServerStatus[]
  /** What else does not work; missing: nothing. */
  readonly troubles?: readonly TroubleStatus[] | undefined
  /** Services in the kernel's table that are not ours: listed, never touched. */
  readonly foreign: readonly ForeignService[]
  /** Where real servers come from beside the file (`real_servers_from`); missing: from nowhere. */
  readonly sources?: readonly SourceStatus[] | undefined
  /** Services of ours by which checks with `data_path` reach one real server each; missing: there are none. */
  readonly dataPaths?: readonly DataPathStatus[] | undefined
  /** Virtual servers of the file that were removed by hand; missing: none. */
  readonly removedServices?: readonly string[] | undefined
  /** `--compare`: what it has found so far; missing: this director writes the kernel's table itself. */
  readonly comparing?: CompareStatus | undefined
}

/** A service for a mark of data_path_marks, with one destination. */
export interface DataPathStatus {
  /** The service in the kernel's table: `fwmark 7000/inet`. */
  readonly name: string
  /** Address of the real server. */
  readonly server: string
  /** DR, TUN and so on, as in the configuration. */
  readonly forwarding: string
  /** Whether the kernel has it, as far as is known. */
  readonly present: boolean
}

/** A director that writes nothing, beside a program that does. */
export interface CompareStatus {
  readonly since: number
  readonly looks: number
  readonly lookedAt: number | undefined
  /** Differences that may still be the two programs' different pace. */
  readonly waiting: number
  /** Differences counted since the start. */
  readonly counted: number
  /** Those that ended before they counted, and how long the longest lasted. */
  readonly brief: { readonly count: number; readonly longest: number }
  /** Those that count and are still there. */
  readonly open: readonly Difference[]
  /** Those that counted and are over, newest first. */
  readonly ended: readonly Difference[]
}

/** Something that the kernel has otherwise than this director would. */
export interface Difference {
  /** Since when. */
  readonly at: number
  /** The service in the kernel. */
  readonly service: string
  /** The entry under it; undefined: the service itself. */
  readonly server: string | undefined
  /** `weight 3`, `no entry`. */
  readonly kernel: string
  readonly ours: string
  /** Why this director would have it so. */
  readonly why: string
  /** For so long it does not count. */
  readonly patience: number
  /** When it was over. */
  readonly until?: number | undefined
}

/** A source of real servers, by DNS name or from etcd. */
export interface SourceStatus {
  /** `dns A web.example.com`, `etcd http://127.0.0.1:2379 /web/`. */
  readonly name: string
  readonly kind: 'dns' | 'etcd'
  readonly virtualServers: readonly string[]
  /** Of its last good answer, which counts until there is another. */
  readonly servers: number
  /** When that answer came, maybe in an earlier run; undefined: there was none. */
  readonly answeredAt: number | undefined
  /** Since when it fails, and why the last time. */
  readonly failed: { readonly at: number; readonly message: string } | undefined
  /** What in its last answer cannot be used. */
  readonly remarks: readonly string[]
}

/** The vrrp process and its instances. */
export interface VrrpStatus {
  readonly pid: number
  readonly restarts: number
  /** How late its event loop was since it was asked last. */
  readonly lag: { readonly mean: number; readonly worst: number }
  readonly instances: readonly VrrpInstanceStatus[]
  readonly groups: readonly VrrpGroupStatus[]
  /** What is run or watched for them; missing: an older director answers, as below. */
  readonly trackers?: readonly VrrpTrackerStatus[] | undefined
  readonly interfaces?: readonly VrrpInterfaceStatus[] | undefined
  /** Adverts of VRIDs that are not configured, by version of VRRP. */
  readonly strangers?: { readonly v2: number; readonly v3: number } | undefined
}

export interface VrrpTrackerStatus {
  readonly kind: 'script' | 'file' | 'process' | 'bfd' | 'virtualServer'
  readonly name: string
  readonly status:
    | { readonly kind: 'unknown' | 'good' }
    | { readonly kind: 'bad'; readonly why: string }
    /** A file's number. */
    | { readonly kind: 'value'; readonly value: number }
  /** Of processes: how many there are. */
  readonly count?: number | undefined
}

export interface VrrpInterfaceStatus {
  readonly name: string
  readonly index: number
  readonly mac: string | undefined
  readonly up: boolean
}

export interface VrrpInstanceStatus {
  readonly name: string
  readonly state: 'init' | 'backup' | 'master' | 'fault' | 'stopped'
  readonly since: number
  /** When it came out of init or fault; undefined: it is there. */
  readonly upSince?: number | undefined
  /** Why it became master last. */
  readonly masterReason?: 'never' | 'resigned' | 'preempted' | 'silence' | undefined
  /** Of the last advert that was rejected for one of these. */
  readonly protocolError?: 'ttl' | 'version' | 'checksum' | undefined
  /** Our own address on its way. */
  readonly own?: string | undefined
  /** What made it so. */
  readonly why: string
  readonly interface: string | undefined
  readonly virtualRouterId: number
  readonly version: 2 | 3
  /** Its sync group. */
  readonly group: string | undefined
  readonly priority: VrrpPriority
  readonly interval: number
  readonly masterInterval: number
  /** Silence after which it takes over. */
  readonly masterDownInterval: number
  readonly faults: readonly string[]
  /** Trackers without a result, gates that are shut, the operator's word. */
  readonly waitingFor: readonly string[]
  /** Kept from being master by hand. */
  readonly held: boolean
  /** Has given mastership away by hand. */
  readonly yielding: boolean
  readonly master: { readonly address: string; readonly priority: number; readonly heardAgo: number } | undefined
  /** Another master that goes on. */
  readonly rival:
    | { readonly address: string; readonly priority: number; readonly adverts: number; readonly since: number }
    | undefined
  /** Another machine that says it has one of the addresses. */
  readonly claim: { readonly address: string; readonly mac: string } | undefined
  /** Its addresses that somebody put on the interface while it is not master; missing: an older director answers. */
  readonly strays?: readonly string[] | undefined
  readonly peers: readonly {
    readonly address: string
    readonly priority: number
    readonly adverts: number
    readonly heardAt: number
  }[]
  /** Time left until each is due. */
  readonly timers: Readonly<Record<string, number>>
  /** Until the kernel drops the addresses unless they are renewed. */
  readonly leaseLeft: number | undefined
  readonly addresses: readonly string[]
  readonly counters: VrrpCounters
}

export interface VrrpPriority {
  readonly effective: number
  readonly base: number
  readonly total: number
  readonly shares: readonly { readonly what: string; readonly add: number; readonly status: string }[]
}

export interface VrrpCounters {
  readonly advertsSent: number
  readonly advertsReceived: number
  readonly priorityZeroSent: number
  readonly priorityZeroReceived: number
  readonly becameMaster: number
  readonly releasedMaster: number
  readonly sendErrors: number
  /** Adverts with other addresses than ours. */
  readonly addressErrors?: number | undefined
  /** By reason. */
  readonly rejected: Readonly<Record<string, number>>
}

export interface VrrpGroupStatus {
  readonly name: string
  readonly state: 'backup' | 'master' | 'fault'
  readonly since: number
  readonly why: string
  readonly members: readonly string[]
}

/** Switch-over by hand: give mastership away, stay backup, undo either. */
export type VrrpCommand = 'move' | 'hold' | 'release'

export interface ConfigStatus {
  readonly file: string
  readonly loadedAt: number
  /** Reloads carried out since the start. */
  readonly reloads: number
  /** Of the running configuration: only one that was there at the start can have errors, a reload with any is refused. */
  readonly errors: number
  readonly warnings: number
  /** What is wrong with it, rendered; empty where there are no errors. */
  readonly diagnostics: readonly string[]
  /** Blocks that do not run because of errors, as their first lines name them. */
  readonly leftOut: readonly string[]
  /** The last reload that was refused, and why; undefined after one that succeeded. */
  readonly refused: { readonly at: number; readonly diagnostics: readonly string[] } | undefined
  /** A reload on trial: when it is rolled back unless confirmed. */
  readonly onTrialUntil: number | undefined
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

/** What probing takes, reckoned when the configuration is loaded, and what of it this machine does not have. */
export interface ProbingNeeds {
  /** Equal ones count once. */
  readonly checks: number
  /** Probes a second while all is well. */
  readonly rate: number
  /** Probes under way at once when every server is silent. */
  readonly open: number
  /** Share of what the probers can do; above 1 rounds run late. */
  readonly load: number
  /** Bytes of all probers together. */
  readonly memory: number
  /** Sentences on what does not fit (descriptors, ports, processor time), each with what to change. */
  readonly remarks: readonly string[]
}

/** Something that does not work and has no other place in the status. */
export interface TroubleStatus {
  /** Name of its event: `groups.unmarked`, … */
  readonly what: string
  readonly since: number
  /** A sentence. */
  readonly message: string
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
  /** How often quorum was gained or lost since the start, or since it came. */
  readonly turns: number
  /** Weight of alive servers, and what is needed to keep or gain quorum. */
  readonly aliveWeight: number
  readonly quorum: number
  readonly hysteresis: number
  /** So many are down that the checks are not believed (`panic_threshold`): all serve. */
  readonly panic: boolean
  /** Its checks rest while none of its VIPs is on this machine (`ha_suspend`); missing: they do not. */
  readonly suspended?: boolean | undefined
  /** The kernel will not have its service, in its own words: it is not offered, whatever the state. */
  readonly refused?: string | undefined
  readonly totals: Traffic
  readonly sorryServer: ServerStatus | undefined
  readonly servers: readonly ServerStatus[]
  /** Servers of the file that were left out by hand. */
  readonly removed: readonly string[]
  /** It was added by hand; missing: it is in the file. */
  readonly added?: boolean | undefined
  /** It was removed by hand and is out when its real servers are drained; `deadline`: whatever is left then. */
  readonly leaving?: { readonly since: number; readonly deadline: number | undefined } | undefined
  /** How long its probes took, by kind of check; missing: nothing was probed yet. */
  readonly durations?: readonly CheckDurations[] | undefined
}

/** Probes of one kind of check by how long they took, since they began. */
export interface CheckDurations {
  /** The checker's keyword. */
  readonly check: string
  /** By bucket: up to 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000 ms, and longer. */
  readonly counts: readonly number[]
  /** Milliseconds. */
  readonly sum: number
}

export interface ServerStatus {
  readonly name: string
  readonly state: ServerState
  /** When it turned so; undefined while unknown. */
  readonly since: number | undefined
  /** How often it turned up or down since the start, or since it came. */
  readonly turns: number
  /** The sentence of the verdict that decides: the failed checker's, else the last one's. */
  readonly reason: string
  readonly class: string
  /** When that verdict was made. */
  readonly checkedAt: number | undefined
  readonly forwarding: string
  /** What the program wants the kernel to have; undefined: no entry. */
  readonly wantedWeight: number | undefined
  /** What made that another weight than the configured one, in order; missing: nothing did. */
  readonly weightSteps?: readonly WeightStep[] | undefined
  /** What the kernel has; undefined: no entry. */
  readonly kernelWeight: number | undefined
  /** When the kernel was asked. */
  readonly kernelAt: number | undefined
  readonly traffic: Traffic
  /** What was asked for by hand; undefined: nothing. */
  readonly steering: SteeringStatus | undefined
  readonly checks: readonly CheckStatus[]
}

/**
 * What can move a weight: `check`: a dynamic check asks for it; `hand`: an operator's weight, drain or maintenance; `force`: up or
 * down by hand; `adopted`: out as it was found at the start; `down`: its checks failed; the others are keywords.
 */
export const weightCauses = [
  'check',
  'hand',
  'force',
  'panic_threshold',
  'tier',
  'slow_start',
  'sorry_server',
  'alpha',
  'adopted',
  'down',
  'degraded_weight',
  'inhibit_on_failure',
] as const

export type WeightCause = (typeof weightCauses)[number]

/** One thing that moved a weight. */
export interface WeightStep {
  readonly by: WeightCause
  /** After it; undefined: no entry. */
  readonly weight: number | undefined
  /** A sentence. */
  readonly why: string
}

/** What an operator laid over the file for one server. */
export interface SteeringStatus {
  readonly admin: 'disabled' | 'draining' | 'drained' | undefined
  /** By maintenance of its host. */
  readonly host: boolean
  readonly since: number | undefined
  /** When a drain ends whatever is left. */
  readonly deadline: number | undefined
  /** Connections a drain waits for. */
  readonly connectionsLeft: number | undefined
  readonly weight: number | undefined
  readonly force: 'up' | 'down' | undefined
  /** It is not in the file. */
  readonly added: boolean
  /** A reload removed it; it serves the connections it has (`drain_on_removal`). */
  readonly leaving: boolean
}

export interface Traffic {
  readonly activeConnections: number
  readonly inactiveConnections: number
  /** Templates of persistence. */
  readonly persistentConnections: number
  readonly connections: number
  /** Per second, averaged by the kernel. */
  readonly connectionRate: number
  readonly inPacketRate: number
  readonly outPacketRate: number
  readonly inByteRate: number
  readonly outByteRate: number
  readonly inPackets: number
  readonly outPackets: number
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
  /** From failure to down at the longest, where the server refuses; undefined: the check does not see that. */
  readonly downRefused?: number | undefined
  /** The same where the server does not answer. */
  readonly downSilent?: number | undefined
  /** From recovery to up, at the longest. */
  readonly upAgain?: number | undefined
  /** Good probes in a row that it takes to be up again. */
  readonly successes?: number | undefined
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
  /** `--compare`: these are differences from the program that writes the table; nothing is repaired. */
  readonly comparing?: boolean | undefined
}

export interface ReloadResult {
  readonly ok: boolean
  /** Milliseconds within which it must be confirmed, or it is rolled back; undefined: it stays. */
  readonly confirmWithin?: number | undefined
  /** Rendered diagnostics, errors first. */
  readonly diagnostics: readonly string[]
  /** What changed, a line each; empty for an equal file. */
  readonly changes: readonly string[]
  /** Commands written to the kernel. */
  readonly writes: number
}

/** What can be asked of real servers at run time; it lies over the file until it is reset. */
export type SteerRequest =
  | ({ readonly action: 'weight'; readonly weight: number } & SteerTarget)
  | ({ readonly action: 'force'; readonly force: 'up' | 'down' } & SteerTarget)
  | ({ readonly action: 'disable' | 'enable' | 'remove' } & SteerTarget)
  /** `deadline`: milliseconds after which it is out whatever connections are left. */
  | ({ readonly action: 'drain'; readonly deadline?: number | undefined } & SteerTarget)
  | {
      readonly action: 'maintenance'
      readonly host: string
      readonly on: boolean
      readonly deadline?: number | undefined
    }
  /** `like`: the server of the same service whose settings it gets; else the first. */
  | {
      readonly action: 'add'
      readonly service: string
      readonly server: string
      readonly weight?: number | undefined
      readonly like?: string | undefined
    }
  /** `text`: virtual servers as keepalived.conf spells them, with the groups they name. */
  | { readonly action: 'add-service'; readonly text: string }
  /** At once, or when its real servers are drained; `deadline` (milliseconds): then whatever connections are left. */
  | {
      readonly action: 'remove-service'
      readonly service: string
      readonly drain?: boolean | undefined
      readonly deadline?: number | undefined
    }
  /** Of a server, of a service, or without either of everything. */
  | { readonly action: 'reset'; readonly service?: string | undefined; readonly server?: string | undefined }

export interface SteerTarget {
  /** Undefined: in every virtual server that has it. */
  readonly service?: string | undefined
  readonly server: string
}

export type SteerAnswer =
  | { readonly ok: true; readonly changes: readonly string[] }
  /** `candidates`: names that exist; `diagnostics`: what is wrong with a text, rendered. */
  | {
      readonly ok: false
      readonly problem: string
      readonly candidates: readonly string[]
      readonly diagnostics?: readonly string[] | undefined
    }

/** What a reload would change. */
export interface Plan {
  /** False: the file cannot be used; diagnostics say why. */
  readonly ok: boolean
  readonly file: string
  readonly diagnostics: readonly string[]
  /** A line each, in the order in which they would be carried out. */
  readonly changes: readonly string[]
  /** What lies over the file and goes on doing so, a line each; missing: an older director answers. */
  readonly byHand?: readonly string[] | undefined
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
  version(): Version
  status(): Promise<Status>
  /** `confirmWithin`: milliseconds after which it is rolled back unless confirmed. */
  reload(options?: { readonly confirmWithin?: number | undefined }): Promise<ReloadResult>
  /** Keeps what was reloaded for a trial; false: there is none. */
  confirm(): boolean
  /** What a reload of the file, or of another one, would change. */
  plan(file: string | undefined): Promise<Plan>
  steer(request: SteerRequest): Promise<SteerAnswer>
  /** Rejects with a RangeError that says why it is refused, and with any other error while VRRP does not answer (503). */
  vrrp(command: VrrpCommand, instance: string): Promise<void>
  /** Rejects with a RangeError where there is no prober of that name. */
  restartProber(name: string): Promise<void>
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
