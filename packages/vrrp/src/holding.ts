import type { ProtectedAddress, VrrpInstance } from '@ipvs-director/config'
import type { Announcement, Holding } from './link.ts'

/** What an instance holds while it is master. Addresses that belong on the VMAC's interface name that. */
export function holdingOf(key: string, config: VrrpInstance, vmacInterface: string | undefined): Holding {
  const place = (each: ProtectedAddress): ProtectedAddress => ({
    ...each,
    interface: deviceOf(each, config, vmacInterface),
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
    vmacInterface,
  }
}

/** One gratuitous ARP or neighbour advertisement for each address: first those that are advertised, then the others. */
export const announcementsOf = (config: VrrpInstance, vmacInterface: string | undefined): readonly Announcement[] =>
  [...config.addresses, ...config.excluded].flatMap((each) => {
    const on = deviceOf(each, config, vmacInterface)
    return on === undefined ? [] : [{ interface: on, address: each.address }]
  })

/** `garp_extra_if`: those on other interfaces than the instance's own, without `all` only on VMACs. */
export function extraAnnouncementsOf(config: VrrpInstance, vmacInterface: string | undefined): readonly Announcement[] {
  const all = config.announcing.extraInterfaces?.all === true
  const elsewhere = [...config.addresses, ...config.excluded].filter((each) => all || each.useVmac)
  const own = vmacInterface ?? config.interface
  return elsewhere.flatMap((each) => {
    const on = deviceOf(each, config, vmacInterface)
    return on === undefined || on === own ? [] : [{ interface: on, address: each.address }]
  })
}

const deviceOf = (
  each: ProtectedAddress,
  config: VrrpInstance,
  vmacInterface: string | undefined,
): string | undefined =>
  each.interface === undefined || each.interface === config.interface
    ? (vmacInterface ?? config.interface)
    : each.interface

/** Whether two are the same in the kernel: names and places in the configuration do not matter. */
export const sameHolding = (a: Holding, b: Holding): boolean => inKernel(a) === inKernel(b)

const inKernel = (holding: Holding): string =>
  JSON.stringify(holding, (name, each: unknown) => (name === 'place' || name === 'instance' ? undefined : each))
