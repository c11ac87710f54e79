/** The firewall by nft(8), in tables of its own. */
import { familyOf, isLinkLocal, type Family } from '@ipvs-director/core'
import { type FirewallBackend, type Guarded, type GuardedAddress } from './firewall.ts'

/** Feeds a script to nft(8); rejects with its words. */
export type RunNft = (script: string) => Promise<unknown>

/** `nftables`, `nftables_priority`, `nftables_ifindex`, `nftables_counters`. */
export interface NftOptions {
  readonly table: string
  readonly priority: number
  /** Interfaces are matched by number instead of by name. They must be there then. */
  readonly interfaceIndexes: boolean
  /** Rules count; from 0 again when something changes. */
  readonly counters: boolean
}

/** ICMPv6 neighbour discovery, which must go on: RFC 9568 §6.1, Accept_Mode. */
const discovery = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept'

/**
 * A table of family inet with two sets of addresses, and tables of family ip and ip6 for group memberships, rewritten as a
 * whole at each change: nft applies a script at once or not at all. They go with the last address and interface.
 */
export function nftFirewall(run: RunNft, options: NftOptions): FirewallBackend {
  let before: Guarded = { addresses: [], interfaces: new Map() }
  return {
    async begin(addresses) {
      // The interface of a link-local one may not be there yet, and nft takes all or nothing.
      const kept = addresses.filter(({ address }) => !isLinkLocal(address))
      before = { addresses: kept, interfaces: new Map() }
      await run(scriptOf(options, kept) + membershipScript(options, before.interfaces, 'drop'))
    },
    async apply(now) {
      const inputs = now.addresses.length + before.addresses.length > 0
      const outputs = now.interfaces.size + before.interfaces.size > 0
      const script = (how: 'dup' | 'drop'): string =>
        (inputs ? scriptOf(options, now.addresses) : '') +
        (outputs ? membershipScript(options, now.interfaces, how) : '')
      try {
        await run(script('dup'))
      } catch (error) {
        // A kernel without nft_dup: better silent than with the wrong hardware address.
        if (now.interfaces.size === 0) throw error
        await run(script('drop'))
      }
      before = now
    },
  }
}

/** What nft means: its first error, without where in the script. */
export const nftWords = (stderr: string): string => /Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim()

/**
 * The whole table. `add` before `delete`, so that it need not be there. A link-local address means a machine only together
 * with the interface: the same one may be somebody else's on another.
 */
export function scriptOf(options: NftOptions, addresses: readonly GuardedAddress[]): string {
  const { table, priority, interfaceIndexes } = options
  const removal = [`add table inet ${table}`, `delete table inet ${table}`]
  if (addresses.length === 0) return `${removal.join('\n')}\n`
  const local = addresses.flatMap(({ address, interface: on }) =>
    isLinkLocal(address) && on !== undefined ? [`${address} . "${on}"`] : [],
  )
  const others = addresses.filter(({ address, interface: on }) => !isLinkLocal(address) || on === undefined)
  const of = (family: Family): string[] =>
    others.map(({ address }) => address).filter((one) => familyOf(one) === family)
  const [device, type] = interfaceIndexes ? ['iif', 'iface_index'] : ['iifname', 'ifname']
  const drop = verdict(options, 'drop')
  const quiet = (match: string): string[] => [`    ${match} ${discovery}`, `    ${match} ${drop}`]
  return `${[
    ...removal,
    `table inet ${table} {`,
    ...set('vips', 'ipv4_addr', of('inet')),
    ...set('vips6', 'ipv6_addr', of('inet6')),
    ...(local.length === 0 ? [] : set('local6', `ipv6_addr . ${type}`, local)),
    '  chain in {',
    `    type filter hook input priority ${priority}; policy accept`,
    `    ip daddr @vips ${drop}`,
    ...quiet('ip6 daddr @vips6'),
    ...(local.length === 0 ? [] : quiet(`ip6 daddr . ${device} @local6`)),
    '  }',
    '}',
  ].join('\n')}\n`
}

const set = (name: string, type: string, elements: readonly string[]): readonly string[] => [
  `  set ${name} {`,
  `    type ${type}`,
  ...(elements.length === 0 ? [] : [`    elements = { ${[...new Set(elements)].sort().join(', ')} }`]),
  '  }',
]

const verdict = ({ counters }: NftOptions, what: string): string => (counters ? `counter ${what}` : what)

const families = [
  { family: 'ip', what: 'ip protocol igmp' },
  {
    family: 'ip6',
    what: 'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report }',
  },
] as const

/** IGMP and MLD of these interfaces leave by the ones below them, or not at all. */
export function membershipScript(
  options: NftOptions,
  interfaces: ReadonlyMap<string, string>,
  how: 'dup' | 'drop',
): string {
  const { table, priority, interfaceIndexes } = options
  const device = interfaceIndexes ? 'oif' : 'oifname'
  const lines = families.flatMap(({ family, what }) => [
    `add table ${family} ${table}`,
    `delete table ${family} ${table}`,
    ...(interfaces.size === 0
      ? []
      : [
          `table ${family} ${table} {`,
          '  chain out {',
          `    type filter hook output priority ${priority}; policy accept`,
          ...[...interfaces].map(([name, parent]) => {
            const elsewhere = how === 'dup' ? `dup to ${family} daddr device "${parent}" ` : ''
            return `    ${device} "${name}" ${what} ${verdict(options, `${elsewhere}drop`)}`
          }),
          '  }',
          '}',
        ]),
  ])
  return `${lines.join('\n')}\n`
}
