/** The firewall by nft(8), in tables of its own. */
import { familyOf } from '@ipvs-director/core'
import type { FirewallBackend, Guarded } from './firewall.ts'

/** Feeds a script to nft(8); rejects with its words. */
export type RunNft = (script: string) => Promise<void>

export interface NftOptions {
  readonly table: string
  readonly priority: number
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
    async apply(now) {
      const inputs = now.addresses.length + before.addresses.length > 0
      const outputs = now.interfaces.size + before.interfaces.size > 0
      const script = (how: 'dup' | 'drop'): string =>
        (inputs
          ? scriptOf(
              options.table,
              options.priority,
              now.addresses.map(({ address }) => address),
            )
          : '') + (outputs ? membershipScript(options, now.interfaces, how) : '')
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

/** The whole table. `add` before `delete`, so that it need not be there. */
export function scriptOf(table: string, priority: number, addresses: readonly string[]): string {
  const removal = [`add table inet ${table}`, `delete table inet ${table}`]
  const unique = [...new Set(addresses)].sort()
  if (unique.length === 0) return `${removal.join('\n')}\n`
  const of = (family: 'inet' | 'inet6'): string[] => unique.filter((one) => familyOf(one as never) === family)
  const set = (name: string, type: string, elements: readonly string[]): string[] => [
    `  set ${name} {`,
    `    type ${type}`,
    ...(elements.length === 0 ? [] : [`    elements = { ${elements.join(', ')} }`]),
    '  }',
  ]
  return `${[
    ...removal,
    `table inet ${table} {`,
    ...set('vips', 'ipv4_addr', of('inet')),
    ...set('vips6', 'ipv6_addr', of('inet6')),
    '  chain in {',
    `    type filter hook input priority ${priority}; policy accept`,
    '    ip daddr @vips drop',
    `    ip6 daddr @vips6 ${discovery}`,
    '    ip6 daddr @vips6 drop',
    '  }',
    '}',
  ].join('\n')}\n`
}

const families = [
  { family: 'ip', what: 'ip protocol igmp' },
  {
    family: 'ip6',
    what: 'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report }',
  },
] as const

/** IGMP and MLD of these interfaces leave by the ones below them, or not at all. */
export function membershipScript(
  { table, priority }: NftOptions,
  interfaces: ReadonlyMap<string, string>,
  how: 'dup' | 'drop',
): string {
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
            return `    oifname "${name}" ${what} ${elsewhere}drop`
          }),
          '  }',
          '}',
        ]),
  ])
  return `${lines.join('\n')}\n`
}
