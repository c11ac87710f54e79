import { type Address, type Family, familyOf, parseAddress } from '@ipvs-director/core'
import { type Kind, wordOf } from './kind.ts'

/** An address with its prefix length; undefined: none was written, which means all bits. */
export interface Network {
  readonly address: Address
  readonly prefix: number | undefined
}

/** `ADDR[/LEN]`. */
export const networkKind: Kind<Network> = {
  syntax: 'ADDR[/LEN]',
  range: '',
  read(words) {
    const word = words.take()
    if (word === undefined) return words.missing('an address')
    const slash = word.indexOf('/')
    const address = parseAddress(slash < 0 ? word : word.slice(0, slash))
    if (address === undefined) return words.bad('E026', `"${word}" is not an IP address`)
    if (slash < 0) return { address, prefix: undefined }
    const bits = familyOf(address) === 'inet' ? 32 : 128
    const length = word.slice(slash + 1)
    if (!/^\d{1,3}$/.test(length) || Number(length) > bits) {
      return words.bad('E022', `"${length}" is not a prefix length (0 to ${bits})`)
    }
    return { address, prefix: Number(length) }
  },
  toJson: ({ address, prefix }) => (prefix === undefined ? address : `${address}/${prefix}`),
  words: (json) => [wordOf(json)],
  schema: { type: 'string', format: 'ip-network' },
}

/** A route's destination: `ADDR[/LEN]`, or one of the words for everything. */
export const destinationKind: Kind<Network | 'default'> = {
  ...networkKind,
  syntax: 'ADDR[/LEN]|default|any|all',
  read(words) {
    const word = words.peek()
    if (word !== 'default' && word !== 'any' && word !== 'all' && word !== 'default6') return networkKind.read(words)
    words.take()
    if (word === 'default6') words.warn('W025', 'default6 is deprecated: write "inet6 default"')
    return 'default'
  },
  toJson: (value) => (value === 'default' ? value : networkKind.toJson(value)),
  schema: { anyOf: [{ const: 'default' }, networkKind.schema] },
}

/** `[inet|inet6] ADDR`: a gateway. */
export const gatewayKind: Kind<Address> = {
  syntax: '[inet|inet6] ADDR',
  range: '',
  read(words) {
    const family = words.peek()
    if (family === 'inet' || family === 'inet6') words.take()
    const word = words.take()
    if (word === undefined) return words.missing('an address')
    const address = parseAddress(word)
    if (address === undefined) return words.bad('E026', `"${word}" is not an IP address`)
    if ((family === 'inet' || family === 'inet6') && familyOf(address) !== (family satisfies Family)) {
      return words.bad('E026', `${word} is not an ${family} address`)
    }
    return address
  },
  toJson: (value) => value,
  words: (json) => [wordOf(json)],
  schema: { type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] },
}
