import type { CheckConnection } from '@ipvs-director/config'
import type { Connection } from '../io/port.ts'
import { targetOf } from '../io/target.ts'
import { ProbeFailure } from '../verdict.ts'
import { encodeFrame, errorName, flag, FrameReader, frameType, ours, setting, wrong, type Frame } from './frames.ts'
import { FieldDecoder, type Field } from './hpack.ts'
import { Sender, type Http2Request } from './sender.ts'

/** Takes an answer piece by piece; a {@link ProbeFailure} that it throws ends the request. Names of headers are in lower case. */
export interface Http2Reply {
  begin(status: number, contentLength: number | undefined, headers: ReadonlyMap<string, string>): void
  /** A chunk is only valid during the call. */
  takeBody(chunk: Buffer): void
  takeTrailers?(trailers: ReadonlyMap<string, string>): void
}

/** Longest block of headers. */
const maxHeader = 64 * 1024
/** Frames that carry nothing of the answer. */
const maxIdle = 1000

/**
 * One request over HTTP/2 (RFC 9113) and its answer, over a connection on which nothing was sent yet.
 *
 * Of our own, because Node's can be made to abort the process by whoever answers (`current_nghttp2_memory_ == 0`,
 * `iframe->state == NGHTTP2_IB_IGN_ALL`, both seen with 20.20), and with it all checks in it.
 */
export async function requestHttp2(
  at: CheckConnection,
  connection: Connection,
  request: Http2Request,
  reply: Http2Reply,
): Promise<void> {
  const exchange = new Exchange(request, reply, (data) => {
    connection.write(data)
  })
  exchange.begin()
  if ((await connection.read((chunk) => exchange.take(chunk))) === 'enough') return
  const what = exchange.answered ? 'within the answer' : 'without an answer'
  throw new ProbeFailure('protocol', `closed ${what}: ${targetOf(at).where}`)
}

interface HeaderBlock {
  readonly parts: Buffer[]
  length: number
  /** The answer ends with it. */
  readonly last: boolean
}

class Exchange {
  readonly #reply: Http2Reply
  readonly #write: (data: Buffer) => void
  readonly #frames = new FrameReader()
  readonly #fields = new FieldDecoder()
  readonly #sender: Sender
  #settled = false
  /** That goes on. */
  #block: HeaderBlock | undefined
  #idle = 0
  #expected: number | undefined
  #received = 0
  #answered = false
  #complete = false

  constructor(request: Http2Request, reply: Http2Reply, write: (data: Buffer) => void) {
    this.#sender = new Sender(request)
    this.#reply = reply
    this.#write = write
  }

  /** Whether the header of the answer came. */
  get answered(): boolean {
    return this.#answered
  }

  begin(): void {
    this.#write(this.#sender.begin())
  }

  /** Takes what arrived; true: the answer is complete. */
  take(chunk: Buffer): boolean {
    for (const frame of this.#frames.take(chunk)) {
      if (!this.#settled && (frame.type !== frameType.settings || (frame.flags & flag.ack) !== 0)) {
        throw wrong('the server does not speak it')
      }
      if (this.#block !== undefined && frame.type !== frameType.continuation) throw wrong('an unfinished header')
      this.#takeFrame(frame)
      if (this.#complete) return true
    }
    return false
  }

  #takeFrame(frame: Frame): void {
    switch (frame.type) {
      case frameType.data:
        this.#takeData(frame)
        break
      case frameType.headers:
        this.#takeHeaders(frame)
        break
      case frameType.continuation:
        this.#takeBlock(this.#block, frame.body, frame)
        break
      case frameType.rstStream:
        onStream(frame, ours, 4)
        throw wrong(`stream reset with ${errorName(frame.body.readUInt32BE())}`)
      case frameType.pushPromise:
        throw wrong('a push that was not asked for')
      case frameType.goaway:
        this.#takeGoaway(frame)
        break
      case frameType.settings:
        this.#takeSettings(frame)
        break
      case frameType.ping:
        onStream(frame, 0, 8)
        this.#countIdle()
        if ((frame.flags & flag.ack) === 0) this.#write(encodeFrame(frameType.ping, flag.ack, 0, frame.body))
        break
      case frameType.windowUpdate:
        this.#takeWindow(frame)
        break
      default:
        // PRIORITY, and what nobody knows, mean nothing to us (RFC 9113 §5.5).
        this.#countIdle()
    }
  }

  #takeHeaders(frame: Frame): void {
    let block = unpadded(frame)
    if ((frame.flags & flag.priority) !== 0) {
      if (block.length < 5) throw wrong('a broken frame')
      block = block.subarray(5)
    }
    const begun = { parts: [], length: 0, last: (frame.flags & flag.endStream) !== 0 }
    this.#takeBlock(begun, block, frame)
  }

