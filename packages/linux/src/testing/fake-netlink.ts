import type { NetlinkChannel, NetlinkRequest } from '../netlink/channel.ts'
import { s32, text, u32 } from '../netlink/codecs.ts'
import { attributes } from '../netlink/attributes.ts'
import {
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  readMessages,
  writeMessage,
  type SequencedMessage,
} from '../netlink/message.ts'
import { netlinkChannel } from '../netlink/socket-channel.ts'
import type { NetlinkTransport, TransportListener } from '../netlink/transport.ts'
import { Writer } from '../netlink/writer.ts'

/** A request as the fake kernel sees it; `dump` says that the whole table is wanted. */
export interface FakeRequest extends NetlinkRequest {
  readonly flags: number
  readonly payload: Buffer
  readonly dump: boolean
}

/** A message of an answer; its type is the request's where none is given. */
export interface FakeMessage {
  readonly type?: number
  readonly payload: Uint8Array
}

/** Done (nothing), data, or a refusal; `interrupted` marks a dump as changed while it was read. */
export type FakeAnswer =
  | undefined
  | readonly FakeMessage[]
  | { readonly errno: number; readonly detail?: string }
  | { readonly interrupted: readonly FakeMessage[] }

export interface FakeNetlinkOptions {
  /** Messages in one read of a dump; default 2, so that dumps are split. */
  readonly messagesPerRead?: number
  /** The receive buffer to claim, in bytes. */
  readonly receiveBytes?: number
}

/** A channel to a kernel that is a function, and what is known about its use. */
export interface FakeNetlink extends NetlinkChannel {
  /** How many datagrams were sent. */
  readonly sends: number
  /** As if the kernel reported an error on the socket (ENOBUFS). */
  raise(error: Error): void
}

/**
 * A netlink channel whose kernel is a function from request to answer. Everything but the socket is real: headers,
 * sequence numbers, acknowledgements only where asked for, dumps split over reads.
 */
export function fakeNetlink(
  answer: (request: FakeRequest) => FakeAnswer,
  options: FakeNetlinkOptions = {},
): FakeNetlink {
  let sends = 0
  let raise: (error: Error) => void = () => undefined
  const channel = netlinkChannel((listener) => {
    const transport = fakeTransport(answer, listener, options)
    raise = (error) => {
      listener.error(error)
    }
    return {
      ...transport,
      send(datagram) {
        sends++
        transport.send(datagram)
      },
    }
  })
  return {
    ...channel,
    get sends() {
      return sends
    },
    raise: (error) => {
      raise(error)
    },
  }
}

function fakeTransport(
  answer: (request: FakeRequest) => FakeAnswer,
  listener: TransportListener,
  { messagesPerRead = 2, receiveBytes = 2 ** 21 }: FakeNetlinkOptions,
): NetlinkTransport {
  let open = true
  return {
    receiveBytes,
    send(datagram) {
      const replies = readMessages(Buffer.from(datagram)).flatMap((request) =>
        respond(request, answer, messagesPerRead),
      )
      setImmediate(() => {
        for (const reply of replies) if (open) listener.datagram(reply)
      })
    },
    port: 1,
    leaveOut: () => undefined,
    setBusy: () => undefined,
    join: () => undefined,
    close() {
      open = false
    },
  }
}

/** The datagrams that answer one request. */
function respond(
  message: SequencedMessage,
  answer: (request: FakeRequest) => FakeAnswer,
  messagesPerRead: number,
): Buffer[] {
  const dump = (message.flags & NLM_F_DUMP) === NLM_F_DUMP
  const outcome = answer({ ...message, dump })
  if (outcome !== undefined && 'errno' in outcome) return [acknowledgement(message, outcome.errno, outcome.detail)]
  const interrupted = outcome !== undefined && 'interrupted' in outcome
  const data = interrupted ? outcome.interrupted : (outcome ?? [])
  if (!dump) {
    const acknowledged = (message.flags & NLM_F_ACK) !== 0 ? [acknowledgement(message, 0)] : []
    return [...data.map((one) => datagram(message, [one], 0)), ...acknowledged]
  }
  const flags = NLM_F_MULTI | (interrupted ? NLM_F_DUMP_INTR : 0)
  const done: FakeMessage = { type: NLMSG_DONE, payload: Buffer.alloc(4) }
  const reads: FakeMessage[][] = []
  for (let i = 0; i < data.length; i += messagesPerRead) reads.push(data.slice(i, i + messagesPerRead))
  return [...reads, [done]].map((messages) => datagram(message, messages, flags))
}

function datagram(request: SequencedMessage, messages: readonly FakeMessage[], flags: number): Buffer {
  const writer = new Writer()
  for (const { type = request.type, payload } of messages) {
    writeMessage(writer, { type, flags, sequence: request.sequence, payload })
  }
  return writer.view()
}

function acknowledgement(request: SequencedMessage, errno: number, detail?: string): Buffer {
  const writer = new Writer()
  s32.write(writer, -errno)
  u32.write(writer, 16 + request.payload.length)
  writer.zeros(12)
  if (detail !== undefined) reason.encodeInto(writer, { detail })
  const flags = NLM_F_CAPPED | (detail === undefined ? 0 : NLM_F_ACK_TLVS)
  return datagram(request, [{ type: NLMSG_ERROR, payload: writer.view() }], flags)
}

const reason = attributes({ detail: [1, text] })
