import type { Address, Millis } from '@ipvs-director/core'
import type { Sequence } from './hmac-trailer.ts'
import { type Rejection, reject } from './rejection.ts'

/** How many senders are remembered: machines of one VRID that are master at the same time. */
const rememberedSenders = 16

/** Freshness of `auth_hmac`: what is too old, too new, or was heard before. */
export interface Freshness {
  /** Before the hash is worked out: it only refuses. */
  inWindow(sequence: Sequence, wall: number): Rejection | undefined
  /** After the hash was right: it remembers. */
  take(sender: Address, sequence: Sequence, wall: number): Rejection | undefined
  /** The next sequence to send with: from the clock, and always larger than the one before. */
  next(wall: number): Sequence
}

/** `time`: clocks agree within the window; `monotonic`: each sender's sequence only grows. */
export function createFreshness(antiReplay: 'time' | 'monotonic', window: Millis): Freshness {
  const heard = new Map<Address, Sequence>()
  let sent = 0n
  const outside = (sequence: Sequence, wall: number): number | undefined => {
    const difference = Math.floor(wall / 1000) - Number(sequence >> 32n)
    return antiReplay === 'time' && Math.abs(difference) > window / 1000 ? difference : undefined
  }
  return {
    inWindow(sequence, wall) {
      const difference = outside(sequence, wall)
      if (difference === undefined) return undefined
      return reject('hmacStale', `the auth_hmac time is ${difference} s off ours: stale, or clocks differ`)
    },
    take(sender, sequence, wall) {
      const before = heard.get(sender)
      const expired = before !== undefined && outside(before, wall) !== undefined
      if (before !== undefined && !expired && sequence <= before) {
        return reject('hmacReplay', 'this auth_hmac sequence was heard before (replay)')
      }
      heard.delete(sender)
      heard.set(sender, sequence)
      const [oldest] = heard.keys()
      if (heard.size > rememberedSenders && oldest !== undefined) heard.delete(oldest)
      return undefined
    },
    next(wall) {
      const now = sequenceAt(wall)
      const stranded = outside(sent, wall) !== undefined && sent > now
      sent = now > sent || stranded ? now : sent + 1n
      return sent
    },
  }
}

/** UTC seconds, then 1/65536 of a second, then a counter that is 0. */
export const sequenceAt = (wall: number): Sequence =>
  (BigInt(Math.floor(wall / 1000)) << 32n) | (BigInt(Math.floor(((wall % 1000) / 1000) * 65536)) << 16n)

/**
 * The counter of the authentication header. All machines of a VRID share one: who hears a master goes on from there, so a
 * machine that comes back does not repeat what was said.
 */
export interface AhCounter {
  /** The next number to send with. */
  next(): number
  /** Undefined when it is larger than the last one, which it then replaces. */
  take(sequence: number): Rejection | undefined
}

export function createAhCounter(): AhCounter {
  let last = 0
  return {
    next: () => (last = (last + 1) >>> 0),
    take(sequence) {
      if (sequence <= last)
        return reject('authFailure', `authentication header number ${sequence} was already processed (replay)`)
      last = sequence
      return undefined
    },
  }
}
