import type { Address } from '@ipvs-director/core'
import { type Json, type Kind, wordOf } from './kind.ts'
import { addressKind } from './kinds.ts'

/** `ADDR [PORT]` as written: the port may be left out. */
export interface EndpointText {
  readonly address: Address
  readonly port: number | undefined
}

const anyAddress = addressKind()

/** `ADDR [PORT]`, port 0 to 65535. */
export const endpointKind: Kind<EndpointText> = {
  syntax: 'ADDR [PORT]',
  range: '',
  read(words) {
    const address = anyAddress.read(words)
    if (address === undefined) return undefined
    const port = readPort(words)
    return port === null ? undefined : { address, port }
  },
  toJson: ({ address, port }) => (port === undefined ? { address } : { address, port }),
  words(json) {
    const { address, port } = json as { readonly [key: string]: Json }
    return port === undefined ? [wordOf(address)] : [wordOf(address), wordOf(port)]
  },
  schema: {
    type: 'object',
    properties: { address: anyAddress.schema, port: { type: 'integer', minimum: 0, maximum: 65535 } },
    required: ['address'],
    additionalProperties: false,
  },
}

/** The next word as a port if it looks like one; undefined when there is none, null after an error. */
export function readPort(words: Parameters<Kind<unknown>['read']>[0]): number | undefined | null {
  const word = words.peek()
  if (word === undefined) return undefined
  words.take()
  if (!/^\d+$/.test(word)) {
    words.bad('E020', `"${word}" is not a port`)
    return null
  }
  const port = Number(word)
  if (port <= 65535) return port
  words.bad('E021', `${word} is out of range (0 to 65535)`)
  return null
}
