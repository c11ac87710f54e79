import type { CheckConnection } from '@ipvs-director/config'
import {
  alarmBy,
  describeError,
  formatDuration,
  formatEndpoint,
  millis,
  NumberList,
  seconds,
} from '@ipvs-director/core'
import type { Alarm, Clock, Millis, Random } from '@ipvs-director/core'
import type { Check, Figures, Prober, ProberEvents, Verdict } from './checker.ts'
import { checkers as allCheckers } from './checkers.ts'
import type { Checker } from './define.ts'
import { DueTimes } from './due-times.ts'
import { DurationTable } from './durations.ts'
import type { Health } from './health.ts'
import { createNodeIo } from './io/node-io.ts'
import type { ProbeIo } from './io/port.ts'
import { notOpened, opened, type Door } from './opened.ts'
import { ProbeTimes } from './probe-times.ts'
import { beginAttempt, type RunningAttempt } from './running-attempt.ts'
import { throttled } from './throttle.ts'
import { fail, type Finding, type ProbeFailure } from './verdict.ts'

export interface EngineOptions {
  readonly clock: Clock
  readonly random?: Random
  /** Default: the world as it is. */
  readonly io?: ProbeIo
  /** Default: all there are. */
  readonly checkers?: readonly Checker[]
  readonly events: ProberEvents
  /** What wakes it up; default: timers of the clock. */
  readonly alarm?: (action: () => void) => Alarm
  /** From `setChecks` to the first probe, before the random warm-up: 1 s as keepalived has it. */
  readonly firstWait?: Millis
  /** How many probes may be under way; the others wait their turn. Default 5,000. */
  readonly limit?: number
}

/** A prober in this process. */
export interface Engine extends Prober {
  /** The two halves of {@link Prober.setChecks}, for whoever knows the difference already. */
  add(checks: readonly Check[]): void
  remove(ids: Iterable<string>): void
  /** Probes under way. */
  readonly busy: number
  readonly size: number
  /** Of the checks. */
  ids(): readonly string[]
}

/**
 * Probes start in rounds at least so far apart: waking up is what costs most at a thousand probes a second, and what starts
 * together also ends together. So a probe starts up to this much late,
 */
const startRound = millis(30)
/** or up to this much where more are due than start in one go: it takes its time until all have started, and waking up is shared by many. */
const fullRound = millis(20)
/** and ends at its deadline up to this much late. */
const endRound = millis(10)
/** A start that is later than this counts as late. */
const lateBeyond = 50
/** Starts in one go before other events have their turn. */
const startsAtOnce = 96
/**
 * Of a server that is up, as much of what a probe takes is taken off the wait until the next, and no more than a tenth of that.
 * If each were put off by what it takes, those that start with many others, which take longest, would be put off most
 * and run into those ahead of them, until thousands start at one moment and none at the next.
 */
const brief = millis(100)
const briefPart = 0.1
/**
 * What it started late is made up for, too, by up to this part of the wait: else each would be made less often than asked for, and
 * what kept the process for a moment would push probes together for good. One that fails has its whole wait until the
 * next, but for what starting in rounds takes.
 */
const madeUpPart = 0.5
/** So much of a wait a probe may come early, not to be one of too many. */
const earlyPart = 0.01
/** Multiples of it are as far from each other, on a circle, as so many can be. */
const goldenPart = (Math.sqrt(5) - 1) / 2
/** What a probe has after its end to say so, before it is given up. MISC scripts need 2 s to be killed. */
const grace = seconds(5)
/** How long `stop` waits for what is under way. */
const stopPatience = seconds(4)

/** What is left of a check once it has begun. */
type Probed = Omit<Check, 'initial'>

/**
 * One check: waiting for its start, queued for a free place, or being probed. One due time serves all its waits. First what one needs
 * that is up as it was, side by side: it was not touched for seconds.
 */
