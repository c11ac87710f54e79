/**
 * A netlink socket as its users see it: requests in, answers out. Headers, sequence numbers, multipart messages,
 * acknowledgements and buffers are the implementation's business.
 */
import type { Writer } from './writer.ts'

/** One request: what follows the netlink header. Lengths are in bytes. */
export interface NetlinkRequest {
  /** `nlmsg_type`: a generic netlink family's id, or an RTM_ number. */
  readonly type: number
  /** Extra `nlmsg_flags` beside NLM_F_REQUEST and what the call itself needs (ACK, DUMP). */
  readonly flags?: number
  readonly payload: Uint8Array
}

/**
 * Many requests of one type that are written when their turn comes, straight into what is sent: ten thousand of them
 * cost no ten thousand buffers.
 */
export interface NetlinkBatch {
  readonly type: number
  readonly count: number
  /** Appends the payload of the request at this place; it can be asked for twice. */
  write(writer: Writer, index: number): void
}

/** One message of an answer, header taken off. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly payload: Buffer
}

/** How the kernel refused one request: errno positive, its name, and the extended acknowledgement's text if any. */
export interface Refusal {
  readonly errno: number
  readonly code: string
  readonly detail: string | undefined
}

export interface NetlinkChannel {
  /**
   * Carries out requests that answer only by success or refusal, in order, as few sends as the receive buffer allows
   * (many messages a send, NLM_F_ACK on the last only). The kernel goes on after a refused one.
   * Resolves to one element per request: undefined when it was done, else the refusal.
   * Rejects only when the socket itself fails.
   */
  execute(requests: readonly NetlinkRequest[]): Promise<readonly (Refusal | undefined)[]>

  /** The same for a batch; between two sends other work of the process has its turn. */
  executeEach(batch: NetlinkBatch): Promise<readonly (Refusal | undefined)[]>

  /** One request whose answer is data. Resolves to its messages (usually one) or to the refusal. */
  ask(request: NetlinkRequest): Promise<readonly NetlinkMessage[] | Refusal>

  /**
   * One dump (NLM_F_DUMP). Read again when the kernel says it was interrupted (NLM_F_DUMP_INTR), at most a few times.
   * Dumps and other calls on one channel wait for each other.
   */
  dump(request: NetlinkRequest): Promise<readonly NetlinkMessage[] | Refusal>

  /** What the kernel writes as `nlmsg_pid` into announcements of what was changed here. */
  readonly port: number

  /** Closes the socket; what is under way rejects. Closing twice does nothing. */
  close(): void
}

/** Tells the two outcomes of {@link NetlinkChannel.ask} and {@link NetlinkChannel.dump} apart. */
export function isRefusal(outcome: readonly unknown[] | Refusal): outcome is Refusal {
  return 'errno' in outcome
}
