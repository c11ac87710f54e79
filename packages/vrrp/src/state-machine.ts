import { formatDuration, type Millis, millis } from '@ipvs-director/core'
import { backupAnswered, backupHears, backupTicks, reasonToTakeOver } from './backup.ts'
import {
  advertise,
  announceAgain,
  masterAnswered,
  masterClaimed,
  masterHears,
  masterLost,
  masterTicks,
} from './master.ts'
import type { HeardAdvert, InstanceEvent, InstanceState, InstanceStep, Protocol } from './state.ts'
import { masterDownInterval, silenceOthersBear, skewTime } from './timing.ts'
import {
  after,
  becomeBackup,
  becomeMaster,
  downInterval,
  emit,
  enterFault,
  enterStopped,
  gatesOf,
  log,
  masterDeadlines,
  schedule,
  set,
  skew,
  type Turn,
} from './turn.ts'

/** An instance before its start. */
export function initialState(protocol: Protocol, now: Millis): InstanceState {
  return {
    phase: 'init',
    started: false,
    since: now,
    why: 'not started',
    priority: protocol.priority,
    masterInterval: protocol.interval,
    master: undefined,
    resigned: false,
    lower: undefined,
    contest: undefined,
    claim: undefined,
    due: {},
    lastSent: undefined,
    leaseUntil: undefined,
    faults: [],
    waiting: false,
    wants: false,
    yielding: false,
    held: false,
    preemptDelayOver: false,
    gates: gatesOf(protocol),
    asking: false,
    answeredAt: undefined,
    unanswered: 0,
    equals: [],
  }
}

/** When the machine wants its next tick; undefined: nothing is due. */
export function nextDue({ due }: InstanceState): Millis | undefined {
  let next: number | undefined
  for (const deadline of Object.values(due) as (Millis | undefined)[]) {
    if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline
  }
  return next === undefined ? undefined : millis(next)
}

/** What one event does to an instance. `now` is the monotonic clock at which the event is looked at. */
export function step(state: InstanceState, protocol: Protocol, event: InstanceEvent, now: Millis): InstanceStep {
  const turn: Turn = { state, protocol, now, effects: [] }
  if (event.type !== 'stop') noticeStall(turn)
  handle(turn, event)
  return { state: turn.state, effects: turn.effects }
}

/**
 * A master that stood still for longer than the others wait is master no longer, whatever it believes: somebody may have
 * taken over. It gives the addresses up, listens, and contends only then.
 */
function noticeStall(turn: Turn): void {
  const { lastSent, phase } = turn.state
  if (phase !== 'master' || lastSent === undefined) return
  const silence = turn.now - lastSent
  const { protocol } = turn
  if (silence <= silenceOthersBear(protocol, protocol.interval)) return
  const text = `stood still for ${formatDuration(silence)}, longer than the others wait: assuming that one of them is master`
  emit(turn, { do: 'alarm', kind: 'stall', text })
  const priority = protocol.stalledPriority ?? turn.state.priority
  becomeBackup(turn, text, 'quietly', masterDownInterval(protocol, priority, protocol.interval))
}

function handle(turn: Turn, event: InstanceEvent): void {
  const { phase } = turn.state
  if (phase === 'stopped') return
  switch (event.type) {
    case 'start':
      start(turn, event.delay)
      return
    case 'tick':
      tick(turn)
      return
    case 'advert':
      hear(turn, event.advert)
      return
    case 'tracked':
      tracked(turn, event)
      return
    case 'lost':
      if (phase === 'master') masterLost(turn, event.what)
      return
    case 'claimed':
      if (phase === 'master') masterClaimed(turn, event)
      return
    case 'arbitrated':
      if (event.answered) set(turn, { answeredAt: turn.now })
      if (phase === 'backup') backupAnswered(turn, event.answered)
      else if (phase === 'master') masterAnswered(turn, event.answered)
      return
    case 'gateOpened':
      set(turn, { gates: turn.state.gates.filter((gate) => gate !== event.gate) })
      return
    case 'groupMaster':
      if (phase === 'backup' && !turn.state.held) becomeMaster(turn, reasonToTakeOver(turn))
      return
    case 'groupBackup':
      if (phase === 'master') becomeBackup(turn, event.why, event.resign ? 'resign' : 'quietly', downInterval(turn))
      set(turn, { wants: false })
      return
    case 'groupAnnounce':
      if (phase === 'master') announceAgain(turn)
      return
    case 'move':
      giveUp(turn, 'moved away by the operator', { yielding: true })
      return
    case 'hold':
      giveUp(turn, 'held back by the operator', { held: true })
      return
    case 'free':
      set(turn, { held: false, yielding: false })
      return
    case 'reconfigured':
      reconfigured(turn, event.protocol, event.addressesChanged)
      return
    case 'stop':
      enterStopped(turn, event.keep)
      return
  }
}