interface Task {
  /** Where all that it asks is known before; then it has no attempts. */
  readonly door: Door | undefined
  asked: boolean
  /** The last verdict: it opened, as before. Only the times of that are kept, and this is the wait until the next as long as it does. */
  steady: Millis | undefined
  readonly jitter: number
  /** In all the tables; {@link removed} once the check is wanted no more. */
  place: number
  probes: number
  readonly checker: Checker
  readonly check: Probed
  health: Health
  seen: boolean
  weight: number | undefined
  attempt: RunningAttempt | undefined
  /** Ends the watching, of a check that is not probed. */
  unwatch: (() => void) | undefined
  last: Last | undefined
  failed: number
  late: number
}

const removed = -1

/** A verdict, and when it was. */
type Last = Verdict & { readonly at: number }

/** What the health machine is told of one that opened; it looks at nothing else. */
const good: Verdict = { up: true, class: 'ok', reason: '', took: millis(0) }

/** Runs checks in this process: one heap of due times, one timer, never two probes of one check at once. */
export function createEngine(options: EngineOptions): Engine {
  const { clock, events, random = Math.random, io = createNodeIo() } = options
  const firstWait = options.firstWait ?? seconds(1)
  const limit = options.limit ?? 5000
  const kinds = new Map((options.checkers ?? allCheckers).map((checker) => [checker.keyword, checker]))
  const tasks = new Map<string, Task>()
  /** By place. */
  const placed: (Task | undefined)[] = []
  /** When each is to start, */
  const starts = new DueTimes()
  /** and when the time is up of those under way. */
  const ends = new DueTimes()
  const queue: { readonly task: Task; readonly due: number }[] = []
  const durations = new DurationTable()
  const times = new ProbeTimes()
  const doors = io.doors(hear)
  const trouble = throttled(clock, (message) => {
    events.trouble(message)
  })
  let busy = 0
  const alarm = options.alarm?.(sweep) ?? alarmBy(clock, sweep)
  let armedFor = Infinity
  let lastSweep = -Infinity
  let round = startRound
  /** The last sweep left some for the next one; undefined: there was none, and after a reload many may be due. */
  let left: boolean | undefined
  /** More were due than start in one go. */
  let crowded = false
  /** What was asked for goes out at the end of this sweep, or of this turn, */
  let collecting = false
  /** and these were. */
  const collected = new NumberList()
  let stopped: (() => void) | undefined

  function add(checks: readonly Check[]): void {
    for (const given of checks) {
      if (tasks.has(given.id)) continue
      const checker = kinds.get(given.kind)
      if (checker === undefined) {
        trouble.tell(`there is no checker ${given.kind}`)
        continue
      }
      const check = compact(given, checker.keyword)
      const task: Task = {
        door: doorOf(check, checker, io),
        asked: false,
        steady: undefined,
        jitter: check.timing.jitter ?? 0,
        place: durations.open(),
        probes: 0,
        checker,
        check,
        health: checker.health.start(given.initial, check.timing),
        seen: given.initial.seen,
        weight: undefined,
        attempt: undefined,
        unwatch: undefined,
        last: undefined,
        failed: 0,
        late: 0,
      }
      tasks.set(check.id, task)
      placed[task.place] = task
      if (checker.watch === undefined) starts.put(task.place, firstDue(task, clock.now() + firstWait))
      else watch(task)
    }
    arm()
  }

  /** Where the warm-up leaves a choice of all moments of the interval, each has its own from the first on. */
  function firstDue({ check, place, jitter }: Task, from: number): number {
    const { warmup, delayLoop } = check.timing
    if (jitter !== 0 || warmup < delayLoop) return from + random() * warmup
    const intervals = Math.floor(random() * Math.floor(warmup / delayLoop))
    return from + (intervals + 1 - partBeyond(place, from, delayLoop)) * delayLoop
  }

  function watch(task: Task): void {
    const { check, checker } = task
    const tell = (finding: Finding): void => {
      if (task.place !== removed && stopped === undefined) judge(task, lastOf(finding, millis(0), clock.wall()))
    }
    task.unwatch = checker.watch?.({ options: check.options, clock, io, tell })
  }

  function remove(ids: Iterable<string>): void {
    for (const id of ids) {
      const task = tasks.get(id)
      if (task === undefined) continue
      tasks.delete(id)
      starts.remove(task.place)
      ends.remove(task.place)
      placed[task.place] = undefined
      end(task)
      durations.close(task.place)
      task.place = removed
    }
  }

  /** Of what is under way for it nobody wants to know any more. */
  function end(task: Task): void {
    task.unwatch?.()
    task.attempt?.end('stopped')
    if (task.door === undefined || !task.asked) return
    task.asked = false
    doors.giveUp(task.place, task.door.at, task.door.opening)
    busy--
  }

  function arm(): void {
    const due = Math.min(
      Math.max(starts.firstDue(), lastSweep + round),
      Math.max(ends.firstDue(), lastSweep + endRound),
    )
    if (due === armedFor || stopped !== undefined) return
    armedFor = due
    if (due === Infinity) alarm.clear()
    else alarm.set(millis(due - clock.now()))
  }

  function sweep(): void {
    armedFor = Infinity
    const now = clock.now()
    while (ends.firstDue() <= now) {
      const place = ends.first()
      ends.remove(place)
      const task = placed[place]
      if (task?.attempt !== undefined) overdue(task, task.attempt)
      else if (task?.door !== undefined) tooLate(task, task.door)
    }
    let started = 0
    collecting = true
    for (; started < startsAtOnce && starts.firstDue() <= now; started++) {
      const place = starts.first()
      const due = starts.firstDue()
      starts.remove(place)
      const task = placed[place]
      if (task === undefined) continue
      if (busy < limit) start(task, due)
      else queue.push({ task, due })
    }
    // More is due than may start in one go: the next round follows as soon as others had their turn.
    const more = started === startsAtOnce
    round = left === false ? startRound : fullRound
    crowded = more || left === true
    left = more
    lastSweep = more ? -Infinity : now
    send()
  }

  function send(): void {
    const { size } = collected
    collecting = false
    doors.go()
    // Most are open by now, and need no end.
    for (let n = 0; n < size; n++) {
      const place = collected.at(n)
      const task = placed[place]
      if (task?.asked === true) ends.put(place, times.began(place) + task.check.timing.timeout)
    }
    collected.drop(size)
    arm()
  }

  /** The time of a probe is up, or was up and it did not end. */
  function overdue(task: Task, attempt: RunningAttempt): void {
    if (attempt.ended === undefined && attempt.due > clock.now()) ends.put(task.place, attempt.due)
    else if (attempt.ended === undefined) {
      ends.put(task.place, clock.now() + grace)
      attempt.end('timeout')
    } else {
      trouble.tell(`${describe(task.check)}: a probe did not end by itself and was given up`)
      finish(task, attempt, fail('timeout', `no result after ${formatDuration(attempt.elapsed())}`))
    }
  }

  function start(task: Task, due: number): void {
    const now = clock.now()
    if (now - due > lateBeyond) task.late++
    busy++
    times.begin(task.place, due, now)
    if (task.door === undefined) probe(task)
    else ask(task, task.door)
  }

  function probe(task: Task): void {
    const { check, checker } = task
    const attempt = beginAttempt(clock, checker, check.timing)
    task.attempt = attempt
    ends.put(task.place, attempt.due)
    const given = { options: check.options, part: task.health.cursor, timeout: check.timing.timeout, attempt, io }
    checker.probe(given, check.connection).then(
      (finding) => {
        finish(task, attempt, finding)
      },
      (error: unknown) => {
        finish(task, attempt, fail('local', `the probe itself failed: ${describeError(error)}`))
      },
    )
  }

  function ask(task: Task, { at, opening }: Door): void {
    task.asked = true
    collected.push(task.place)
    doors.ask(task.place, at, opening)
    if (collecting) return
    collecting = true
    queueMicrotask(send)
  }

  /** What a door says. */
  function hear(place: number, failure: ProbeFailure | undefined, status = 0): void {
    const task = placed[place]
    if (task?.door === undefined || !task.asked) return
    task.asked = false
    ends.remove(place)
    if (failure === undefined) concludeOpened(task, task.door, status)
    else conclude(task, fail(failure.class, failure.message))
    leave()
  }

  function tooLate(task: Task, door: Door): void {
    const progress = doors.progress(task.place, door.opening)
    if (progress?.steppedAt !== undefined) {
      const { timing } = task.check
      const whole = times.began(task.place) + task.checker.deadline(timing)
      const due = Math.min(progress.steppedAt + timing.timeout, whole)
      if (due > clock.now()) {
        ends.put(task.place, due)
        return
      }
    }
    task.asked = false
    doors.giveUp(task.place, door.at, door.opening)
    conclude(task, notOpened(door, millis(clock.now() - times.began(task.place)), progress?.waiting))
    leave()
  }

  /** Nothing is made for one that is up as it was, and little is looked at: there are thousands of them a second. */
  function concludeOpened(task: Task, door: Door, status: number): void {
    const { place } = task
    const now = clock.now()
    const took = millis(now - times.began(place))
    if (task.steady === undefined) {
      conclude(task, opened(door, took, status))
      task.steady = steadyWait(task)
      if (task.steady !== undefined) task.last = undefined
    } else {
      durations.count(place, took)
      task.probes++
      schedule(task, now, task.steady)
    }
    times.keep(place, took, now, status)
  }

  function finish(task: Task, attempt: RunningAttempt, finding: Finding): void {
    if (task.attempt !== attempt) return
    task.attempt = undefined
    ends.remove(task.place)
    attempt.onEnd = undefined
    if (stopped === undefined && task.place !== removed) conclude(task, finding)
    leave()
  }

  /** One probe is over. */
  function leave(): void {
    busy--
    if (stopped === undefined) {
      fillPlaces()
      arm()
    } else if (busy === 0) stopped()
  }

  function conclude(task: Task, finding: Finding): void {
    const now = clock.now()
    const took = millis(now - times.began(task.place))
    if (finding.class !== 'local') durations.count(task.place, took)
    const next = judge(task, lastOf(finding, took, clock.wall()))
    // Whoever was told of it may want it no more.
    if (task.place !== removed) schedule(task, now, next)
  }

  function schedule(task: Task, now: Millis, next: Millis): void {
    const { checker, jitter, place, last } = task
    const wait = jitter === 0 ? next : next * (1 + jitter * (2 * random() - 1))
    const began = times.began(place)
    const up = last?.up !== false
    const late = Math.min(began - times.due(place), up ? Math.max(startRound, wait * madeUpPart) : startRound)
    const took = checker.interval === 'start' ? now - began : up ? Math.min(now - began, brief, wait * briefPart) : 0
    const due = now - took - late + wait
    starts.put(place, Math.max(now, crowded && jitter === 0 ? due - earlier(place, due, wait) : due))
  }

  /** What a verdict means: tells whom it concerns, and answers how long until the next probe. */
  function judge(task: Task, verdict: Last): Millis {
    const { check, checker } = task
    const wasLocal = task.last?.class === 'local'
    task.last = verdict
    task.steady = undefined
    task.probes++
    if (!verdict.up) task.failed++
    const step = checker.health.step(task.health, verdict, check.timing, checker.course(check.options))
    task.health = step.health
    if (verdict.class === 'local' && !wasLocal) trouble.tell(`${describe(check)}: ${verdict.reason}`)
    report(task, verdict, step.turned !== undefined)
    return step.next
  }

  function report(task: Task, last: Last, turned: boolean): void {
    const { check, health } = task
    const first = health.settled && !task.seen
    const weighs = last.up && last.weight !== task.weight
    const forgiven = check.timing.logAllFailures && !last.up && health.up && last.class !== 'local'
    if (first) task.seen = true
    if (last.up) task.weight = last.weight
    if (!first && !turned && !weighs && !forgiven) return
    const { at, ...verdict } = last
    events.report({ id: check.id, up: health.up, first, turned, verdict, at })
  }

  function fillPlaces(): void {
    while (busy < limit && queue.length > 0) {
      const next = queue.shift()
      if (next === undefined) return
      if (next.task.place !== removed) start(next.task, next.due)
    }
  }

  function figuresOf(task: Task): Figures {
    const { check, health, probes, failed, late } = task
    const last =
      task.last ??
      (task.steady !== undefined && task.door !== undefined ? lastOpened(task.place, task.door) : undefined)
    const waiting = task.attempt === undefined && !task.asked && task.unwatch === undefined
    const due = starts.dueOf(task.place)
    const nextIn = waiting ? millis(due === Infinity ? 0 : Math.max(0, due - clock.now())) : undefined
    const figures = { id: check.id, up: health.up, failures: health.failures, last, probes, failed, late, nextIn }
    return task.checker.watch === undefined ? { ...figures, durations: durations.read(task.place) } : figures
  }

  function lastOpened(place: number, door: Door): Last {
    const took = times.took(place)
    const ago = clock.now() - times.ended(place)
    return lastOf(opened(door, took, times.status(place)), took, Math.round(clock.wall() - ago))
  }

  return {
    add,
    remove,
    setChecks(checks) {
      io.forgetMaterial()
      const wanted = new Set(checks.map((check) => check.id))
      remove([...tasks.keys()].filter((id) => !wanted.has(id)))
      add(checks)
    },
    changeChecks(gone, come) {
      remove(gone)
      add(come)
    },
    rereadFiles() {
      io.forgetMaterial()
    },
    figures(ids) {
      const chosen = ids === undefined ? [...tasks.values()] : ids.flatMap((id) => tasks.get(id) ?? [])
      return Promise.resolve(chosen.map(figuresOf))
    },
    stop() {
      alarm.close()
      trouble.stop()
      queue.length = 0
      return new Promise((resolve) => {
        const patience = clock.after(stopPatience, resolve)
        stopped = () => {
          patience.cancel()
          resolve()
        }
        for (const task of tasks.values()) end(task)
        if (busy === 0) stopped()
      })
    },
    ids: () => [...tasks.keys()],
    get busy() {
      return busy
    },
    get size() {
      return tasks.size
    },
  }
}

