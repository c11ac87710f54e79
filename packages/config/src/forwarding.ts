import type { Forwarding, Method } from './config.ts'
import { type Json, type Kind, wordOf } from './kind.ts'
import { readPort } from './endpoint.ts'
import { closest } from './suggest.ts'

const methods: Readonly<Record<string, Method>> = { NAT: 'masq', DR: 'droute', TUN: 'tunnel' }
const names: Readonly<Record<Method, string>> = { masq: 'NAT', droute: 'DR', tunnel: 'TUN' }
const tunnelTypes = ['ipip', 'gue', 'gre'] as const
const checksums = { nocsum: 'none', csum: 'csum', remcsum: 'remcsum' } as const

type Tunnel = NonNullable<Forwarding['tunnel']>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** `NAT | DR | TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]`; reference/checkers.md §11 says what goes together. */
export const forwardingKind: Kind<Forwarding> = {
  syntax: 'NAT|DR|TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]',
  range: 'NAT, DR, TUN',
  read(words) {
    const word = words.take()
    if (word === undefined) return words.missing('one of NAT, DR, TUN')
    const method = methods[word]
    if (method === undefined)
      return words.bad(
        'E024',
        `"${word}" is not one of NAT, DR, TUN`,
        closest(word.toUpperCase(), Object.keys(methods)),
      )
    if (method !== 'tunnel') return { method, tunnel: undefined }
    const tunnel: Writable<Tunnel> = { type: 'ipip', port: 0, checksum: 'none' }
    for (let option = words.peek(); option !== undefined; option = words.peek()) {
      if (option === 'type') {
        words.take()
        const type = words.take()
        const known = tunnelTypes.find((each) => each === type)
        if (known === undefined) return words.bad('E024', `"${type ?? ''}" is not one of ipip, gue, gre`)
        tunnel.type = known
      } else if (option === 'port') {
        words.take()
        const port = readPort(words)
        if (port === undefined) return words.missing('a port')
        if (port === null) return undefined
        tunnel.port = port
      } else if (option in checksums) {
        words.take()
        tunnel.checksum = checksums[option as keyof typeof checksums]
      } else break
    }
    const problem = mismatch(tunnel)
    return problem === undefined ? { method, tunnel } : words.bad('E062', problem)
  },
  toJson({ method, tunnel }) {
    if (tunnel === undefined) return names[method]
    const { type, port, checksum } = tunnel
    if (type === 'ipip') return 'TUN'
    return { method: 'TUN', type, ...(port === 0 ? {} : { port }), ...(checksum === 'none' ? {} : { checksum }) }
  },
  words(json) {
    if (typeof json === 'string') return [json]
    const { type, port, checksum } = json as { readonly [key: string]: Json }
    return [
      'TUN',
      ...(type === undefined ? [] : ['type', wordOf(type)]),
      ...(port === undefined ? [] : ['port', wordOf(port)]),
      ...(checksum === undefined ? [] : [checksum === 'none' ? 'nocsum' : wordOf(checksum)]),
    ]
  },
  schema: {
    oneOf: [
      { enum: ['NAT', 'DR', 'TUN'] },
      {
        type: 'object',
        properties: {
          method: { const: 'TUN' },
          type: { enum: tunnelTypes },
          port: { type: 'integer', minimum: 0, maximum: 65535 },
          checksum: { enum: ['none', 'csum', 'remcsum'] },
        },
        required: ['method'],
        additionalProperties: false,
      },
    ],
  },
}

function mismatch({ type, port, checksum }: Tunnel): string | undefined {
  if (type === 'gue' && port === 0) return 'a gue tunnel needs a port'
  if (type !== 'gue' && port !== 0) return `a ${type} tunnel takes no port`
  if (type === 'ipip' && checksum !== 'none') return 'an ipip tunnel has no checksum options'
  if (type === 'gre' && checksum === 'remcsum') return 'a gre tunnel has no remcsum'
  return undefined
}