  #takeBlock(begun: HeaderBlock | undefined, part: Buffer, { stream, flags }: Frame): void {
    if (begun === undefined || stream !== ours) throw wrong('a header that was not asked for')
    begun.parts.push(Buffer.from(part))
    begun.length += part.length
    if (begun.length > maxHeader) throw new ProbeFailure('protocol', `header longer than ${maxHeader} bytes`)
    this.#block = begun
    if (part.length === 0) this.#countIdle()
    if ((flags & flag.endHeaders) === 0) return
    this.#block = undefined
    if (this.#answered && !begun.last) throw wrong('a second header')
    this.#takeFields(this.#fields.decode(Buffer.concat(begun.parts)))
    if (begun.last) this.#end()
  }

  #takeFields(fields: readonly Field[]): void {
    const headers = headersOf(fields)
    if (this.#answered) {
      this.#reply.takeTrailers?.(headers)
      return
    }
    const status = /^\d{3}$/.exec(fields.find(([name]) => name === ':status')?.[1] ?? '')?.[0]
    if (status === undefined) throw wrong('an answer without a status')
    if (status.startsWith('1')) {
      this.#countIdle()
      return
    }
    this.#answered = true
    const length = /^\d{1,15}$/.exec(headers.get('content-length') ?? '')?.[0]
    this.#expected = length === undefined ? undefined : Number(length)
    this.#reply.begin(Number(status), this.#expected, headers)
  }

  #takeData(frame: Frame): void {
    const data = unpadded(frame)
    if (frame.stream !== ours || !this.#answered) throw wrong('a body that was not asked for')
    this.#received += data.length
    if (data.length > 0) this.#reply.takeBody(data)
    if ((frame.flags & flag.endStream) !== 0) this.#end()
    else if (data.length === 0) this.#countIdle()
  }

  #end(): void {
    if (!this.#answered) throw wrong('an answer without a status')
    // HEAD and 304 have the length of what they leave out.
    if (this.#received > 0 && this.#expected !== undefined && this.#received !== this.#expected) {
      throw wrong(`a body of ${this.#received} bytes instead of ${this.#expected}`)
    }
    this.#complete = true
  }

  #takeGoaway(frame: Frame): void {
    if (frame.stream !== 0 || frame.body.length < 8) throw wrong('a broken frame')
    const last = frame.body.readUInt32BE() & 0x7fffffff
    const code = frame.body.readUInt32BE(4)
    if (code !== 0 || last < ours) throw wrong(`the server goes away with ${errorName(code)}`)
    this.#countIdle()
  }

  #takeSettings(frame: Frame): void {
    this.#countIdle()
    this.#settled = true
    if (frame.stream !== 0 || frame.body.length % 6 !== 0) throw wrong('a broken frame')
    if ((frame.flags & flag.ack) !== 0) return
    for (let at = 0; at < frame.body.length; at += 6) {
      if (frame.body.readUInt16BE(at) !== setting.initialWindowSize) continue
      this.#sender.settle(frame.body.readUInt32BE(at + 2))
    }
    this.#write(Buffer.concat([encodeFrame(frameType.settings, flag.ack, 0, Buffer.alloc(0)), ...this.#sender.body()]))
  }

  #takeWindow(frame: Frame): void {
    this.#countIdle()
    onStream(frame, frame.stream === 0 ? 0 : ours, 4)
    this.#sender.enlarge(frame.stream, frame.body.readUInt32BE() & 0x7fffffff)
    for (const piece of this.#sender.body()) this.#write(piece)
  }

  /** Of these a server could send any number, and have answers to some. */
  #countIdle(): void {
    if (++this.#idle > maxIdle) throw wrong('a flood of frames')
  }
}

/** RFC 9113 §6.1. */
function unpadded({ flags, body }: Frame): Buffer {
  if ((flags & flag.padded) === 0) return body
  const padding = body[0]
  if (padding === undefined || padding >= body.length) throw wrong('a broken frame')
  return body.subarray(1, body.length - padding)
}

function onStream({ stream, body }: Frame, wanted: number, length: number): void {
  if (stream !== wanted || body.length !== length) throw wrong('a broken frame')
}

function headersOf(fields: readonly Field[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of fields) {
    if (name.startsWith(':')) continue
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}
