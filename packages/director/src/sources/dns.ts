import type { DnsSource } from '@ipvs-director/config'
import {
  compareAddresses,
  describeError,
  millis,
  parseAddress,
  type Clock,
  type Millis,
  type Random,
} from '@ipvs-director/core'
import type { SrvRecord } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { noTarget, type FoundServer, type Listing, type Source } from './source.ts'

/** An address with its time to live in seconds. */
interface AddressRecord {
  readonly address: string
  readonly ttl: number
}

/** DNS look-ups. Reject with an error whose code is ENOTFOUND or ENODATA when the answer is that there is nothing. */
export interface Resolve {
  a(name: string): Promise<readonly AddressRecord[]>
  aaaa(name: string): Promise<readonly AddressRecord[]>
  srv(name: string): Promise<readonly SrvRecord[]>
}

/** Look-ups by a resolver, a new one for each. */
export const resolveBy = (resolver: () => Resolver): Resolve => ({
  a: (name) => resolver().resolve4(name, { ttl: true }),
  aaaa: (name) => resolver().resolve6(name, { ttl: true }),
  srv: (name) => resolver().resolveSrv(name),
})

/** By the name servers in /etc/resolv.conf, which is read anew each time. */
export const systemResolve: Resolve = resolveBy(() => new Resolver({ timeout: 2000, tries: 2 }))

export interface DnsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly resolve: Resolve
}

/** Longest wait in milliseconds: after an answer, where TTLs are not known (Node does not tell those of SRV), after failures. */
const longest = { any: 3_600_000, srv: 30_000, failing: 60_000 } as const

/** Waits are up to this share longer, so that many directors do not ask at once; never shorter: an answer is good for its TTL. */
const jitter = 0.1

/** Real servers by DNS name, asked again when the TTL is over. */
export function dnsSource(settings: DnsSource, { clock, random, resolve }: DnsOptions): Source {
  const { minTtl } = settings
  return {
    list: async () => (await lookUp(settings, resolve)).listing,
    watch(events) {
      let stopped = false
      let cancel = (): void => undefined
      let failures = 0
      const later = (wait: number): void => {
        const timer = clock.after(millis(wait * (1 + jitter * random())), () => void ask())
        cancel = () => {
          timer.cancel()
        }
      }
      const ask = async (): Promise<void> => {
        try {
          const { listing, ttl } = await lookUp(settings, resolve)
          if (stopped) return
          failures = 0
          later(Math.max(minTtl, ttl))
          events.answered(listing)
        } catch (error) {
          if (stopped) return
          later(Math.max(minTtl, Math.min(minTtl * 2 ** failures++, longest.failing)))
          events.failed(describeError(error))
        }
      }
      void ask()
      return () => {
        stopped = true
        cancel()
      }
    },
  }
}

interface LookedUp {
  readonly listing: Listing
  readonly ttl: Millis
}

async function lookUp(settings: DnsSource, resolve: Resolve): Promise<LookedUp> {
  const { servers, remarks, ttl } =
    settings.type === 'SRV' ? await lookUpSrv(settings, resolve) : await addressesOf(settings.name, settings, resolve)
  if (servers.length === 0) throw new Error(`${settings.name} has no ${settings.type} record that can be used`)
  return { listing: { servers, remarks }, ttl: millis(Math.min(ttl * 1000, longest.any)) }
}

/** `ttl` in seconds. */
type Found = Listing & { readonly ttl: number }

async function addressesOf(name: string, { family }: DnsSource, resolve: Resolve): Promise<Found> {
  const records = await (family === 'inet' ? resolve.a(name) : resolve.aaaa(name))
  const servers: FoundServer[] = []
  const remarks: string[] = []
  for (const { address: text } of records) {
    const address = parseAddress(text)
    if (address === undefined || noTarget(address)) remarks.push(`${name}: ${text} is no address of a server`)
    else if (!servers.some((each) => each.address === address))
      servers.push({ address, port: undefined, weight: undefined, tier: 0 })
  }
  servers.sort((a, b) => compareAddresses(a.address, b.address))
  return { servers, remarks, ttl: Math.min(...records.map(({ ttl }) => ttl)) }
}

/**
 * RFC 2782. Lower priorities are lower tiers, by rank; a weight above 0 is the server's. A target without an address is
 * left out; one that cannot be looked up makes the whole answer fail.
 */
async function lookUpSrv(settings: DnsSource, resolve: Resolve): Promise<Found> {
  const records = (await resolve.srv(settings.name)).filter(({ name }) => name !== '' && name !== '.')
  const ranks = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b)
  const targets = new Map<string, Found>()
  const remarks: string[] = []
  await Promise.all(
    [...new Set(records.map(({ name }) => name))].map(async (name) => {
      try {
        targets.set(name, await addressesOf(name, settings, resolve))
      } catch (error) {
        if (!saysNothing(error)) throw error
        remarks.push(`${name}, a target of ${settings.name}, has no address`)
      }
    }),
  )
  const servers = new Map<string, FoundServer>()
  for (const { name, port, priority, weight } of records) {
    for (const { address } of targets.get(name)?.servers ?? []) {
      const key = `${address} ${port}`
      const tier = ranks.indexOf(priority)
      if ((servers.get(key)?.tier ?? Infinity) > tier)
        servers.set(key, { address, port, weight: weight === 0 ? undefined : weight, tier })
    }
  }
  const found = [...targets.values()]
  return {
    servers: [...servers.values()].sort(
      (a, b) => compareAddresses(a.address, b.address) || (a.port ?? 0) - (b.port ?? 0),
    ),
    remarks: [...remarks, ...found.flatMap((each) => each.remarks)].sort(),
    ttl: Math.min(longest.srv / 1000, ...found.map(({ ttl }) => ttl)),
  }
}

const saysNothing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')
