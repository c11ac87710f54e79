import type { CheckConnection } from '@ipvs-director/config'
import { addressBytes, type Address, type Family } from '@ipvs-director/core'
import { knockEnd, Knocks, openSocket, type KernelSocket } from '@ipvs-director/linux'
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { controlNumber } from '../bfd/control-message.ts'
import { ProbeFailure } from '../verdict.ts'
import { systemFailure } from './failure.ts'
import { addressOf, enlarge, prepare } from './prepare.ts'
import { AF_INET, AF_INET6, int, sockaddr } from './sockaddr.ts'
import { whereOf } from './target.ts'

/** linux/net.h, linux/in.h, linux/in6.h, linux/socket.h */
const SOCK_STREAM = 1
const SOCK_RAW = 3
const IPPROTO_IP = 0
const IPPROTO_TCP = 6
const IPPROTO_IPV6 = 41
const IP_MTU_DISCOVER = 10
const IP_PMTUDISC_DO = 2
const IPV6_CHECKSUM = 7
const IPV6_V6ONLY = 26
const MSG_ERRQUEUE = 0x2000
const receiveErrors = { inet: { level: IPPROTO_IP, option: 11 }, inet6: { level: IPPROTO_IPV6, option: 25 } } as const
/** Where the checksum is in a TCP header. */
const checksumAt = 16

/** A server, as one socket asks it. */
export interface Target {
  readonly socket: SynSocket
  readonly at: CheckConnection
  readonly where: string
  readonly slot: number
  /** The place of the check of it, and those of others: to the server a second SYN from the same port would be the first one again. */
  user: number
  others: number[] | undefined
  /** Which SYN is out to it, or about to be; 0: none. */
  out: number
  /** Whole milliseconds by performance.now(): the kernel may choose another address to send from by then. */
  sourceUntil: number
  /** The SYN that is out is the second try of one that could not be sent. */
  again: boolean
}

export const usersOf = ({ user, others }: Target): readonly number[] =>
  others === undefined ? [user] : [user, ...others]

export interface SynTold {
  readonly ended: (target: Target, failure: ProbeFailure | undefined) => void
  /** Nothing went out. It may have been an error about another target, which is reported once to whoever comes next. */
  readonly unsent: (target: Target, failure: ProbeFailure) => void
}

/**
 * A raw socket for SYNs to many servers, and a port that nobody else has, so that the kernel resets what is answered.
 * Of IPv4 it is bound to the address that it sends from (`at.bindAddress`): the checksum is over that, too, and what
 * goes to other addresses of this machine is not copied for it by the kernel.
 */
export class SynSocket {
  readonly broken = false
  readonly #family: Family
  readonly #told: SynTold
  readonly #placeholder: KernelSocket
  readonly #port: number
  readonly #socket: KernelSocket
  readonly #knocks: Knocks
  /** By slot. */
  readonly #targets: (Target | undefined)[] = []
  readonly #byName = new Map<string, Target>()

  constructor(family: Family, at: CheckConnection, told: SynTold) {
    this.#family = family
    this.#told = told
    this.#placeholder = reservePort(family)
    this.#port = this.#placeholder.getsockname().readUInt16BE(2)
    try {
      this.#socket = this.#open(at)
    } catch (error) {
      this.#placeholder.close()
      throw error
    }
    const source = family === 'inet' && at.bindAddress !== undefined ? addressBytes(at.bindAddress) : undefined
    this.#knocks = new Knocks(this.#socket, { port: this.#port, source }, (slot, end) => {
      this.#ended(this.#targets[slot], end)
    })
    this.#socket.start(true)
    this.#socket.unref()
  }

  /** The same for all that ask the same server. */
  targetOf(at: CheckConnection, place: number): Target {
    const where = whereOf(at)
    let target = this.#byName.get(where)
    if (target === undefined) {
      const slot = this.#knocks.open(addressOf({ ...at, port: 0 }), at.port)
      target = { socket: this, at, where, slot, user: place, others: undefined, out: 0, sourceUntil: 0, again: false }
      this.#byName.set(where, target)
      this.#targets[slot] = target
    } else (target.others ??= []).push(place)
    return target
  }

  /** This place does not ask it any more; or once less, where it came to ask the same by another connection. */
  release(target: Target, place: number): void {
    const users = [...usersOf(target)]
    users.splice(users.indexOf(place), 1)
    const [user, ...others] = users
    if (user !== undefined) {
      target.user = user
      target.others = others.length === 0 ? undefined : others
      return
    }
    this.#byName.delete(target.where)
    this.#targets[target.slot] = undefined
    this.#knocks.close(target.slot)
  }

  ask(target: Target): void {
    this.#knocks.ask(target.slot)
  }

  /** Sends what was asked for, and tells what has come by then. */
  go(): void {
    this.#knocks.go()
  }

  giveUp(target: Target): void {
    this.#knocks.giveUp(target.slot)
  }

  #ended(target: Target | undefined, end: number): void {
    if (target === undefined) return
    if (end === knockEnd.answered) this.#told.ended(target, undefined)
    else if (end === knockEnd.refused) {
      this.#told.ended(target, new ProbeFailure('refused', `connection refused: ${target.where}`))
    } else this.#told.unsent(target, systemFailure(refusal(end, 'sendmmsg'), target.where, true))
  }

  #open(at: CheckConnection): KernelSocket {
    const family = this.#family
    const socket = openSocket(
      {
        domain: family === 'inet' ? AF_INET : AF_INET6,
        type: SOCK_RAW,
        protocol: IPPROTO_TCP,
        bufferBytes: 512,
        controlBytes: 256,
      },
      {
        readable: () => {
          this.#knocks.hear()
        },
        message: (data, _, control, flags) => {
          if ((flags & MSG_ERRQUEUE) !== 0) this.#refusedOnTheWay(data, control)
        },
        // Each also comes through the error queue, which says whose it is.
        error: () => undefined,
      },
    )
    try {
      enlarge(socket)
      socket.attachFilter(onlyTo(this.#port, family))
      const { level, option } = receiveErrors[family]
      socket.setsockopt(level, option, int(1))
      // Never in fragments: as TCP's own, and without a number that the kernel would have to draw for it.
      if (family === 'inet') socket.setsockopt(IPPROTO_IP, IP_MTU_DISCOVER, int(IP_PMTUDISC_DO))
      else socket.setsockopt(IPPROTO_IPV6, IPV6_CHECKSUM, int(checksumAt))
      prepare(socket, { ...at, bindPort: undefined })
      return socket
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /** ICMP says that it did not get there; what it brings back begins with our own header. */
  #refusedOnTheWay(data: Buffer, control: Buffer | undefined): void {
    if (data.length < 8 || data.readUInt16BE(0) !== this.#port) return
    const { level, option } = receiveErrors[this.#family]
    const errno = controlNumber(control, level, option)
    const target = this.#targets[this.#knocks.slotOf(data.readInt32BE(4)) ?? -1]
    if (errno === undefined || errno <= 0 || target?.at.port !== data.readUInt16BE(2)) return
    this.giveUp(target)
    this.#told.ended(target, systemFailure(refusal(errno, 'connect'), target.where))
  }
}

function refusal(errno: number, call: string): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${call} ${code}`), { code })
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

/** Classic BPF (linux/filter.h): segments to this port, and nothing else, are received. IPv4 comes with its header. */
function onlyTo(port: number, family: Family): Buffer {
  const little = endianness() === 'LE'
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
