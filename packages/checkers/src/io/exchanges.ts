import type { CheckConnection } from '@ipvs-director/config'
import { describeError, familyOf, formatDuration, millis, type Clock, type Millis } from '@ipvs-director/core'
import { openConnection, type ConnectionListener, type PolledConnection } from '@ipvs-director/linux'
import { ProbeFailure, type Fault } from '../verdict.ts'
import { reach } from './by-place.ts'
import { systemFailure } from './failure.ts'
import { isItself } from './kernel.ts'
import type { DoorTold, Exchange, ExchangeReader, Progress } from './port.ts'
import { addressOf, ownFailure, prepare } from './prepare.ts'
import { AF_INET, AF_INET6 } from './sockaddr.ts'
import { metItself, targetOf, type Target } from './target.ts'

/** Requests to many servers over the addon's poller, for which hardly anything is made: no promise, no stream, no attempt. */
export class Exchanges {
  readonly #clock: Clock
  readonly #told: DoorTold
  /** By place. */
  readonly #talks: (Talk | undefined)[] = []
  #begun: Talk[] = []

  constructor(clock: Clock, told: DoorTold) {
    this.#clock = clock
    this.#told = told
  }

  ask(place: number, at: CheckConnection, exchange: Exchange): void {
    let talk = this.#talks[place]
    if (talk?.at !== at || talk.exchange !== exchange) {
      talk = new Talk(at, exchange, this.#clock, (failure, status) => {
        this.#told(place, failure, status)
      })
      reach(this.#talks, place)
      this.#talks[place] = talk
    }
    talk.begin()
    this.#begun.push(talk)
  }

  go(): void {
    // Requests after connections: a server that is nearby would be woken for each of them.
    const begun = this.#begun
    if (begun.length === 0) return
    this.#begun = []
    for (const talk of begun) talk.go()
  }

  giveUp(place: number): void {
    this.#talks[place]?.end()
  }

  progress(place: number): Progress | undefined {
    return this.#talks[place]
  }
}

type TalkTold = (failure: ProbeFailure | undefined, status?: number) => void

/** One server, asked again and again. */
class Talk implements ConnectionListener, Progress {
  readonly at: CheckConnection
  readonly exchange: Exchange
  readonly #clock: Clock
  readonly #told: TalkTold
  readonly #target: Target
  readonly #request: Buffer
  /** The rest of the request. */
  #unsent: Buffer | undefined
  /** What is to be done, or said, at {@link go}. */
  #next: 'ask' | ProbeFailure | undefined
  #socket: PolledConnection | undefined
  #reader: ExchangeReader | undefined
  #began = millis(0)
  steppedAt: Millis | undefined
  #waiting = 0

  constructor(at: CheckConnection, exchange: Exchange, clock: Clock, told: TalkTold) {
    this.at = at
    this.exchange = exchange
    this.#clock = clock
    this.#told = told
    this.#target = targetOf(at)
    this.#request = Buffer.from(exchange.request(this.#target.host), 'utf8')
  }

  get waiting(): string {
    return phases[this.#waiting] ?? ''
  }

  begin(): void {
    const { at } = this
    this.#began = this.#clock.now()
    this.steppedAt = undefined
    this.#waiting = 0
    this.#unsent = this.#request
    this.#next = 'ask'
    try {
      this.#socket = openConnection(familyOf(at.address) === 'inet' ? AF_INET : AF_INET6, this)
      prepare(this.#socket, at)
    } catch (error) {
      this.#next = ownFailure(error, this.#target.where)
      return
    }
    try {
      this.#socket.begin(addressOf(at, this.#target))
    } catch (error) {
      this.#next = systemFailure(error, this.#target.where, true)
    }
  }

  /** Asks, where it is connected by now, or says what was wrong with beginning. */
  go(): void {
    const next = this.#next
    this.#next = undefined
    if (next instanceof ProbeFailure) this.#fail(next)
    else if (next === 'ask' && this.#send((socket, request) => socket.ask(request))) this.#connected()
  }

  /** Lets go of it. */
  end(): void {
    this.#socket?.close()
    this.#socket = this.#reader = this.#unsent = this.#next = undefined
  }

  writable(): void {
    if (this.steppedAt === undefined) this.#connected()
    this.#send((socket, rest) => socket.send(rest))
  }

  #connected(): void {
    if (this.#socket !== undefined && isItself(this.#target, this.#socket)) {
      this.#fail(new ProbeFailure('refused', `${metItself}: ${this.#target.where}`))
      return
    }
    this.#step(1)
    try {
      this.#reader = this.exchange.reader()
    } catch (error) {
      this.#fail(ownDefect(error))
    }
  }

  /** What is left of the request. Answers whether it could be sent: before it is connected it cannot. */
  #send(by: (socket: PolledConnection, rest: Buffer) => number): boolean {
    if (this.#socket === undefined || this.#unsent === undefined) return false
    try {
      const taken = by(this.#socket, this.#unsent)
      if (taken < 0) return false
      this.#unsent = taken === this.#unsent.length ? undefined : this.#unsent.subarray(taken)
      return true
    } catch (error) {
      this.#fail(systemFailure(error, this.#target.where))
      return false
    }
  }

  data(chunk: Buffer): void {
    if (this.#reader === undefined) return
    this.#step(2)
    try {
      this.#reader.take(chunk)
    } catch (error) {
      if (!(error instanceof ProbeFailure)) this.#fail(ownDefect(error))
      else this.#fail(new ProbeFailure(error.class, `${error.message} from ${this.#target.where}`, error))
    }
  }

  ended(): void {
    const reader = this.#reader
    if (reader === undefined) return
    this.end()
    let fault: Fault | undefined
    try {
      fault = reader.fault()
    } catch (error) {
      this.#told(ownDefect(error))
      return
    }
    if (fault === undefined) {
      this.#told(undefined, reader.status)
      return
    }
    const took = formatDuration(millis(this.#clock.now() - this.#began))
    this.#told(new ProbeFailure(fault.class, `${fault.text} after ${took} from ${this.#target.where}`))
  }

  failed(error: Error): void {
    this.#fail(systemFailure(error, this.#target.where))
  }

  #fail(failure: ProbeFailure): void {
    this.end()
    this.#told(failure)
  }

  #step(waiting: number): void {
    this.steppedAt = this.#clock.now()
    this.#waiting = waiting
  }
}

function ownDefect(error: unknown): ProbeFailure {
  return new ProbeFailure('local', `the probe itself failed: ${describeError(error)}`, error)
}

/** What does not come, as a stream says it. */
const phases = ['no connection to', 'no answer from', 'no end of the answer from'] as const
