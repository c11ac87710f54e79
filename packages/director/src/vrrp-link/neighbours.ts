/** Telling, hearing and asking who has an address. */
import { addressBytes, familyOf, type Address, type Millis } from '@ipvs-director/core'
import {
  echo,
  formatMac,
  hearNeighbours,
  openAnnouncer,
  readSetting,
  type EthernetPort,
  type Hearing,
  type Link,
  type NeighbourClaim,
  type NetworkView,
} from '@ipvs-director/linux'
import type { Announcement } from '@ipvs-director/vrrp'

export interface Neighbours {
  announce(announcement: Announcement): void
  ask(address: Address, on: string | undefined, timeout: Millis): Promise<boolean>
  /** Listens on these interfaces and no others: names by family. */
  listen(wanted: ReadonlyMap<string, ReadonlySet<'inet' | 'inet6'>>): void
  close(): void
}

/** Ethernet, as ARPHRD_ says. */
const ethernet = 1
const anyAddress = '0.0.0.0' as Address

/** `claimed`: somebody else said to have an address. */
export function createNeighbours(
  view: Pick<NetworkView, 'link' | 'links' | 'addresses'>,
  claimed: (on: string, address: Address, mac: string) => void,
): Neighbours {
  const announcer = openAnnouncer()
  const hearings = new Map<string, Hearing>()

  const portOf = (link: Link): EthernetPort | undefined =>
    link.mac?.length === 6 && link.hardwareType === ethernet
      ? { name: link.name, index: link.index, mac: link.mac }
      : undefined

  /** Also an interface of ours may hear another one of ours. */
  function heard(on: string, { address, mac }: NeighbourClaim): void {
    const isOurs = view.links().some((link) => link.mac !== undefined && Buffer.compare(link.mac, mac) === 0)
    if (!isOurs) claimed(on, address, formatMac(mac))
  }

  /** Who asks: an address of ours in the same family, which the other knows how to reach. */
  function ownAddress(index: number, target: Address): Address | undefined {
    const family = familyOf(target)
    const own = view.addresses(index).filter((one) => familyOf(one.address) === family && !one.tentative)
    const shared = own.find((one) => one.prefix > 0 && inNetwork(target, one.address, one.prefix))
    return shared?.address
  }

  function askNeighbour(port: EthernetPort, from: Address, target: Address, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (answered: boolean): void => {
        hearing.close()
        signal.removeEventListener('abort', onAbort)
        resolve(answered)
      }
      const onAbort = (): void => {
        finish(false)
      }
      const hearing = hearNeighbours(port, familyOf(target), (claim) => {
        if (claim.address === target && Buffer.compare(claim.mac, port.mac) !== 0) finish(true)
      })
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        announcer.ask(port, from, target)
      } catch {
        finish(false)
      }
    })
  }

  return {
    announce({ interface: on, address }) {
      const link = view.link(on)
      if (link === undefined) throw new Error(`there is no interface ${on}`)
      const port = portOf(link)
      if (port === undefined) throw new Error(`${on} is no Ethernet`)
      announcer.announce(port, address, familyOf(address) === 'inet6' && forwards(on))
    },
    async ask(address, on, timeout) {
      const signal = AbortSignal.timeout(Math.max(1, Math.round(timeout)))
      const candidates = view.links().filter((link) => (on === undefined || link.name === on) && link.up)
      for (const link of candidates) {
        const port = portOf(link)
        const from = ownAddress(link.index, address)
        if (port === undefined || from === undefined) continue
        // Our own address needs no asking.
        if (view.addresses(link.index).some((one) => one.address === address)) return true
        return await askNeighbour(port, probeSource(from), address, signal)
      }
      try {
        return await echo(address, signal, on === undefined ? 0 : view.link(on)?.index)
      } catch {
        return false
      }
    },
    listen(wanted) {
      const keys = new Set<string>()
      for (const [name, families] of wanted) {
        const link = view.link(name)
        if (link === undefined || portOf(link) === undefined) continue
        for (const family of families) {
          const key = `${link.index} ${family}`
          keys.add(key)
          if (hearings.has(key)) continue
          hearings.set(key, hearNeighbours(link, family, (claim) => { heard(name, claim) })) // prettier-ignore
        }
      }
      for (const [key, hearing] of hearings) {
        if (keys.has(key)) continue
        hearing.close()
        hearings.delete(key)
      }
    },
    close() {
      for (const hearing of hearings.values()) hearing.close()
      hearings.clear()
      announcer.close()
    },
  }
}

/** A probe leaves the tables of others as they are; the answer comes to our hardware address all the same (RFC 5227). */
const probeSource = (own: Address): Address => (familyOf(own) === 'inet' ? anyAddress : own)

const forwards = (on: string): boolean => readSetting(`ipv6/conf/${on}/forwarding`) === '1'

function inNetwork(target: Address, own: Address, prefix: number): boolean {
  const bits = (address: Address): string => Array.from(addressBytes(address), (byte) => byte.toString(2).padStart(8, '0')).join('') // prettier-ignore
  return bits(target).slice(0, prefix) === bits(own).slice(0, prefix)
}
