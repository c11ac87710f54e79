import { ProbeFailure } from '../verdict.ts'
import type { Attempt } from '../attempt.ts'
import { endFailure } from './failure.ts'
import type { Connection } from './port.ts'

/** Received into by all connections of node:net and node:tls: a chunk is consumed before the next one is read. */
export const receiveBuffer = Buffer.allocUnsafeSlow(64 * 1024)

/** What a {@link ProbeStream} needs of the socket under it. */
export interface Wire {
  write(data: string | Uint8Array): void
  pause(): void
  resume(): void
  close(): void
}

/**
 * A connection made of a socket's events: whoever owns the socket calls `opened`, `arrived`, `ended` and `broke`; a
 * probe awaits. At most one thing is awaited at a time, and the end of the attempt ends that too.
 */
export class ProbeStream implements Connection {
  remark: string | undefined
  readonly #where: string
  readonly #attempt: Attempt
  #wire: Wire | undefined
  #state: 'opening' | 'open' | 'ended' | 'closed' = 'opening'
  #failure: ProbeFailure | undefined
  #waiting = 'no connection to'
  #resolve: ((how: 'end' | 'enough') => void) | undefined
  #reject: ((failure: ProbeFailure) => void) | undefined
  #take: ((chunk: Buffer) => boolean) | undefined
  /** What arrived while nobody was reading; the wire is paused meanwhile. */
  #early: Buffer | undefined
  /** The wire hands over nothing until it is resumed. */
  #paused = false

  constructor(where: string, attempt: Attempt) {
    this.#where = where
    this.#attempt = attempt
    if (attempt.ended !== undefined) this.broke(endFailure(attempt.ended, `${this.#waiting} ${where}`, attempt))
    attempt.onEnd = (why) => {
      this.broke(endFailure(why, `${this.#waiting} ${this.#where}`, attempt))
    }
  }

  get where(): string {
    return this.#where
  }

  /** Names the wire and waits until it is open. */
  open(wire: Wire): Promise<this> {
    this.#wire = wire
    return new Promise((resolve, reject) => {
      this.#resolve = () => {
        resolve(this)
      }
      this.#reject = reject
      if (this.#failure === undefined) return
      wire.close()
      reject(this.#failure)
    })
  }

  /** The attempt is over: `waiting` completes "… 10.0.0.1:80 after 5 s" from now on. */
  waitingFor(waiting: string): void {
    this.#waiting = waiting
  }

  opened(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#waiting = 'no answer from'
    this.#attempt.step()
    this.#settle('enough')
  }

  /** Takes a chunk; false: no more for now. */
  arrived(chunk: Buffer): boolean {
    if (this.#state !== 'open') return false
    const take = this.#take
    if (take === undefined) {
      this.#early = this.#early === undefined ? Buffer.from(chunk) : Buffer.concat([this.#early, chunk])
      this.#paused = true
      this.#wire?.pause()
      return false
    }
    this.#attempt.step()
    this.#waiting = 'no end of the answer from'
    let enough: boolean
    try {
      enough = take(chunk)
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error
      this.broke(new ProbeFailure(error.class, `${error.message} from ${this.#where}`, error))
      return false
    }
    if (enough) this.#settle('enough')
    return true
  }

  ended(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    if (this.#early === undefined) this.#settle('end')
  }

  broke(failure: ProbeFailure): void {
    if (this.#state === 'closed') return
    this.#failure = failure
    const reject = this.#reject
    this.close()
    reject?.(failure)
  }

  write(data: string | Uint8Array): void {
    if (this.#state === 'open') this.#wire?.write(data)
  }

  read(take: (chunk: Buffer) => boolean): Promise<'end' | 'enough'> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#resolve = resolve
      this.#reject = reject
      this.#take = take
      const early = this.#early
      this.#early = undefined
      const ended = this.#state === 'ended'
      if (early !== undefined) {
        if (ended) this.#state = 'open'
        this.arrived(early)
        if (ended) this.ended()
      } else if (ended) this.#settle('end')
      else if (this.#state === 'closed') reject(new ProbeFailure('local', 'read after close'))
      if (this.#paused && this.#state === 'open') {
        this.#paused = false
        this.#wire?.resume()
      }
    })
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#attempt.onEnd = undefined
    this.#resolve = this.#reject = this.#take = undefined
    this.#wire?.close()
  }

  #settle(how: 'end' | 'enough'): void {
    const resolve = this.#resolve
    this.#resolve = this.#reject = this.#take = undefined
    resolve?.(how)
  }
}