/** What came over a channel has texts of its own and room for more: with tens of thousands of checks that counts. */
function compact({ id, connection, options, timing }: Check, kind: string): Probed {
  if (connection === undefined) return { id, kind, connection, options, timing }
  const { address, port, bindAddress, bindPort, bindInterface, fwmark, through } = connection
  const own: CheckConnection = { address, port, bindAddress, bindPort, bindInterface, fwmark }
  return { id, kind, connection: through === undefined ? own : { ...own, through }, options, timing }
}

/** Written out: spreading a finding into a larger object costs as much as everything else that is done with it. */
function lastOf({ up, class: kind, reason, weight }: Finding, took: Millis, at: number): Last {
  return weight === undefined ? { up, class: kind, reason, took, at } : { up, class: kind, reason, took, at, weight }
}

/** How long one that is up waits for its next probe, where another success changes nothing. */
function steadyWait({ check, checker, health }: Pick<Task, 'check' | 'checker' | 'health'>): Millis | undefined {
  const step = checker.health.step(health, good, check.timing, checker.course(check.options))
  return step.health === health && step.turned === undefined ? step.next : undefined
}

/**
 * How much earlier than at `due` a probe is to start where more are due at once than start in one go: a bit nearer to its own
 * moment.
 */
function earlier(place: number, due: number, wait: number): number {
  const part = partBeyond(place, due, wait)
  // Almost there, on the other side: it need not go round.
  return part > 1 - earlyPart ? 0 : Math.min(part, earlyPart) * wait
}

/** Each place has a moment of its own in the interval, spread evenly; what part of it has passed since at `at`. None of no interval. */
function partBeyond(place: number, at: number, interval: number): number {
  if (interval === 0) return 0
  const intervals = at / interval - place * goldenPart
  return intervals - Math.floor(intervals)
}

function doorOf({ options, connection: at }: Probed, checker: Checker, io: ProbeIo): Door | undefined {
  const opening = at === undefined ? undefined : checker.opens(options)
  if (at === undefined || opening === undefined || (typeof opening === 'object' && !io.exchanges)) return undefined
  return { at, opening }
}

function describe(check: Probed): string {
  return check.connection === undefined ? check.kind : `${check.kind} ${formatEndpoint(check.connection)}`
}
