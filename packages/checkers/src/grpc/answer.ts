import type { Http2Reply } from '../http2/exchange.ts'
import { ProbeFailure } from '../verdict.ts'

/** Longest answer that is read. */
const maxAnswer = 1024 * 1024

/** All of an answer: its status, its headers and trailers, and its body. */
export class GrpcAnswer implements Http2Reply {
  readonly #headers = new Map<string, string>()
  readonly #parts: Buffer[] = []
  #length = 0
  #status = 0

  /** Of HTTP. */
  get status(): number {
    return this.#status
  }

  /** A header or trailer by its name in lower case. */
  header(name: string): string | undefined {
    return this.#headers.get(name)
  }

  body(): Buffer {
    return Buffer.concat(this.#parts)
  }

  begin(status: number, _contentLength: number | undefined, headers: ReadonlyMap<string, string>): void {
    this.#status = status
    this.takeTrailers(headers)
  }

  takeTrailers(trailers: ReadonlyMap<string, string>): void {
    for (const [name, text] of trailers) this.#headers.set(name, text)
  }

  takeBody(chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length > maxAnswer) throw new ProbeFailure('protocol', `answer longer than ${maxAnswer} bytes`)
    this.#parts.push(Buffer.from(chunk))
  }
}
