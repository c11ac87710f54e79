import { inOnePiece } from './text.ts'

/**
 * IP addresses as canonical text: IPv4 dotted decimal, IPv6 by RFC 5952 (lower case, longest run of zeros as `::`).
 * Two equal addresses are the same string, so they can be keys of a Map. The brand keeps unparsed text out.
 */
declare const addressBrand: unique symbol
export type Address = string & { readonly [addressBrand]: true }

export type Family = 'inet' | 'inet6'

/** An address with a transport port, 0..65535 (host order). Port 0 means "any" for a virtual server. */
export interface Endpoint {
  readonly address: Address
  readonly port: number
}

/** The family of a canonical address. */
export function familyOf(address: Address): Family {
  return address.includes(':') ? 'inet6' : 'inet'
}

/** RFC 4291 §2.5.6, fe80::/10: it means nothing without the interface it is on. */
export const isLinkLocal = (address: Address): boolean => /^fe[89ab][0-9a-f]:/.test(address)

/** Reads an IPv4 or IPv6 address; undefined when the text is neither. Leading zeros in IPv4 octets are refused. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseV6(text) : isV4(text) ? (text as Address) : undefined
}

/** Like {@link parseAddress}, for literals that are known to be right; throws a TypeError otherwise. */
export function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new TypeError(`not an IP address: ${text}`)
  return parsed
}

function isV4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)
}

function parseV6(text: string): Address | undefined {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return undefined
  let head = text
  let tail: number[] = []
  const lastColon = text.lastIndexOf(':')
  if (text.includes('.')) {
    const v4 = text.slice(lastColon + 1)
    if (!isV4(v4)) return undefined
    const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number)
    tail = [a * 256 + b, c * 256 + d]
    head = text.slice(0, lastColon)
    if (head.endsWith(':')) head += ':'
    if (head === '') return undefined
  }
  const halves = head.split('::')
  if (halves.length > 2) return undefined
  const left = words(halves[0] ?? '')
  const right = halves.length === 2 ? words(halves[1] ?? '') : []
  if (left === undefined || right === undefined) return undefined
  const known = left.length + right.length + tail.length
  if (halves.length === 2 ? known > 7 : known !== 8) return undefined
  const gap = new Array<number>(8 - known).fill(0)
  return formatV6([...left, ...gap, ...right, ...tail])
}

function words(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  if (!parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined
  return parts.map((part) => Number.parseInt(part, 16))
}

/** RFC 5952 §4: the longest run of two or more zero words, the first of equals, becomes `::`. */
function formatV6(parts: readonly number[]): Address {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && parts[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  const hex = parts.map((part) => part.toString(16))
  if (best.start < 0) return hex.join(':') as Address
  const before = hex.slice(0, best.start).join(':')
  const after = hex.slice(best.start + best.length).join(':')
  return `${before}::${after}` as Address
}

/** The address in network order: 4 bytes for IPv4, 16 for IPv6. */
export function addressBytes(value: Address): Uint8Array {
  if (familyOf(value) === 'inet') return Uint8Array.from(value.split('.').map(Number))
  const [head = '', tail] = value.split('::')
  const left = words(head) ?? []
  const right = tail === undefined ? [] : (words(tail) ?? [])
  const bytes = new Uint8Array(16)
  left.forEach((word, i) => {
    putWord(bytes, i, word)
  })
  right.forEach((word, i) => {
    putWord(bytes, 8 - right.length + i, word)
  })
  return bytes
}

function putWord(bytes: Uint8Array, index: number, word: number): void {
  bytes[index * 2] = word >> 8
  bytes[index * 2 + 1] = word & 0xff
}

/** The address held in 4 (IPv4) or 16 (IPv6) bytes in network order. Throws a RangeError for another length. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length === 4) return bytes.join('.') as Address
  if (bytes.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`)
  const parts: number[] = []
  for (let i = 0; i < 16; i += 2) parts.push((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0))
  return formatV6(parts)
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.address.includes(':')
    ? inOnePiece(`[${endpoint.address}]:${endpoint.port}`)
    : inOnePiece(`${endpoint.address}:${endpoint.port}`)
}

/** Reads `10.0.0.1:80` or `[2001:db8::1]:80`; undefined when the text is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const parsed = parseAddress(match[1] ?? match[2] ?? '')
  const port = Number(match[3])
  if (parsed === undefined || port > 65535) return undefined
  if ((match[1] !== undefined) !== (familyOf(parsed) === 'inet6')) return undefined
  return { address: parsed, port }
}

/** Numeric order: IPv4 before IPv6, then byte by byte. Negative, zero or positive, as for Array.sort. */
export function compareAddresses(a: Address, b: Address): number {
  const x = addressBytes(a)
  const y = addressBytes(b)
  return x.length - y.length || Buffer.compare(x, y)
}
