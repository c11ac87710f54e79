import { type Address, familyOf } from '@ipvs-director/core'
import type { Config, GroupMarking, VirtualServer } from './config.ts'

/** What each group has for each protocol: by {@link keyOf}. */
export type GivenMarks = Map<string, number>

/** The same virtual server is the same object, however often it is asked for. */
const marked = new WeakMap<VirtualServer, { readonly marking: GroupMarking; readonly result: VirtualServer }>()

/**
 * `nftables_ipvs`: the addresses of a virtual_server_group are one IPVS service for a mark, one for each protocol, from
 * `nftables_ipvs_start_fwmark` on in the order of the file. `given` is read and added to: what has a mark keeps it, whatever
 * comes before it in a later configuration.
 */
export function withGroupMarks(config: Config, given: GivenMarks): Config {
  const { groupMarks } = config.globals
  if (groupMarks === undefined) return config
  const taken = marksOf(config.virtualServers)
  let next = groupMarks.first
  return {
    ...config,
    virtualServers: config.virtualServers.map((virtual) => {
      const addresses = addressesOf(virtual)
      if (addresses.length === 0) return virtual
      const key = keyOf(virtual)
      let mark = given.get(key)
      if (mark === undefined) {
        const used = new Set(given.values())
        while (used.has(next) || taken.has(next)) next++
        mark = next
        given.set(key, mark)
      }
      return withMark(virtual, { mark, addresses })
    }),
  }
}

function withMark(virtual: VirtualServer, marking: GroupMarking): VirtualServer {
  const known = marked.get(virtual)
  if (known?.marking.mark === marking.mark) return known.result
  const { target } = virtual
  if (target.kind !== 'group') return virtual
  const families = [...new Set(marking.addresses.map(({ address }) => familyOf(address)))]
  const entries = [
    ...target.entries.filter((entry) => entry.kind === 'fwmark'),
    ...families.map((family) => ({ kind: 'fwmark', fwmark: marking.mark, family }) as const),
  ]
  const result: VirtualServer = { ...virtual, target: { ...target, entries, marking } }
  marked.set(virtual, { marking, result })
  return result
}

const keyOf = ({ target, protocol }: VirtualServer): string =>
  target.kind === 'group' ? `${protocol} ${target.group}` : ''

function addressesOf({ target }: VirtualServer): readonly { readonly address: Address; readonly port: number }[] {
  if (target.kind !== 'group') return []
  return target.entries.flatMap((entry) => (entry.kind === 'address' ? [{ address: entry.address, port: entry.port }] : [])) // prettier-ignore
}

/** Marks that virtual servers of the file answer for. */
function marksOf(virtualServers: readonly VirtualServer[]): ReadonlySet<number> {
  const marks = new Set<number>()
  for (const { target } of virtualServers) {
    for (const entry of target.kind === 'group' ? target.entries : [target]) {
      if (entry.kind === 'fwmark') marks.add(entry.fwmark)
    }
  }
  return marks
}
