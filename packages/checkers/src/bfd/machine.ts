import { millis, type Millis } from '@ipvs-director/core'
import type { BfdPacket, BfdState } from './packet.ts'

/** How a session is to be; a `bfd_instance`. */
export interface BfdSettings {
  readonly minTx: Millis
  readonly minRx: Millis
  /** Between two packets while the session is not up; RFC 5880 §6.8.3 wants at least 1 s. */
  readonly idleTx: Millis
  readonly multiplier: number
  /** Says nothing before the other end did. */
  readonly passive: boolean
}

/** RFC 5880 §6.8.1, as far as asynchronous mode needs it. The other end's values are as it told them last. */
export interface BfdSession {
  readonly settings: BfdSettings
  readonly state: BfdState
  readonly diagnostic: number
  readonly localDiscriminator: number
  readonly remoteDiscriminator: number
  readonly remoteMinRx: Millis
  readonly remoteMinTx: Millis
  readonly remoteMultiplier: number
  readonly remoteDemand: boolean
  readonly remoteState: BfdState
  /** Our interval has changed and the other end has not confirmed it: packets carry the poll bit. */
  readonly polling: boolean
}

/** A session before anything was heard. */
export function newSession(settings: BfdSettings, localDiscriminator: number): BfdSession {
  return {
    settings,
    state: 'down',
    diagnostic: 0,
    localDiscriminator,
    remoteDiscriminator: 0,
    remoteMinRx: millis(0.001),
    remoteMinTx: millis(0),
    remoteMultiplier: 0,
    remoteDemand: false,
    remoteState: 'down',
    polling: false,
  }
}

/** RFC 5880 §6.8.3: what we would like, and say in packets. */
export function desiredMinTx({ state, settings }: BfdSession): Millis {
  return state === 'up' ? settings.minTx : settings.idleTx
}

/**
 * RFC 5880 §6.8.7: the time between two packets before jitter; undefined when none are to be sent: the other end wants
 * none, or has to begin, or is in demand mode with both ends up.
 */
export function transmitInterval(session: BfdSession): Millis | undefined {
  const { settings, remoteMinRx, remoteDiscriminator, remoteDemand, remoteState, state, polling } = session
  if (remoteMinRx === 0) return undefined
  if (settings.passive && remoteDiscriminator === 0) return undefined
  if (remoteDemand && state === 'up' && remoteState === 'up' && !polling) return undefined
  return millis(Math.max(desiredMinTx(session), remoteMinRx))
}

/** RFC 5880 §6.8.7: each interval is 75 to 100 % of what it is, with a multiplier of 1 at most 90 %. */
export function jittered(interval: Millis, { settings }: BfdSession, random: number): Millis {
  return millis(interval * (0.75 + random * (settings.multiplier === 1 ? 0.15 : 0.25)))
}

/** RFC 5880 §6.8.4: after so much silence the session is down; undefined while nothing is known of the other end. */
export function detectionTime({ settings, remoteMinTx, remoteMultiplier }: BfdSession): Millis | undefined {
  if (remoteMultiplier === 0) return undefined
  return millis(remoteMultiplier * Math.max(settings.minRx, remoteMinTx))
}

/** What a packet did. `reply`: a packet with the final bit is to be sent at once. */
export interface Received {
  readonly session: BfdSession
  readonly reply: boolean
}

/**
 * RFC 5880 §6.8.6 and the table of §6.2, for a packet that is for this session. What comes with a discriminator that
 * is not ours is not, and changes nothing.
 */
export function receive(before: BfdSession, packet: BfdPacket): Received | undefined {
  if (packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== before.localDiscriminator) return undefined
  const heard: BfdSession = {
    ...before,
    remoteDiscriminator: packet.myDiscriminator,
    remoteState: packet.state,
    remoteDemand: packet.demand,
    remoteMinRx: packet.requiredMinRx,
    remoteMinTx: packet.desiredMinTx,
    remoteMultiplier: packet.multiplier,
    polling: before.polling && !packet.final,
  }
  return { session: follow(heard, packet.state), reply: packet.poll }
}

function follow(session: BfdSession, theirs: BfdState): BfdSession {
  switch (session.state) {
    case 'adminDown':
      return session
    case 'down':
      if (theirs === 'down') return { ...session, state: 'init' }
      return theirs === 'init' ? risen(session) : session
    case 'init':
      if (theirs === 'adminDown') return fallen(session, 3)
      return theirs === 'init' || theirs === 'up' ? risen(session) : session
    case 'up':
      return theirs === 'adminDown' || theirs === 'down' ? fallen(session, 3) : session
  }
}

/** The interval goes from idle_tx to min_tx, which RFC 5880 §6.5 has us announce by polling. */
function risen(session: BfdSession): BfdSession {
  const polling = session.settings.minTx !== session.settings.idleTx
  return { ...session, state: 'up', diagnostic: 0, polling }
}

function fallen(session: BfdSession, diagnostic: number): BfdSession {
  return { ...session, state: 'down', diagnostic, polling: false }
}

/** RFC 5880 §6.8.4: nothing was heard for the detection time; the other end may come back as another one. */
export function silence(session: BfdSession): BfdSession {
  const forgotten = { ...session, remoteDiscriminator: 0, remoteMultiplier: 0, remoteMinRx: millis(0.001) }
  return session.state === 'init' || session.state === 'up' ? fallen(forgotten, 1) : forgotten
}

/** The packet to send now. A reply to a poll is never a poll itself. */
export function packetOf(session: BfdSession, final = false): BfdPacket {
  return {
    diagnostic: session.diagnostic,
    state: session.state,
    poll: session.polling && !final,
    final,
    demand: false,
    multiplier: session.settings.multiplier,
    myDiscriminator: session.localDiscriminator,
    yourDiscriminator: session.remoteDiscriminator,
    desiredMinTx: desiredMinTx(session),
    requiredMinRx: session.settings.minRx,
    requiredMinEchoRx: millis(0),
  }
}
