import { DecodeError, millis, type Millis } from '@ipvs-director/core'

/** RFC 5880 §4.1: the state of a session, by its number on the wire. */
export const bfdStates = ['adminDown', 'down', 'init', 'up'] as const
export type BfdState = (typeof bfdStates)[number]

/** RFC 5880 §4.1: why the session went down last, by its number on the wire. */
export const diagnostics = [
  'no diagnostic',
  'nothing heard in time',
  'echo failed',
  'the other end said down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const

/** A control packet without authentication. Intervals are whole microseconds on the wire. */
export interface BfdPacket {
  readonly diagnostic: number
  readonly state: BfdState
  readonly poll: boolean
  readonly final: boolean
  readonly demand: boolean
  /** Packets missed until the receiver takes the session for down, 1..255. */
  readonly multiplier: number
  /** Not 0. */
  readonly myDiscriminator: number
  /** 0: not known yet. */
  readonly yourDiscriminator: number
  readonly desiredMinTx: Millis
  /** 0: send nothing. */
  readonly requiredMinRx: Millis
  readonly requiredMinEchoRx: Millis
}

const length = 24
const version = 1

/** RFC 5880 §4.1: 24 bytes. */
export function encodeBfd(packet: BfdPacket): Buffer {
  const bytes = Buffer.alloc(length)
  bytes[0] = (version << 5) | (packet.diagnostic & 0x1f)
  bytes[1] =
    (bfdStates.indexOf(packet.state) << 6) |
    (packet.poll ? 0x20 : 0) |
    (packet.final ? 0x10 : 0) |
    (packet.demand ? 0x02 : 0)
  bytes[2] = packet.multiplier
  bytes[3] = length
  bytes.writeUInt32BE(packet.myDiscriminator, 4)
  bytes.writeUInt32BE(packet.yourDiscriminator, 8)
  bytes.writeUInt32BE(micros(packet.desiredMinTx), 12)
  bytes.writeUInt32BE(micros(packet.requiredMinRx), 16)
  bytes.writeUInt32BE(micros(packet.requiredMinEchoRx), 20)
  return bytes
}

/** Reads a packet with the tests of RFC 5880 §6.8.6 that need no session. Throws a DecodeError for what is to be discarded. */
export function decodeBfd(bytes: Buffer): BfdPacket {
  if (bytes.length < length) throw new DecodeError(`a BFD packet has at least ${length} bytes, not ${bytes.length}`)
  const flags = bytes.readUInt8(1)
  const said = bytes.readUInt8(3)
  const packet: BfdPacket = {
    diagnostic: bytes.readUInt8(0) & 0x1f,
    state: bfdStates[flags >> 6] ?? 'adminDown',
    poll: (flags & 0x20) !== 0,
    final: (flags & 0x10) !== 0,
    demand: (flags & 0x02) !== 0,
    multiplier: bytes.readUInt8(2),
    myDiscriminator: bytes.readUInt32BE(4),
    yourDiscriminator: bytes.readUInt32BE(8),
    desiredMinTx: millis(bytes.readUInt32BE(12) / 1000),
    requiredMinRx: millis(bytes.readUInt32BE(16) / 1000),
    requiredMinEchoRx: millis(bytes.readUInt32BE(20) / 1000),
  }
  if (bytes.readUInt8(0) >> 5 !== version) throw new DecodeError('BFD of another version')
  if (said < length || said > bytes.length) throw new DecodeError(`a BFD packet of ${bytes.length} bytes says ${said}`)
  if ((flags & 0x04) !== 0) throw new DecodeError('BFD with authentication, which is not spoken here')
  if ((flags & 0x01) !== 0) throw new DecodeError('multipoint BFD')
  if (packet.multiplier === 0) throw new DecodeError('a detection multiplier of 0')
  if (packet.myDiscriminator === 0) throw new DecodeError('a discriminator of 0')
  if (packet.yourDiscriminator === 0 && (packet.state === 'init' || packet.state === 'up')) {
    throw new DecodeError(`a session that is ${packet.state} and knows no other end`)
  }
  return packet
}

const micros = (time: Millis): number => Math.min(0xffff_ffff, Math.round(time * 1000))
