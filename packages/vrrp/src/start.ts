import { type Millis, millis } from '@ipvs-director/core'
import { backupTicks } from './backup.ts'
import { after, becomeBackup, downInterval, emit, enterFault, isOwner, schedule, set, type Turn } from './turn.ts'

/** Left-overs of a run that crashed go first; a startup delay holds every timer back. */
export function start(turn: Turn, delay: Millis): void {
  const { gate } = turn.protocol
  emit(turn, { do: 'release' })
  if (gate?.timeout !== undefined) schedule(turn, { gate: millis(turn.now + delay + gate.timeout) })
  set(turn, { started: true, why: 'starting' })
  if (delay > 0) schedule(turn, { start: after(turn, delay) })
  else leaveInit(turn)
}

/** §6.4.1. Whatever `state` says, everybody listens first; only an owner takes over at once. */
export function leaveInit(turn: Turn): void {
  const { state, protocol } = turn
  if (state.faults.length > 0) {
    enterFault(turn)
    return
  }
  if (state.waiting) {
    set(turn, { why: 'waiting for first results' })
    return
  }
  const owner = isOwner(turn) && protocol.startsAsMaster
  becomeBackup(turn, 'started', 'quietly', owner ? millis(0) : downInterval(turn))
  if (owner) backupTicks(turn, false)
}
