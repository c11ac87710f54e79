import { parseAddress, parseEndpoint, type Address } from '@ipvs-director/core'
import { noTarget, type FoundServer } from './source.ts'

/**
 * A server as a key of etcd tells: `10.0.0.1`, `10.0.0.1:80`, `[2001:db8::1]:80`, each with ` weight N` after it or not, or
 * JSON `{"address": "10.0.0.1", "port": 80, "weight": 5}`. Where the value is empty, what follows the prefix in the key.
 * Undefined for anything else.
 */
export function serverFromValue(value: string, rest: string): FoundServer | undefined {
  const text = value.trim() === '' ? rest : value.trim()
  return text.startsWith('{') ? fromJson(text) : fromText(text)
}

function fromText(text: string): FoundServer | undefined {
  const match = /^(\S+)(?:\s+weight\s+(\d{1,10}))?$/.exec(text)
  if (match?.[1] === undefined) return undefined
  const endpoint = parseEndpoint(match[1])
  const address = endpoint?.address ?? parseAddress(match[1])
  return server(address, endpoint?.port, match[2] === undefined ? undefined : Number(match[2]))
}

function fromJson(text: string): FoundServer | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('address' in value)) return undefined
  const { address, port, weight } = value as { address: unknown; port?: unknown; weight?: unknown }
  if (typeof address !== 'string' || !isNumber(port) || !isNumber(weight)) return undefined
  return server(parseAddress(address), port, weight)
}

const isNumber = (value: unknown): value is number | undefined => value === undefined || typeof value === 'number'

function server(
  address: Address | undefined,
  port: number | undefined,
  weight: number | undefined,
): FoundServer | undefined {
  const inRange = (n: number | undefined, max: number): boolean =>
    n === undefined || (Number.isInteger(n) && n >= 0 && n <= max)
  if (address === undefined || noTarget(address) || !inRange(port, 65_535) || !inRange(weight, 2 ** 31 - 1)) {
    return undefined
  }
  return { address, port: port === 0 ? undefined : port, weight, tier: 0 }
}
