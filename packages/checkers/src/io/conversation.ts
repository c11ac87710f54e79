import type { Attempt } from '../attempt.ts'
import type { ProbeFailure } from '../verdict.ts'
import { endFailure } from './failure.ts'
import type { Datagrams } from './port.ts'

/** What {@link Conversation} needs of the socket under it. */
export interface DatagramWire {
  send(data: Uint8Array): void
  close(): void
}

/** Datagrams made of a socket's events: its owner calls `arrived` and `broke`, a probe awaits. */
export class Conversation implements Datagrams {
  readonly where: string
  readonly #attempt: Attempt
  #wire: DatagramWire | undefined
  #failure: ProbeFailure | undefined
  #closed = false
  #take: ((data: Buffer) => boolean) | undefined
  #resolve: (() => void) | undefined
  #reject: ((failure: ProbeFailure) => void) | undefined
  /** What came before anybody listened; a stranger cannot send, so a few are enough. */
  readonly #early: Buffer[] = []

  constructor(where: string, attempt: Attempt) {
    this.where = where
    this.#attempt = attempt
    attempt.onEnd = (why) => {
      this.broke(endFailure(why, `no answer from ${where}`, attempt))
    }
  }

  /** Names the wire; answers the failure that came before it, if one did. */
  open(wire: DatagramWire): ProbeFailure | undefined {
    this.#wire = wire
    if (this.#attempt.ended !== undefined) this.#attempt.onEnd?.(this.#attempt.ended)
    if (this.#failure !== undefined) wire.close()
    return this.#failure
  }

  arrived(data: Buffer): void {
    if (this.#closed) return
    if (this.#take === undefined) {
      if (this.#early.length < 16) this.#early.push(data)
    } else if (this.#take(data)) this.#settle()
  }

  broke(failure: ProbeFailure): void {
    if (this.#closed) return
    this.#failure = failure
    const reject = this.#reject
    this.close()
    reject?.(failure)
  }

  send(data: Uint8Array): void {
    if (!this.#closed) this.#wire?.send(data)
  }

  receive(take: (data: Buffer) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#take = take
      this.#resolve = resolve
      this.#reject = reject
      for (const data of this.#early.splice(0)) this.arrived(data)
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#attempt.onEnd = undefined
    this.#take = this.#resolve = this.#reject = undefined
    this.#wire?.close()
  }

  #settle(): void {
    const resolve = this.#resolve
    this.#take = this.#resolve = this.#reject = undefined
    resolve?.()
  }
}
