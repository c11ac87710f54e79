import type { CheckConnection } from '@ipvs-director/config'
import { addressBytes, type Address, type Family } from '@ipvs-director/core'
import { openSocket, type KernelSocket } from '@ipvs-director/linux'
import { randomFillSync } from 'node:crypto'
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { controlNumber } from '../bfd/control-message.ts'
import { ProbeFailure } from '../verdict.ts'
import { reach } from './by-place.ts'
import { systemFailure } from './failure.ts'
import type { DoorTold } from './port.ts'
import { addressOf, enlarge, ownFailure, prepare } from './prepare.ts'
import { decodeSegment, encodeSyn, sign, synBytes, type Segment } from './segment.ts'
import { AF_INET, AF_INET6, int, sockaddr } from './sockaddr.ts'
import { sharedSockets } from './shared-sockets.ts'
import { whereOf } from './target.ts'

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

/** As many SYNs, and answers, as one call takes. */
const together = 64
/** Of an answer: an IP header with options, and as much of a segment as is read. */
const answerBytes = 128
const nameBytes = 28
const controlBytes = 32
/** So many answers are read in one go, before others have their turn. */
const readings = 4

/** Of a SYN that is not out. */
const unsent = 0

/** A server, and the SYN that is out to it. */
interface Target {
  readonly at: CheckConnection
  readonly where: string
  readonly socket: SynSocket
  /** For sendmmsg(2): what would be the port is a protocol there. */
  readonly to: Buffer
  /** Out of it. */
  readonly address: Buffer
  /** IPv4: the address we send from; four bytes. */
  source: Buffer | undefined
  /** By performance.now(): the kernel may choose another one by then. */
  sourceUntil: number
  /** Of the SYN, as a signed number, or {@link unsent}. */
  sequence: number
  /** Who wants to know: to the server a second SYN from the same port would be the first one again. */
  readonly places: number[]
}

type Tell = (target: Target, failure: ProbeFailure | undefined) => void

/** Finding out costs more than everything else of a knock. After a failure it is found anew at once. */
const sourceLasts = 60_000

/**
 * Half-open checks: one raw socket for all targets of a family, and a port that nobody else has. The answer to a SYN
 * goes to no socket of the kernel's, which therefore resets it: the server accepts nothing. Own sockets for checks with
 * a mark, interface or local address.
 */
export class Knocker {
  readonly #told: DoorTold
  readonly #sockets: SynSocket[] = []
  readonly #socketFor: (at: CheckConnection) => SynSocket
  /** By place: its own, from when it was first asked for this connection. */
  readonly #targets: (Target | undefined)[] = []
  /** By place, while it is asked: its own, or that of another check of the same server. */
  readonly #asked: (Target | undefined)[] = []
  /** Those for whom there is no socket. */
  readonly #refused: (readonly [place: number, failure: ProbeFailure])[] = []

