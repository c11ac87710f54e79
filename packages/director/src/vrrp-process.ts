/** The director's side of the vrrp process: started, started again, told, asked, stopped. */
import { describeError, millis, seconds, type Clock, type Logger, type Millis, type Timer } from '@ipvs-director/core'
import type { Gate, Status, VrrpEvent, VrrpStatus } from '@ipvs-director/vrrp'
import { fork, type ChildProcess } from 'node:child_process'
import { programPath } from './programs.ts'
import { startNiceness } from './surroundings/scheduling.ts'
import {
  readFromVrrp,
  vrrpProtocolVersion,
  type FromVrrp,
  type Lag,
  type ToVrrp,
  type VrrpCommand,
  type VrrpWork,
} from './vrrp-messages.ts'

export interface VrrpProcessOptions {
  readonly work: VrrpWork
  /** Everything that happened, in its order. After a death of the process its instances begin anew. */
  readonly events: (event: VrrpEvent) => void
  readonly logger: Logger
  readonly clock: Clock
  /** The built program; default: `vrrp.js` beside the program that runs. */
  readonly entry?: string
  /** `child_wait_time`: how long it may take to end; default 5 s. */
  readonly stopPatience?: () => Millis
}

/** What the process says of itself and its instances. */
export interface VrrpProcessStatus extends VrrpStatus {
  readonly pid: number
  readonly lag: Lag
  /** How often it had to be started again. */
  readonly restarts: number
}

export interface VrrpProcess {
  /** A new configuration: masters that it keeps stay masters. */
  apply(work: VrrpWork): void
  /** Undefined while there is no process, or it does not answer in time. */
  status(): Promise<VrrpProcessStatus | undefined>
  /** Switch-over by hand; rejects with the reason when it is refused. `hold` outlives a death of the process. */
  command(command: VrrpCommand, name: string): Promise<void>
  /** Something that preempt gates wait for has come; it stays so. */
  gateOpened(gate: Gate): void
  /** What instances track beyond the process: repeated to a process that is started again. */
  report(kind: 'bfd' | 'virtualServer', name: string, status: Status): void
  /** Priority 0 and the addresses gone; `keep`: neither. Resolves when the process is gone. */
  stop(options?: { readonly keep?: boolean }): Promise<void>
}

const answerPatience = seconds(2)
/** How often it is asked for a sign of life, and how many may be missing: then it hangs, and its leases have ended. */
const pingEvery = seconds(10)
const missedPings = 3
/** A process that lived this long is no failing one. */
const longLife = seconds(60)

