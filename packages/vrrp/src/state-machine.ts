import { formatDuration, type Millis, millis } from '@ipvs-director/core'
import { backupAnswered, backupHears, backupTicks, reasonToTakeOver } from './backup.ts'
import { giveUp, reconfigured, tracked } from './changes.ts'
import { announceAgain, masterAnswered, masterClaimed, masterHears, masterLost, masterTicks } from './master.ts'
import { leaveInit, start } from './start.ts'
import type { HeardAdvert, InstanceEvent, InstanceState, InstanceStep, Protocol } from './state.ts'
import { masterDownInterval, silenceOthersBear } from './timing.ts'
import {
  after,
  becomeBackup,
  becomeMaster,
  copyDeadlines,
  deadlineKeys,
  downInterval,
  emit,
  enterStopped,
  gatesOf,
  log,
  schedule,
  set,
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
    masterReason: 'never',
    lower: undefined,
    contest: undefined,
    claim: undefined,
    due: {},
    lastSent: undefined,
    leaseUntil: undefined,
    faults: [],
    waiting: false,
    misses: 0,
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
  let next = Infinity
  for (const key of deadlineKeys) {
    const deadline = due[key]
    if (deadline !== undefined && deadline < next) next = deadline
  }
  return next === Infinity ? undefined : millis(next)
}

/** What one event does to an instance. `now` is the monotonic clock at which the event is looked at. */
export function step(state: InstanceState, protocol: Protocol, event: InstanceEvent, now: Millis): InstanceStep {
  const turn: Turn = { state: { ...state, due: copyDeadlines(state.due) }, protocol, now, effects: [] }
  if (event.type !== 'stop') noticeStall(turn, event.type === 'woke' ? event.asleep : 0)
  handle(turn, event)
  return { state: turn.state, effects: turn.effects }
}

/**
 * A master that stood still for longer than the others wait is master no longer, whatever it believes: somebody may have
 * taken over. It gives the addresses up, listens, and contends only then.
 */
function noticeStall(turn: Turn, asleep: number): void {
  const { lastSent, phase } = turn.state
  if (phase !== 'master' || lastSent === undefined) return
  const silence = turn.now - lastSent + asleep
  const { protocol } = turn
  if (silence <= silenceOthersBear(protocol, protocol.interval)) return
  const what = asleep > 0 ? 'was suspended, and silent' : 'stood still'
  const text = `${what} for ${formatDuration(silence)}, longer than the others wait: assuming that one of them is master`
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
      tick(turn, event.missed === true)
      return
    case 'advert':
      hear(turn, event.advert)
      return
    case 'woke':
      // A backup heard nobody because it slept: its silence says nothing.
      if (turn.state.due.down !== undefined) schedule(turn, { down: after(turn, downInterval(turn)) })
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
      enterStopped(turn, event.keep, event.why)
      return
  }
}

/** What is due by now. */
function tick(turn: Turn, missed: boolean): void {
  const { start: delayed, gate } = turn.state.due
  if (gate !== undefined && gate <= turn.now) {
    log(turn, 'vrrp.gate', 'preempt_gate has waited long enough')
    set(turn, { gates: [] })
    schedule(turn, { gate: undefined })
  }
  if (delayed !== undefined && delayed <= turn.now) {
    schedule(turn, { start: undefined })
    leaveInit(turn)
  } else if (turn.state.phase === 'backup') backupTicks(turn, missed)
  else if (turn.state.phase === 'master') masterTicks(turn)
}

/** Adverts mean nothing in init and fault (reference/vrrp.md §1.1). */
function hear(turn: Turn, advert: HeardAdvert): void {
  if (turn.state.phase === 'backup') backupHears(turn, advert)
  else if (turn.state.phase === 'master') masterHears(turn, advert)
}
