import { addressFromBytes, DecodeError, type Address } from '@ipvs-director/core'
import type { DestinationGlance } from './client.ts'
import type { AddressServiceKey, ForwardingMethod, Protocol } from './table.ts'

/**
 * A service as /proc/net/ip_vs tells it. Flags, netmask, engine, and the family of a mark are not in the text; the
 * netlink dump of services has them.
 */
export interface TextService {
  /** A number is a firewall mark. */
  readonly key: AddressServiceKey | number
  /** By destination id. Thresholds, tunnel options and statistics are not in the text. */
  readonly destinations: Map<string, DestinationGlance>
}

/** Reads the text as it comes, in pieces of any size. Linear; every method throws a DecodeError for other text. */
export interface TextReader {
  push(piece: Uint8Array): void
  /** All services, in the order of the text. */
  end(): TextService[]
}

/** Lines before the first service: version, two of titles. */
const titleLines = 3

export function textReader(): TextReader {
  const services: TextService[] = []
  let current: TextService | undefined
  let line = 0
  let rest: Buffer | undefined
  const cursor = new Cursor()

  function take(bytes: Buffer, start: number, end: number): void {
    line++
    if (line <= titleLines || start === end) return
    cursor.move(bytes, start, end)
    if (!cursor.skip(arrow)) {
      const key = readService(cursor)
      // Services of protocols that IPVS does not balance can be added; what is under them is passed over.
      current = key === undefined ? { key: 0, destinations: new Map() } : { key, destinations: new Map() }
      if (key !== undefined) services.push(current)
    } else if (current === undefined) {
      throw new DecodeError(`a destination before any service in line ${line}`)
    } else {
      readDestination(cursor, current.destinations)
    }
  }

  return {
    push(piece) {
      const fresh = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      const bytes = rest === undefined ? fresh : Buffer.concat([rest, fresh])
      let start = 0
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
        take(bytes, start, end)
        start = end + 1
      }
      rest = start < bytes.length ? Buffer.from(bytes.subarray(start)) : undefined
    },
    end() {
      if (rest !== undefined) throw new DecodeError(`/proc/net/ip_vs ends within line ${line + 1}`)
      return services
    },
  }
}

/** The services in a whole text. Throws a DecodeError. */
export function parseText(text: string | Uint8Array): TextService[] {
  const reader = textReader()
  reader.push(typeof text === 'string' ? Buffer.from(text) : text)
  return reader.end()
}

const newline = 0x0a
const space = 0x20
const colon = 0x3a
const arrow = Buffer.from('  -> ')
const mark = 'FWM'

const protocols: ReadonlyMap<string, Protocol> = new Map([
  ['TCP', 'tcp'],
  ['UDP', 'udp'],
  ['SCTP', 'sctp'],
])

/** As the kernel names the methods; it calls bypass Masq too. */
const methods: readonly (readonly [Buffer, ForwardingMethod])[] = [
  [Buffer.from('Route '), 'droute'],
  [Buffer.from('Masq '), 'masq'],
  [Buffer.from('Tunnel '), 'tunnel'],
  [Buffer.from('Local '), 'local'],
]

function readMethod(cursor: Cursor): ForwardingMethod {
  for (const [name, method] of methods) if (cursor.skip(name)) return method
  throw new DecodeError(`unknown forwarding method "${cursor.word()}" in /proc/net/ip_vs`)
}

/** `TCP  C0000201:0050 wlc …`, `UDP  [2001:0db8:…:0001]:0035 rr …`, `FWM  00000007 rr …`, `IP_50  …`. */
function readService(cursor: Cursor): AddressServiceKey | number | undefined {
  const word = cursor.word()
  cursor.spaces()
  if (word === mark) return cursor.hex(8)
  const protocol = protocols.get(word)
  if (protocol === undefined) return undefined
  const address = cursor.address()
  cursor.expect(colon)
  return { protocol, address, port: cursor.hex(4) }
}

/** `0A000002:0050      Masq    5      0          0         `: method, weight, active and inactive connections. */
function readDestination(cursor: Cursor, into: Map<string, DestinationGlance>): void {
  const address = cursor.address()
  cursor.expect(colon)
  const port = cursor.hex(4)
  cursor.spaces()
  const forwarding = readMethod(cursor)
  const weight = cursor.decimal()
  const activeConnections = cursor.decimal()
  const inactiveConnections = cursor.decimal()
  const id = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  into.set(id, { forwarding, weight, activeConnections, inactiveConnections })
}

/** Reads one line from left to right. */
class Cursor {
  private bytes: Buffer = Buffer.alloc(0)
  private end = 0
  private at = 0

  move(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Whether `expected` comes next; if so it is passed. */
  skip(expected: Buffer): boolean {
    if (this.at + expected.length > this.end) return false
    for (let i = 0; i < expected.length; i++) if (this.bytes[this.at + i] !== expected[i]) return false
    this.at += expected.length
    return true
  }

  expect(byte: number): void {
    if (this.next() !== byte) this.fail(`"${String.fromCharCode(byte)}"`)
  }

  spaces(): void {
    while (this.at < this.end && this.bytes[this.at] === space) this.at++
  }

  /** Up to the next space. */
  word(): string {
    const start = this.at
    while (this.at < this.end && this.bytes[this.at] !== space) this.at++
    if (this.at === start) this.fail('a word')
    return this.bytes.toString('latin1', start, this.at)
  }

  /** Exactly so many hexadecimal digits, at most eight. */
  hex(digits: number): number {
    let value = 0
    for (let i = 0; i < digits; i++) {
      const digit = hexDigit(this.next())
      if (digit < 0) this.fail('a hexadecimal digit')
      value = value * 16 + digit
    }
    return value
  }

  /** Spaces, then a decimal number. The kernel prints its atomic counters signed. */
  decimal(): number {
    this.spaces()
    const start = this.at
    const negative = this.bytes[this.at] === 0x2d
    if (negative) this.at++
    let value = 0
    while (this.at < this.end) {
      const digit = (this.bytes[this.at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      this.at++
    }
    if (this.at === start + (negative ? 1 : 0)) this.fail('a number')
    return negative ? -value : value
  }

  /** `0A000002` or `[2001:0db8:0000:0000:0000:0000:0000:0002]`. */
  address(): Address {
    if (this.bytes[this.at] !== 0x5b) {
      const value = this.hex(8)
      return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Address
    }
    this.at++
    const address = new Uint8Array(16)
    for (let i = 0; i < 16; i += 2) {
      if (i > 0) this.expect(colon)
      const word = this.hex(4)
      address[i] = word >> 8
      address[i + 1] = word & 255
    }
    this.expect(0x5d)
    return addressFromBytes(address)
  }

  private next(): number {
    return this.at < this.end ? (this.bytes[this.at++] ?? 0) : 0
  }

  private fail(wanted: string): never {
    throw new DecodeError(`${wanted} was expected at column ${this.at} of a line of /proc/net/ip_vs`)
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
