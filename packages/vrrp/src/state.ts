import type { Announcing, Arbitration, PreemptGate } from '@ipvs-director/config'
import type { Address, Millis } from '@ipvs-director/core'
import type { TimingRule } from './timing.ts'

/** What the machine of one instance knows of its configuration. */
export interface Protocol extends TimingRule {
  /** Base priority as configured; 255 is the owner, which no tracker changes. */
  readonly priority: number
  readonly interval: Millis
  /** An owner that wants to be master takes over at once. */
  readonly startsAsMaster: boolean
  readonly preempt: boolean
  readonly preemptDelay: Millis
  readonly gate: PreemptGate | undefined
  readonly lowerPriorityNoAdvert: boolean
  readonly higherPrioritySendAdvert: boolean
  readonly announcing: Announcing
  /** How long the kernel keeps an address that is not renewed; undefined: for ever. */
  readonly lease: Millis | undefined
  readonly arbitration: Pick<Arbitration, 'interval' | 'timeout' | 'fall' | 'stepDown'> | undefined
  /** It is in a sync group: it asks before it becomes master. */
  readonly grouped: boolean
  /** Priority to be backup with after a stall (`timer_expired_backup`); undefined: its own. */
  readonly stalledPriority: number | undefined
  /** Unicast: the peers' ARP entries are refreshed when a fault ends. */
  readonly unicast: boolean
}

/**
 * `init`: before the start, during the startup delay, and while a script that can fault has not answered yet. `stopped`
 * is the end.
 */
export type Phase = 'init' | 'backup' | 'master' | 'fault' | 'stopped'

/** Moments on the monotonic clock at which something is due. */
export interface Deadlines {
  /** End of the startup delay. */
  readonly start?: Millis | undefined
  /** Master_Down_Timer. */
  readonly down?: Millis | undefined
  /** Adver_Timer. */
  readonly advert?: Millis | undefined
  /** Second burst after becoming master. */
  readonly announce?: Millis | undefined
  readonly refresh?: Millis | undefined
  /** `garp_extra_if`: the next round on other interfaces. */
  readonly extra?: Millis | undefined
  /** Second burst after a lower priority was heard. */
  readonly lowerAnnounce?: Millis | undefined
  readonly renew?: Millis | undefined
  /** End of `preempt_delay`, which the first lower priority started. */
  readonly preempt?: Millis | undefined
  /** End of the preempt gate's patience. */
  readonly gate?: Millis | undefined
  /** Next question to the arbitration addresses while master. */
  readonly ask?: Millis | undefined
  /** An answer of the arbitration addresses is overdue. */
  readonly answer?: Millis | undefined
  /** A rival that fell silent is forgotten. */
  readonly calm?: Millis | undefined
  /** So is somebody who claimed our address. */
  readonly unclaim?: Millis | undefined
}

/** RFC 6527 `vrrpv3StatisticsNewMasterReason`: never, the master resigned, a lower priority was preempted, silence. */
export type MasterReason = 'never' | 'resigned' | 'preempted' | 'silence'

/** Who is believed to be master. */
export interface Rival {
  readonly address: Address
  readonly priority: number
  /** When it was heard last. */
  readonly at: Millis
}

/** Somebody who says to be master while we are. */
export interface Contest extends Rival {
  readonly since: Millis
  readonly adverts: number
  /** When it was answered last: a flood of its adverts is not answered by one of ours. */
  readonly answered: Millis
}

/** Somebody whose ARP or neighbour discovery says that our address is theirs. */
export interface Claim {
  readonly address: Address
  readonly mac: string
  readonly at: Millis
  /** Heard since our last advertisement, and not acted on yet. */
  readonly fresh: boolean
  readonly alarmed: boolean
}

/** The state of one instance; a value, never changed in place. */
export interface InstanceState {
  readonly phase: Phase
  /** The start event came. */
  readonly started: boolean
  /** When it entered that phase. */
  readonly since: Millis
  /** Why, in words for people. */
  readonly why: string
  /** Effective priority. */
  readonly priority: number
  /** Master_Adver_Interval. */
  readonly masterInterval: Millis
  readonly master: Rival | undefined
  /** It said priority 0. */
  readonly resigned: boolean
  /** Why it became master last. */
  readonly masterReason: MasterReason
  /** A master of lower priority that is not listened to. */
  readonly lower: Rival | undefined
  readonly contest: Contest | undefined
  readonly claim: Claim | undefined
  readonly due: Deadlines
  /** When our last advertisement left; undefined unless master. */
  readonly lastSent: Millis | undefined
  /** When the current lease ends. */
  readonly leaseUntil: Millis | undefined
  /** What keeps it in fault, in words. */
  readonly faults: readonly string[]
  /** Trackers that have not answered yet and could fault it. */
  readonly waiting: boolean
  /** How often the wait began again because packets were dropped. */
  readonly misses: number
  /** Master_Down ran out, and the group has not agreed yet. */
  readonly wants: boolean
  /** The operator gave mastership away: it comes back only when nobody else is master. */
  readonly yielding: boolean
  /** The operator forbids being master. */
  readonly held: boolean
  /** `preempt_delay` is over for the lower priority heard now. */
  readonly preemptDelayOver: boolean
  /** What the preempt gate still waits for. */
  readonly gates: readonly Gate[]
  /** The arbitration addresses were asked, and have not answered yet. */
  readonly asking: boolean
  /** When they answered last. */
  readonly answeredAt: Millis | undefined
  /** Questions in a row without an answer, while master. */
  readonly unanswered: number
  /** On which paths rivals of equal priority were heard, so that one path decides who stays. */
  readonly equals: readonly { readonly path: number; readonly at: Millis }[]
}

