import { createHash, type Hash } from 'node:crypto'
import { ProbeFailure } from '../verdict.ts'

/** Longest header that is read. */
const maxHeader = 64 * 1024
/** Longest body that is read at all, and the part of it that a regex is looked for in. */
const maxBody = 16 * 1024 * 1024
const maxSearched = 1024 * 1024

const headerEnd = Buffer.from('\r\n\r\n')

/** What is wanted of the body beside its end. */
export interface BodyWishes {
  readonly digest: boolean
  readonly search: boolean
  /** Keep the header, to be asked for by {@link ReplyReader.header}. */
  readonly headers?: boolean
}

/**
 * Reads one answer until the server closes: status, Content-Length, and of the body what is asked for, in bounded
 * memory. Nothing is decoded: digest and regex are about the bytes as they come, chunked or not, as with keepalived.
 */
export class ReplyReader {
  readonly #wishes: BodyWishes
  readonly #hash: Hash | undefined
  readonly #kept: Buffer[] = []
  #keptLength = 0
  #head: Buffer | undefined
  #inBody = false
  #headers: string | ReadonlyMap<string, string> | undefined
  #status = 0
  #contentLength: number | undefined
  #bodyLength = 0

  constructor(wishes: BodyWishes) {
    this.#wishes = wishes
    this.#hash = wishes.digest ? createHash('md5') : undefined
  }

  /** Whether the header was complete; without it there is no answer to speak of. */
  get complete(): boolean {
    return this.#inBody
  }

  get status(): number {
    return this.#status
  }

  /** As the header said; undefined when it did not. */
  get contentLength(): number | undefined {
    return this.#contentLength
  }

  get bodyLength(): number {
    return this.#bodyLength
  }

  /** MD5 of the body, of at most Content-Length bytes. Asked once. */
  digest(): string {
    return this.#hash?.digest('hex') ?? ''
  }

  /** The beginning of the body, at most 1 MiB. */
  body(): Buffer {
    return this.#kept.length === 1 && this.#kept[0] !== undefined ? this.#kept[0] : Buffer.concat(this.#kept)
  }

  /** The beginning of the body without the frames of a chunked one. */
  decodedBody(): Buffer {
    const body = this.body()
    return /(?:^|,)\s*chunked\s*$/i.test(this.header('transfer-encoding') ?? '') ? unchunked(body) : body
  }

  /** A header by its name in lower case; several of them with commas between. Undefined: there is none. */
  header(name: string): string | undefined {
    if (this.#headers === undefined) return undefined
    if (typeof this.#headers !== 'string') return this.#headers.get(name)
    const values: string[] = []
    for (const line of this.#headers.split('\r\n').slice(1)) {
      const colon = line.indexOf(':')
      if (line.slice(0, colon).toLowerCase() === name) values.push(line.slice(colon + 1).trim())
    }
    return values.length === 0 ? undefined : values.join(', ')
  }

  /** Takes a chunk, which is only valid during the call. Throws a {@link ProbeFailure} when this is no answer. */
  take(chunk: Buffer): void {
    if (this.#inBody) {
      this.takeBody(chunk)
      return
    }
    const head = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk])
    const from = Math.max(0, (this.#head?.length ?? 0) - headerEnd.length + 1)
    const end = head.indexOf(headerEnd, from)
    if (end < 0) {
      if (head.length > maxHeader) throw new ProbeFailure('protocol', `header longer than ${maxHeader} bytes`)
      this.#head = this.#head === undefined ? Buffer.from(head) : head
      return
    }
    this.#head = undefined
    this.#readHeader(head.toString('latin1', 0, end))
    if (end + headerEnd.length < head.length) this.takeBody(head.subarray(end + headerEnd.length))
  }

  /** The header was read by somebody else (HTTP/2); the body follows by {@link takeBody}. */
  begin(status: number, contentLength: number | undefined, headers?: ReadonlyMap<string, string>): void {
    this.#headers ??= headers
    this.#inBody = true
    this.#status = status
    this.#contentLength = contentLength
  }

  #readHeader(header: string): void {
    const status = /^HTTP\/\d+\.\d+ +(\d{3})(?!\d)/.exec(header)?.[1]
    if (status === undefined) throw new ProbeFailure('protocol', 'not an HTTP answer')
    if (this.#wishes.headers === true) this.#headers = header
    const length = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*(?:\r\n|$)/i.exec(header)?.[1]
    this.begin(Number(status), length === undefined ? undefined : Number(length))
  }

  /** Takes a piece of the body. Throws a {@link ProbeFailure} when there is too much of it. */
  takeBody(chunk: Buffer): void {
    const before = this.#bodyLength
    this.#bodyLength += chunk.length
    if (this.#bodyLength > maxBody) throw new ProbeFailure('protocol', `body longer than ${maxBody} bytes`)
    if (this.#hash !== undefined) {
      const counted = Math.min(chunk.length, Math.max(0, (this.#contentLength ?? Infinity) - before))
      this.#hash.update(chunk.subarray(0, counted))
    }
    if (this.#wishes.search && this.#keptLength < maxSearched) {
      const part = Buffer.from(chunk.subarray(0, maxSearched - this.#keptLength))
      this.#keptLength += part.length
      this.#kept.push(part)
    }
  }
}

/** RFC 9112 §7.1, as far as it goes: what is cut off or wrong ends it. */
function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = body.indexOf('\r\n', at)
    if (lineEnd < 0) break
    const size = /^([0-9a-f]{1,8})\s*(?:;|$)/i.exec(body.toString('latin1', at, Math.min(lineEnd, at + 256)))?.[1]
    if (size === undefined || Number.parseInt(size, 16) === 0) break
    const from = lineEnd + 2
    const to = from + Number.parseInt(size, 16)
    parts.push(body.subarray(from, to))
    at = to + 2
  }
  return Buffer.concat(parts)
}
