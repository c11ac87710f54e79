import { grown } from '@ipvs-director/core'
import { nativePoller, type NativePoller, type SystemError } from './native.ts'
import { chunkBytes, entryNumbers, eventsAtOnce, is, systemError } from './poller-entries.ts'

/**
 * Whom an address was dialled for is told what became of it: nothing, when a connection opened (it is closed already), or what went
 * wrong. `when`: `here`, before anything was sent; `socket`, there was none to send it from; `itself`, the kernel chose the port that
 * was dialled as its own, so that the connection would have been one with itself; `there`, all else.
 */
export type DialTold = (place: number, failure: DialFailure | undefined) => void

export interface DialFailure {
  readonly when: 'there' | 'here' | 'socket' | 'itself'
  readonly error: SystemError
}

/**
 * A token is a place below how often it was dialled, of which so many bits are left: what comes late, of a connection that was hung up
 * on, is not taken for the next.
 */
const placeBits = 20
const mostPlaces = 2 ** placeBits

/** As in addon.c. */
const dials = 64
const addressBytes = 28
const dialNumbers = 4
const end = { underWay: 0, opened: 1, failed: 2, refusedHere: 3, noSocket: 4, itself: 5 } as const

/**
 * Opens TCP connections only to see that they open, many in one call and without an object for any of them. Those that are open by the
 * time the last was asked for, as with servers nearby, cost no turn of the loop.
 */
export class Dialer {
  readonly #told: DialTold
  readonly #native: NativePoller
  readonly #entries = new Int32Array(eventsAtOnce * entryNumbers)
  readonly #dials = new Int32Array(dials * dialNumbers)
  readonly #dialBytes = new Uint8Array(this.#dials.buffer)
  readonly #dialAddresses = new Uint8Array(dials * addressBytes)
  /** Of those collected. */
  readonly #places = new Int32Array(dials)
  #collected = 0
  /**
   * By place: whether something is under way for it, and the token of that or of the last. A Map of what is under way would be made anew
   * again and again, and each time what was there outlives the young generation.
   */
  #underWay = new Uint8Array(64)
  #tokens = new Int32Array(64)
  #descriptors = new Int32Array(64)
  #mayMeetItself = new Uint8Array(64)
  #addresses = new Uint8Array(64 * addressBytes)

  constructor(told: DialTold) {
    this.#told = told
    this.#native = nativePoller(
      (count) => {
        this.#turn(count)
      },
      this.#entries,
      // Never written to: nothing is read from these connections.
      Buffer.allocUnsafeSlow(eventsAtOnce * chunkBytes),
    )
    this.#native.unref()
  }

  /**
   * Where a place, a small number, is: this `sockaddr_in` or `sockaddr_in6`. `itself`: a connection to it may be one with itself,
   * which is then looked at.
   */
  setAddress(place: number, address: Uint8Array, itself: boolean): void {
    if (place >= mostPlaces) throw new RangeError(`there are ${mostPlaces} places, and this is ${place}`)
    if (place >= this.#tokens.length) this.#grow(place)
    this.#mayMeetItself[place] = Number(itself)
    this.#addresses.set(address, place * addressBytes)
  }

  /** Dials it at the next {@link go}, or once enough are collected. Nothing may be under way for this place. */
  add(place: number): void {
    if (this.#collected === dials) this.go()
    const at = this.#collected++
    const token = (((this.#tokens[place] ?? 0) & ~(mostPlaces - 1)) + mostPlaces + place) & 0x7fffffff
    this.#tokens[place] = token
    this.#underWay[place] = 1
    this.#descriptors[place] = -1
    this.#places[at] = place
    this.#dials[at * dialNumbers] = token
    this.#dials[at * dialNumbers + 1] = this.#mayMeetItself[place] ?? 0
    const from = place * addressBytes
    const to = at * addressBytes
    for (let n = 0; n < addressBytes; n++) this.#dialAddresses[to + n] = this.#addresses[from + n] ?? 0
  }

  /** Dials what was collected. Some are told of before this returns. */
  go(): void {
    const count = this.#collected
    if (count === 0) return
    this.#collected = 0
    this.#native.dial(this.#dialBytes, this.#dialAddresses, count)
    // Copied out: whoever is told may dial again.
    const ends = this.#dials.slice(0, count * dialNumbers)
    const places = this.#places.slice(0, count)
    for (let at = 0; at < count; at++) {
      if (ends[at * dialNumbers + 3] === end.underWay) this.#follow(places[at] ?? 0, ends, at * dialNumbers)
    }
    for (let at = 0; at < count; at++) {
      const how = ends[at * dialNumbers + 3] ?? 0
      if (how !== end.underWay) this.#tell(ends[at * dialNumbers] ?? 0, how, ends[at * dialNumbers + 2] ?? 0)
    }
  }

  /** Nothing is told any more of what is under way for this place. */
  hangUp(place: number): void {
    if (this.#underWay[place] !== 1) return
    this.#underWay[place] = 0
    const fd = this.#descriptors[place] ?? -1
    if (fd >= 0) this.#native.close(fd)
  }

  #follow(place: number, ends: Int32Array, at: number): void {
    const fd = ends[at + 2] ?? -1
    // Hung up on before it went out.
    if (this.#placeOf(ends[at] ?? -1) === undefined) this.#native.close(fd)
    else this.#descriptors[place] = fd
  }

  #tell(token: number, how: number, errno: number): void {
    const place = this.#placeOf(token)
    if (place === undefined) return
    this.#underWay[place] = 0
    this.#told(place, how === end.opened ? undefined : failureOf(how, errno))
  }

  #turn(count: number): void {
    const entries = this.#entries.slice(0, count * entryNumbers)
    for (let at = 0; at < entries.length; at += entryNumbers) {
      const token = entries[at] ?? -1
      const place = this.#placeOf(token)
      if (place === undefined) continue
      const fd = this.#descriptors[place] ?? -1
      const failed = ((entries[at + 1] ?? 0) & is.failed) !== 0
      const itself = !failed && this.#mayMeetItself[place] === 1 && this.#native.metItself(fd)
      this.#native.close(fd)
      this.#tell(token, failed ? end.failed : itself ? end.itself : end.opened, entries[at + 3] ?? 0)
    }
  }

  /** Undefined: it is not under way any more. */
  #placeOf(token: number): number | undefined {
    const place = token & (mostPlaces - 1)
    return this.#underWay[place] === 1 && this.#tokens[place] === token ? place : undefined
  }

  #grow(place: number): void {
    const size = Math.max(place + 1, this.#tokens.length * 2)
    this.#underWay = grown(this.#underWay, size)
    this.#tokens = grown(this.#tokens, size)
    this.#descriptors = grown(this.#descriptors, size)
    this.#mayMeetItself = grown(this.#mayMeetItself, size)
    this.#addresses = grown(this.#addresses, size * addressBytes)
  }
}

function failureOf(how: number, errno: number): DialFailure {
  if (how === end.itself) return { when: 'itself', error: systemError(ECONNREFUSED, 'connect') }
  const error = systemError(errno, how === end.noSocket ? 'socket' : 'connect')
  return { when: how === end.noSocket ? 'socket' : how === end.refusedHere ? 'here' : 'there', error }
}

/** asm-generic/errno.h */
const ECONNREFUSED = 111
