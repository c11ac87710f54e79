/** `encap …` of a route, as ip-route(8) writes it. */
import { addressBytes, parseAddress, type Address } from '@ipvs-director/core'
import type { Encapsulation, RouteNumber } from '@ipvs-director/linux'

/** Throws an Error that says what is not understood. */
export function encapsulationOf([kind, ...words]: readonly string[], names: RouteNumber): Encapsulation {
  switch (kind) {
    case 'mpls': {
      const [labels = '', ...more] = words
      const options = optionsOf(more, ['ttl'])
      return {
        kind,
        labels: labels.split('/').map((label) => whole('label', label, 0xfffff)),
        ttl: octet('ttl', options),
      }
    }
    case 'ip':
    case 'ip6': {
      const [ttl, tos] = kind === 'ip' ? ['ttl', 'tos'] : ['hoplimit', 'tc']
      const options = optionsOf(words, ['id', 'dst', 'src', ttl, tos])
      const [id, from, to, service] = [options.get('id'), options.get('src'), options.get('dst'), options.get(tos)]
      return {
        kind,
        id: id === undefined ? undefined : key(id),
        destination: to === undefined ? undefined : addressOf(to),
        source: from === undefined ? undefined : addressOf(from),
        ttl: octet(ttl, options),
        tos: service === undefined ? undefined : (names('rt_dsfield', service) ?? whole(tos, service, 0xff)),
      }
    }
    case 'ila': {
      const [locator = '', ...more] = words
      optionsOf(more, [])
      return { kind, locator: locatorOf(locator) }
    }
    default:
      throw new Error(`encap ${kind ?? ''} is not understood: mpls, ip, ip6 or ila`)
  }
}

function optionsOf(words: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (let i = 0; i < words.length; i += 2) {
    const [name = '', value] = [words[i], words[i + 1]]
    if (!known.includes(name) || value === undefined) throw new Error(`encap: ${name} is not understood`)
    options.set(name, value)
  }
  return options
}

function whole(what: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(value <= most)) throw new Error(`encap: ${what} ${text} is no number up to ${most}`)
  return value
}

function octet(name: string, options: ReadonlyMap<string, string>): number | undefined {
  const text = options.get(name)
  return text === undefined ? undefined : whole(name, text, 0xff)
}

function key(text: string): bigint {
  if (!/^(?:\d+|0x[0-9a-f]+)$/i.test(text)) throw new Error(`encap: id ${text} is no number`)
  return BigInt.asUintN(64, BigInt(text))
}

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`encap: ${text} is no address`)
  return address
}

/** `2001:db8:0:1`: the upper half of an IPv6 address. */
function locatorOf(text: string): Uint8Array {
  const address = /^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}$/i.test(text) ? parseAddress(`${text}::`) : undefined
  if (address === undefined) throw new Error(`encap: ${text} is no locator`)
  return addressBytes(address).subarray(0, 8)
}
