import { type Address, type Family, seconds } from '@ipvs-director/core'
import type { ServersFromText } from './grammar/dynamic.ts'
import type { ServerSource } from './dynamic-config.ts'

/** How often a name is asked at most, and how many servers a source may bring, where nothing is said of it. */
const defaults = { minTtl: seconds(5), max: 256 } as const

/** The address that stands for one a source has yet to tell. */
export const anyAddressOf = (family: Family): Address => (family === 'inet' ? '0.0.0.0' : '::') as Address

/** A line of `real_servers_from` in a virtual server of this family. */
export function resolveSource(text: ServersFromText, family: Family): ServerSource {
  const { kind, from, port, max = defaults.max } = text
  if (kind === 'etcd') return { kind, url: from.replace(/\/$/, ''), prefix: text.prefix ?? '', port, max }
  const type = text.type ?? (family === 'inet' ? 'A' : 'AAAA')
  return {
    kind,
    name: from.replace(/\.$/, '').toLowerCase(),
    type,
    family: type === 'A' ? 'inet' : type === 'AAAA' ? 'inet6' : family,
    minTtl: text.minTtl ?? defaults.minTtl,
    port,
    max,
  }
}
