import type { ProtectedAddress, VrrpInstance } from '@ipvs-director/config'
import { familyOf } from '@ipvs-director/core'
import type { Announcement, Holding } from './link.ts'

/** Names of interfaces that were made for an instance. */
export interface Devices {
  /** For `use_vmac` or `use_ipvlan`; undefined: there is none, or not yet. */
  readonly own: string | undefined
  /** For addresses with `use_vmac` of their own, by family and the interface below. */
  readonly forAddresses: ReadonlyMap<string, string>
}

/** What an instance holds while it is master. Addresses that belong on the VMAC's interface name that. */
export function holdingOf(key: string, config: VrrpInstance, devices: Devices): Holding {
  const place = (each: ProtectedAddress): ProtectedAddress => ({
    ...each,
    interface: deviceOf(each, config, devices),
  })
  return {
    key,
    instance: config.name,
    interface: config.interface,
    virtualRouterId: config.virtualRouterId,
    addresses: config.addresses.map(place),
    excluded: config.excluded.map(place),
    routes: config.routes,
    rules: config.rules,
    accept: config.accept,
    promoteSecondaries: config.promoteSecondaries,
    vmac: config.vmac,
    vmacInterface: devices.own,
  }
}

/** One gratuitous ARP or neighbour advertisement for each address: first those that are advertised, then the others. */
export const announcementsOf = (config: VrrpInstance, devices: Devices): readonly Announcement[] =>
  [...config.addresses, ...config.excluded].flatMap((each) => {
    const on = deviceOf(each, config, devices)
    return on === undefined ? [] : [{ interface: on, address: each.address }]
  })

/** `garp_extra_if`: those on other interfaces than the instance's own, without `all` only on VMACs. */
export function extraAnnouncementsOf(config: VrrpInstance, devices: Devices): readonly Announcement[] {
  const all = config.announcing.extraInterfaces?.all === true
  const elsewhere = [...config.addresses, ...config.excluded].filter((each) => all || each.useVmac)
  const own = devices.own ?? config.interface
  return elsewhere.flatMap((each) => {
    const on = deviceOf(each, config, devices)
    return on === undefined || on === own ? [] : [{ interface: on, address: each.address }]
  })
}

/** One interface for all addresses of a family on one interface: they have one hardware address. */
export const deviceKey = ({ address, interface: on }: ProtectedAddress): string => `${familyOf(address)} ${on ?? ''}`

function deviceOf(each: ProtectedAddress, config: VrrpInstance, devices: Devices): string | undefined {
  if (each.useVmac) return devices.forAddresses.get(deviceKey(each))
  return each.interface === undefined || each.interface === config.interface
    ? (devices.own ?? config.interface)
    : each.interface
}

/** Whether two are the same in the kernel: names and places in the configuration do not matter. */
export const sameHolding = (a: Holding, b: Holding): boolean => inKernel(a) === inKernel(b)

const inKernel = (holding: Holding): string =>
  JSON.stringify(holding, (name, each: unknown) => (name === 'place' || name === 'instance' ? undefined : each))
