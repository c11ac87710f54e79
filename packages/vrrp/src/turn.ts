import { millis, type Millis } from '@ipvs-director/core'
import type { Deadlines, Gate, InstanceEffect, InstanceState, MasterReason, Phase, Protocol } from './state.ts'
import { masterDownInterval, skewTime } from './timing.ts'

/** One step under way: the state as it becomes, and the effects so far. It does not leave {@link step}. */
export interface Turn {
  /** A copy of this step's own, with its deadlines, changed in place by {@link set} and {@link schedule}. */
  readonly state: InstanceState
  protocol: Protocol
  readonly now: Millis
  readonly effects: InstanceEffect[]
}

/** All of them, for a look at each: 500 masters step ten thousand times in a few seconds. */
export const deadlineKeys = ['start', 'down', 'advert', 'announce', 'refresh', 'extra', 'lowerAnnounce', 'renew', 'preempt', 'gate', 'ask', 'answer', 'calm', 'unclaim'] as const satisfies readonly (keyof Deadlines)[] // prettier-ignore

/** Always of one shape, which the engine copies and reads fastest. */
export const copyDeadlines = (due: Deadlines): Required<Deadlines> => ({
  start: due.start,
  down: due.down,
  advert: due.advert,
  announce: due.announce,
  refresh: due.refresh,
  extra: due.extra,
  lowerAnnounce: due.lowerAnnounce,
  renew: due.renew,
  preempt: due.preempt,
  gate: due.gate,
  ask: due.ask,
  answer: due.answer,
  calm: due.calm,
  unclaim: due.unclaim,
})

export const after = (turn: Turn, delay: Millis): Millis => millis(turn.now + delay)

export function set(turn: Turn, change: Partial<InstanceState>): void {
  Object.assign(turn.state, change)
}

export function schedule(turn: Turn, change: Deadlines): void {
  Object.assign(turn.state.due, change)
}

export const emit = (turn: Turn, ...effects: readonly InstanceEffect[]): void => void turn.effects.push(...effects)

export const log = (turn: Turn, event: string, text: string, level: 'info' | 'warn' = 'info'): void => {
  emit(turn, { do: 'log', level, event, text })
}

/** Master_Down_Interval by what is known now. */
export const downInterval = ({ state, protocol }: Turn): Millis =>
  masterDownInterval(protocol, state.priority, state.masterInterval)

export const skew = ({ state, protocol }: Turn): Millis =>
  skewTime(protocol.version, state.priority, state.masterInterval)

/** Priority 255: the addresses are its own. */
export const isOwner = ({ protocol }: Turn): boolean => protocol.priority === 255

/** What a preempt gate waits for at the start. */
export function gatesOf(protocol: Protocol): readonly Gate[] {
  const { gate } = protocol
  return [
    ...(gate?.checkers === true ? ['checkers' as const] : []),
    ...(gate?.ipvsSync === true ? ['ipvsSync' as const] : []),
  ]
}

function enter(turn: Turn, to: Phase, why: string, due: Deadlines, resigned = false): void {
  const from = turn.state.phase
  const { preempt, gate } = turn.state.due
  set(turn, {
    phase: to,
    since: turn.now,
    why,
    due: copyDeadlines({ gate, ...(to === 'backup' && from === 'backup' ? { preempt } : {}), ...due }),
    lastSent: undefined,
    leaseUntil: undefined,
    misses: 0,
    wants: false,
    asking: false,
    unanswered: 0,
    equals: [],
    preemptDelayOver: false,
  })
  emit(turn, { do: 'turned', from, to, why, resigned })
}

/** Owners that take over at the start count as preempting, as in keepalived. */
function masterReasonOf(turn: Turn): MasterReason {
  const { lower, resigned, masterReason } = turn.state
  if (lower !== undefined) return 'preempted'
  if (resigned) return 'resigned'
  return isOwner(turn) && turn.protocol.startsAsMaster && masterReason === 'never' ? 'preempted' : 'silence'
}

/** RFC 9568 §6.4.2 (350): the advertisement first, then the addresses, then the neighbours are told. */
export function becomeMaster(turn: Turn, why: string): void {
  const { announcing, interval, lease, arbitration } = turn.protocol
  emit(
    turn,
    { do: 'advertise', priority: turn.state.priority },
    { do: 'hold', lease },
    { do: 'announce', repeat: announcing.masterRepeat },
  )
  const masterReason = masterReasonOf(turn)
  set(turn, { master: undefined, resigned: false, lower: undefined, masterInterval: interval, yielding: false, masterReason }) // prettier-ignore
  enter(turn, 'master', why, masterDeadlines(turn))
  set(turn, { lastSent: turn.now, leaseUntil: lease === undefined ? undefined : after(turn, lease) })
  if (arbitration !== undefined) schedule(turn, { ask: after(turn, arbitration.interval) })
}

/** The timers of a master, all from now. */
export function masterDeadlines(turn: Turn): Deadlines {
  const { announcing, interval, lease } = turn.protocol
  const { masterDelay, masterRefresh, extraInterfaces: extra } = announcing
  return {
    advert: after(turn, interval),
    announce: masterDelay > 0 ? after(turn, masterDelay) : undefined,
    refresh: masterRefresh > 0 ? millis(turn.now + masterDelay + masterRefresh) : undefined,
    extra: extra === undefined || extra.interval === 0 ? undefined : after(turn, extra.interval),
    renew: lease === undefined ? undefined : after(turn, millis(lease / 3)),
  }
}

/** Whether peers hear priority 0 when a master leaves: not when it yields to a better one. */
export type Resign = 'resign' | 'quietly'

/** Leaves whatever it was for backup; a master gives its addresses up. */
export function becomeBackup(turn: Turn, why: string, resign: Resign, down: Millis): void {
  leaveMaster(turn, resign)
  enter(turn, 'backup', why, { down: after(turn, down) }, resign === 'resign')
}

export function enterFault(turn: Turn): void {
  leaveMaster(turn, 'resign')
  set(turn, { master: undefined })
  enter(turn, 'fault', turn.state.faults.join(', '), {})
}

export function enterStopped(turn: Turn, keep: boolean, why = 'the program ends'): void {
  if (!keep) leaveMaster(turn, 'resign')
  enter(turn, 'stopped', why, {})
}

/** RFC 9568 §6.4.3: what a master undoes. Nothing for the others. */
function leaveMaster(turn: Turn, resign: Resign): void {
  if (turn.state.phase !== 'master') return
  if (resign === 'resign') emit(turn, { do: 'advertise', priority: 0 })
  emit(turn, { do: 'silence' }, { do: 'release' })
  const { contest, claim } = turn.state
  if (contest !== undefined && isContested(contest.adverts)) {
    emit(turn, { do: 'calm', kind: 'rival', text: 'no longer master' })
  }
  if (claim?.alarmed === true) emit(turn, { do: 'calm', kind: 'claim', text: 'no longer master' })
  set(turn, { contest: undefined, claim: undefined })
}

/** A rival's first adverts cross ours when mastership moves; one that goes on has not heard us. */
export const isContested = (adverts: number): boolean => adverts >= 3
