import { DecodeError } from '@ipvs-director/core'

/** RFC 1035 §3.2.2 and later: the types that DNS_CHECK knows. */
export const queryTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  RRSIG: 46,
  DNSKEY: 48,
} as const
export type QueryType = keyof typeof queryTypes

const CLASS_IN = 1
/** RFC 1035 §4.1.1: recursion desired; the bit that says it is an answer. */
const RD = 0x0100
const QR = 0x8000

/** What the header of an answer says. */
export interface Answer {
  readonly id: number
  readonly isAnswer: boolean
  /** RFC 1035 §4.1.1 and the DNS RCODE registry: 0 is no error. */
  readonly rcode: number
}

/** A query for one name. `labels` comes from {@link splitName}. */
export function encodeQuery(id: number, labels: readonly string[], type: QueryType): Buffer {
  const name = Buffer.concat([...labels.map((label) => Buffer.from(`\0${label}`, 'latin1')), Buffer.from([0])])
  let at = 0
  for (const label of labels) {
    name[at] = label.length
    at += label.length + 1
  }
  const query = Buffer.alloc(12 + name.length + 4)
  query.writeUInt16BE(id, 0)
  query.writeUInt16BE(RD, 2)
  query.writeUInt16BE(1, 4)
  query.set(name, 12)
  query.writeUInt16BE(queryTypes[type], 12 + name.length)
  query.writeUInt16BE(CLASS_IN, 14 + name.length)
  return query
}

/** Reads the header, which is all that counts. Throws a DecodeError when it is too short. */
export function decodeAnswer(datagram: Buffer): Answer {
  if (datagram.length < 12) throw new DecodeError(`a DNS message has at least 12 bytes, not ${datagram.length}`)
  const flags = datagram.readUInt16BE(2)
  return { id: datagram.readUInt16BE(0), isAnswer: (flags & QR) !== 0, rcode: flags & 0x0f }
}

/** A name as labels; undefined when it is none: an empty label, one of more than 63 bytes, more than 255 in all. */
export function splitName(name: string): readonly string[] | undefined {
  const text = name.endsWith('.') ? name.slice(0, -1) : name
  if (text === '') return []
  const labels = text.split('.')
  if (labels.some((label) => label.length < 1 || label.length > 63 || /[^\x21-\x7e]/.test(label))) return undefined
  return labels.reduce((sum, label) => sum + label.length + 1, 1) <= 255 ? labels : undefined
}

/** The registry's names of what servers answer most. */
const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

export const rcodeName = (rcode: number): string => rcodes[rcode] ?? `RCODE ${rcode}`
