import type { VirtualServer } from '@ipvs-director/config'
import { seconds, type Address, type Clock, type Timer } from '@ipvs-director/core'
import { networkInterfaces } from 'node:os'
import { serviceKeys } from './desired.ts'

/** How often it is looked whether the VIPs are here. */
const interval = seconds(1)

export interface SuspensionOptions {
  readonly clock: Clock
  /** Addresses of this machine; default: as the kernel tells. */
  readonly addresses?: () => ReadonlySet<string>
  /** A virtual server's checks are to stop, or to go on. */
  readonly changed: (service: string, suspended: boolean) => void
  /** Once after those that have changed together: a VIP moves with all that are on it. */
  readonly settled: () => void
}

/** `ha_suspend`: a virtual server is checked only while its VIP is on this machine. Idle where nobody asks for it. */
export interface Suspension {
  /** Answers whether other virtual servers than before are suspended. */
  use(services: readonly VirtualServer[]): boolean
  isSuspended(service: string): boolean
  stop(): void
}

export function createSuspension({ clock, changed, settled, addresses = ownAddresses }: SuspensionOptions): Suspension {
  let watched = new Map<string, readonly Address[]>()
  let suspended = new Set<string>()
  let timer: Timer | undefined

  function look(tell: boolean): void {
    const here = watched.size === 0 ? new Set<string>() : addresses()
    const now = new Set([...watched].filter(([, vips]) => !vips.some((vip) => here.has(vip))).map(([name]) => name))
    const before = suspended
    suspended = now
    if (!tell) return
    const turned = [...watched.keys()].filter((name) => now.has(name) !== before.has(name))
    for (const name of turned) changed(name, now.has(name))
    if (turned.length > 0) settled()
  }

  function schedule(): void {
    timer?.cancel()
    timer =
      watched.size === 0
        ? undefined
        : clock.after(interval, () => {
            look(true)
            schedule()
          })
  }

  return {
    use(services) {
      const before = suspended
      watched = new Map(
        services
          .filter(({ haSuspend }) => haSuspend)
          .map((each) => [each.name, vipsOf(each)] as const)
          .filter(([, vips]) => vips.length > 0),
      )
      look(false)
      schedule()
      return before.size !== suspended.size || [...suspended].some((name) => !before.has(name))
    },
    isSuspended: (service) => suspended.has(service),
    stop() {
      timer?.cancel()
      timer = undefined
    },
  }
}

/** Services by a firewall mark have no address that could be here: they are never suspended. */
function vipsOf(virtual: VirtualServer): readonly Address[] {
  return serviceKeys(virtual).flatMap((key) => ('address' in key ? [key.address] : []))
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((addresses = []) =>
      addresses.map(({ address }) => address.replace(/%.*$/, '')),
    ),
  )
}