  constructor(told: DoorTold) {
    this.#told = told
    this.#socketFor = sharedSockets((family, at) => {
      const socket = new SynSocket(family, at, (target, failure) => {
        this.#tell(target, failure)
      })
      this.#sockets.push(socket)
      return socket
    })
  }

  ask(place: number, at: CheckConnection): void {
    try {
      const target = this.#targetOf(place, at)
      this.#asked[place] = target.socket.add(target, place)
    } catch (error) {
      this.#refused.push([place, ownFailure(error, whereOf(at))])
    }
  }

  go(): void {
    for (const socket of this.#sockets) socket.go()
    for (const [place, failure] of this.#refused.splice(0)) this.#told(place, failure)
  }

  giveUp(place: number): void {
    const target = this.#asked[place]
    if (target === undefined) return
    this.#asked[place] = undefined
    target.sourceUntil = 0
    target.places.splice(target.places.indexOf(place), 1)
    if (target.places.length === 0) target.socket.forget(target)
  }

  #targetOf(place: number, at: CheckConnection): Target {
    const known = this.#targets[place]
    if (known?.at === at) return known
    const to = addressOf({ ...at, port: 0 })
    const target: Target = {
      at,
      where: whereOf(at),
      socket: this.#socketFor(at),
      to,
      address: addressPart(to),
      source: undefined,
      sourceUntil: 0,
      sequence: unsent,
      places: [],
    }
    reach(this.#targets, place)
    reach(this.#asked, place)
    this.#targets[place] = target
    return target
  }

  #tell(target: Target, failure: ProbeFailure | undefined): void {
    target.socket.forget(target)
    if (failure !== undefined) target.sourceUntil = 0
    for (let place = target.places.pop(); place !== undefined; place = target.places.pop()) {
      this.#asked[place] = undefined
      this.#told(place, failure)
    }
  }
}

class SynSocket {
  readonly #family: Family
  readonly #tell: Tell
  readonly #port: number
  readonly #placeholder: KernelSocket
  readonly #socket: KernelSocket
  /** By the sequence number sent: nobody who did not see the SYN can know it. */
  readonly #waiting = new Map<number, Target>()
  /** By name: those that a SYN is out to, or about to be. */
  readonly #out = new Map<string, Target>()
  #collected: Target[] = []
  readonly #syns: readonly Buffer[]
  readonly #data = Buffer.alloc(together * synBytes)
  readonly #names: Buffer
  readonly #control: Buffer | undefined
  readonly #answers = Buffer.alloc(together * answerBytes)
  readonly #senders = Buffer.alloc(together * nameBytes)
  readonly #lengths = new Int32Array(together)
  readonly #lengthBytes = new Uint8Array(this.#lengths.buffer)
  #receiving = false
  readonly broken = false

  constructor(family: Family, at: CheckConnection, tell: Tell) {
    this.#family = family
    this.#tell = tell
    this.#placeholder = reservePort(family)
    this.#port = this.#placeholder.getsockname().readUInt16BE(2)
    this.#syns = Array.from({ length: together }, (_, n) => this.#data.subarray(n * synBytes, (n + 1) * synBytes))
    this.#names = Buffer.alloc(together * (family === 'inet' ? 16 : nameBytes))
    this.#control = family === 'inet' ? Buffer.concat(this.#syns.map(() => from(Buffer.alloc(4)))) : undefined
    const domain = family === 'inet' ? AF_INET : AF_INET6
    try {
      this.#socket = openSocket(
        { domain, type: SOCK_RAW, protocol: IPPROTO_TCP, bufferBytes: 512, controlBytes: 256 },
        {
          readable: () => {
            this.#receive()
          },
          message: (data, _, control, flags) => {
            if ((flags & MSG_ERRQUEUE) !== 0) this.#refusedOnTheWay(data, control)
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
    this.#socket.start(true)
    this.#socket.unref()
  }

  /** One more who wants to know. Answers the target that a SYN is out to, which another check of that server may have begun. */
  add(own: Target, place: number): Target {
    const out = this.#out.get(own.where)
    const target = out ?? own
    target.places.push(place)
    if (out !== undefined) return target
    if (this.#collected.length === together) this.go()
    this.#out.set(own.where, own)
    this.#collected.push(own)
    return own
  }

  /** Sends what was collected, and reads what has come by then. */
  go(): void {
    if (this.#collected.length === 0) return
    const collected = this.#collected
    this.#collected = []
    const sent: Target[] = []
    const failures: (readonly [target: Target, failure: ProbeFailure])[] = []
    for (const target of collected) {
      target.sequence = this.#newSequence()
      try {
        this.#write(sent.length, target)
        sent.push(target)
        this.#waiting.set(target.sequence, target)
      } catch (error) {
        failures.push([target, systemFailure(error, target.where, true)])
      }
    }
    this.#send(sent, (target, failure) => {
      failures.push([target, failure])
    })
    for (const [target, failure] of failures) this.#tell(target, failure)
    this.#receive()
  }

  forget(target: Target): void {
    if (this.#out.get(target.where) !== target) return
    this.#out.delete(target.where)
    if (target.sequence === unsent) this.#collected.splice(this.#collected.indexOf(target), 1)
    else this.#waiting.delete(target.sequence)
    target.sequence = unsent
  }

  #newSequence(): number {
    let sequence = randomNumber()
    while (sequence === unsent || this.#waiting.has(sequence)) sequence = randomNumber()
    return sequence
  }

  /** The SYN, in the place of that number. */
  #write(n: number, target: Target): void {
    const syn = this.#syns[n]
    if (syn === undefined) return
    encodeSyn(this.#port, target.at.port, target.sequence, syn)
    this.#names.set(target.to, n * target.to.length)
    if (this.#control === undefined) return
    const now = performance.now()
    if (target.source === undefined || now >= target.sourceUntil) {
      const { bindAddress } = target.at
      target.source = bindAddress === undefined ? sourceFor(target.at) : Buffer.from(addressBytes(bindAddress))
      target.sourceUntil = now + sourceLasts
    }
    sign(syn, target.source, target.address)
    this.#control.set(target.source, n * controlBytes + sourceAt)
  }

  #send(targets: readonly Target[], failed: (target: Target, failure: ProbeFailure) => void): void {
    let again = true
    for (let n = 0; n < targets.length;) {
      const target = targets[n]
      if (target === undefined) return
      try {
        if (!again) this.#write(n, target)
        const taken = this.#socket.sendMany(this.#data, this.#names, this.#control, together, n, targets.length)
        if (taken < 0) throw Object.assign(new Error('no room for what is to be sent'), { code: 'EAGAIN' })
        n += taken
        again = true
      } catch (error) {
        // It may have been an error about another target, which is reported once to whoever comes next; or the address
        // that we sent from is ours no more.
        target.sourceUntil = 0
        if (!again) {
          failed(target, systemFailure(error, target.where, true))
          n++
        }
        again = !again
      }
    }
  }

  #receive(): void {
    // Whoever is told of one answer may ask others.
    if (this.#receiving) return
    this.#receiving = true
    for (let reading = 0; reading < readings; reading++) {
      const got = this.#socket.receiveMany(this.#answers, this.#senders, this.#lengthBytes)
      for (let n = 0; n < got; n++) this.#arrived(n)
      if (got < together) break
    }
    this.#receiving = false
  }

  #arrived(n: number): void {
    const at = n * answerBytes
    const segment = this.#segment(at, at + Math.min(this.#lengths[n] ?? 0, answerBytes))
    if (segment?.ack !== true || segment.to !== this.#port) return
    const target = this.#waiting.get((segment.acknowledged - 1) | 0)
    if (target?.at.port !== segment.from || !this.#isFrom(n, target.address)) return
    if (segment.rst) this.#tell(target, new ProbeFailure('refused', `connection refused: ${target.where}`))
    else if (segment.syn) this.#tell(target, undefined)
  }

  #segment(at: number, end: number): Segment | undefined {
    const header = this.#family === 'inet' ? ((this.#answers[at] ?? 0) & 0x0f) * 4 : 0
    try {
      return decodeSegment(this.#answers, at + header, end)
    } catch {
      return undefined
    }
  }

  #isFrom(n: number, address: Buffer): boolean {
    const at = n * nameBytes + (this.#family === 'inet' ? 4 : 8)
    return address.compare(this.#senders, at, at + address.length) === 0
  }

  /** ICMP says that it did not get there; what it brings back begins with our own header. */
  #refusedOnTheWay(data: Buffer, control: Buffer | undefined): void {
    if (data.length < 8 || data.readUInt16BE(0) !== this.#port) return
    const { level, option } = receiveErrors[this.#family]
    const errno = controlNumber(control, level, option)
    const target = this.#waiting.get(data.readInt32BE(4))
    if (errno === undefined || errno <= 0 || target?.at.port !== data.readUInt16BE(2)) return
    const code = getSystemErrorName(-errno)
    const error = Object.assign(new Error(`connect ${code}`), { code })
    this.#tell(target, systemFailure(error, target.where))
  }
}

const randoms = new Int32Array(256)
let randomsLeft = 0

/** 32 bits that nobody can guess. */
function randomNumber(): number {
  if (randomsLeft === 0) {
    randomFillSync(randoms)
    randomsLeft = randoms.length
  }
  return randoms[--randomsLeft] ?? 0
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

/** The address out of a sockaddr_in or sockaddr_in6. */
function addressPart(name: Buffer): Buffer {
  return name.length >= 24 ? name.subarray(8, 24) : name.subarray(4, 8)
}
