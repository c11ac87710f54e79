import type { CheckConnection } from '@ipvs-director/config'
import { errorCode, type Family } from '@ipvs-director/core'
import { openSocket, type KernelSocket } from '@ipvs-director/linux'
import { randomBytes, randomInt } from 'node:crypto'
import type { Attempt } from '../attempt.ts'
import type { ProbeFailure } from '../verdict.ts'
import { endFailure, systemFailure } from './failure.ts'
import { decodeEcho, echoTypes, encodeEcho, skipIpHeader, type Echo } from './icmp.ts'
import { addressOf, enlarge, ownFailure, prepare } from './prepare.ts'
import { AF_INET, AF_INET6, int } from './sockaddr.ts'
import { sharedSockets } from './shared-sockets.ts'
import { targetOf } from './target.ts'

/** linux/net.h, linux/in.h, linux/in6.h */
const SOCK_DGRAM = 2
const SOCK_RAW = 3
const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58
/** asm-generic/socket.h; linux/icmp.h, linux/icmpv6.h: a bit that is set keeps that type out */
const SOL_RAW = 255
const ICMP_FILTER = 1
const ICMPV6_FILTER = 1

/** Sends echo requests and tells the answers apart. */
export type Ping = (at: CheckConnection, attempt: Attempt) => Promise<void>

/** One echo that is out. */
interface Waiting {
  readonly where: string
  /** What the answer must bring back: nobody who did not see the request can know it. */
  readonly token: Buffer
  /** The bytes of the address asked, as they are in a sockaddr. */
  readonly address: Buffer
  done(failure?: ProbeFailure): void
}

/**
 * One ICMP socket for all targets of a family, kept open: unprivileged where net.ipv4.ping_group_range allows it (the
 * kernel then owns the identifier), else raw. Own sockets for checks with a mark, interface or local address.
 */
export function createPinger(): Ping {
  const socketFor = sharedSockets((family, at) => new EchoSocket(family, at))
  return async (at, attempt) => socketFor(at).ping(at, attempt)
}

class EchoSocket {
  readonly #family: Family
  readonly #waiting = new Map<number, Waiting>()
  readonly #socket: KernelSocket
  readonly #raw: boolean
  readonly #id = randomInt(1, 0xffff)
  #sequence = 0
  broken = false

  constructor(family: Family, at: CheckConnection) {
    this.#family = family
    const { socket, raw } = this.#open()
    this.#socket = socket
    this.#raw = raw
    try {
      enlarge(socket)
      if (raw) onlyReplies(socket, family)
      prepare(socket, { ...at, bindPort: undefined })
    } catch (error) {
      socket.close()
      throw error
    }
    socket.start()
    socket.unref()
  }

  #open(): { readonly socket: KernelSocket; readonly raw: boolean } {
    const listener = {
      message: (data: Buffer, from: Buffer | undefined) => {
        this.#arrived(data, from)
      },
      error: (error: Error) => {
        this.#fail(error)
      },
    }
    const v4 = this.#family === 'inet'
    const domain = v4 ? AF_INET : AF_INET6
    const protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6
    try {
      return { socket: openSocket({ domain, type: SOCK_DGRAM, protocol }, listener), raw: false }
    } catch (error) {
      if (errorCode(error) !== 'EACCES' && errorCode(error) !== 'EPERM') throw error
      return { socket: openSocket({ domain, type: SOCK_RAW, protocol }, listener), raw: true }
    }
  }

  ping(at: CheckConnection, attempt: Attempt): Promise<void> {
    const { where } = targetOf(at)
    const sequence = this.#nextSequence()
    return new Promise((resolve, reject) => {
      const to = addressOf({ ...at, port: 0 })
      const token = randomBytes(16)
      const done = (failure?: ProbeFailure): void => {
        this.#waiting.delete(sequence)
        attempt.onEnd = undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
      this.#waiting.set(sequence, { where, token, address: addressPart(to), done })
      attempt.onEnd = (why) => {
        done(endFailure(why, `no echo from ${at.address}`, attempt))
      }
      try {
        const type = echoTypes[this.#family].request
        this.#socket.send(encodeEcho({ type, id: this.#id, sequence, data: token }), to)
      } catch (error) {
        done(systemFailure(error, at.address, true))
      }
    })
  }

  #nextSequence(): number {
    do this.#sequence = (this.#sequence + 1) & 0xffff
    while (this.#waiting.has(this.#sequence) && this.#waiting.size < 0xffff)
    return this.#sequence
  }

  #arrived(data: Buffer, from: Buffer | undefined): void {
    const echo = this.#decode(data)
    if (echo === undefined || echo.type !== echoTypes[this.#family].reply) return
    if (this.#raw && echo.id !== this.#id) return
    const waiting = this.#waiting.get(echo.sequence)
    if (waiting === undefined || from === undefined) return
    if (!echo.data.equals(waiting.token) || !addressPart(from).equals(waiting.address)) return
    waiting.done()
  }

  #decode(data: Buffer): Echo | undefined {
    try {
      return decodeEcho(this.#raw && this.#family === 'inet' ? skipIpHeader(data) : data)
    } catch {
      // Raw sockets hear all ICMP there is; what is not an echo is not for us.
      return undefined
    }
  }

  /** The socket serves many: an error on it says nothing about any one server. */
  #fail(error: Error): void {
    this.broken = true
    this.#socket.close()
    for (const waiting of [...this.#waiting.values()]) waiting.done(ownFailure(error, waiting.where))
  }
}

/** A raw socket hears all ICMP of the machine; the kernel drops what is no echo reply. */
function onlyReplies(socket: KernelSocket, family: Family): void {
  if (family === 'inet') {
    socket.setsockopt(SOL_RAW, ICMP_FILTER, int(~(1 << echoTypes.inet.reply)))
    return
  }
  const type = echoTypes.inet6.reply
  const words = Array.from({ length: 8 }, (_, i) => int(i === type >> 5 ? ~(1 << (type & 31)) : ~0))
  socket.setsockopt(IPPROTO_ICMPV6, ICMPV6_FILTER, Buffer.concat(words))
}

/** The address out of a sockaddr_in or sockaddr_in6. */
function addressPart(name: Buffer): Buffer {
  return name.length >= 24 ? name.subarray(8, 24) : name.subarray(4, 8)
}
