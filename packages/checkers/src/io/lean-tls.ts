import type { CheckConnection } from '@ipvs-director/config'
import { describeError, errorCode } from '@ipvs-director/core'
import { openTlsSession, tlsAvailable, type TlsSession } from '@ipvs-director/linux'
import { DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION } from 'node:tls'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { KernelWire, type Hearer } from './kernel.ts'
import type { TlsWish } from './port.ts'
import { ProbeStream, type Wire } from './stream.ts'
import { targetOf } from './target.ts'
import { ciphers, sessionFailure } from './tls.ts'

/**
 * Whether node:tls is not needed: nothing is asked of the server's certificate or of what it speaks, we have no certificate of
 * our own, and Node.js was not told (`--tls-min-v1.3` and the like) to speak other versions than sessions do.
 */
export function isLean({ verify, material, protocol }: TlsWish): boolean {
  return (
    verify === undefined && material === undefined && protocol === undefined && usualVersions && tlsAvailable(ciphers)
  )
}

const usualVersions = DEFAULT_MIN_VERSION === 'TLSv1.2' && DEFAULT_MAX_VERSION === 'TLSv1.3'

/** A TLS session over the addon's poller, without node:net and node:tls around it. */
export function connectLean(at: CheckConnection, attempt: Attempt, wish: TlsWish): Promise<ProbeStream> {
  const stream = new ProbeStream(targetOf(at).where, attempt)
  const wire = new LeanWire(stream, at, attempt, wish)
  const opening = stream.open(wire)
  wire.connect()
  return opening
}

/** Used by all sessions: what is in them is consumed before the next one is asked. */
const opened = Buffer.allocUnsafeSlow(16 * 1024)
const sealed = Buffer.allocUnsafeSlow(16 * 1024)

/** Between a stream of plain bytes and a connection of sealed ones. */
class LeanWire implements Wire, Hearer {
  readonly #stream: ProbeStream
  readonly #attempt: Attempt
  readonly #wish: TlsWish
  readonly #connection: KernelWire
  #session: TlsSession | undefined
  #open = false

  constructor(stream: ProbeStream, at: CheckConnection, attempt: Attempt, wish: TlsWish) {
    this.#stream = stream
    this.#attempt = attempt
    this.#wish = wish
    this.#connection = new KernelWire(this, at)
  }

  get where(): string {
    return this.#stream.where
  }

  connect(): void {
    this.#connection.connect(true)
  }

  opened(): void {
    this.#stream.waitingFor('no end of the TLS handshake with')
    this.#attempt.step()
    try {
      this.#session = openTlsSession(this.#wish.serverName)
    } catch (error) {
      this.broke(new ProbeFailure('local', `no TLS session: ${describeError(error)}: ${this.where}`, error))
      return
    }
    this.#with((session) => {
      this.#shake(session)
    })
  }

  arrived(chunk: Buffer): boolean {
    this.#with((session) => {
      session.feed(chunk)
      if (!this.#open) this.#shake(session)
      else {
        this.#hand(session)
        this.#send(session)
      }
    })
    return true
  }

  ended(): void {
    if (this.#open) this.#stream.ended()
    else this.broke(new ProbeFailure('tls', `closed within the TLS handshake: ${this.where}`))
  }

  broke(failure: ProbeFailure): void {
    this.#stream.broke(failure)
  }

  write(data: string | Uint8Array): void {
    this.#with((session) => {
      session.write(typeof data === 'string' ? Buffer.from(data, 'utf8') : data)
      this.#send(session)
    })
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  /** `tls_compliant`: says close_notify; the peer's answer to it is not waited for. */
  close(): void {
    if (this.#wish.compliant && this.#open) {
      this.#with((session) => {
        session.shutdown()
        this.#send(session)
      })
    }
    this.#connection.close()
    this.#forget()
  }

  #shake(session: TlsSession): void {
    this.#open = session.handshake()
    if (!this.#open) {
      this.#send(session)
      return
    }
    this.#stream.opened()
    // Once the probe had its turn: what it writes at once goes out with the end of the handshake.
    queueMicrotask(() => {
      process.nextTick(() => {
        this.#send(session)
      })
    })
    this.#hand(session)
  }

  /** All there is, whether the stream wants a pause or not: that is no more than came in one chunk. */
  #hand(session: TlsSession): void {
    while (this.#session === session) {
      const length = session.read(opened)
      if (length < 0) return
      if (length > 0) this.#stream.arrived(opened.subarray(0, length))
      else {
        this.#stream.ended()
        return
      }
    }
  }

  #send(session: TlsSession): void {
    let more = true
    while (more && this.#session === session) {
      const length = session.take(sealed)
      if (length > 0) this.#connection.write(sealed.subarray(0, length))
      more = length === sealed.length
    }
  }

  #with(work: (session: TlsSession) => void): void {
    const session = this.#session
    if (session === undefined) return
    try {
      work(session)
    } catch (error) {
      if (errorCode(error) !== 'ERR_SSL' || !(error instanceof Error)) throw error
      this.#send(session) // an alert
      this.#forget()
      this.broke(sessionFailure(error, this.where, true, false))
    }
  }

  #forget(): void {
    this.#session?.close()
    this.#session = undefined
  }
}
