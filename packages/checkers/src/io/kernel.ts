import type { CheckConnection } from '@ipvs-director/config'
import { familyOf, formatEndpoint, type Address } from '@ipvs-director/core'
import { openSocket, type KernelSocket } from '@ipvs-director/linux'
import { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { systemFailure } from './failure.ts'
import { AF_INET, AF_INET6, int, readInt, sockaddr } from './sockaddr.ts'
import { ProbeStream, type Wire } from './stream.ts'

/** asm-generic/socket.h, linux/in.h, linux/in6.h. */
const SOCK_STREAM = 1
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_ERROR = 4
const SO_BINDTODEVICE = 25
const SO_MARK = 36
const IPPROTO_IP = 0
const IP_BIND_ADDRESS_NO_PORT = 24

/** Longest chunk read at once; allocated for each socket while it is open. */
const chunkBytes = 16 * 1024

/** Whether a connection needs what node:net cannot: a mark on its packets, or an interface to go through. */
export function needsKernelSocket(at: CheckConnection): boolean {
  return at.fwmark !== 0 || at.bindInterface !== undefined
}

/** A TCP connection over the addon's socket: cheaper than node:net, and it takes marks and interfaces. */
export function connectKernel(at: CheckConnection, attempt: Attempt): Promise<ProbeStream> {
  const stream = new ProbeStream(formatEndpoint(at), attempt, true)
  const wire = new KernelWire(stream, at)
  const opening = stream.open(wire)
  wire.connect()
  return opening
}

/** A connection made the same way, given to node:net (for TLS in it). */
export async function connectHandedOver(at: CheckConnection, attempt: Attempt): Promise<Socket> {
  const stream = new ProbeStream(formatEndpoint(at), attempt, true)
  const wire = new KernelWire(stream, at)
  const opening = stream.open(wire)
  wire.connect()
  await opening
  const socket = new Socket({ fd: wire.detach(), readable: true, writable: true, allowHalfOpen: true })
  stream.close()
  return socket
}

class KernelWire implements Wire {
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
      const socket = openSocket(
        {
          domain: familyOf(at.address) === 'inet' ? AF_INET : AF_INET6,
          type: SOCK_STREAM,
          protocol: 0,
          bufferBytes: chunkBytes,
        },
        {
          message: (data) => {
            if (data.length === 0) this.#stream.ended()
            else this.#stream.arrived(data)
          },
          writable: () => {
            if (this.#connecting) this.#connected()
            else this.#flush()
          },
          error: (error) => {
            this.#stream.broke(systemFailure(error, this.#stream.where))
          },
        },
      )
      this.#socket = socket
      prepare(socket, at)
    } catch (error) {
      this.#stream.broke(ownFailure(error, this.#stream.where))
      return
    }
    try {
      this.#socket.connect(sockaddr(at.address, at.port, scopeOf(at)))
      this.#socket.awaitWritable()
    } catch (error) {
      this.#stream.broke(systemFailure(error, this.#stream.where, true))
    }
  }

  #connected(): void {
    const socket = this.#socket
    if (socket === undefined) return
    this.#connecting = false
    const errno = readInt(socket.getsockopt(SOL_SOCKET, SO_ERROR, 4))
    if (errno !== 0) {
      const code = getSystemErrorName(-errno)
      this.#stream.broke(systemFailure(Object.assign(new Error(`connect ${code}`), { code }), this.#stream.where))
      return
    }
    if (this.#at.port >= 1024 && metItself(socket, this.#at)) {
      this.#stream.broke(new ProbeFailure('refused', `connection refused: ${this.#stream.where} (it met itself)`))
      return
    }
    this.#stream.opened()
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

/** As in tcp.ts: the kernel chose the very port it was to connect to. */
function metItself(socket: KernelSocket, at: CheckConnection): boolean {
  const name = socket.getsockname()
  return name
    .subarray(0, name.length === 28 ? 24 : 8)
    .equals(sockaddr(at.address, at.port).subarray(0, name.length === 28 ? 24 : 8))
}
