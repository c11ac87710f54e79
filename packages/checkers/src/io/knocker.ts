import type { CheckConnection } from '@ipvs-director/config'
import { familyOf, grown } from '@ipvs-director/core'
import { ProbeFailure } from '../verdict.ts'
import { reach } from './by-place.ts'
import { systemFailure } from './failure.ts'
import type { DoorTold } from './port.ts'
import { ownFailure } from './prepare.ts'
import { sharedSockets } from './shared-sockets.ts'
import { Source } from './source.ts'
import { SynSocket, usersOf, type Target } from './syn-socket.ts'
import { whereOf } from './target.ts'

/** After a failure it is found anew at once. */
const sourceLasts = 60_000

/**
 * Half-open checks: one raw socket for all targets that are asked from the same address, and a port that nobody else has.
 * The answer to a SYN goes to no socket of the kernel's, which therefore resets it: the server accepts nothing. Own sockets
 * for checks with a mark, interface or local address.
 */
export class Knocker {
  readonly #told: DoorTold
  readonly #sockets: SynSocket[] = []
  readonly #socketFor: (at: CheckConnection) => SynSocket
  readonly #sourceFor = sharedSockets((_, at) => new Source(at))
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
      const socket = new SynSocket(family, at, {
        ended: (target, failure) => {
          this.#tell(target, failure)
        },
        unsent: (target, failure) => {
          this.#unsent(target, failure)
        },
      })
      this.#sockets.push(socket)
      return socket
    })
  }

  ask(place: number, at: CheckConnection): void {
    this.#ask(place, at, false)
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
    if (usersOf(target).some((user) => this.#waitsFor[user] === target.out)) return
    target.out = 0
    target.socket.giveUp(target)
  }

  #ask(place: number, at: CheckConnection, again: boolean): void {
    try {
      const target = this.#targetOf(place, at)
      if (target.out === 0) {
        target.out = this.#syn = (this.#syn & 0x3fffffff) + 1
        target.again = again
        target.socket.ask(target)
      }
      this.#waitsFor[place] = target.out
    } catch (error) {
      this.#refused.push([place, error instanceof ProbeFailure ? error : ownFailure(error, whereOf(at))])
    }
  }

  #targetOf(place: number, at: CheckConnection): Target {
    const before = this.#targets[place]
    const same = before !== undefined && this.#known[place] === at
    const now = Math.trunc(performance.now())
    if (same && now < before.sourceUntil) return before
    reach(this.#known, place)
    reach(this.#targets, place)
    while (place >= this.#waitsFor.length) this.#waitsFor = grown(this.#waitsFor, 2 * this.#waitsFor.length)
    const socket = this.#socketFor(this.#sourced(at))
    if (same && before.socket === socket) {
      before.sourceUntil = now + sourceLasts
      return before
    }
    const target = socket.targetOf(at, place)
    before?.socket.release(before, place)
    this.#known[place] = at
    this.#targets[place] = target
    target.sourceUntil = now + sourceLasts
    return target
  }

  /** IPv4: from the address that the kernel would choose. */
  #sourced(at: CheckConnection): CheckConnection {
    if (at.bindAddress !== undefined || familyOf(at.address) === 'inet6') return at
    const source = this.#sourceFor(at)
    try {
      return { ...at, bindAddress: source.addressFor(at) }
    } catch (error) {
      throw systemFailure(error, whereOf(at), true)
    }
  }

  /** Once more, as the address that it went out from may be ours no longer. */
  #unsent(target: Target, failure: ProbeFailure): void {
    if (target.again) {
      this.#tell(target, failure)
      return
    }
    const waiting = usersOf(target).filter((place) => this.#waitsFor[place] === target.out)
    target.out = 0
    target.sourceUntil = 0
    for (const place of waiting) {
      this.#waitsFor[place] = 0
      this.#ask(place, this.#known[place] ?? target.at, true)
    }
    this.go()
  }

  #tell(target: Target, failure: ProbeFailure | undefined): void {
    const { out, user, others } = target
    target.out = 0
    if (failure !== undefined) target.sourceUntil = 0
    this.#tellPlace(user, out, failure)
    // Whoever is told may change who else asks it: whoever leaves is taken out of a new list, not of this one.
    for (const place of others ?? []) this.#tellPlace(place, out, failure)
  }

  #tellPlace(place: number, out: number, failure: ProbeFailure | undefined): void {
    if (this.#waitsFor[place] !== out) return
    this.#waitsFor[place] = 0
    this.#told(place, failure)
  }
}
