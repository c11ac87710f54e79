import type { CheckConnection } from '@ipvs-director/config'
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { endFailure, systemFailure } from './failure.ts'
import type { Exchanged, ExchangeWish, TlsWish } from './port.ts'
import { targetOf } from './target.ts'
import { checkSession, openSession, sessionFailure, type Contexts } from './tls.ts'

/** Longest answer that is read. */
const maxAnswer = 1024 * 1024

interface Means {
  readonly contexts: Contexts
  /** Connected already, where node:net cannot do it. */
  readonly socket: Socket | undefined
}

/** One POST over HTTP/2 and its whole answer, trailers among the headers; without TLS by prior knowledge (RFC 9113 §3.3). */
export function exchangeHttp2(
  at: CheckConnection,
  attempt: Attempt,
  tls: TlsWish | undefined,
  wish: ExchangeWish,
  means: Means,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    new Exchange(at, attempt, resolve, reject).begin(tls, wish, means)
  })
}

class Exchange {
  readonly #at: CheckConnection
  readonly #where: string
  readonly #attempt: Attempt
  readonly #resolve: (answer: Exchanged) => void
  readonly #reject: (failure: ProbeFailure) => void
  #socket: Socket | undefined
  #session: ClientHttp2Session | undefined
  #waiting = 'no connection to'
  #remark: string | undefined
  #over = false

  constructor(
    at: CheckConnection,
    attempt: Attempt,
    resolve: (answer: Exchanged) => void,
    reject: (failure: ProbeFailure) => void,
  ) {
    this.#at = at
    this.#where = targetOf(at).where
    this.#attempt = attempt
    this.#resolve = resolve
    this.#reject = reject
  }

  begin(tls: TlsWish | undefined, wish: ExchangeWish, { contexts, socket }: Means): void {
    this.#attempt.onEnd = (why) => {
      this.#fail(endFailure(why, `${this.#waiting} ${this.#where}`, this.#attempt))
    }
    try {
      if (tls === undefined) this.#plain(socket, wish)
      else
        this.#secure(
          openSession(this.#at, tls, contexts, { socket, protocols: ['h2'] }),
          socket !== undefined,
          tls,
          wish,
        )
    } catch (error) {
      this.#fail(error instanceof ProbeFailure ? error : systemFailure(error, this.#where, true))
    }
  }

  #plain(given: Socket | undefined, wish: ExchangeWish): void {
    const { address, port, bindAddress, bindPort } = this.#at
    const socket =
      given ??
      connect({
        host: address,
        port,
        ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
        ...(bindPort === undefined ? {} : { localPort: bindPort }),
      })
    this.#watch(socket, (error, atOnce) => systemFailure(error, this.#where, atOnce))
    if (given !== undefined) this.#request(socket, wish)
    else {
      socket.once('connect', () => {
        this.#step('no answer from')
        this.#request(socket, wish)
      })
    }
  }

  #secure(session: TLSSocket, handedOver: boolean, tls: TlsWish, wish: ExchangeWish): void {
    let connected = handedOver
    this.#watch(session, (error, atOnce) => sessionFailure(error, this.#where, connected, atOnce))
    session.once('connect', () => {
      connected = true
      this.#step('no end of the TLS handshake with')
    })
    session.once('secureConnect', () => {
      this.#step('no answer from')
      try {
        if (session.alpnProtocol !== 'h2') throw new ProbeFailure('tls', 'the server does not speak HTTP/2')
        this.#remark = checkSession(session, tls, this.#at)
      } catch (error) {
        if (!(error instanceof ProbeFailure)) throw error
        this.#fail(new ProbeFailure(error.class, `${error.message}: ${this.#where}`, error))
        return
      }
      this.#request(session, wish)
    })
  }

  #watch(socket: Socket, failureOf: (error: Error, atOnce: boolean) => ProbeFailure): void {
    this.#socket = socket
    let atOnce = false
    process.nextTick(() => {
      atOnce = socket.destroyed
    })
    socket.on('error', (error) => {
      this.#fail(failureOf(error, atOnce))
    })
  }

  #request(socket: Socket, { path, host, headers, body }: ExchangeWish): void {
    if (this.#over) return
    const session = connectHttp2('http://server', { createConnection: () => socket, maxSessionMemory: 2 })
    this.#session = session
    const failure = (error: Error): void => {
      this.#fail(new ProbeFailure('protocol', `HTTP/2: ${error.message}: ${this.#where}`, error))
    }
    session.on('error', failure)
    session.on('close', () => {
      this.#fail(new ProbeFailure('protocol', `closed without an answer: ${this.#where}`))
    })
    const answer = { status: 0, headers: new Map<string, string>(), parts: [] as Buffer[], length: 0 }
    const stream = session.request({ ':method': 'POST', ':path': path, ':authority': host, ...headers })
    stream.on('error', failure)
    stream.on('response', (received) => {
      answer.status = received[':status'] ?? 0
      keep(answer.headers, received)
      this.#step('no end of the answer from')
    })
    stream.on('trailers', (received: IncomingHttpHeaders) => {
      keep(answer.headers, received)
    })
    stream.on('data', (chunk: Buffer) => {
      this.#attempt.step()
      answer.parts.push(chunk)
      answer.length += chunk.length
      if (answer.length > maxAnswer) {
        this.#fail(new ProbeFailure('protocol', `answer longer than ${maxAnswer} bytes from ${this.#where}`))
      }
    })
    stream.on('close', () => {
      if (answer.status === 0) this.#fail(new ProbeFailure('protocol', `closed without an answer: ${this.#where}`))
      this.#done({ ...answer, body: Buffer.concat(answer.parts), remark: this.#remark })
    })
    stream.end(body)
  }

  #step(waiting: string): void {
    this.#waiting = waiting
    this.#attempt.step()
  }

  #done(answer: Exchanged): void {
    if (this.#over) return
    this.#close()
    this.#resolve(answer)
  }

  #fail(failure: ProbeFailure): void {
    if (this.#over) return
    this.#close()
    this.#reject(failure)
  }

  #close(): void {
    this.#over = true
    this.#attempt.onEnd = undefined
    this.#session?.destroy()
    this.#socket?.destroy()
  }
}

function keep(into: Map<string, string>, headers: IncomingHttpHeaders): void {
  for (const [name, text] of Object.entries(headers)) {
    if (text !== undefined && !name.startsWith(':')) into.set(name, Array.isArray(text) ? text.join(', ') : text)
  }
}
