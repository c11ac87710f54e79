import { millis } from '@ipvs-director/core'
import { advertise } from './master.ts'
import { leaveInit } from './start.ts'
import type { Protocol } from './state.ts'
import { skewTime } from './timing.ts'
import {
  after,
  becomeBackup,
  downInterval,
  emit,
  enterFault,
  isOwner,
  masterDeadlines,
  schedule,
  set,
  skew,
  type Turn,
} from './turn.ts'

/** What comes from outside the protocol: trackers, the operator, a reload. */

/** The running Master_Down_Timer shifts by what a new priority changes in the formula. */
export function tracked(turn: Turn, event: { priority: number; faults: readonly string[]; waiting: boolean }): void {
  const { phase, priority: before, started, due } = turn.state
  const skewBefore = skew(turn)
  set(turn, { priority: event.priority, faults: event.faults, waiting: event.waiting })
  if (event.priority !== before) {
    emit(turn, { do: 'priorityChanged', from: before, to: event.priority })
    shiftDown(turn, skew(turn) - skewBefore)
  }
  const faulty = event.faults.length > 0
  if (phase === 'init') {
    if (started && due.start === undefined) leaveInit(turn)
  } else if (phase === 'fault') {
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

export function giveUp(turn: Turn, why: string, change: { yielding: true } | { held: true }): void {
  set(turn, change)
  if (turn.state.phase === 'master') becomeBackup(turn, why, 'resign', downInterval(turn))
}

/** A reload: a master stays master and says at once what it advertises now. */
export function reconfigured(turn: Turn, protocol: Protocol, addressesChanged: boolean): void {
  const before = downInterval(turn)
  const leaseEnds = turn.protocol.lease !== undefined && protocol.lease === undefined
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
  } else if (leaseEnds) emit(turn, { do: 'hold', lease: undefined })
  else if (protocol.lease !== undefined) emit(turn, { do: 'renew', lease: protocol.lease })
}
