import type { Exchange, ExchangeReader } from '../io/port.ts'
import type { Fault } from '../verdict.ts'
import { faultOf, wishesOf } from './judge.ts'
import type { HttpUrl } from './options.ts'
import { ReplyReader } from './reply.ts'
import { requestText, type HttpProtocol } from './request.ts'

/** One url asked by HTTP/1, as a request that is known before. */
export class HttpExchange implements Exchange {
  readonly #url: HttpUrl
  readonly #protocol: HttpProtocol

  constructor(url: HttpUrl, protocol: HttpProtocol) {
    this.#url = url
    this.#protocol = protocol
  }

  request(host: string): string {
    const { method, path, headers, body, host: wished } = this.#url
    return requestText({ method, path, headers, body, host: wished ?? host }, this.#protocol)
  }

  reader(): ExchangeReader {
    return new Answer(this.#url)
  }
}

class Answer extends ReplyReader implements ExchangeReader {
  readonly #url: HttpUrl

  constructor(url: HttpUrl) {
    super(wishesOf(url))
    this.#url = url
  }

  fault(): Fault | undefined {
    return faultOf(this.#url, this)
  }
}
