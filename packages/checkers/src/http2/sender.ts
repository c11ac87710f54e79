import { userAgent } from '../http/request.ts'
import { encodeFrame, flag, frameType, maxFrame, ours, setting, wrong } from './frames.ts'
import { encodeFields, type Field } from './hpack.ts'

/** What is asked for. */
export interface Http2Request {
  readonly scheme: 'http' | 'https'
  readonly method: string
  readonly path: string
  /** `:authority` */
  readonly host: string
  /** As `Name: value`. */
  readonly headers: readonly string[]
  readonly body: string | Uint8Array | undefined
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
/** What either side may send before it is told more. */
const usualWindow = 65_535
/** More than any answer that is read to its end, so it is never enlarged. */
const window = 2 ** 26
const maxWindow = 2 ** 31 - 1

/** Our side: what there is to send, as far as the server has room for it (RFC 9113 §5.2). */
export class Sender {
  readonly #request: Http2Request
  /** Of the body. */
  #rest: Buffer
  #connectionWindow = usualWindow
  #streamWindow = usualWindow
  #initialWindow = usualWindow

  constructor(request: Http2Request) {
    this.#request = request
    this.#rest = Buffer.from(request.body ?? '')
  }

  /** Everything until the server has to say something. */
  begin(): Buffer {
    const settings = Buffer.alloc(12)
    settings.writeUInt16BE(setting.enablePush, 0)
    settings.writeUInt16BE(setting.initialWindowSize, 6)
    settings.writeUInt32BE(window, 8)
    const more = Buffer.alloc(4)
    more.writeUInt32BE(window - usualWindow)
    return Buffer.concat([
      Buffer.from(preface),
      encodeFrame(frameType.settings, 0, 0, settings),
      encodeFrame(frameType.windowUpdate, 0, 0, more),
      ...this.#header(),
      ...this.body(),
    ])
  }

  #header(): Buffer[] {
    const { scheme, method, path, host, headers, body } = this.#request
    const length: Field[] = body === undefined ? [] : [['content-length', String(this.#rest.length)]]
    const block = encodeFields([
      [':method', method],
      [':scheme', scheme],
      [':authority', host],
      [':path', path],
      ['user-agent', userAgent],
      ...headers.map(fieldOf),
      ...length,
    ])
    const frames: Buffer[] = []
    for (let at = 0; at < block.length; at += maxFrame) {
      const type = at === 0 ? frameType.headers : frameType.continuation
      const end = at + maxFrame >= block.length ? flag.endHeaders : 0
      const last = at === 0 && this.#rest.length === 0 ? flag.endStream : 0
      frames.push(encodeFrame(type, end | last, ours, block.subarray(at, at + maxFrame)))
    }
    return frames
  }

  /** As much of the body as the server lets us send. */
  body(): Buffer[] {
    const frames: Buffer[] = []
    for (;;) {
      const room = Math.min(this.#rest.length, this.#connectionWindow, this.#streamWindow, maxFrame)
      if (room <= 0) return frames
      const piece = this.#rest.subarray(0, room)
      this.#rest = this.#rest.subarray(room)
      this.#connectionWindow -= room
      this.#streamWindow -= room
      frames.push(encodeFrame(frameType.data, this.#rest.length === 0 ? flag.endStream : 0, ours, piece))
    }
  }

  /** The window of new streams, which is also what ours began with. */
  settle(size: number): void {
    this.#streamWindow += size - this.#initialWindow
    this.#initialWindow = size
    this.#check(size)
  }

  /** There is room for more in our stream, or on the connection (0). */
  enlarge(stream: number, more: number): void {
    if (stream === 0) this.#connectionWindow += more
    else this.#streamWindow += more
    this.#check(more)
  }

  #check(given: number): void {
    if (Math.max(given, this.#connectionWindow, this.#streamWindow) > maxWindow) throw wrong('a window too large')
  }
}

function fieldOf(header: string): Field {
  const colon = header.indexOf(':')
  return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()]
}
