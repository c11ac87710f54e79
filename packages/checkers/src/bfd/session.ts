import { DecodeError, millis, type Clock, type Millis, type Random, type Timer } from '@ipvs-director/core'
import type { BfdListener } from '../io/port.ts'
import { detectionTime, jittered, newSession, packetOf, receive, silence, transmitInterval } from './machine.ts'
import type { BfdSession, BfdSettings } from './machine.ts'
import { decodeBfd, encodeBfd, type BfdPacket } from './packet.ts'

/** What a running session needs of the world. */
export interface BfdWorld {
  readonly clock: Clock
  readonly random: Random
  send(packet: Buffer): void
}

/** After silence the socket is given this long to hand over what it may have had all the time while we stood still. */
const doubt = millis(1)

/** A session with its two timers: the next packet, and the silence that ends it. */
export class RunningSession {
  readonly #world: BfdWorld
  readonly #listener: Pick<BfdListener, 'changed'>
  #session: BfdSession
  #sending: Timer | undefined
  #sentAt: number
  #interval: Millis | undefined
  #listening: Timer | undefined
  #listeningUntil = Infinity
  #heardAt = 0
  #doubted = false

  constructor(settings: BfdSettings, discriminator: number, world: BfdWorld, listener: Pick<BfdListener, 'changed'>) {
    this.#world = world
    this.#listener = listener
    this.#session = newSession(settings, discriminator)
    this.#sentAt = world.clock.now()
    this.#armSending()
  }

  get session(): BfdSession {
    return this.#session
  }

  /** Takes what came from the neighbour's address; what is no packet for us changes nothing. */
  arrived(bytes: Buffer): void {
    const packet = decoded(bytes)
    const received = packet === undefined ? undefined : receive(this.#session, packet)
    if (received === undefined) return
    this.#heardAt = this.#world.clock.now()
    this.#doubted = false
    this.#become(received.session, received.reply)
    this.#armListening()
  }

  /** RFC 5880 §6.8.16: says goodbye, so that the other end need not wait for silence. */
  close(): void {
    this.#sending?.cancel()
    this.#listening?.cancel()
    if (this.#session.remoteDiscriminator === 0) return
    this.#world.send(encodeBfd(packetOf({ ...this.#session, state: 'adminDown', diagnostic: 7, polling: false })))
  }

  #become(session: BfdSession, reply: boolean): void {
    const before = this.#session
    this.#session = session
    if (reply) this.#world.send(encodeBfd(packetOf(session, true)))
    // What has changed is said at once instead of at the next interval.
    if (before.state !== session.state) this.#send()
    else if (transmitInterval(session) !== this.#interval) this.#armSending()
    const wasUp = before.state === 'up'
    if (wasUp !== (session.state === 'up')) this.#listener.changed(session.state, session.diagnostic)
  }

  #send(): void {
    this.#world.send(encodeBfd(packetOf(this.#session)))
    this.#sentAt = this.#world.clock.now()
    this.#armSending()
  }

  #armSending(): void {
    this.#sending?.cancel()
    this.#sending = undefined
    this.#interval = transmitInterval(this.#session)
    if (this.#interval === undefined) return
    const due = this.#sentAt + jittered(this.#interval, this.#session, this.#world.random())
    this.#sending = this.#world.clock.after(millis(Math.max(0, due - this.#world.clock.now())), () => {
      this.#send()
    })
  }

  /** One timer follows many packets: it looks when the last one came. */
  #armListening(): void {
    const time = detectionTime(this.#session)
    if (time === undefined) return
    const due = this.#heardAt + time
    if (this.#listening !== undefined && this.#listeningUntil <= due) return
    this.#listenUntil(due)
  }

  #listenUntil(due: number): void {
    this.#listening?.cancel()
    this.#listeningUntil = due
    this.#listening = this.#world.clock.after(millis(Math.max(0, due - this.#world.clock.now())), () => {
      this.#listening = undefined
      this.#heardNothing()
    })
  }

  #heardNothing(): void {
    const time = detectionTime(this.#session)
    if (time === undefined) return
    const now = this.#world.clock.now()
    if (this.#heardAt + time > now) this.#armListening()
    else if (!this.#doubted) {
      this.#doubted = true
      this.#listenUntil(now + doubt)
    } else this.#become(silence(this.#session), false)
  }
}

function decoded(bytes: Buffer): BfdPacket | undefined {
  try {
    return decodeBfd(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