/** Left-overs of a run that crashed go first; a startup delay holds every timer back. */
function start(turn: Turn, delay: Millis): void {
  const { gate } = turn.protocol
  emit(turn, { do: 'release' })
  if (gate?.timeout !== undefined) schedule(turn, { gate: millis(turn.now + delay + gate.timeout) })
  set(turn, { started: true, why: 'starting' })
  if (delay > 0) schedule(turn, { start: after(turn, delay) })
  else leaveInit(turn)
}

/** §6.4.1. Whatever `state` says, everybody listens first; only an owner takes over at once. */
function leaveInit(turn: Turn): void {
  const { state, protocol } = turn
  if (state.faults.length > 0) {
    enterFault(turn)
    return
  }
  if (state.waiting) {
    set(turn, { why: 'waiting for the first result of a script' })
    return
  }
  const owner = isOwner(turn) && protocol.startsAsMaster
  becomeBackup(turn, 'started', 'quietly', owner ? millis(0) : downInterval(turn))
  if (owner) tick(turn)
}

const isOwner = ({ protocol }: Turn): boolean => protocol.priority === 255

function tick(turn: Turn): void {
  const { start: delayed, gate } = turn.state.due
  if (gate !== undefined && gate <= turn.now) {
    log(turn, 'vrrp.gate', 'preempt_gate has waited long enough')
    set(turn, { gates: [] })
    schedule(turn, { gate: undefined })
  }
  if (delayed !== undefined && delayed <= turn.now) {
    schedule(turn, { start: undefined })
    leaveInit(turn)
  } else if (turn.state.phase === 'backup') backupTicks(turn)
  else if (turn.state.phase === 'master') masterTicks(turn)
}

/** Adverts mean nothing in init and fault (reference/vrrp.md §1.1). */
function hear(turn: Turn, advert: HeardAdvert): void {
  if (turn.state.phase === 'backup') backupHears(turn, advert)
  else if (turn.state.phase === 'master') masterHears(turn, advert)
}

/** The running Master_Down_Timer shifts by what a new priority changes in the formula. */
function tracked(turn: Turn, event: { priority: number; faults: readonly string[]; waiting: boolean }): void {
  const before = turn.state
  const skewBefore = skew(turn)
  set(turn, { priority: event.priority, faults: event.faults, waiting: event.waiting })
  if (event.priority !== before.priority) {
    emit(turn, { do: 'priorityChanged', from: before.priority, to: event.priority })
    shiftDown(turn, skew(turn) - skewBefore)
  }
  const faulty = event.faults.length > 0
  if (before.phase === 'init') {
    if (before.started && before.due.start === undefined) leaveInit(turn)
  } else if (before.phase === 'fault') {
    if (!faulty) leaveFault(turn)
    else set(turn, { why: event.faults.join(', ') })
  } else if (faulty) enterFault(turn)
}

function shiftDown(turn: Turn, by: number): void {
  const { down } = turn.state.due
  if (turn.state.phase === 'backup' && down !== undefined)
    schedule(turn, { down: millis(Math.max(turn.now, down + by)) })
}

/** A fault is over: election as at the start, but an owner waits an interval and its skew. */
function leaveFault(turn: Turn): void {
  const { protocol } = turn
  set(turn, { masterInterval: protocol.interval })
  if (protocol.unicast) emit(turn, { do: 'announceSource' })
  const owner = isOwner(turn) && protocol.startsAsMaster
  const skewed = skewTime(protocol.version, turn.state.priority, protocol.interval)
  becomeBackup(turn, 'the fault is over', 'quietly', owner ? millis(protocol.interval + skewed) : downInterval(turn))
}

function giveUp(turn: Turn, why: string, change: { yielding: true } | { held: true }): void {
  set(turn, change)
  if (turn.state.phase === 'master') becomeBackup(turn, why, 'resign', downInterval(turn))
}

/** A reload: a master stays master and says at once what it advertises now. */
function reconfigured(turn: Turn, protocol: Protocol, addressesChanged: boolean): void {
  const before = downInterval(turn)
  turn.protocol = protocol
  const { phase, master } = turn.state
  const adopts = protocol.version === 3 && phase === 'backup' && master !== undefined
  if (!adopts) set(turn, { masterInterval: protocol.interval })
  if (phase === 'backup') shiftDown(turn, downInterval(turn) - before)
  if (phase !== 'master') return
  advertise(turn)
  const { announce, refresh } = turn.state.due
  schedule(turn, {
    ...masterDeadlines(turn),
    announce,
    refresh: protocol.announcing.masterRefresh > 0 ? refresh : undefined,
  })
  set(turn, { leaseUntil: protocol.lease === undefined ? undefined : after(turn, protocol.lease) })
  if (addressesChanged) {
    emit(turn, { do: 'hold', lease: protocol.lease }, { do: 'announce', repeat: protocol.announcing.masterRepeat })
  } else if (protocol.lease !== undefined) emit(turn, { do: 'renew', lease: protocol.lease })
}
