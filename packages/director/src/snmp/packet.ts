import { DecodeError } from '@ipvs-director/core'
import type { Oid } from './oid.ts'
import type { VarBind } from './value.ts'
import { Reader, Writer } from './wire.ts'

/** RFC 2741 §6.1: what a packet is. */
export const pduType = { open: 1, close: 2, register: 3, get: 5, getNext: 6, getBulk: 7, testSet: 8, commitSet: 9, undoSet: 10, cleanupSet: 11, notify: 12, ping: 13, response: 18 } as const // prettier-ignore

/** RFC 2741 §6.2.16 and RFC 3416: errors of a response. */
export const agentError = { none: 0, genErr: 5, notWritable: 17, openFailed: 256, notOpen: 257, unsupportedContext: 262, duplicateRegistration: 263, parseError: 266, processingError: 268 } as const // prettier-ignore

const headerBytes = 20
const protocolVersion = 1
const NON_DEFAULT_CONTEXT = 0x08
const NETWORK_BYTE_ORDER = 0x10

/** No packet of a sane master is longer; what claims to be ends the session. */
const longestPayload = 1 << 20

export interface Header {
  readonly type: number
  readonly flags: number
  readonly session: number
  readonly transaction: number
  readonly packet: number
  /** Bytes after the header. */
  readonly length: number
}

/** Where to look: from `start` (itself only with `include`) to before `end` (empty: to the end of the tree). */
export interface SearchRange {
  readonly start: Oid
  readonly include: boolean
  readonly end: Oid
}

/** What a master asks. `context` is another than the default one. */
export type Request =
  | { readonly kind: 'get' | 'getNext'; readonly context: boolean; readonly ranges: readonly SearchRange[] }
  | { readonly kind: 'getBulk'; readonly context: boolean; readonly nonRepeaters: number; readonly maxRepetitions: number; readonly ranges: readonly SearchRange[] } // prettier-ignore
  | { readonly kind: 'testSet' | 'commitSet' | 'undoSet' | 'cleanupSet' | 'close' | 'other' }
  /** `upTime`: the master's sysUpTime, in hundredths of a second. */
  | { readonly kind: 'response'; readonly upTime: number; readonly error: number; readonly index: number }

/** The header, or undefined while it is not whole. Throws a DecodeError for what is no AgentX. */
export function readHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < headerBytes) return undefined
  if (bytes[0] !== protocolVersion) throw new DecodeError(`AgentX of version ${String(bytes[0])}`)
  const flags = bytes[2] ?? 0
  const numbers = new Reader(bytes.subarray(4, headerBytes), (flags & NETWORK_BYTE_ORDER) !== 0)
  const [session, transaction, packet, length] = [numbers.u32(), numbers.u32(), numbers.u32(), numbers.u32()]
  if (length > longestPayload || length % 4 !== 0) throw new DecodeError(`an AgentX packet of ${length} bytes`)
  return { type: bytes[1] ?? 0, flags, session, transaction, packet, length }
}

/** Takes whole packets off the front of a stream; what is left over is to be given again with what comes next. */
export function* takePackets(stream: Buffer): Generator<{ readonly header: Header; readonly payload: Buffer }, Buffer> {
  let rest = stream
  for (;;) {
    const header = readHeader(rest)
    const end = headerBytes + (header?.length ?? 0)
    if (header === undefined || rest.length < end) return rest
    yield { header, payload: rest.subarray(headerBytes, end) }
    rest = rest.subarray(end)
  }
}

export function readRequest({ type, flags }: Header, payload: Buffer): Request {
  const reader = new Reader(payload, (flags & NETWORK_BYTE_ORDER) !== 0)
  const context = (flags & NON_DEFAULT_CONTEXT) !== 0
  switch (type) {
    case pduType.get:
    case pduType.getNext:
      if (context) reader.octets()
      return { kind: type === pduType.get ? 'get' : 'getNext', context, ranges: readRanges(reader) }
    case pduType.getBulk: {
      if (context) reader.octets()
      const [nonRepeaters, maxRepetitions] = [reader.u16(), reader.u16()]
      return { kind: 'getBulk', context, nonRepeaters, maxRepetitions, ranges: readRanges(reader) }
    }
    case pduType.testSet:
      return { kind: 'testSet' }
    case pduType.commitSet:
      return { kind: 'commitSet' }
    case pduType.undoSet:
      return { kind: 'undoSet' }
    case pduType.cleanupSet:
      return { kind: 'cleanupSet' }
    case pduType.close:
      return { kind: 'close' }
    case pduType.response:
      return { kind: 'response', upTime: reader.u32(), error: reader.u16(), index: reader.u16() }
    default:
      return { kind: 'other' }
  }
}

function readRanges(reader: Reader): SearchRange[] {
  const ranges: SearchRange[] = []
  while (reader.left > 0) {
    const { oid: start, include } = reader.oid()
    ranges.push({ start, include, end: reader.oid().oid })
  }
  return ranges
}

type Ids = Pick<Header, 'session' | 'transaction' | 'packet'>

function packet(type: number, { session, transaction, packet: id }: Ids, payload: Buffer): Buffer {
  const head = new Writer().u8(protocolVersion, type, NETWORK_BYTE_ORDER, 0)
  return Buffer.concat([head.u32(session).u32(transaction).u32(id).u32(payload.length).bytes(), payload])
}

/** `timeout`: seconds the master waits for our answers; 0: as it likes. */
export const openPacket = (ids: Ids, timeout: number, id: Oid, description: string): Buffer =>
  packet(pduType.open, ids, new Writer().u8(timeout, 0, 0, 0).oid(id).octets(Buffer.from(description)).bytes())

/** Reason 5: shutdown. */
export const closePacket = (ids: Ids): Buffer => packet(pduType.close, ids, new Writer().u8(5, 0, 0, 0).bytes())

/** Priority 127 is the default: a lower number wins where two register the same. */
export const registerPacket = (ids: Ids, subtree: Oid): Buffer =>
  packet(pduType.register, ids, new Writer().u8(0, 127, 0, 0).oid(subtree).bytes())

export const pingPacket = (ids: Ids): Buffer => packet(pduType.ping, ids, Buffer.alloc(0))

const binds = (writer: Writer, list: readonly VarBind[]): Buffer =>
  list.reduce((all, bind) => all.varBind(bind), writer).bytes()

/** The first is snmpTrapOID.0; the master adds sysUpTime.0. */
export const notifyPacket = (ids: Ids, list: readonly VarBind[]): Buffer =>
  packet(pduType.notify, ids, binds(new Writer(), list))

/** `index` counts the variable with the error from 1; 0: none. */
export const responsePacket = (ids: Ids, error: number, index: number, list: readonly VarBind[]): Buffer =>
  packet(pduType.response, ids, binds(new Writer().u32(0).u16(error).u16(index), list))
