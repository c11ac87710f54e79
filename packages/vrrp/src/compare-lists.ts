import type { VrrpInstance } from '@ipvs-director/config'
import { type AdvertisementHead, encodeAddresses, widthOf } from './advertisement.ts'

/** Our own list as octets, by the configuration it was made from. */
const ownOctets = new WeakMap<VrrpInstance, Uint8Array>()

/**
 * Whether two machines move the same addresses, in the words keepalived's operators know. Equal lists in the same order,
 * which is every good advertisement, cost one comparison of octets.
 */
export function compareLists({ octets, count }: AdvertisementHead, config: VrrpInstance): readonly string[] {
  const own = octetsOf(config)
  if (Buffer.compare(octets, own) === 0) return []
  const differences: string[] = []
  const { addresses, family } = config
  if (count !== addresses.length) differences.push(`expected ${addresses.length} VIPs but received ${count}`)
  const heard = new Set(pieces(octets, widthOf(family)))
  const missing = pieces(own, widthOf(family)).findIndex((each) => !heard.has(each))
  const address = addresses[missing]?.address
  if (address !== undefined) differences.push(`VIP ${address} is not present in the advert`)
  return differences
}

function octetsOf(config: VrrpInstance): Uint8Array {
  const found = ownOctets.get(config)
  if (found !== undefined) return found
  const addresses = config.addresses.map(({ address }) => address)
  const made = encodeAddresses(addresses, config.family)
  ownOctets.set(config, made)
  return made
}

/** Each address as a short text that is equal when the address is. */
function pieces(octets: Uint8Array, width: number): readonly string[] {
  const all = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
  return Array.from({ length: octets.length / width }, (_, i) => all.slice(i * width, (i + 1) * width))
}