export function startVrrpProcess(options: VrrpProcessOptions): VrrpProcess {
  const { events, logger, clock } = options
  const entry = options.entry ?? programPath('vrrp')
  const asked = new Map<number, (answer: FromVrrp | undefined) => void>()
  const gates = new Set<Gate>()
  const reports = new Map<string, Extract<ToVrrp, { do: 'report' }>>()
  const holds = new Set<string>()
  let work = options.work
  let child: ChildProcess | undefined
  let startedAt: Millis = clock.now()
  let deaths = 0
  let restarts = 0
  let restart: Timer | undefined
  let asks = 0
  let heart: Timer | undefined
  let stopping: (() => void) | undefined

  const send = (message: ToVrrp): void => {
    if (child?.connected === true) child.send(message, () => undefined) // what is lost is lost with the process
  }

  function start(): void {
    restart = undefined
    startedAt = clock.now()
    let started: ChildProcess
    try {
      started = forked()
    } catch (error) {
      // Some of what a system without memory answers comes as an exception.
      died(`cannot run: ${describeError(error)}`)
      return
    }
    child = started
    started.on('message', (message) => {
      if (child === started) hear(message)
    })
    started.on('error', (error) => {
      left(started, `cannot run: ${describeError(error)}`)
    })
    started.on('exit', (code, signal) => {
      left(started, signal === null ? `ended with exit code ${code ?? 0}` : `ended by ${signal}`)
    })
    send({ do: 'start', version: vrrpProtocolVersion, work })
    for (const gate of gates) send({ do: 'gate', gate })
    for (const report of reports.values()) send(report)
    for (const name of holds) send({ do: 'command', ask: ++asks, command: 'hold', name })
    beat(started, 0)
  }

  const forked = (): ChildProcess =>
    fork(entry, [String(startNiceness)], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Without helpers, for which a process of real-time priority would wait in the queue of all others: up to 100 ms were seen.
      execArgv: ['--single-threaded-gc'],
    })

  /** Missing answers are counted, not timed: a director that stood still itself accuses nobody. */
  function beat(which: ChildProcess, missed: number): void {
    heart?.cancel()
    heart = clock.after(pingEvery, () => {
      void ask((number) => ({ do: 'ping', ask: number })).then((answer) => {
        if (child !== which || stopping !== undefined) return
        if (answer !== undefined) beat(which, 0)
        else if (missed + 1 < missedPings) beat(which, missed + 1)
        else {
          logger.error('vrrp.hung', 'the vrrp process does not answer any more: it is killed')
          which.kill('SIGKILL')
        }
      })
    })
  }

  /** Back at once the first time, then more and more slowly, as keepalived does. */
  function left(which: ChildProcess, why: string): void {
    if (child !== which) return
    child = undefined
    heart?.cancel()
    for (const answer of [...asked.values()]) answer(undefined)
    if (stopping !== undefined) {
      stopping()
      return
    }
    died(why)
  }

  function died(why: string): void {
    deaths = clock.now() - startedAt >= longLife ? 1 : deaths + 1
    restarts++
    const delay = restartDelay(deaths)
    logger.error('vrrp.died', `the vrrp process ${why}; it is started again in ${delay / 1000} s`)
    restart = clock.after(delay, start)
  }

  function hear(received: unknown): void {
    const message = readFromVrrp(received)
    switch (message?.say) {
      case undefined:
        logger.warn('vrrp.message', 'the vrrp process said something that is no message')
        break
      case 'ready':
        logger.debug('vrrp.ready', 'the vrrp process is at work')
        break
      case 'event':
        events(message.event)
        break
      case 'log':
        logger[message.level](message.event, message.message, message.fields)
        break
      case 'status':
      case 'done':
        asked.get(message.ask)?.(message)
        break
      case 'failed':
        logger.error('vrrp.failed', `the vrrp process ${message.why}`)
        break
    }
  }

  function ask(message: (ask: number) => ToVrrp): Promise<FromVrrp | undefined> {
    if (child === undefined) return Promise.resolve(undefined)
    const number = ++asks
    return new Promise((resolve) => {
      const finish = (answer: FromVrrp | undefined): void => {
        timer.cancel()
        asked.delete(number)
        resolve(answer)
      }
      const timer = clock.after(answerPatience, () => {
        finish(undefined)
      })
      asked.set(number, finish)
      send(message(number))
    })
  }

  start()
  return {
    apply(now) {
      work = now
      send({ do: 'apply', work })
    },
    async status() {
      const pid = child?.pid
      const answer = await ask((number) => ({ do: 'status', ask: number }))
      if (answer?.say !== 'status' || pid === undefined) return undefined
      return { ...answer.status, pid, lag: answer.lag, restarts }
    },
    async command(command, name) {
      const answer = await ask((number) => ({ do: 'command', ask: number, command, name }))
      if (answer?.say !== 'done') throw new Error('the vrrp process does not answer')
      if (answer.refused !== undefined) throw new RangeError(answer.refused)
      if (command === 'hold') holds.add(name)
      else if (command === 'release') holds.delete(name)
    },
    gateOpened(gate) {
      gates.add(gate)
      send({ do: 'gate', gate })
    },
    report(kind, name, status) {
      const message = { do: 'report', kind, name, status } as const
      reports.set(`${kind} ${name}`, message)
      send(message)
    },
    stop({ keep = false } = {}) {
      restart?.cancel()
      heart?.cancel()
      const running = child
      if (running === undefined) return Promise.resolve()
      return new Promise((resolve) => {
        const timer = clock.after(options.stopPatience?.() ?? seconds(5), () => {
          running.kill('SIGKILL')
        })
        stopping = () => {
          timer.cancel()
          resolve()
        }
        send({ do: 'stop', keep })
      })
    },
  }
}

/** Seconds 0, 1, 2, 4 … 60. */
export const restartDelay = (deathsInARow: number): Millis =>
  millis(deathsInARow <= 1 ? 0 : Math.min(60_000, 1000 * 2 ** (deathsInARow - 2)))
