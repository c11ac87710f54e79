/** Interfaces that are made for instances: macvlan for `use_vmac`, ipvlan for `use_ipvlan`. */
import { describeError, isLinkLocal, type Family, type Logger } from '@ipvs-director/core'
import {
  ipvlanData,
  macvlanMode,
  parseMac,
  readSetting,
  writeSetting,
  type Link,
  type NetworkView,
} from '@ipvs-director/linux'
import type { InterfaceRequest } from '@ipvs-director/vrrp'
import type { Firewall } from './firewall.ts'

/** How names begin: `vmac_prefix`, `vmac_addr_prefix`. */
export interface Prefixes {
  readonly own: string
  readonly forAddresses: string
}

export interface MadeInterfaces {
  create(request: InterfaceRequest): Promise<string>
  remove(name: string): Promise<void>
}

const macvlanPrivate = 1
const ipvlanL2 = 0
const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const
const nameBytes = 15

export function createInterfaces(
  view: Pick<NetworkView, 'link' | 'client'>,
  prefixes: Prefixes,
  firewall: Pick<Firewall, 'guard' | 'unguard'>,
  logger: Logger,
): MadeInterfaces {
  /** The interface below, by the name of the one that was made. */
  const made = new Map<string, string>()
  /** What was changed of an interface below, as it was before the first of those above it. */
  const changed = new Map<string, ReadonlyMap<string, string>>()

  /** One at a time: two would find the same name free. */
  let creating: Promise<unknown> = Promise.resolve()

  async function create(request: InterfaceRequest): Promise<string> {
    const parent = view.link(request.on) ?? (await view.client.link(request.on))
    if (parent === undefined) throw new Error(`there is no interface ${request.on}`)
    const { ipvlan } = request
    const mac = ipvlan === undefined ? macOf(request) : undefined
    const kind = ipvlan === undefined ? 'macvlan' : 'ipvlan'
    const name = await freeName(request, parent, kind, mac)
    const known = await view.client.link(name)
    if (known === undefined) {
      const data = ipvlan === undefined ? macvlanMode(macvlanPrivate) : ipvlanData(ipvlanL2, ipvlanFlags[ipvlan.mode])
      await view.client.addLink({ name, kind, parent: parent.index, data, ...(mac === undefined ? {} : { mac }) })
    }
    const link = known ?? (await view.client.link(name))
    if (link === undefined) throw new Error(`the interface ${name} went away`)
    const before = settingsOf(name, parent.name)
    if (!changed.has(parent.name)) changed.set(parent.name, before)
    made.set(name, parent.name)
    if (mac !== undefined) await guard(name, parent.name)
    await view.client.setLink(link.index, { up: true })
    if (request.family === 'inet6' && !request.forAddresses) await shareLinkLocal(parent, link)
    return name
  }

  async function guard(name: string, parent: string): Promise<void> {
    try {
      await firewall.guard(name, parent)
    } catch (error) {
      const why = 'switches may learn its hardware address here, also while another one is master'
      logger.warn('vrrp.firewall', `cannot keep IGMP and MLD of ${name} back, so ${why}: ${describeError(error)}`)
    }
  }

  /** An interface of that name is taken over when it is what would be made; else the name gets a number. */
  async function freeName(
    request: InterfaceRequest,
    parent: Link,
    kind: string,
    mac: Uint8Array | undefined,
  ): Promise<string> {
    // prettier-ignore
    const wish = request.vmac?.name ?? request.ipvlan?.name
    const prefix = request.forAddresses ? prefixes.forAddresses : prefixes.own
    const plain = `${prefix}.${request.virtualRouterId}`
    const second = `${prefix}6.${request.virtualRouterId}`
    const others = Array.from({ length: 16 }, (_, i) => `${plain}.${i + 1}`)
    for (const name of wish === undefined ? [plain, second, ...others] : [wish]) {
      if (Buffer.byteLength(name) > nameBytes) continue
      const there = await view.client.link(name)
      if (there === undefined) return name
      const isOurs = there.kind === kind && there.parent === parent.index && !made.has(name)
      if (isOurs && (mac === undefined || Buffer.compare(there.mac ?? Buffer.alloc(0), mac) === 0)) return name
    }
    throw new Error(`an interface ${wish ?? plain} is there already, and is something else`)
  }

  /** Answers only for its own address, takes packets from its twin, keeps the others when an address goes. */
  function settingsOf(name: string, parent: string): ReadonlyMap<string, string> {
    const before = new Map<string, string>()
    for (const [setting, value] of [
      ['arp_ignore', '1'],
      ['accept_local', '1'],
      ['rp_filter', '0'],
      ['promote_secondaries', '1'],
    ] as const) {
      // prettier-ignore
      set(`ipv4/conf/${name}/${setting}`, value)
    }
    for (const [setting, value] of [
      ['arp_ignore', '1'],
      ['arp_filter', '1'],
    ] as const) {
      // prettier-ignore
      const path = `ipv4/conf/${parent}/${setting}`
      const was = readSetting(path)
      if (was !== undefined && was !== value) before.set(path, was)
      set(path, value)
    }
    // No addresses of its own accord: they would be the same on all routers, as the hardware address is.
    for (const [setting, value] of [
      ['addr_gen_mode', '1'],
      ['accept_dad', '0'],
      ['autoconf', '0'],
      ['accept_ra', '0'],
    ] as const) {
      // prettier-ignore
      set(`ipv6/conf/${name}/${setting}`, value)
    }
    return before
  }

  /** Advertisements leave by it from the address of the interface below. */
  async function shareLinkLocal(parent: Link, link: Link): Promise<void> {
    const local = (await view.client.addresses(parent.index)).find(({ address }) => isLinkLocal(address))
    if (local === undefined) return
    await view.client.replaceAddress({ index: link.index, address: local.address, prefix: 64, nodad: true })
  }

  function set(path: string, value: string): void {
    if (readSetting(path) === undefined) return
    try {
      writeSetting(path, value)
    } catch (error) {
      logger.warn('vrrp.settings', `cannot set ${path}: ${describeError(error)}`)
    }
  }

  return {
    create(request) {
      const work = creating.then(() => create(request))
      creating = work.catch(() => undefined)
      return work
    },
    async remove(name) {
      const parent = made.get(name)
      if (parent === undefined) return
      made.delete(name)
      if (![...made.values()].includes(parent)) {
        for (const [path, value] of changed.get(parent) ?? []) set(path, value)
        changed.delete(parent)
      }
      const link = await view.client.link(name)
      if (link !== undefined) await view.client.deleteLink(link.index)
      await firewall.unguard(name)
    },
  }
}

/** RFC 9568 §7.3: 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6; or as configured. */
function macOf({ vmac, family, virtualRouterId }: InterfaceRequest): Uint8Array {
  const given = vmac?.mac === undefined ? undefined : parseMac(vmac.mac)
  return given ?? Uint8Array.of(0, 0, 0x5e, 0, third(family), virtualRouterId)
}

const third = (family: Family): number => (family === 'inet' ? 1 : 2)
