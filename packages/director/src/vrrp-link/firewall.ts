/** `no_accept`: packets to the addresses of an instance are dropped, by nftables. */
import { familyOf } from '@ipvs-director/core'
import type { Holding } from '@ipvs-director/vrrp'
import type { Firewall } from './holdings.ts'

/** Feeds a script to nft(8); rejects with its words. */
export type RunNft = (script: string) => Promise<void>

export interface FirewallOptions {
  readonly table: string
  readonly priority: number
}

/** ICMPv6 neighbour discovery, which must go on: RFC 9568 §6.1, Accept_Mode. */
const discovery = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept'

/**
 * One table of family inet with two sets of addresses, rewritten as a whole at each change: nft applies a script at once or
 * not at all. It goes with the last address.
 */
export function createFirewall(run: RunNft, { table, priority }: FirewallOptions): Firewall {
  const blocked = new Map<string, readonly string[]>()

  const apply = (): Promise<void> => run(scriptOf(table, priority, [...blocked.values()].flat()))

  return {
    async block({ key, addresses, excluded }: Holding) {
      const list = [...addresses, ...excluded].map(({ address }) => address)
      if (JSON.stringify(blocked.get(key)) === JSON.stringify(list)) return
      blocked.set(key, list)
      try {
        await apply()
      } catch (error) {
        blocked.delete(key)
        throw error
      }
    },
    async unblock(key) {
      if (blocked.delete(key)) await apply()
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
