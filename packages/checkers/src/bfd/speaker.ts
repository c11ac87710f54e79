import {
  errorCode,
  familyOf,
  seconds,
  type Address,
  type Clock,
  type Family,
  type Random,
  type Timer,
} from '@ipvs-director/core'
import { openSocket, type KernelSocket } from '@ipvs-director/linux'
import { randomInt } from 'node:crypto'
import { ownFailure } from '../io/prepare.ts'
import type { BfdListener, BfdWish } from '../io/port.ts'
import { AF_INET, AF_INET6, int, sockaddr } from '../io/sockaddr.ts'
import { controlNumber } from './control-message.ts'
import type { BfdState } from './packet.ts'
import { RunningSession } from './session.ts'

/** linux/net.h, asm-generic/socket.h, linux/in.h, linux/in6.h */
const SOCK_DGRAM = 2
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_PRIORITY = 12
const IPPROTO_IPV6 = 41
const families = {
  inet: { domain: AF_INET, level: 0, hops: 2, receiveHops: 12, hopsMessage: 2, tos: 1, any: '0.0.0.0' as Address },
  inet6: { domain: AF_INET6, level: 41, hops: 16, receiveHops: 51, hopsMessage: 52, tos: 67, any: '::' as Address },
} as const
const IPV6_V6ONLY = 26
/** Internetwork control (CS6), as routing protocols have it. */
const tos = 0xc0
const priority = 6

/** RFC 5881 §4, RFC 5883 §5. */
const singleHopPort = 3784
const multiHopPort = 4784
const sourcePorts = [49_152, 65_536] as const
const tries = 20
const again = seconds(5)

/** Opens sessions; equal wishes share one. Answers how to let go of it. */
export type BfdSpeaker = (wish: BfdWish, listener: BfdListener) => () => void

/** A BFD speaker (RFC 5880, asynchronous mode without authentication; RFC 5881 one hop, RFC 5883 several). */
export function createBfdSpeaker(clock: Clock, random: Random): BfdSpeaker {
  const sessions = new Map<string, SharedSession>()
  const receivers = new Receivers()
  return (wish, listener) => {
    const key = JSON.stringify(wish)
    let shared = sessions.get(key)
    if (shared === undefined) {
      shared = new SharedSession(wish, { clock, random, receivers })
      sessions.set(key, shared)
    }
    const joined = shared
    joined.join(listener)
    return () => {
      if (joined.leave(listener)) return
      joined.close()
      sessions.delete(key)
    }
  }
}

interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly receivers: Receivers
}

/** A session, its sending socket, and everybody who follows it. */
class SharedSession {
  readonly wish: BfdWish
  readonly discriminator = randomInt(1, 2 ** 32)
  readonly #around: Surroundings
  readonly #listeners = new Set<BfdListener>()
  #running: RunningSession | undefined
  #socket: KernelSocket | undefined
  #release: (() => void) | undefined
  #retry: Timer | undefined

