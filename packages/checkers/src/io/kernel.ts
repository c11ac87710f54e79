import type { CheckConnection } from '@ipvs-director/config'
import { familyOf, type Address } from '@ipvs-director/core'
import { openSocket, type KernelSocket, type SocketListener, type SocketOptions } from '@ipvs-director/linux'
import { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { systemFailure } from './failure.ts'
import { AF_INET, AF_INET6, int, sockaddr } from './sockaddr.ts'
import { ProbeStream, type Wire } from './stream.ts'
import { metItself, targetOf } from './target.ts'

/** asm-generic/socket.h, linux/in.h, linux/in6.h. */
const SOCK_STREAM = 1
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BINDTODEVICE = 25
const SO_MARK = 36
const IPPROTO_IP = 0
const IP_BIND_ADDRESS_NO_PORT = 24

/** `bufferBytes`: the longest chunk read at once, allocated for each socket while it is open. */
const tcp4: SocketOptions = { domain: AF_INET, type: SOCK_STREAM, protocol: 0, bufferBytes: 16 * 1024 }
const tcp6: SocketOptions = { ...tcp4, domain: AF_INET6 }

/** Whether a connection needs what node:net cannot: a mark on its packets, or an interface to go through. */
export function needsKernelSocket(at: CheckConnection): boolean {
  return at.fwmark !== 0 || at.bindInterface !== undefined
}

/** A TCP connection over the addon's socket: cheaper than node:net, and it takes marks and interfaces. */
export function connectKernel(at: CheckConnection, attempt: Attempt): Promise<ProbeStream> {
  const stream = new ProbeStream(targetOf(at).where, attempt, true)
  const wire = new KernelWire(stream, at)
  const opening = stream.open(wire)
  wire.connect()
  return opening
}

/** A connection made the same way, given to node:net (for TLS in it). */
export async function connectHandedOver(at: CheckConnection, attempt: Attempt): Promise<Socket> {
  const stream = new ProbeStream(targetOf(at).where, attempt, true)
  const wire = new KernelWire(stream, at)
  const opening = stream.open(wire)
  wire.connect()
  await opening
  const socket = new Socket({ fd: wire.detach(), readable: true, writable: true, allowHalfOpen: true })
  stream.close()
  return socket
}

class KernelWire implements Wire, SocketListener {
  readonly #stream: ProbeStream
  readonly #at: CheckConnection
  #socket: KernelSocket | undefined
  #unsent: Buffer | undefined
  #connecting = true

  constructor(stream: ProbeStream, at: CheckConnection) {
    this.#stream = stream
    this.#at = at
  }

  connect(): void {
    const at = this.#at
    try {
      this.#socket = openSocket(familyOf(at.address) === 'inet' ? tcp4 : tcp6, this)
      if (isSpecial(at)) prepare(this.#socket, at)
    } catch (error) {
      this.#stream.broke(ownFailure(error, this.#stream.where))
      return
    }
    try {
      const scope = scopeOf(at)
      this.#socket.connect(scope === 0 ? targetOf(at).sockaddr : sockaddr(at.address, at.port, scope))
      this.#socket.awaitWritable()
    } catch (error) {
      this.#stream.broke(systemFailure(error, this.#stream.where, true))
    }
  }

  message(data: Buffer): void {
    if (data.length === 0) this.#stream.ended()
    else this.#stream.arrived(data)
  }

  error(error: Error): void {
    this.#stream.broke(systemFailure(error, this.#stream.where))
  }

  /** A connect that failed comes as an error, so the first of these is its success. */
  writable(): void {
    if (!this.#connecting) this.#flush()
    else if (this.#isItself()) this.#stream.broke(new ProbeFailure('refused', `${metItself}: ${this.#stream.where}`))
    else {
      this.#connecting = false
      this.#stream.opened()
    }
  }

  #isItself(): boolean {
    const target = targetOf(this.#at)
    if (!target.ephemeral || this.#socket === undefined) return false
    const local = this.#socket.getsockname()
    // Family, port (, flow) and address; what follows is padding or scope.
    const length = local.length === 16 ? 8 : 24
    return local.subarray(0, length).equals(target.sockaddr.subarray(0, length))
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data)
    this.#unsent = this.#unsent === undefined ? bytes : Buffer.concat([this.#unsent, bytes])
    this.#flush()
  }

  #flush(): void {
    const socket = this.#socket
    if (socket === undefined || this.#unsent === undefined) return
    try {
      const taken = socket.send(this.#unsent)
      this.#unsent = taken === this.#unsent.length ? undefined : this.#unsent.subarray(Math.max(taken, 0))
      if (this.#unsent !== undefined) socket.awaitWritable()
    } catch (error) {
      this.#stream.broke(systemFailure(error, this.#stream.where))
    }
  }

  pause(): void {
    this.#socket?.stop()
  }

  resume(): void {
    this.#socket?.start()
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

const isSpecial = (at: CheckConnection): boolean =>
  needsKernelSocket(at) || at.bindAddress !== undefined || at.bindPort !== undefined

/** Mark, interface and local address, before connecting. */
function prepare(socket: KernelSocket, at: CheckConnection): void {
  if (at.fwmark !== 0) socket.setsockopt(SOL_SOCKET, SO_MARK, int(at.fwmark))
  if (at.bindInterface !== undefined) {
    socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${at.bindInterface}\0`))
  }
  if (at.bindAddress === undefined && at.bindPort === undefined) return
  if (at.bindPort === undefined) socket.setsockopt(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, int(1))
  else socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, int(1))
  const any = (familyOf(at.address) === 'inet' ? '0.0.0.0' : '::') as Address
  const local = at.bindAddress ?? any
  socket.bind(sockaddr(local, at.bindPort ?? 0, local.startsWith('fe80:') ? scopeOf(at) : 0))
}

/** A link-local address means nothing without its interface. */
function scopeOf(at: CheckConnection): number {
  if (at.bindInterface === undefined || !/^fe[89ab]/.test(at.address)) return 0
  return networkInterfaces()[at.bindInterface]?.find((entry) => entry.family === 'IPv6')?.scopeid ?? 0
}

function ownFailure(error: unknown, where: string): ProbeFailure {
  const failure = systemFailure(error, where)
  return new ProbeFailure('local', `no socket for it: ${failure.message}`, error)
}
