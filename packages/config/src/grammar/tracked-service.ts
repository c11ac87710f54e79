import type { Address } from '@ipvs-director/core'
import { type Json, type Kind, type WordReader, wordOf } from '../kind.ts'
import { addressKind, integerKind } from '../kinds.ts'

/** A virtual server as an instance names it: its words, without `virtual_server`, and its protocol where it matters. */
export type TrackedService = (
  | { readonly address: Address; readonly port: number | undefined }
  | { readonly fwmark: number }
  | { readonly group: string }
) & {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | undefined
  readonly weight: number | undefined
  readonly reverse: 'reverse' | 'noreverse' | undefined
}

const address = addressKind()
const port = integerKind({ min: 0, max: 65535 })
const fwmark = integerKind({ min: 1, max: 2 ** 32 - 1 })
const weight = integerKind({ min: -253, max: 253 })
const protocols = ['TCP', 'UDP', 'SCTP'] as const

const rest = {
  protocol: { enum: protocols },
  weight: weight.schema,
  reverse: { enum: ['reverse', 'noreverse'] },
}

const shape = (properties: object, required: string): object => ({
  type: 'object',
  properties: { ...properties, ...rest },
  required: [required],
  additionalProperties: false,
})

/** `ADDR [PORT]|fwmark N|group NAME [TCP|UDP|SCTP] [weight N] [reverse|noreverse]`. */
export const trackedServiceKind: Kind<TrackedService> = {
  syntax: 'ADDR [PORT]|fwmark N|group NAME [TCP|UDP|SCTP] [weight N] [reverse|noreverse]',
  range: '',
  read(words) {
    const target = readTarget(words)
    if (target === undefined) return undefined
    const protocol = protocols.find((each) => each === words.peek()?.toUpperCase())
    if (protocol !== undefined) words.take()
    let given: number | undefined
    if (words.peek() === 'weight') {
      words.take()
      given = weight.read(words)
      if (given === undefined) return undefined
    }
    const next = words.peek()
    const reverse = next === 'reverse' || next === 'noreverse' ? next : undefined
    if (reverse !== undefined) words.take()
    return { ...target, protocol, weight: given, reverse }
  },
  toJson: (value) => JSON.parse(JSON.stringify(value)) as Json,
  words(json) {
    const given = json as { readonly [key: string]: Json }
    const target =
      given['group'] !== undefined
        ? ['group', wordOf(given['group'])]
        : given['fwmark'] !== undefined
          ? ['fwmark', wordOf(given['fwmark'])]
          : [wordOf(given['address']), ...(given['port'] === undefined ? [] : [wordOf(given['port'])])]
    return [
      ...target,
      ...(given['protocol'] === undefined ? [] : [wordOf(given['protocol'])]),
      ...(given['weight'] === undefined ? [] : ['weight', wordOf(given['weight'])]),
      ...(given['reverse'] === undefined ? [] : [wordOf(given['reverse'])]),
    ]
  },
  schema: {
    oneOf: [
      shape({ address: address.schema, port: port.schema }, 'address'),
      shape({ fwmark: fwmark.schema }, 'fwmark'),
      shape({ group: { type: 'string', minLength: 1, pattern: '^[^"\\u0000-\\u001f\\u007f]*$' } }, 'group'),
    ],
  },
}

type Target =
  | { readonly address: Address; readonly port: number | undefined }
  | { readonly fwmark: number }
  | { readonly group: string }

function readTarget(words: WordReader): Target | undefined {
  const word = words.peek()
  if (word === 'fwmark') {
    words.take()
    const mark = fwmark.read(words)
    return mark === undefined ? undefined : { fwmark: mark }
  }
  if (word === 'group') {
    words.take()
    const group = words.take()
    return group === undefined ? words.missing('the name of a virtual_server_group') : { group }
  }
  const found = address.read(words)
  if (found === undefined) return undefined
  if (!/^\d+$/.test(words.peek() ?? '')) return { address: found, port: undefined }
  const given = port.read(words)
  return given === undefined ? undefined : { address: found, port: given }
}
