import { type Address, parseAddress } from '@ipvs-director/core'
import { type Kind, wordOf } from './kind.ts'

/** `persistence_granularity`: a mask for IPv4, a prefix length for IPv6. */
export type Granularity = { readonly mask: Address } | { readonly prefix: number }

export const granularityKind: Kind<Granularity> = {
  syntax: 'MASK|PREFIX',
  range: 'IPv4: a mask such as 255.255.255.0; IPv6: 1 to 128',
  read(words) {
    const word = words.take()
    if (word === undefined) return words.missing('a mask, or a prefix length for IPv6')
    if (/^\d+$/.test(word)) {
      const prefix = Number(word)
      return prefix >= 1 && prefix <= 128 ? { prefix } : words.bad('E021', `${word} is out of range (1 to 128)`)
    }
    const mask = parseAddress(word)
    if (mask === undefined || mask.includes(':')) return words.bad('E022', `"${word}" is not a mask or prefix length`)
    if (!isMask(mask)) words.warn('W056', `${word} is no usual mask: its ones do not come first`)
    return { mask }
  },
  toJson: (value) => ('mask' in value ? value.mask : value.prefix),
  words: (json) => [wordOf(json)],
  schema: {
    oneOf: [
      { type: 'string', format: 'ipv4' },
      { type: 'integer', minimum: 1, maximum: 128 },
    ],
  },
}

/** The mask as an unsigned number. */
export const maskNumber = (mask: Address): number => mask.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const isMask = (mask: Address): boolean => {
  const inverse = 2 ** 32 - 1 - maskNumber(mask)
  return Number.isInteger(Math.log2(inverse + 1))
}