export type Gate = 'checkers' | 'ipvsSync'

/** An advertisement that passed every check. */
export interface HeardAdvert {
  readonly priority: number
  /** v3: as sent; v2: equal to ours. */
  readonly interval: Millis
  readonly source: Address
  /** Our own source address on the path it came by; undefined where there is none. */
  readonly own: Address | undefined
  /** 0: the instance's own interface; others are further heartbeats. */
  readonly path: number
}

export type InstanceEvent =
  /** The driver is ready; the machine's life begins. */
  | { readonly type: 'start'; readonly delay: Millis }
  /** Time passed. `missed`: packets were dropped meanwhile, and an advertisement may have been among them. */
  | { readonly type: 'tick'; readonly missed?: boolean }
  | { readonly type: 'advert'; readonly advert: HeardAdvert }
  /** The machine was suspended for so long, unseen by the clock. */
  | { readonly type: 'woke'; readonly asleep: Millis }
  /** What trackers, interfaces and addresses add up to. */
  | {
      readonly type: 'tracked'
      readonly priority: number
      readonly faults: readonly string[]
      readonly waiting: boolean
    }
  /** Something held was removed by somebody else. */
  | { readonly type: 'lost'; readonly what: string }
  /** Another machine says by ARP or neighbour discovery that it has our address. */
  | { readonly type: 'claimed'; readonly address: Address; readonly mac: string }
  | { readonly type: 'arbitrated'; readonly answered: boolean }
  | { readonly type: 'gateOpened'; readonly gate: Gate }
  /** The group decided. */
  | { readonly type: 'groupMaster' }
  | { readonly type: 'groupBackup'; readonly why: string; readonly resign: boolean }
  /** A member of the group heard a lower priority. */
  | { readonly type: 'groupAnnounce' }
  | { readonly type: 'move' }
  | { readonly type: 'hold' }
  | { readonly type: 'free' }
  /** New configuration for the same instance. `addressesChanged`: what is held differs. */
  | { readonly type: 'reconfigured'; readonly protocol: Protocol; readonly addressesChanged: boolean }
  /** The end; `keep`: addresses stay and nobody is told (`--dont-release-vrrp`). */
  /** `why` when it is not the end of the program. */
  | { readonly type: 'stop'; readonly keep: boolean; readonly why?: string }

/** What the driver shall do, in this order. */
export type InstanceEffect =
  /** Send an advertisement; priority 0 resigns. */
  | { readonly do: 'advertise'; readonly priority: number }
  | { readonly do: 'hold'; readonly lease: Millis | undefined }
  | { readonly do: 'renew'; readonly lease: Millis }
  | { readonly do: 'release' }
  /** Tell neighbours, `repeat` messages for each address. */
  | { readonly do: 'announce'; readonly repeat: number }
  /** One message for each address on another interface (`garp_extra_if`). */
  | { readonly do: 'announceExtra' }
  /** Messages that wait for their turn are dropped. */
  | { readonly do: 'silence' }
  /** Refresh the peers' entry for our own source address. */
  | { readonly do: 'announceSource' }
  /** `resigned`: with priority 0, so that somebody takes over soon. */
  | {
      readonly do: 'turned'
      readonly from: Phase
      readonly to: Phase
      readonly why: string
      readonly resigned: boolean
    }
  | { readonly do: 'priorityChanged'; readonly from: number; readonly to: number }
  /** A master heard a lower priority (`notify_master_rx_lower_pri`). */
  | { readonly do: 'heardLower'; readonly source: Address; readonly priority: number }
  /** Master_Down ran out in a group. */
  | { readonly do: 'wantMaster' }
  /** It does not want to be master any longer. */
  | { readonly do: 'unwant' }
  /** Ask the arbitration addresses. */
  | { readonly do: 'ask' }
  | { readonly do: 'alarm'; readonly kind: AlarmKind; readonly text: string }
  | { readonly do: 'calm'; readonly kind: AlarmKind; readonly text: string }
  | { readonly do: 'log'; readonly level: 'info' | 'warn'; readonly event: string; readonly text: string }

export type AlarmKind =
  /** Another machine advertises as master, too, and goes on. */
  | 'rival'
  /** Another machine says by ARP or neighbour discovery that it has our address. */
  | 'claim'
  /** An address is on its interface although it is not master. */
  | 'stray'
  /** The process stood still for longer than the others wait. */
  | 'stall'
  /** The arbitration addresses do not answer. */
  | 'arbitration'
  /** A peer of the same VRID does not agree with us: password, interval, version, addresses. */
  | 'mismatch'
  /** Another VRID advertises our address. */
  | 'vrid'
  /** Our advertisements cannot be sent. */
  | 'unsent'

export interface InstanceStep {
  readonly state: InstanceState
  readonly effects: readonly InstanceEffect[]
}
