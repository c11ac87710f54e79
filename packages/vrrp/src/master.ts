import { type Address, compareAddresses, millis } from '@ipvs-director/core'
import { advertSlack } from './agenda.ts'
import type { HeardAdvert } from './state.ts'
import { after, becomeBackup, downInterval, emit, isContested, log, schedule, set, skew, type Turn } from './turn.ts'

/** RFC 9568 §6.4.3, and where keepalived goes beyond it (reference/vrrp.md §3). */
export function masterHears(turn: Turn, advert: HeardAdvert): void {
  const { state } = turn
  const { priority, source } = advert
  if (priority === 0) {
    log(turn, 'vrrp.resigned', `received priority-0 advert from ${source}`)
    if (mayAnswer(turn)) advertise(turn)
    return
  }
  if (priority > state.priority) {
    yieldTo(turn, advert, `higher priority ${priority} from ${source}, ours ${state.priority}`)
    return
  }
  const equal = priority === state.priority
  if (equal && source === advert.own) {
    log(turn, 'vrrp.own-address', `received our own address ${source} as a source: another machine has it`, 'warn')
    return
  }
  if (equal && decides(turn, advert) && advert.own !== undefined && compareAddresses(source, advert.own) > 0) {
    yieldTo(turn, advert, `same priority ${priority} from higher IP address ${source}`)
    return
  }
  stay(turn, advert)
}

/**
 * Over several paths two machines have several addresses, and their order may differ from path to path. The lowest path
 * on which such a rival is heard decides, or both would yield.
 */
function decides(turn: Turn, { path }: HeardAdvert): boolean {
  const heard = turn.state.equals.filter((each) => each.at > turn.now - downInterval(turn) && each.path !== path)
  set(turn, { equals: [...heard, { path, at: turn.now }] })
  return heard.every((each) => each.path > path)
}

/** §6.4.3 (740). */
function yieldTo(turn: Turn, advert: HeardAdvert, why: string): void {
  if (turn.protocol.higherPrioritySendAdvert) emit(turn, { do: 'advertise', priority: turn.state.priority })
  const master = { address: advert.source, priority: advert.priority, at: turn.now }
  if (turn.protocol.version === 3) set(turn, { masterInterval: advert.interval })
  becomeBackup(turn, `received advert with ${why}`, 'quietly', downInterval(turn))
  set(turn, { master })
}

/** §6.4.3 (770): we are better. The rival hears that at once, and its neighbours hear where the address is. */
function stay(turn: Turn, advert: HeardAdvert): void {
  const { protocol, state } = turn
  const { priority, source } = advert
  const before = state.contest
  // Whoever says it: a flood under many addresses is not answered by one of ours.
  const answers = before === undefined || turn.now - before.answered >= protocol.interval / 2
  const adverts = (before?.adverts ?? 0) + 1
  set(turn, {
    contest: {
      address: source,
      priority,
      at: turn.now,
      since: before?.since ?? turn.now,
      adverts,
      answered: answers ? turn.now : before.answered,
    },
  })
  schedule(turn, { calm: millis(turn.now + Math.max(3 * advert.interval, downInterval(turn))) })
  if (isContested(adverts) && !isContested(adverts - 1)) {
    const text = `${source} advertises as master, too (priority ${priority}, ours ${state.priority}): it does not hear us`
    emit(turn, { do: 'alarm', kind: 'rival', text })
  }
  if (!answers) return
  log(
    turn,
    'vrrp.lower',
    `received lower priority ${priority} from ${source}, ours ${state.priority}: forcing new election`,
  )
  if (!protocol.lowerPriorityNoAdvert && mayAnswer(turn)) advertise(turn)
  announceAgain(turn)
  emit(turn, { do: 'heardLower', source, priority })
}

/** Bursts after hearing a lower priority, here or in another member of the group. */
export function announceAgain(turn: Turn): void {
  const { lowerPriorityRepeat: repeat, lowerPriorityDelay: delay } = turn.protocol.announcing
  if (repeat === 0) return
  emit(turn, { do: 'announce', repeat })
  if (delay > 0 && turn.state.due.lowerAnnounce === undefined) schedule(turn, { lowerAnnounce: after(turn, delay) })
}

/** An answer out of turn is worth sending only when our last advertisement is not as good as just now. */
const mayAnswer = ({ state, protocol, now }: Turn): boolean =>
  state.lastSent === undefined || now - state.lastSent >= protocol.interval / 20

/** Sends what keeps the others quiet. */
export function advertise(turn: Turn): void {
  emit(turn, { do: 'advertise', priority: turn.state.priority })
  set(turn, { lastSent: turn.now })
}

