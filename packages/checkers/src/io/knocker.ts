import type { CheckConnection } from '@ipvs-director/config'
import type { ProbeFailure } from '../verdict.ts'
import { reach } from './by-place.ts'
import type { DoorTold } from './port.ts'
import { ownFailure } from './prepare.ts'
import { sharedSockets } from './shared-sockets.ts'
import { SynSocket, type Target } from './syn-socket.ts'
import { whereOf } from './target.ts'

/**
 * Half-open checks: one raw socket for all targets of a family, and a port that nobody else has. The answer to a SYN
 * goes to no socket of the kernel's, which therefore resets it: the server accepts nothing. Own sockets for checks with
 * a mark, interface or local address.
 */
export class Knocker {
  readonly #told: DoorTold
  readonly #sockets: SynSocket[] = []
  readonly #socketFor: (at: CheckConnection) => SynSocket
  /** By place: the connection it was last asked for, and who that is. */
  readonly #known: (CheckConnection | undefined)[] = []
  readonly #targets: (Target | undefined)[] = []
  /** By place: the SYN that it waits for the answer to; 0: none. */
  #waitsFor = new Int32Array(64)
  #syn = 0
  /** Those for whom there is no socket. */
  readonly #refused: (readonly [place: number, failure: ProbeFailure])[] = []

  constructor(told: DoorTold) {
    this.#told = told
    this.#socketFor = sharedSockets((family, at) => {
      const socket = new SynSocket(family, at, (target, failure) => {
        this.#tell(target, failure)
      })
      this.#sockets.push(socket)
      return socket
    })
  }

  ask(place: number, at: CheckConnection): void {
    try {
      const target = this.#targetOf(place, at)
      if (target.out === 0) {
        target.out = this.#syn = (this.#syn & 0x3fffffff) + 1
        target.socket.ask(target)
      }
      this.#waitsFor[place] = target.out
    } catch (error) {
      this.#refused.push([place, ownFailure(error, whereOf(at))])
    }
  }

  go(): void {
    for (const socket of this.#sockets) socket.go()
    for (const [place, failure] of this.#refused.splice(0)) this.#told(place, failure)
  }

  giveUp(place: number): void {
    const target = this.#targets[place]
    if (target === undefined || this.#waitsFor[place] === 0) return
    this.#waitsFor[place] = 0
    target.sourceUntil = 0
    if (target.users.some((user) => this.#waitsFor[user] === target.out)) return
    target.out = 0
    target.socket.giveUp(target)
  }

  #targetOf(place: number, at: CheckConnection): Target {
    const before = this.#targets[place]
    if (before !== undefined && this.#known[place] === at) return before
    reach(this.#known, place)
    reach(this.#targets, place)
    while (place >= this.#waitsFor.length) this.#waitsFor = grown(this.#waitsFor)
    const target = this.#socketFor(at).targetOf(at, place)
    before?.socket.release(before, place)
    this.#known[place] = at
    this.#targets[place] = target
    return target
  }

  #tell(target: Target, failure: ProbeFailure | undefined): void {
    const { out, users } = target
    target.out = 0
    if (failure !== undefined) target.sourceUntil = 0
    // From behind: whoever is told may change who else asks it.
    for (let n = users.length - 1; n >= 0; n--) {
      const place = users[n] ?? 0
      if (this.#waitsFor[place] !== out) continue
      this.#waitsFor[place] = 0
      this.#told(place, failure)
    }
  }
}

function grown(from: Int32Array): Int32Array<ArrayBuffer> {
  const to = new Int32Array(2 * from.length)
  to.set(from)
  return to
}
