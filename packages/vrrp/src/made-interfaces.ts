import type { ProtectedAddress, VrrpInstance } from '@ipvs-director/config'
import { describeError, familyOf } from '@ipvs-director/core'
import { deviceKey, type Devices } from './holding.ts'
import type { InterfaceRequest } from './link.ts'
import { createOwnInterface, type OwnInterface } from './own-interface.ts'
import type { Surroundings } from './surroundings.ts'
import type { Voice } from './voice.ts'

/** Everything that is made for an instance: its own interface, and those for addresses on others (`use_vmac_addr`). */
export interface MadeInterfaces {
  /** The same object as long as nothing changed. */
  readonly devices: () => Devices
  /** Makes what is wanted and missing, removes what is not wanted any more; answers why the instance cannot work. */
  readonly ensure: () => readonly string[]
  readonly isBeingMade: () => boolean
  readonly remove: () => Promise<void>
}

export function createMadeInterfaces(
  shared: Surroundings,
  config: () => VrrpInstance,
  voice: Voice,
  changed: () => void,
): MadeInterfaces {
  const own = createOwnInterface(shared, () => ownRequest(config()), voice, changed)
  const others = new Map<string, OwnInterface>()
  let known: Devices = { own: undefined, forAddresses: new Map() }

  const complain = (error: unknown): void => {
    voice.once('error', 'vrrp.kernel', describeError(error))
  }

  const look = (): void => {
    const forAddresses = new Map<string, string>()
    for (const [key, each] of others) {
      const name = each.name()
      if (name !== undefined) forAddresses.set(key, name)
    }
    const same = forAddresses.size === known.forAddresses.size && [...forAddresses].every(([key, name]) => known.forAddresses.get(key) === name) // prettier-ignore
    if (!same || known.own !== own.name()) known = { own: own.name(), forAddresses }
  }

  return {
    devices() {
      look()
      return known
    },
    ensure() {
      const faults: (string | undefined)[] = [own.ensure()]
      const wanted = addressesOf(config()).filter(({ useVmac, interface: on }) => useVmac && on !== undefined)
      for (const address of wanted) {
        const key = deviceKey(address)
        const found = others.get(key) ?? createOwnInterface(shared, () => addressRequest(config(), key), voice, changed)
        others.set(key, found)
      }
      const keys = new Set(wanted.map(deviceKey))
      for (const [key, each] of others) {
        const fault = keys.has(key) ? each.ensure() : undefined
        if (wanted.some((one) => one.track && deviceKey(one) === key)) faults.push(fault)
        if (keys.has(key)) continue
        others.delete(key)
        each.remove().catch(complain)
      }
      return [...new Set(faults.filter((fault) => fault !== undefined))]
    },
    isBeingMade: () => [own, ...others.values()].some((each) => each.isBeingMade()),
    async remove() {
      await Promise.all([own, ...others.values()].map((each) => each.remove()))
      others.clear()
    },
  }
}

const addressesOf = ({ addresses, excluded }: VrrpInstance): readonly ProtectedAddress[] => [...addresses, ...excluded]

function ownRequest({
  name,
  family,
  virtualRouterId,
  vmac,
  ipvlan,
  interface: on,
}: VrrpInstance): InterfaceRequest | undefined {
  // prettier-ignore
  if ((vmac === undefined && ipvlan === undefined) || on === undefined) return undefined
  return { instance: name, family, on, virtualRouterId, vmac, ipvlan, forAddresses: false }
}

function addressRequest(config: VrrpInstance, key: string): InterfaceRequest | undefined {
  const address = addressesOf(config).find((each) => each.useVmac && deviceKey(each) === key)
  if (address?.interface === undefined) return undefined
  const vmac = { name: undefined, mac: config.vmac?.mac, group: config.vmac?.group, netlinkNotifyMessage: false, transmitBase: false } // prettier-ignore
  return {
    instance: config.name,
    family: familyOf(address.address),
    on: address.interface,
    virtualRouterId: config.virtualRouterId,
    vmac,
    ipvlan: undefined,
    forAddresses: true,
  }
}
