import { nativePoller, type NativePoller, type SystemError } from './native.ts'
import { chunkBytes, entryNumbers, eventsAtOnce, is, systemError } from './poller-entries.ts'

/** What happens on a {@link PolledConnection}. Up to 64 of them come in one call, before any microtask. */
export interface ConnectionListener {
  /** Connected; later: what could not be sent at once may be tried again. Also comes without having been asked for. */
  writable(): void
  /** A chunk, which is only valid during the call. */
  data(chunk: Buffer): void
  /** The peer has ended. */
  ended(): void
  /** Nothing more will come. */
  failed(error: SystemError): void
}

/** A connection of many: what is ready is told by one call from the kernel's side for up to 64 of them. */
export interface PolledConnection {
  setsockopt(level: number, option: number, value: Uint8Array): void
  bind(address: Uint8Array): void
  /**
   * Once. Throws when the kernel refuses at once; else the listener hears how it went. Nothing is read before
   * `watch(true)` where `reads` is false.
   */
  connect(address: Uint8Array, reads?: boolean): void
  /** In place of `connect`, for a connection that begins with what we say. Throws as it does; nothing is told before `ask`. */
  begin(address: Uint8Array): void
  /**
   * After `begin`: returns the bytes taken, or -1 when it is not connected yet. The rest is up to the caller, once it is writable.
   * Throws what the server, or the way to it, answered already.
   */
  ask(request: Uint8Array): number
  getsockname(): Buffer
  /** Returns the bytes taken, or -1 when none can be taken now. */
  send(data: Uint8Array): number
  /** Off: data waits in the kernel; an error is told all the same. */
  watch(on: boolean): void
  /** Gives the open descriptor away. */
  detach(): number
  /** Nothing is told any more. Closing twice does nothing. */
  close(): void
}

/** linux/net.h */
const SOCK_STREAM = 1
/** Opens a TCP socket of this domain (AF_INET 2, AF_INET6 10). Throws a {@link SystemError} when the kernel refuses. */
export function openConnection(domain: number, listener: ConnectionListener): PolledConnection {
  shared ??= new Poller()
  return shared.open(domain, listener)
}

/** One for each thread, as its module. */
let shared: Poller | undefined

class Poller {
  readonly native: NativePoller
  readonly #connections = new Map<number, Connection>()
  readonly #entries = new Int32Array(eventsAtOnce * entryNumbers)
  readonly #data = Buffer.allocUnsafeSlow(eventsAtOnce * chunkBytes)
  #token = 0

  constructor() {
    this.native = nativePoller(
      (count) => {
        this.#turn(count)
      },
      this.#entries,
      this.#data,
    )
    this.native.unref()
  }

  open(domain: number, listener: ConnectionListener): Connection {
    const fd = this.native.open(domain, SOCK_STREAM, 0)
    do this.#token = (this.#token + 1) & 0x7fffffff
    while (this.#connections.has(this.#token))
    const connection = new Connection(this, this.#token, fd, listener)
    this.#connections.set(this.#token, connection)
    if (this.#connections.size === 1) this.native.ref()
    return connection
  }

  forget(token: number): void {
    if (this.#connections.delete(token) && this.#connections.size === 0) this.native.unref()
  }

  #turn(count: number): void {
    const entries = this.#entries
    for (let at = 0; at < count * entryNumbers; at += entryNumbers) {
      const connection = this.#connections.get(entries[at] ?? 0)
      if (connection === undefined) continue
      const offset = entries[at + 2] ?? 0
      const length = entries[at + 3] ?? 0
      try {
        connection.hear(entries[at + 1] ?? 0, length, this.#data, offset)
      } catch (error) {
        // As from any other event: an uncaughtException, and the others of this turn are heard.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

class Connection implements PolledConnection {
  readonly #poller: Poller
  readonly #token: number
  readonly #listener: ConnectionListener
  #fd: number

  constructor(poller: Poller, token: number, fd: number, listener: ConnectionListener) {
    this.#poller = poller
    this.#token = token
    this.#fd = fd
    this.#listener = listener
  }

  /** `length`: of the data, or the errno. The listener may close at any point. */
  hear(what: number, length: number, data: Buffer, offset: number): void {
    const listener = this.#listener
    if ((what & is.failed) !== 0) {
      listener.failed(systemError(length, 'poll'))
      return
    }
    if ((what & is.writable) !== 0) listener.writable()
    if ((what & is.data) !== 0 && this.#fd >= 0) listener.data(data.subarray(offset, offset + length))
    if ((what & is.ended) !== 0 && this.#fd >= 0) listener.ended()
  }

  setsockopt(level: number, option: number, value: Uint8Array): void {
    this.#poller.native.setsockopt(this.#fd, level, option, value)
  }

  bind(address: Uint8Array): void {
    this.#poller.native.bind(this.#fd, address)
  }

  connect(address: Uint8Array, reads = true): void {
    this.#poller.native.connect(this.#fd, this.#token, address, reads)
  }

  begin(address: Uint8Array): void {
    this.#poller.native.begin(this.#fd, address)
  }

  ask(request: Uint8Array): number {
    return this.#poller.native.ask(this.#fd, this.#token, request)
  }

  getsockname(): Buffer {
    return this.#poller.native.getsockname(this.#fd)
  }

  send(data: Uint8Array): number {
    return this.#poller.native.send(this.#fd, data)
  }

  watch(on: boolean): void {
    if (this.#fd >= 0) this.#poller.native.watch(this.#fd, this.#token, on)
  }

  detach(): number {
    const fd = this.#fd
    this.#fd = -1
    if (fd < 0) return fd
    this.#poller.native.detach(fd)
    this.#poller.forget(this.#token)
    return fd
  }

  close(): void {
    const fd = this.#fd
    if (fd < 0) return
    this.#fd = -1
    this.#poller.native.close(fd)
    this.#poller.forget(this.#token)
  }
}
