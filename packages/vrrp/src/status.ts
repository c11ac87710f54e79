import type { VrrpInstance } from '@ipvs-director/config'
import type { Address, Millis } from '@ipvs-director/core'
import type { Plan } from './paths.ts'
import type { Share, Tally } from './priority.ts'
import type { RejectReason } from './rejection.ts'
import type { Gate, InstanceState, MasterReason, Phase, Protocol } from './state.ts'
import type { Counters, Peer } from './tallies.ts'
import { masterDownInterval } from './timing.ts'

/** RFC 6527 `vrrpv3StatisticsProtoErrReason`. */
export type ProtocolError = Extract<RejectReason, 'ttl' | 'version' | 'checksum'>

/** One instance as `ipvs-ctl vrrp` shows it. Durations in milliseconds, moments wall clock since 1970. */
export interface InstanceStatus {
  readonly name: string
  readonly state: Phase
  readonly since: number
  /** When it last came out of init or fault; undefined: it is there. */
  readonly upSince: number | undefined
  readonly masterReason: MasterReason
  /** Of the last advertisement that was rejected for one of these. */
  readonly protocolError: ProtocolError | undefined
  /** Our own address on its way, undefined while there is none. */
  readonly own: Address | undefined
  readonly why: string
  readonly interface: string | undefined
  readonly virtualRouterId: number
  readonly version: 2 | 3
  readonly group: string | undefined
  readonly priority: {
    readonly effective: number
    readonly base: number
    /** Base and contributions without limits. */
    readonly total: number
    readonly shares: readonly Share[]
  }
  readonly interval: Millis
  /** Adopted from the master where that is v3. */
  readonly masterInterval: Millis
  /** What is waited for before taking over. */
  readonly masterDownInterval: Millis
  readonly faults: readonly string[]
  /** Trackers without a result, gates that are shut, and the operator's word. */
  readonly waitingFor: readonly string[]
  readonly gates: readonly Gate[]
  readonly held: boolean
  readonly yielding: boolean
  readonly master: { readonly address: Address; readonly priority: number; readonly heardAgo: number } | undefined
  readonly rival:
    | { readonly address: Address; readonly priority: number; readonly adverts: number; readonly since: number }
    | undefined
  readonly claim: { readonly address: Address; readonly mac: string } | undefined
  /** Its addresses that somebody put on the interface while it is not master. */
  readonly strays: readonly Address[]
  readonly peers: readonly Peer[]
  /** Time left until each is due. */
  readonly timers: Readonly<Record<string, number>>
  /** Time until the kernel drops the addresses unless they are renewed; undefined: not master, or no lease. */
  readonly leaseLeft: number | undefined
  readonly paths: readonly {
    readonly interface: string | undefined
    readonly own: Address
    readonly to: readonly Address[]
  }[]
  readonly addresses: readonly string[]
  readonly counters: Counters
}

export interface StatusSource {
  readonly config: VrrpInstance
  readonly protocol: Protocol
  readonly state: InstanceState
  readonly sum: Tally
  readonly counters: Counters
  readonly strays: readonly Address[]
  readonly peers: readonly Peer[]
  readonly sinceWall: number
  readonly upSince: number | undefined
  readonly protocolError: ProtocolError | undefined
  readonly group: string | undefined
  readonly plans: readonly (Plan | undefined)[]
  readonly now: Millis
  readonly wall: number
}

export function statusOf(source: StatusSource): InstanceStatus {
  const { config, protocol, state, sum, now, wall } = source
  const { master, contest, claim, due } = state
  return {
    name: config.name,
    state: state.phase,
    since: source.sinceWall,
    upSince: source.upSince,
    masterReason: state.masterReason,
    protocolError: source.protocolError,
    own: source.plans[0]?.own ?? config.sourceAddress,
    why: state.why,
    interface: config.interface,
    virtualRouterId: config.virtualRouterId,
    version: config.version,
    group: source.group,
    priority: { effective: state.priority, base: sum.base, total: sum.total, shares: sum.shares },
    interval: config.advertInterval,
    masterInterval: state.masterInterval,
    masterDownInterval: masterDownInterval(protocol, state.priority, state.masterInterval),
    faults: state.faults,
    waitingFor: sum.waiting,
    gates: state.gates,
    held: state.held,
    yielding: state.yielding,
    master: master && { address: master.address, priority: master.priority, heardAgo: Math.round(now - master.at) },
    rival: contest && {
      address: contest.address,
      priority: contest.priority,
      adverts: contest.adverts,
      since: Math.round(wall - (now - contest.since)),
    },
    claim: claim && { address: claim.address, mac: claim.mac },
    strays: source.strays,
    peers: source.peers,
    timers: Object.fromEntries(
      Object.entries(due as Record<string, Millis | undefined>).flatMap(([name, at]) =>
        at === undefined ? [] : [[name, Math.max(0, Math.round(at - now))]],
      ),
    ),
    leaseLeft: state.leaseUntil === undefined ? undefined : Math.max(0, Math.round(state.leaseUntil - now)),
    paths: source.plans.flatMap((plan) =>
      plan === undefined ? [] : [{ interface: plan.path.interface, own: plan.own, to: plan.destinations }],
    ),
    addresses: [...config.addresses, ...config.excluded].map(({ address, prefix }) => `${address}/${prefix}`),
    counters: { ...source.counters, rejected: { ...source.counters.rejected } },
  }
}
