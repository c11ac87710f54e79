import { formatDuration, millis } from '@ipvs-director/core'
import type { HeardAdvert } from './state.ts'
import { after, becomeMaster, downInterval, emit, log, schedule, set, skew, type Turn } from './turn.ts'

/** RFC 9568 §6.4.2, and where keepalived goes beyond it (reference/vrrp.md §3). */
export function backupHears(turn: Turn, advert: HeardAdvert): void {
  const { state, protocol } = turn
  if (advert.priority === 0) {
    masterResigned(turn, advert)
    return
  }
  const better = advert.priority >= state.priority
  if (!better && !acceptsLower(turn)) {
    set(turn, { lower: { address: advert.source, priority: advert.priority, at: turn.now } })
    log(turn, 'vrrp.lower', `received lower priority ${said(advert)}, ours ${state.priority}: forcing new election`)
    return
  }
  if (better) schedule(turn, { preempt: undefined })
  else startPreemptDelay(turn)
  if (state.wants) emit(turn, { do: 'unwant' })
  const changed = state.master?.address !== advert.source
  if (changed) log(turn, 'vrrp.master', masterChanged(state.master?.address, advert))
  set(turn, {
    master: { address: advert.source, priority: advert.priority, at: turn.now },
    masterInterval: protocol.version === 3 ? advert.interval : protocol.interval,
    preemptDelayOver: better ? false : turn.state.preemptDelayOver,
    resigned: false,
    lower: undefined,
    misses: 0,
    wants: false,
    asking: false,
  })
  schedule(turn, { down: after(turn, downInterval(turn)), answer: undefined })
}

const said = ({ priority, source }: HeardAdvert): string => `${priority} from ${source}`

const masterChanged = (before: string | undefined, { source }: HeardAdvert): string =>
  before === undefined ? `master set to ${source}` : `master changed from ${before} to ${source}`

/** §6.4.2 (430): only the skew is waited for. A second priority 0 does not begin it again. */
function masterResigned(turn: Turn, advert: HeardAdvert): void {
  log(turn, 'vrrp.resigned', `received priority-0 advert from ${advert.source}: its master resigns`)
  set(turn, { resigned: true })
  const soon = after(turn, skew(turn))
  const { down } = turn.state.due
  if (!turn.state.asking) schedule(turn, { down: millis(Math.min(down ?? soon, soon)) })
}

/** Whether a master of lower priority is left alone. */
function acceptsLower({ state, protocol }: Turn): boolean {
  if (!protocol.preempt || state.held || state.yielding || state.gates.length > 0) return true
  return protocol.preemptDelay > 0 && !state.preemptDelayOver
}

function startPreemptDelay(turn: Turn): void {
  const { state, protocol } = turn
  if (!protocol.preempt || protocol.preemptDelay === 0 || state.preemptDelayOver || state.due.preempt !== undefined)
    return
  log(turn, 'vrrp.preempt-delay', `preempt_delay of ${formatDuration(protocol.preemptDelay)} begins`)
  schedule(turn, { preempt: after(turn, protocol.preemptDelay) })
}

/** How often a wait begins again because packets were dropped: a flood must not keep a dead master's place free for ever. */
const missesForgiven = 3

/** What falls due while backup. */
export function backupTicks(turn: Turn, missed: boolean): void {
  const { due } = turn.state
  if (due.preempt !== undefined && due.preempt <= turn.now) {
    set(turn, { preemptDelayOver: true })
    schedule(turn, { preempt: undefined })
  }
  if (due.answer !== undefined && due.answer <= turn.now) backupAnswered(turn, false)
  if (due.down !== undefined && due.down <= turn.now) masterDown(turn, missed)
}

/** §6.4.2 (345): the Master_Down_Timer fired. */
function masterDown(turn: Turn, missed: boolean): void {
  const { arbitration } = turn.protocol
  schedule(turn, { down: after(turn, downInterval(turn)) })
  if (turn.state.held) return
  if (missed && turn.state.misses < missesForgiven) {
    set(turn, { misses: turn.state.misses + 1 })
    log(
      turn,
      'vrrp.missed',
      'the receive buffer was full and packets were dropped: the silence is not believed yet',
      'warn',
    )
    return
  }
  log(turn, 'vrrp.timeout', 'Receive advertisement timeout')
  if (arbitration === undefined) {
    takeOver(turn)
    return
  }
  set(turn, { asking: true })
  schedule(turn, { down: undefined, answer: millis(turn.now + arbitration.timeout * 2) })
  emit(turn, { do: 'ask' })
}

function takeOver(turn: Turn): void {
  if (!turn.protocol.grouped) {
    becomeMaster(turn, reasonToTakeOver(turn))
    return
  }
  set(turn, { wants: true })
  emit(turn, { do: 'wantMaster' })
}

export function reasonToTakeOver({ state }: Turn): string {
  const { master, lower, resigned } = state
  if (lower !== undefined) return `preempts ${lower.address} (priority ${lower.priority})`
  if (resigned) return `the master${master === undefined ? '' : ` ${master.address}`} resigned`
  return master === undefined ? 'no master was heard' : `the master ${master.address} fell silent`
}

/** The arbitration addresses answered before a takeover, or did not. */
export function backupAnswered(turn: Turn, answered: boolean): void {
  const { arbitration } = turn.protocol
  if (!turn.state.asking || arbitration === undefined) return
  set(turn, { asking: false })
  const retry = after(turn, answered ? downInterval(turn) : arbitration.interval)
  schedule(turn, { answer: undefined, down: retry })
  if (answered) {
    emit(turn, { do: 'calm', kind: 'arbitration', text: 'arbitration addresses answer' })
    takeOver(turn)
  } else {
    const text = 'no master is heard, but the arbitration addresses do not answer either: staying backup'
    emit(turn, { do: 'alarm', kind: 'arbitration', text })
  }
}