  constructor(wish: BfdWish, around: Surroundings) {
    this.wish = wish
    this.#around = around
    this.#retry = around.clock.after(seconds(0), () => {
      this.#open()
    })
  }

  join(listener: BfdListener): void {
    this.#listeners.add(listener)
    if (this.#running === undefined) return
    if (this.#running.session.state === 'up') listener.changed('up', 0)
    else listener.opened()
  }

  /** Whether somebody is left. */
  leave(listener: BfdListener): boolean {
    this.#listeners.delete(listener)
    return this.#listeners.size > 0
  }

  arrived(data: Buffer): void {
    this.#running?.arrived(data)
  }

  close(): void {
    this.#retry?.cancel()
    this.#running?.close()
    this.#release?.()
    this.#socket?.close()
    this.#running = this.#release = this.#socket = undefined
  }

  #open(): void {
    const { wish } = this
    const { clock, random, receivers } = this.#around
    try {
      this.#release = receivers.take(this)
      const socket = openSender(wish)
      this.#socket = socket
      const to = sockaddr(wish.neighbor, portOf(wish))
      const send = (packet: Buffer): void => {
        try {
          socket.send(packet, to)
        } catch {
          // No route just now, or a full queue: the other end hears nothing, which is what silence is for.
        }
      }
      const listener = {
        changed: (state: BfdState, diagnostic: number) => {
          for (const each of this.#listeners) each.changed(state, diagnostic)
        },
      }
      this.#running = new RunningSession(wish.settings, this.discriminator, { clock, random, send }, listener)
      for (const each of this.#listeners) each.opened()
    } catch (error) {
      this.close()
      const failure = ownFailure(error, `BFD with ${wish.neighbor}`)
      for (const each of this.#listeners) each.broke(failure)
      this.#retry = clock.after(again, () => {
        this.#open()
      })
    }
  }
}

/** RFC 5881 §4: from a port of the dynamic range; TTL 255 unless told otherwise. */
function openSender(wish: BfdWish): KernelSocket {
  const family = families[familyOf(wish.neighbor)]
  const socket = openSocket(
    { domain: family.domain, type: SOCK_DGRAM, protocol: 0, bufferBytes: 64 },
    { error: () => undefined },
  )
  try {
    socket.setsockopt(family.level, family.hops, int(wish.ttl))
    socket.setsockopt(family.level, family.tos, int(tos))
    socket.setsockopt(SOL_SOCKET, SO_PRIORITY, int(priority))
    bindSomewhere(socket, wish.source ?? family.any)
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

function bindSomewhere(socket: KernelSocket, source: Address): void {
  for (let left = tries; ; left--) {
    try {
      socket.bind(sockaddr(source, randomInt(...sourcePorts)))
      return
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE' || left === 0) throw error
    }
  }
}

const portOf = ({ multihop }: BfdWish): number => (multihop ? multiHopPort : singleHopPort)

/** The sockets that packets come to, one for each own address and port, as long as there are sessions on it. */
class Receivers {
  readonly #open = new Map<string, { readonly socket: KernelSocket; readonly sessions: Set<SharedSession> }>()

  take(session: SharedSession): () => void {
    const { wish } = session
    const key = `${familyOf(wish.neighbor)} ${wish.source ?? ''} ${portOf(wish)}`
    let receiver = this.#open.get(key)
    if (receiver === undefined) {
      const sessions = new Set<SharedSession>()
      receiver = { socket: openReceiver(wish, sessions), sessions }
      this.#open.set(key, receiver)
    }
    const { socket, sessions } = receiver
    sessions.add(session)
    return () => {
      sessions.delete(session)
      if (sessions.size > 0) return
      socket.close()
      this.#open.delete(key)
    }
  }
}

function openReceiver(wish: BfdWish, sessions: ReadonlySet<SharedSession>): KernelSocket {
  const family = familyOf(wish.neighbor)
  const { domain, level, receiveHops, any } = families[family]
  const socket = openSocket(
    { domain, type: SOCK_DGRAM, protocol: 0, bufferBytes: 256, controlBytes: 64 },
    {
      message: (data, from, control) => {
        deliver(data, { from, control, family }, sessions)
      },
      error: () => undefined,
    },
  )
  try {
    // A successor binds while its predecessor may still be there.
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, int(1))
    socket.setsockopt(level, receiveHops, int(1))
    if (family === 'inet6') socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, int(1))
    socket.bind(sockaddr(wish.source ?? any, portOf(wish)))
    socket.start()
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

interface Envelope {
  readonly from: Buffer | undefined
  readonly control: Buffer | undefined
  readonly family: Family
}

/** RFC 5880 §6.8.6: by our discriminator where it is told, else by where it came from; and never from elsewhere. */
function deliver(data: Buffer, { from, control, family }: Envelope, sessions: ReadonlySet<SharedSession>): void {
  if (from === undefined || data.length < 24) return
  const { level, hopsMessage } = families[family]
  const hops = controlNumber(control, level, hopsMessage)
  const yours = data.readUInt32BE(8)
  for (const session of sessions) {
    const { wish, discriminator } = session
    if (!sameAddress(from, sockaddr(wish.neighbor, 0)) || (yours !== 0 && yours !== discriminator)) continue
    if (cameFar(wish, hops)) continue
    session.arrived(data)
    return
  }
}

/** RFC 5082: what was not sent with a full TTL was sent from further away than the neighbour is. */
function cameFar({ ttl, maxHops, multihop }: BfdWish, hops: number | undefined): boolean {
  if (maxHops === 255 || (multihop && maxHops === 0)) return false
  return hops === undefined || hops < ttl - maxHops
}

function sameAddress(a: Buffer, b: Buffer): boolean {
  return a.length >= 28 && b.length >= 28
    ? a.subarray(8, 24).equals(b.subarray(8, 24))
    : a.length === b.length && a.subarray(4, 8).equals(b.subarray(4, 8))
}
