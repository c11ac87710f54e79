import type { CheckConnection } from '@ipvs-director/config'
import { addressBytes, type Address, type Family } from '@ipvs-director/core'
import { openSocket, type KernelSocket } from '@ipvs-director/linux'
import { randomInt } from 'node:crypto'
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { Attempt } from '../attempt.ts'
import { controlNumber } from '../bfd/control-message.ts'
import { ProbeFailure } from '../verdict.ts'
import { endFailure, systemFailure } from './failure.ts'
import { skipIpHeader } from './icmp.ts'
import { addressOf, enlarge, prepare } from './prepare.ts'
import { decodeSegment, encodeSyn, sign, type Segment } from './segment.ts'
import { AF_INET, AF_INET6, int, sockaddr } from './sockaddr.ts'
import { sharedSockets } from './shared-sockets.ts'
import { targetOf } from './target.ts'

/** linux/net.h, linux/in.h, linux/in6.h, linux/socket.h */
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_RAW = 3
const IPPROTO_TCP = 6
const IPPROTO_IPV6 = 41
const IPV6_CHECKSUM = 7
const IPV6_V6ONLY = 26
const IP_PKTINFO = 8
const MSG_ERRQUEUE = 0x2000
const receiveErrors = { inet: { level: 0, option: 11 }, inet6: { level: IPPROTO_IPV6, option: 25 } } as const
/** Where the checksum is in a TCP header. */
const checksumAt = 16

/** Knocks: resolves when the server would open a connection, which it is not asked to. */
export type Knock = (at: CheckConnection, attempt: Attempt) => Promise<void>

/** What the SYNs to a target have in common. */
interface Route {
  /** For sendto(2). */
  readonly to: Buffer
  /** Out of it. */
  readonly address: Buffer
  /** IPv4: the address we send from; four bytes. */
  readonly source: Buffer | undefined
  /** By performance.now(): the kernel may choose another one by then. */
  readonly until: number
}

/** Finding out costs more than everything else of a knock. A route that did not work is found anew at once. */
const routeLasts = 60_000

/** One SYN that is out. */
interface Waiting {
  readonly where: string
  readonly address: Buffer
  readonly port: number
  /** Who wants to know: to the server a second SYN from the same port would be the first one again. */
  readonly told: Set<(failure?: ProbeFailure) => void>
}

/**
 * Half-open checks: one raw socket for all targets of a family, and a port that nobody else has. The answer to a SYN
 * goes to no socket of the kernel's, which therefore resets it: the server accepts nothing. Own sockets for checks with
 * a mark, interface or local address.
 */
export function createKnocker(): Knock {
  const socketFor = sharedSockets((family, at) => new SynSocket(family, at))
  return async (at, attempt) => socketFor(at).knock(at, attempt)
}

class SynSocket {
  readonly #family: Family
  readonly #port: number
  readonly #placeholder: KernelSocket
  readonly #socket: KernelSocket
  /** By the sequence number sent: nobody who did not see the SYN can know it. */
  readonly #waiting = new Map<number, Waiting>()
  /** The sequence number that is out, by target. */
  readonly #out = new Map<string, number>()
  readonly #routes = new WeakMap<CheckConnection, Route>()
  readonly #control = from(Buffer.alloc(4))
  broken = false

  constructor(family: Family, at: CheckConnection) {
    this.#family = family
    this.#placeholder = reservePort(family)
    this.#port = this.#placeholder.getsockname().readUInt16BE(2)
    const domain = family === 'inet' ? AF_INET : AF_INET6
    try {
      this.#socket = openSocket(
        { domain, type: SOCK_RAW, protocol: IPPROTO_TCP, bufferBytes: 512, controlBytes: 256 },
        {
          message: (data, from, control, flags) => {
            if ((flags & MSG_ERRQUEUE) !== 0) this.#refusedOnTheWay(data, control)
            else this.#arrived(data, from)
          },
          // Each also comes through the error queue, which says whose it is.
          error: () => undefined,
        },
      )
    } catch (error) {
      this.#placeholder.close()
      throw error
    }
    try {
      enlarge(this.#socket)
      this.#socket.attachFilter(onlyTo(this.#port, family))
      const { level, option } = receiveErrors[family]
      this.#socket.setsockopt(level, option, int(1))
      if (family === 'inet6') this.#socket.setsockopt(IPPROTO_IPV6, IPV6_CHECKSUM, int(checksumAt))
      prepare(this.#socket, { ...at, bindPort: undefined })
    } catch (error) {
      this.#placeholder.close()
      this.#socket.close()
      throw error
    }
    this.#socket.start()
    this.#socket.unref()
  }

  knock(at: CheckConnection, attempt: Attempt): Promise<void> {
    const { where } = targetOf(at)
    const out = this.#out.get(where)
    const sequence = out ?? this.#newSequence()
    return new Promise((resolve, reject) => {
      let route: Route
      try {
        route = this.#routeTo(at)
      } catch (error) {
        reject(systemFailure(error, where, true))
        return
      }
      const waiting = this.#waiting.get(sequence) ?? { where, address: route.address, port: at.port, told: new Set() }
      const done = (failure?: ProbeFailure): void => {
        if (failure !== undefined) this.#routes.delete(at)
        waiting.told.delete(done)
        if (waiting.told.size === 0) this.#forget(sequence, where)
        attempt.onEnd = undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
      waiting.told.add(done)
      this.#waiting.set(sequence, waiting)
      this.#out.set(where, sequence)
      attempt.onEnd = (why) => {
        done(endFailure(why, `no connection to ${where}`, attempt))
      }
      if (out !== undefined) return
      try {
        this.#send(at, route, encodeSyn(this.#port, at.port, sequence))
      } catch (error) {
        settle(waiting, systemFailure(error, where, true))
      }
    })
  }

  #newSequence(): number {
    let sequence = randomInt(2 ** 32)
    while (this.#waiting.has(sequence)) sequence = randomInt(2 ** 32)
    return sequence
  }

  #forget(sequence: number, where: string): void {
    this.#waiting.delete(sequence)
    if (this.#out.get(where) === sequence) this.#out.delete(where)
  }

  #routeTo(at: CheckConnection): Route {
    const known = this.#routes.get(at)
    const now = performance.now()
    if (known !== undefined && now < known.until) return known
    const to = addressOf({ ...at, port: 0 })
    const source =
      this.#family === 'inet6'
        ? undefined
        : at.bindAddress === undefined
          ? sourceFor(at)
          : Buffer.from(addressBytes(at.bindAddress))
    const route = { to, address: addressPart(to), source, until: now + routeLasts }
    this.#routes.set(at, route)
    return route
  }

  #send(at: CheckConnection, route: Route, syn: Buffer): void {
    try {
      this.#sendBy(route, syn)
    } catch {
      // It may have been an error about another target, which is reported once to whoever comes next; or the address
      // that we sent from is ours no more.
      this.#routes.delete(at)
      this.#sendBy(this.#routeTo(at), syn)
    }
  }

