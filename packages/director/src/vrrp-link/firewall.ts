/** What a firewall does for instances: `no_accept`, and the IGMP and MLD of interfaces made for `use_vmac`. */
import type { Address } from '@ipvs-director/core'
import type { Holding } from '@ipvs-director/vrrp'

/** Drops packets to addresses of instances that do not accept them, and keeps the hardware address of a router its own. */
export interface Firewall {
  /** What a run before this one left is taken away; packets to these addresses, which may be held still, are dropped as before. */
  begin(addresses: readonly GuardedAddress[]): Promise<void>
  block(holding: Holding): Promise<void>
  unblock(key: string): Promise<void>
  /**
   * Group memberships of an interface made for `use_vmac` are told by the interface below instead: said with the router's
   * hardware address by a backup, they would make switches believe that the router is there.
   */
  guard(name: string, parent: string): Promise<void>
  unguard(name: string): Promise<void>
}

/** Everything that is wanted now. */
export interface Guarded {
  readonly addresses: readonly GuardedAddress[]
  /** The interface below, by the name of the one that was made. */
  readonly interfaces: ReadonlyMap<string, string>
}

export interface GuardedAddress {
  readonly address: Address
  /** Where it is; counts for link-local addresses only. */
  readonly interface: string | undefined
}

/** Knows what it has done before, and does the difference. */
export interface FirewallBackend {
  begin(addresses: readonly GuardedAddress[]): Promise<void>
  apply(now: Guarded): Promise<void>
}

/** One run of the firewall's programs at a time; what changes during a run is one further run, however much it is. */
export function createFirewall(backend: FirewallBackend): Firewall {
  const blocked = new Map<string, readonly GuardedAddress[]>()
  const interfaces = new Map<string, string>()
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | undefined

  function update(): Promise<void> {
    if (next !== undefined) return next
    next = running.then(() => {
      next = undefined
      return backend.apply({ addresses: [...blocked.values()].flat(), interfaces: new Map(interfaces) })
    })
    running = next.catch(() => undefined)
    return next
  }

  return {
    begin(addresses) {
      const begun = backend.begin(addresses)
      running = begun.catch(() => undefined)
      return begun
    },
    async block({ key, addresses, excluded }) {
      const list = guardedOf({ addresses, excluded })
      if (JSON.stringify(blocked.get(key)) === JSON.stringify(list)) return
      blocked.set(key, list)
      try {
        await update()
      } catch (error) {
        blocked.delete(key)
        throw error
      }
    },
    async unblock(key) {
      if (blocked.delete(key)) await update()
    },
    async guard(name, parent) {
      if (interfaces.get(name) === parent) return
      interfaces.set(name, parent)
      try {
        await update()
      } catch (error) {
        interfaces.delete(name)
        throw error
      }
    },
    async unguard(name) {
      if (interfaces.delete(name)) await update()
    },
  }
}

export const guardedOf = ({
  addresses,
  excluded,
}: Pick<Holding, 'addresses' | 'excluded'>): readonly GuardedAddress[] =>
  [...addresses, ...excluded].map(({ address, interface: on }) => ({ address, interface: on }))
