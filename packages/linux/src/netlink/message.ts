/** Netlink messages (linux/netlink.h): u32 length with this header, u16 type, u16 flags, u32 sequence, u32 port. */
import { DecodeError } from '@ipvs-director/core'
import { attributes } from './attributes.ts'
import type { NetlinkMessage, Refusal } from './channel.ts'
import { s32, text, u16, u32 } from './codecs.ts'
import { errnoName } from './errno.ts'
import { struct } from './struct.ts'
import type { Writer } from './writer.ts'

/** Bits of `nlmsg_flags`. */
export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_DUMP_INTR = 0x10
/** In requests for data: the whole table. */
export const NLM_F_DUMP = 0x300
/** In requests that make something: replace what is there, fail if it is there, make it, put it last. */
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
/** In NLMSG_ERROR and NLMSG_DONE: the request is quoted without its payload; attributes with the reason follow. */
export const NLM_F_CAPPED = 0x100
export const NLM_F_ACK_TLVS = 0x200

/** Message types below 0x10 are netlink's own. */
export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLMSG_OVERRUN = 4

export const headerBytes = 16
const header = struct({ length: u32, type: u16, flags: u16, sequence: u32, port: u32 })

/** A message as it lies in a datagram. */
export interface SequencedMessage extends NetlinkMessage {
  /** Of the request it answers; 0 for notifications. */
  readonly sequence: number
}

/** Appends a message; returns where it begins. */
export function writeMessage(
  writer: Writer,
  message: { readonly type: number; readonly flags: number; readonly sequence: number; readonly payload: Uint8Array },
): number {
  const start = openMessage(writer, message.type, message.flags, message.sequence)
  writer.bytes(message.payload)
  closeMessage(writer, start)
  return start
}

/** Begins a message, whose payload is to be appended. Returns where it begins, for {@link closeMessage}. */
export function openMessage(writer: Writer, type: number, flags: number, sequence: number): number {
  const start = writer.length
  writer.u32(0)
  writer.u16(type)
  writer.u16(flags)
  writer.u32(sequence)
  writer.u32(0)
  return start
}

/** Ends the message that begins at `start`: fills in its length. */
export function closeMessage(writer: Writer, start: number): void {
  writer.patchU32(start, writer.length - start)
  writer.align(start)
}

/** Changes `nlmsg_flags` of the message that begins at `start`. */
export function setFlags(writer: Writer, start: number, flags: number): void {
  writer.patchU16(start + 6, flags)
}

/** Splits one datagram; payloads are views into it. Throws a DecodeError where a length is impossible. */
export function readMessages(datagram: Buffer): SequencedMessage[] {
  const messages: SequencedMessage[] = []
  let at = 0
  while (at < datagram.length) {
    const left = datagram.length - at
    if (left < headerBytes) throw new DecodeError(`netlink header cut off: ${left} of ${headerBytes} bytes`)
    const { length, type, flags, sequence } = header.read(datagram, at, at + headerBytes)
    if (length < headerBytes || length > left) {
      throw new DecodeError(`netlink message of type ${type}: length ${length} with ${left} bytes left`)
    }
    messages.push({ type, flags, sequence, payload: datagram.subarray(at + headerBytes, at + length) })
    at += (length + 3) & ~3
  }
  return messages
}

/** The reason in words, or what is missing, which the kernel adds where NETLINK_EXT_ACK is set. */
export const extendedAck = attributes({ message: [1, text], offset: [2, u32], missingType: [5, u32] })

/**
 * What NLMSG_ERROR says: undefined for success (an acknowledgement), else how the request was refused.
 * Layout: s32 negative errno, the request's header, its payload unless capped, attributes where NLM_F_ACK_TLVS says so.
 */
export function readAcknowledgement(message: NetlinkMessage): Refusal | undefined {
  const { payload, flags } = message
  if (payload.length < 4 + headerBytes) throw new DecodeError(`acknowledgement of ${payload.length} bytes`)
  const errno = s32.read(payload, 0, 4)
  const quoted = (flags & NLM_F_CAPPED) !== 0 ? headerBytes : (u32.read(payload, 4, 8) + 3) & ~3
  return refusal(errno, (flags & NLM_F_ACK_TLVS) !== 0 ? 4 + quoted : undefined, payload)
}

/** The same of NLMSG_DONE, which ends a dump: s32 errno or a count, then attributes. */
export function readDone(message: NetlinkMessage): Refusal | undefined {
  const { payload, flags } = message
  if (payload.length < 4) return undefined
  return refusal(s32.read(payload, 0, 4), (flags & NLM_F_ACK_TLVS) !== 0 ? 4 : undefined, payload)
}

function refusal(errno: number, attributesAt: number | undefined, payload: Buffer): Refusal | undefined {
  if (errno >= 0) return undefined
  if (attributesAt !== undefined && attributesAt > payload.length) {
    throw new DecodeError(`the quoted request is longer than the ${payload.length} bytes of its refusal`)
  }
  const extended = attributesAt === undefined ? {} : extendedAck.decodeRange(payload, attributesAt, payload.length)
  const missing = extended.missingType === undefined ? undefined : `attribute ${extended.missingType} is missing`
  return { errno: -errno, code: errnoName(-errno), detail: extended.message ?? missing }
}