  #sendBy({ to, address, source }: Route, syn: Buffer): void {
    if (source === undefined) this.#socket.send(syn, to)
    else {
      sign(syn, source, address)
      this.#control.set(source, sourceAt)
      this.#socket.send(syn, to, this.#control)
    }
  }

  #arrived(data: Buffer, from: Buffer | undefined): void {
    const segment = decoded(data, this.#family)
    if (segment?.ack !== true || segment.to !== this.#port || from === undefined) return
    const waiting = this.#waiting.get((segment.acknowledged - 1) >>> 0)
    if (waiting?.port !== segment.from || !addressPart(from).equals(waiting.address)) return
    if (segment.rst) settle(waiting, new ProbeFailure('refused', `connection refused: ${waiting.where}`))
    else if (segment.syn) settle(waiting)
  }

  /** ICMP says that it did not get there; what it brings back begins with our own header. */
  #refusedOnTheWay(data: Buffer, control: Buffer | undefined): void {
    if (data.length < 8 || data.readUInt16BE(0) !== this.#port) return
    const { level, option } = receiveErrors[this.#family]
    const errno = controlNumber(control, level, option)
    const waiting = this.#waiting.get(data.readUInt32BE(4))
    if (errno === undefined || errno <= 0 || waiting?.port !== data.readUInt16BE(2)) return
    const code = getSystemErrorName(-errno)
    const error = Object.assign(new Error(`connect ${code}`), { code })
    settle(waiting, systemFailure(error, waiting.where))
  }
}

function settle({ told }: Waiting, failure?: ProbeFailure): void {
  for (const done of [...told]) done(failure)
}

/** A bound socket that never listens keeps a port for us. */
function reservePort(family: Family): KernelSocket {
  const domain = family === 'inet' ? AF_INET : AF_INET6
  const socket = openSocket({ domain, type: SOCK_STREAM, protocol: 0, bufferBytes: 1 }, { error: () => undefined })
  try {
    if (family === 'inet6') socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, int(1))
    socket.bind(sockaddr((family === 'inet' ? '0.0.0.0' : '::') as Address, 0))
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/** The address the kernel would send from: the checksum is over it too. */
function sourceFor(at: CheckConnection): Buffer {
  const socket = openSocket(
    { domain: AF_INET, type: SOCK_DGRAM, protocol: 0, bufferBytes: 1 },
    { error: () => undefined },
  )
  try {
    prepare(socket, { ...at, bindPort: undefined })
    socket.connect(addressOf(at))
    return Buffer.from(socket.getsockname().subarray(4, 8))
  } finally {
    socket.close()
  }
}

const little = endianness() === 'LE'

/** Where it has ipi_spec_dst. */
const sourceAt = 20

/** IP_PKTINFO (ip(7)): from this very address, so that it is the one in the checksum. */
function from(source: Buffer): Buffer {
  const control = Buffer.alloc(32)
  if (little) control.writeUInt32LE(28, 0)
  else control.writeUInt32BE(28, 4)
  control.set(int(0), 8)
  control.set(int(IP_PKTINFO), 12)
  control.set(source, sourceAt)
  return control
}

/** Classic BPF (linux/filter.h): segments to this port, and nothing else, are received. IPv4 comes with its header. */
function onlyTo(port: number, family: Family): Buffer {
  const program: readonly (readonly [code: number, jt: number, jf: number, k: number])[] = [
    ...(family === 'inet'
      ? ([
          [0xb1, 0, 0, 0],
          [0x48, 0, 0, 2],
        ] as const)
      : ([[0x28, 0, 0, 2]] as const)),
    [0x15, 0, 1, port],
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ]
  return Buffer.concat(
    program.map(([code, jt, jf, k]) => {
      const instruction = Buffer.from([little ? code : 0, little ? 0 : code, jt, jf, 0, 0, 0, 0])
      instruction.set(int(k), 4)
      return instruction
    }),
  )
}

function decoded(data: Buffer, family: Family): Segment | undefined {
  try {
    return decodeSegment(family === 'inet' ? skipIpHeader(data) : data)
  } catch {
    return undefined
  }
}

/** The address out of a sockaddr_in or sockaddr_in6. */
function addressPart(name: Buffer): Buffer {
  return name.length >= 24 ? name.subarray(8, 24) : name.subarray(4, 8)
}
