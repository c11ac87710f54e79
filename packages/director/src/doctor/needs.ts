import type { Config, Forwarding, VirtualServer } from '@ipvs-director/config'
import { familyOf, type Address } from '@ipvs-director/core'

/** A destination the director forwards to: a real server or a sorry server. */
export interface Target {
  readonly service: VirtualServer
  readonly address: Address
  readonly forwarding: Forwarding
}

/** Every destination of a configuration, the sorry servers too. */
export function targets(config: Config | undefined): Target[] {
  return (config?.virtualServers ?? []).flatMap((service) => {
    const sorry = service.sorryServer === undefined ? [] : [service.sorryServer]
    return [...service.realServers, ...sorry].map(({ address, forwarding }) => ({ service, address, forwarding }))
  })
}

/** Virtual addresses, each once, those of groups too. */
export function virtualAddresses(config: Config | undefined): Address[] {
  const all = (config?.virtualServers ?? []).flatMap(({ target }): Address[] => {
    if (target.kind === 'address') return [target.address]
    if (target.kind === 'fwmark') return []
    return target.entries.flatMap((entry) => (entry.kind === 'address' ? [entry.address] : []))
  })
  return [...new Set(all)]
}

/** Addresses of targets of one method, each once. */
export function addressesBy(config: Config | undefined, method: Forwarding['method']): Address[] {
  return [
    ...new Set(
      targets(config)
        .filter((one) => one.forwarding.method === method)
        .map(({ address }) => address),
    ),
  ]
}

/** Whether a list has an address of the family. */
export const hasFamily = (all: readonly Address[], family: 'inet' | 'inet6'): boolean =>
  all.some((one) => familyOf(one) === family)
