/** What is under way on a netlink channel: one of its three calls, from its first send to its last answer. */
import type { NetlinkMessage, NetlinkRequest, Refusal } from './channel.ts'
import {
  closeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  openMessage,
  readAcknowledgement,
  readDone,
  setFlags,
  type SequencedMessage,
  writeMessage,
} from './message.ts'
import type { Writer } from './writer.ts'

/** What an operation needs of its channel. */
export interface Sender {
  /** Empty when an operation gets it; sent by `send`. */
  readonly writer: Writer
  /** The first of `count` sequence numbers in a row, modulo 2^32. */
  sequences(count: number): number
  /** Sends what is in the writer; throws a system error. */
  send(): void
  /** How many refusals the receive buffer holds. */
  readonly mostAnswers: number
}

export interface Operation {
  /** Writes and sends what comes next. */
  send(to: Sender): void
  /**
   * Takes a message in; those of other requests are not its own. 'more' asks for another `send`, after other work of
   * the process had its turn; 'done' means that the promise is settled.
   */
  take(message: SequencedMessage): 'wait' | 'more' | 'done'
  /** Messages were lost. 'done' when that ends it. */
  lost(error: Error): 'wait' | 'done'
  fail(error: Error): void
}

/** A promise's two ends. */
export interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** One send's most bytes: what the kernel takes in one piece, and what netlink's send buffer holds at its default size. */
export const sendBytes = 65_536

/** How often a dump is read again when the kernel says that it changed meanwhile. */
const dumpTries = 8

const EINTR = 4

/** Requests of an execution, one after the other. */
export interface Requests {
  readonly count: number
  type(index: number): number
  /** Extra `nlmsg_flags`. */
  flags(index: number): number
  writePayload(writer: Writer, index: number): void
}

/** Many requests, answered by refusals only. */
export function execution(requests: Requests, settle: Settle<readonly (Refusal | undefined)[]>): Operation {
  const results = new Array<Refusal | undefined>(requests.count).fill(undefined)
  let first = 0 // of the send under way: its index, its sequence number, and how many it carries
  let sequence = 0
  let count = 0

  return {
    send(to) {
      first += count
      sequence = to.sequences(0)
      count = writeTogether(to, requests, first, sequence)
      to.sequences(count)
      to.send()
    },
    take(message) {
      const index = (message.sequence - sequence) >>> 0
      if (index >= count || message.type !== NLMSG_ERROR) return 'wait'
      results[first + index] = readAcknowledgement(message)
      if (index < count - 1) return 'wait'
      if (first + count < requests.count) return 'more'
      settle.resolve(results)
      return 'done'
    },
    lost: (error) => {
      settle.reject(error)
      return 'done'
    },
    fail: settle.reject,
  }
}

/**
 * Writes as many requests from `first` on as go into one send, the last with NLM_F_ACK; returns how many: all of them
 * refused, the answers still fit the receive buffer.
 */
function writeTogether(to: Sender, requests: Requests, first: number, sequence: number): number {
  const { writer } = to
  const most = Math.min(requests.count - first, to.mostAnswers)
  let last = 0 // where the last message begins
  let count = 0
  while (count < most) {
    const index = first + count
    const start = openMessage(writer, requests.type(index), flagsOf(requests, index), (sequence + count) >>> 0)
    requests.writePayload(writer, index)
    closeMessage(writer, start)
    if (writer.length > sendBytes && count > 0) {
      writer.truncate(start)
      break
    }
    last = start
    count++
  }
  setFlags(writer, last, flagsOf(requests, first + count - 1) | NLM_F_ACK)
  return count
}

const flagsOf = (requests: Requests, index: number): number => requests.flags(index) | NLM_F_REQUEST

/** One request; its data, ended by an acknowledgement. */
export function question(request: NetlinkRequest, settle: Settle<readonly NetlinkMessage[] | Refusal>): Operation {
  const messages: NetlinkMessage[] = []
  let sequence = 0
  return {
    send(to) {
      sequence = to.sequences(1)
      const { type, payload } = request
      writeMessage(to.writer, { type, flags: (request.flags ?? 0) | NLM_F_REQUEST | NLM_F_ACK, sequence, payload })
      to.send()
    },
    take(message) {
      if (message.sequence !== sequence) return 'wait'
      if (message.type === NLMSG_ERROR) {
        settle.resolve(readAcknowledgement(message) ?? messages)
        return 'done'
      }
      collect(messages, message)
      return 'wait'
    },
    lost: (error) => {
      settle.reject(error)
      return 'done'
    },
    fail: settle.reject,
  }
}

/** One dump, ended by NLMSG_DONE and read again where it was interrupted. */
export function dumping(request: NetlinkRequest, settle: Settle<readonly NetlinkMessage[] | Refusal>): Operation {
  let messages: NetlinkMessage[] = []
  let interrupted = false
  let tries = 0
  let sequence = 0
  return {
    send(to) {
      messages = []
      interrupted = false
      tries++
      sequence = to.sequences(1)
      const { type, payload } = request
      writeMessage(to.writer, { type, flags: (request.flags ?? 0) | NLM_F_REQUEST | NLM_F_DUMP, sequence, payload })
      to.send()
    },
    take(message) {
      if (message.sequence !== sequence) return 'wait'
      if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true
      const ends = message.type === NLMSG_DONE || message.type === NLMSG_ERROR
      if (!ends) {
        collect(messages, message)
        return 'wait'
      }
      const refusal = message.type === NLMSG_DONE ? readDone(message) : readAcknowledgement(message)
      if (refusal === undefined && interrupted && tries < dumpTries) return 'more'
      settle.resolve(refusal ?? (interrupted ? changedTooOften : messages))
      return 'done'
    },
    // The kernel sends a dump only as fast as it is read, so its end still comes; what else was lost is not this dump's.
    lost: () => {
      interrupted = true
      return 'wait'
    },
    fail: settle.reject,
  }
}

const changedTooOften: Refusal = {
  errno: EINTR,
  code: 'EINTR',
  detail: `the table changed during each of ${dumpTries} dumps`,
}

function collect(messages: NetlinkMessage[], message: SequencedMessage): void {
  if (message.type !== NLMSG_DONE && message.type !== NLMSG_NOOP) messages.push(message)
}
