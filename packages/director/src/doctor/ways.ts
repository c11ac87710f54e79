import { addressBytes, familyOf, type Address } from '@ipvs-director/core'
import type { Facts, Interface, Way } from './facts.ts'

/** The route a packet to this address takes, by the main table; undefined where there is none. */
export function wayTo({ ways }: Facts, address: Address): Way | undefined {
  const family = familyOf(address)
  return ways
    .filter((way) => way.family === family && (way.destination === undefined || covers(way.destination, address)))
    .reduce<Way | undefined>((best, way) => (best === undefined || length(way) > length(best) ? way : best), undefined)
}

const length = ({ destination }: Way): number => destination?.length ?? 0

/** Whether the leading bits are equal. */
export function covers(prefix: { readonly address: Address; readonly length: number }, address: Address): boolean {
  if (familyOf(prefix.address) !== familyOf(address)) return false
  const [a, b] = [addressBytes(prefix.address), addressBytes(address)]
  for (let bit = 0; bit < prefix.length; bit++) {
    const mask = 0x80 >> (bit & 7)
    if (((a[bit >> 3] ?? 0) & mask) !== ((b[bit >> 3] ?? 0) & mask)) return false
  }
  return true
}

/** The interface that has this address, or whose prefix on the loopback covers it. */
export function holderOf({ interfaces }: Facts, address: Address): Interface | undefined {
  return interfaces?.find(({ addresses }) => addresses.some((one) => one.address === address))
}
