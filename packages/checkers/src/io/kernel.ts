import type { CheckConnection } from '@ipvs-director/config'
import { familyOf } from '@ipvs-director/core'
import { openConnection, type ConnectionListener, type PolledConnection } from '@ipvs-director/linux'
import { Socket } from 'node:net'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { systemFailure } from './failure.ts'
import { addressOf, ownFailure, prepare } from './prepare.ts'
import { AF_INET, AF_INET6 } from './sockaddr.ts'
import { ProbeStream, type Wire } from './stream.ts'
import { metItself, targetOf, type Target } from './target.ts'

/** A TCP connection over the addon's poller: cheaper than node:net, and it takes marks and interfaces. */
export function connectKernel(at: CheckConnection, attempt: Attempt, reads = true): Promise<ProbeStream> {
  const stream = new ProbeStream(targetOf(at).where, attempt)
  const wire = new KernelWire(stream, at)
  const opening = stream.open(wire)
  wire.connect(reads)
  return opening
}

/** A connection made the same way, given to node:net (for TLS in it). */
export async function connectHandedOver(at: CheckConnection, attempt: Attempt): Promise<Socket> {
  const stream = new ProbeStream(targetOf(at).where, attempt)
  const wire = new KernelWire(stream, at)
  const opening = stream.open(wire)
  wire.connect(false)
  await opening
  const socket = new Socket({ fd: wire.detach(), readable: true, writable: true, allowHalfOpen: true })
  stream.close()
  return socket
}

/** Who is told of a connection: a {@link ProbeStream}, or what is between it and the connection. */
export type Hearer = Pick<ProbeStream, 'where' | 'opened' | 'arrived' | 'ended' | 'broke'>

export class KernelWire implements Wire, ConnectionListener {
  readonly #stream: Hearer
  readonly #at: CheckConnection
  #socket: PolledConnection | undefined
  #unsent: Buffer | undefined
  #connecting = true

  constructor(stream: Hearer, at: CheckConnection) {
    this.#stream = stream
    this.#at = at
  }

  connect(reads: boolean): void {
    const at = this.#at
    try {
      this.#socket = openConnection(familyOf(at.address) === 'inet' ? AF_INET : AF_INET6, this)
      prepare(this.#socket, at)
    } catch (error) {
      this.#stream.broke(ownFailure(error, this.#stream.where))
      return
    }
    try {
      this.#socket.connect(addressOf(at), reads)
    } catch (error) {
      this.#stream.broke(systemFailure(error, this.#stream.where, true))
    }
  }

  data(chunk: Buffer): void {
    this.#stream.arrived(chunk)
  }

  ended(): void {
    this.#stream.ended()
  }

  failed(error: Error): void {
    this.#stream.broke(systemFailure(error, this.#stream.where))
  }

  /** A connect that failed comes as an error, so the first of these is its success. */
  writable(): void {
    if (!this.#connecting) this.#flush()
    else if (this.#socket !== undefined && isItself(targetOf(this.#at), this.#socket))
      this.#stream.broke(new ProbeFailure('refused', `${metItself}: ${this.#stream.where}`))
    else {
      this.#connecting = false
      this.#stream.opened()
    }
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : Buffer.from(data)
    this.#unsent = this.#unsent === undefined ? bytes : Buffer.concat([this.#unsent, bytes])
    this.#flush()
  }

  #flush(): void {
    const socket = this.#socket
    if (socket === undefined || this.#unsent === undefined) return
    try {
      const taken = socket.send(this.#unsent)
      this.#unsent = taken === this.#unsent.length ? undefined : this.#unsent.subarray(Math.max(taken, 0))
    } catch (error) {
      this.#stream.broke(systemFailure(error, this.#stream.where))
    }
  }

  pause(): void {
    this.#socket?.watch(false)
  }

  resume(): void {
    this.#socket?.watch(true)
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  detach(): number {
    const fd = this.#socket?.detach() ?? -1
    this.#socket = undefined
    return fd
  }
}

/** See {@link metItself}. */
export function isItself(target: Target, socket: Pick<PolledConnection, 'getsockname'>): boolean {
  if (!target.ephemeral) return false
  const local = socket.getsockname()
  // Family, port (, flow) and address; what follows is padding or scope.
  const length = local.length === 16 ? 8 : 24
  return local.subarray(0, length).equals(target.sockaddr.subarray(0, length))
}
