import type { CheckerConfig, Config, RealServer, ServerSource, VirtualServer } from '@ipvs-director/config'
import { familyOf, formatEndpoint, type Address, type Family } from '@ipvs-director/core'
import type { FoundServer } from './source.ts'

/** The file's configuration with the servers that sources tell of, behind those of the file. */
export function withFoundServers(config: Config, found: (source: ServerSource) => readonly FoundServer[]): Config {
  if (!config.virtualServers.some(({ dynamic }) => dynamic !== undefined)) return config
  return { ...config, virtualServers: config.virtualServers.map((virtual) => filled(virtual, found)) }
}

function filled(virtual: VirtualServer, found: (source: ServerSource) => readonly FoundServer[]): VirtualServer {
  const { dynamic } = virtual
  if (dynamic === undefined) return virtual
  const servers = new Map(virtual.realServers.map((real) => [formatEndpoint(real), real]))
  const families = familiesOf(virtual)
  for (const source of dynamic.sources) {
    let left = source.max
    for (const each of found(source)) {
      if (left === 0) break
      // Only a tunnel crosses from one family to the other.
      if (dynamic.template.forwarding.method !== 'tunnel' && !families.has(familyOf(each.address))) continue
      left--
      const real = serverOf(virtual, dynamic.template, source, each)
      const name = formatEndpoint(real)
      if (!servers.has(name)) servers.set(name, real)
    }
  }
  return { ...virtual, realServers: [...servers.values()] }
}

function familiesOf({ target }: VirtualServer): ReadonlySet<Family> {
  const entries = target.kind === 'group' ? target.entries : [target]
  return new Set(entries.map((entry) => (entry.kind === 'address' ? familyOf(entry.address) : entry.family)))
}

/** Ports go by the rules for those of the file: with DR and TUN packets keep theirs. */
function serverOf(virtual: VirtualServer, template: RealServer, source: ServerSource, found: FoundServer): RealServer {
  const { target } = virtual
  const given = source.kind === 'dns' ? (source.port ?? found.port) : (found.port ?? source.port)
  const service = target.kind === 'address' ? target.port : 0
  const first = target.kind === 'group' ? target.entries.find((entry) => entry.kind === 'address') : undefined
  const keeps = template.forwarding.method !== 'masq' && target.kind !== 'group'
  return {
    ...template,
    address: found.address,
    port: keeps ? service : (given ?? service),
    weight: found.weight ?? template.weight,
    tier: Math.min(template.tier + found.tier, 255),
    checkers: template.checkers.map((checker) =>
      placed(checker, template.address, found.address, given ?? first?.port ?? service),
    ),
  }
}

/** A check of the template, of this server: where it would go to the place that stands for a server's, it goes there. */
function placed(checker: CheckerConfig, anywhere: Address, address: Address, port: number): CheckerConfig {
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside)
    if (typeof value !== 'object' || value === null) return value
    const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inside(each)]))
    if (copy['address'] !== anywhere) return copy
    return { ...copy, address, ...(copy['port'] === 0 ? { port } : {}) }
  }
  return {
    ...checker,
    connection: inside(checker.connection) as CheckerConfig['connection'],
    options: inside(checker.options) as CheckerConfig['options'],
  }
}