/** What falls due while master. */
export function masterTicks(turn: Turn): void {
  const { due } = turn.state
  const { announcing, interval, arbitration } = turn.protocol
  const isDue = (deadline: number | undefined): deadline is number => deadline !== undefined && deadline <= turn.now
  // Those of many instances are sent together: a little early, and the next at its time all the same.
  if (due.advert !== undefined && due.advert <= turn.now + interval * advertSlack) {
    advertise(turn)
    contestClaim(turn)
    const next = due.advert + interval
    schedule(turn, { advert: next > turn.now ? millis(next) : after(turn, interval) })
    // Renewed with an advertisement, the addresses end before anybody takes over: lease and Master_Down start together.
    if (due.renew !== undefined && due.renew <= turn.now + interval / 2) renew(turn)
  }
  if (isDue(turn.state.due.renew)) renew(turn)
  if (isDue(due.announce)) {
    emit(turn, { do: 'announce', repeat: announcing.masterRepeat })
    schedule(turn, { announce: undefined })
  }
  if (isDue(due.lowerAnnounce)) {
    emit(turn, { do: 'announce', repeat: announcing.lowerPriorityRepeat })
    schedule(turn, { lowerAnnounce: undefined })
  }
  if (isDue(due.refresh)) {
    emit(turn, { do: 'announce', repeat: announcing.masterRefreshRepeat })
    schedule(turn, { refresh: after(turn, announcing.masterRefresh) })
  }
  const extra = announcing.extraInterfaces
  if (isDue(due.extra) && extra !== undefined) {
    emit(turn, { do: 'announceExtra' })
    schedule(turn, { extra: after(turn, extra.interval) })
  }
  if (isDue(due.ask) && arbitration !== undefined) {
    emit(turn, { do: 'ask' })
    schedule(turn, { ask: after(turn, arbitration.interval) })
  }
  if (isDue(due.calm)) forgetRival(turn)
  if (isDue(due.unclaim)) {
    if (turn.state.claim?.alarmed === true) {
      emit(turn, { do: 'calm', kind: 'claim', text: 'nobody else claims our addresses any more' })
    }
    set(turn, { claim: undefined })
    schedule(turn, { unclaim: undefined })
  }
}

function renew(turn: Turn): void {
  const { lease } = turn.protocol
  if (lease === undefined) return
  emit(turn, { do: 'renew', lease })
  set(turn, { leaseUntil: after(turn, lease) })
  schedule(turn, { renew: after(turn, millis(lease / 3)) })
}

function forgetRival(turn: Turn): void {
  const { contest } = turn.state
  if (contest !== undefined && isContested(contest.adverts)) {
    emit(turn, { do: 'calm', kind: 'rival', text: `${contest.address} is no longer heard as master` })
  }
  set(turn, { contest: undefined })
  schedule(turn, { calm: undefined })
}

/**
 * Another machine says that our address is its own. A new master says so just after its advertisement, which may be read
 * later: only who is still master at its own next advertisement acts on it.
 */
export function masterClaimed(turn: Turn, claim: { readonly address: Address; readonly mac: string }): void {
  const alarmed = turn.state.claim?.alarmed === true && turn.state.claim.mac === claim.mac
  set(turn, { claim: { address: claim.address, mac: claim.mac, at: turn.now, fresh: true, alarmed } })
  schedule(turn, { unclaim: millis(turn.now + Math.max(downInterval(turn), 10_000)) })
}

/** Tells, and tells the neighbours again where the address is. */
function contestClaim(turn: Turn): void {
  const { claim } = turn.state
  if (claim?.fresh !== true) return
  if (!claim.alarmed) {
    emit(turn, { do: 'alarm', kind: 'claim', text: `${claim.mac} says that it has ${claim.address}, which is ours` })
  }
  set(turn, { claim: { ...claim, fresh: false, alarmed: true } })
  emit(turn, { do: 'announce', repeat: Math.max(1, turn.protocol.announcing.masterRepeat) })
}

/** The arbitration addresses were asked while master. */
export function masterAnswered(turn: Turn, answered: boolean): void {
  const { arbitration } = turn.protocol
  if (arbitration === undefined) return
  const unanswered = answered ? 0 : turn.state.unanswered + 1
  const before = turn.state.unanswered
  set(turn, { unanswered })
  if (answered && before >= arbitration.fall) {
    emit(turn, { do: 'calm', kind: 'arbitration', text: 'arbitration addresses answer again' })
  }
  if (unanswered !== arbitration.fall) return
  emit(turn, { do: 'alarm', kind: 'arbitration', text: 'arbitration addresses do not answer any more' })
  if (arbitration.stepDown) becomeBackup(turn, 'lost the arbitration addresses', 'resign', downInterval(turn))
}

/**
 * Something held was removed by somebody else: step back and win again, which puts everything back (reference/vrrp.md §3,
 * "Link and address events").
 */
export function masterLost(turn: Turn, what: string): void {
  log(turn, 'vrrp.lost', `${what} was removed by somebody else`, 'warn')
  becomeBackup(turn, `${what} was removed by somebody else`, 'resign', skew(turn))
}
