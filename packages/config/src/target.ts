import { type Address, addressBytes, addressFromBytes, type Family, familyOf, parseAddress } from '@ipvs-director/core'
import { endpointKind, readPort } from './endpoint.ts'
import { type Json, type Kind, type WordReader, wordOf } from './kind.ts'

/** What stands between `virtual_server` and its brace. */
export type TargetText =
  | { readonly address: Address; readonly port: number | undefined }
  | { readonly fwmark: number }
  | { readonly group: string }

const fwmarkSchema = { type: 'integer', minimum: 1, maximum: 2 ** 32 - 1 }

/** `ADDR [PORT] | fwmark N | group NAME`. */
export const targetKind: Kind<TargetText> = {
  syntax: 'ADDR [PORT] | fwmark N | group NAME',
  range: '',
  read(words) {
    const word = words.peek()
    if (word === 'fwmark') {
      words.take()
      const fwmark = readFwmark(words)
      return fwmark === undefined ? undefined : { fwmark }
    }
    if (word !== 'group') return endpointKind.read(words)
    words.take()
    const group = words.take()
    return group === undefined ? words.missing('the name of a virtual_server_group') : { group }
  },
  toJson: (value) =>
    'address' in value
      ? endpointKind.toJson(value)
      : 'fwmark' in value
        ? { fwmark: value.fwmark }
        : { group: value.group },
  words(json) {
    const value = json as { readonly [key: string]: Json }
    if (value['fwmark'] !== undefined) return ['fwmark', wordOf(value['fwmark'])]
    if (value['group'] !== undefined) return ['group', wordOf(value['group'])]
    return endpointKind.words(json)
  },
  schema: {
    oneOf: [
      endpointKind.schema,
      { type: 'object', properties: { fwmark: fwmarkSchema }, required: ['fwmark'], additionalProperties: false },
      {
        type: 'object',
        properties: { group: { type: 'string', minLength: 1 } },
        required: ['group'],
        additionalProperties: false,
      },
    ],
  },
}

function readFwmark(words: WordReader): number | undefined {
  const word = words.take()
  if (word === undefined) return words.missing('a mark (1 to 4294967295)')
  if (!/^\d{1,10}$/.test(word)) return words.bad('E020', `"${word}" is not a whole number`)
  const fwmark = Number(word)
  return fwmark >= 1 && fwmark <= 2 ** 32 - 1 ? fwmark : words.bad('E021', `${word} is out of range (1 to 4294967295)`)
}

/** A line of a virtual_server_group: addresses from first to last, or a mark. */
export type GroupEntry =
  | { readonly first: Address; readonly last: Address; readonly port: number | undefined; readonly written: string }
  | { readonly fwmark: number; readonly family: Family | undefined }

/** More addresses in one entry are refused: each becomes a service in the kernel. */
const mostAddresses = 65_536

/** `ADDR [PORT]`, `ADDR-LAST [PORT]`, `ADDR-ADDR [PORT]`, `ADDR/PREFIX [PORT]`, `fwmark N [inet|inet6]`. */
export const groupEntryKind: Kind<GroupEntry> = {
  syntax: 'ADDR[-LAST|-ADDR|/PREFIX] [PORT] | fwmark N [inet|inet6]',
  range: '',
  read(words) {
    if (words.peek() === 'fwmark') {
      words.take()
      const fwmark = readFwmark(words)
      if (fwmark === undefined) return undefined
      const family = words.peek()
      if (family !== 'inet' && family !== 'inet6') return { fwmark, family: undefined }
      words.take()
      return { fwmark, family }
    }
    const written = words.take()
    if (written === undefined) return words.missing('an address or range')
    const range = readRange(written, words)
    if (range === undefined) return undefined
    const port = readPort(words)
    return port === null ? undefined : { ...range, port, written }
  },
  toJson: (entry) =>
    'fwmark' in entry
      ? { fwmark: entry.fwmark, ...(entry.family === undefined ? {} : { family: entry.family }) }
      : { address: entry.written, ...(entry.port === undefined ? {} : { port: entry.port }) },
  words(json) {
    const { fwmark, family, address, port } = json as { readonly [key: string]: Json }
    if (fwmark !== undefined) return ['fwmark', wordOf(fwmark), ...(family === undefined ? [] : [wordOf(family)])]
    return [wordOf(address), ...(port === undefined ? [] : [wordOf(port)])]
  },
  schema: {
    oneOf: [
      {
        type: 'object',
        properties: {
          address: { type: 'string', pattern: '^[0-9A-Fa-f.:]+([-/][0-9A-Fa-f.:]+)?$' },
          port: { type: 'integer', minimum: 0, maximum: 65535 },
        },
        required: ['address'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: { fwmark: fwmarkSchema, family: { enum: ['inet', 'inet6'] } },
        required: ['fwmark'],
        additionalProperties: false,
      },
    ],
  },
}

function readRange(text: string, words: WordReader): { readonly first: Address; readonly last: Address } | undefined {
  const slash = text.indexOf('/')
  const dash = text.indexOf('-')
  const cut = slash >= 0 ? slash : dash
  const first = parseAddress(cut < 0 ? text : text.slice(0, cut))
  if (first === undefined) return words.bad('E026', `"${text}" is not an address or a range of addresses`)
  if (cut < 0) return { first, last: first }
  const end = text.slice(cut + 1)
  const last = slash >= 0 ? lastOfNetwork(first, end) : lastOfRange(first, end)
  if (last === undefined) return words.bad('E026', `"${text}" is not an address or a range of addresses`)
  const size = addressNumber(last) - addressNumber(first) + 1n
  if (slash >= 0 && addressNumber(first) % size !== 0n)
    return words.bad('E041', `${text} has bits set beyond its prefix`)
  if (slash < 0 && size < 2n) return words.bad('E041', `the end of ${text} is not after its start`)
  if (size > mostAddresses)
    return words.bad('E042', `${text} has ${size} addresses; at most ${mostAddresses} are taken`)
  return { first, last }
}

/** `end` is a whole address, or the last byte in decimal (IPv4), or the last 16 bits in hex (IPv6). */
function lastOfRange(first: Address, end: string): Address | undefined {
  const whole = parseAddress(end)
  if (whole !== undefined) return familyOf(whole) === familyOf(first) ? whole : undefined
  const bytes = addressBytes(first)
  if (familyOf(first) === 'inet') {
    if (!/^\d{1,3}$/.test(end) || Number(end) > 255) return undefined
    bytes[3] = Number(end)
  } else {
    if (!/^[0-9a-fA-F]{1,4}$/.test(end)) return undefined
    const value = Number.parseInt(end, 16)
    bytes[14] = value >> 8
    bytes[15] = value & 255
  }
  return addressFromBytes(bytes)
}

function lastOfNetwork(first: Address, prefix: string): Address | undefined {
  const bits = familyOf(first) === 'inet' ? 32 : 128
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return undefined
  return numberAddress(addressNumber(first) | ((1n << BigInt(bits - Number(prefix))) - 1n), familyOf(first))
}

/** The address as an unsigned number. */
export function addressNumber(value: Address): bigint {
  return BigInt(`0x${Buffer.from(addressBytes(value)).toString('hex')}`)
}

/** The address that is this number. */
export function numberAddress(value: bigint, family: Family): Address {
  const length = family === 'inet' ? 4 : 16
  return addressFromBytes(Uint8Array.from(Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')))
}

/** Every address from first to last. */
export function* addressRange(first: Address, last: Address): Generator<Address> {
  const end = addressNumber(last)
  for (let at = addressNumber(first); at <= end; at++) yield numberAddress(at, familyOf(first))
}
