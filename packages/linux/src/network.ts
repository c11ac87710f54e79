/** Interfaces and addresses of this network namespace, kept current by what the kernel announces. */
import type { AssignedAddress } from './netlink/route/address.ts'
import { watchRoute, type RouteEvent, type RouteTopic } from './netlink/route/events.ts'
import type { Link } from './netlink/route/link.ts'
import { openRoute, type RouteClient } from './netlink/route.ts'

export interface NetworkListener {
  /** An interface appeared, changed or went away (undefined, told at once), or addresses of it did. */
  link(name: string, now: Link | undefined): void
  /** An address, a route or a rule is no longer there; or, after events were lost, something may be missing. */
  gone(): void
}

export interface NetworkView {
  links(): readonly Link[]
  link(name: string): Link | undefined
  /** In the order the kernel lists them: of equal scope and prefix the first is the primary one. */
  addresses(index: number): readonly AssignedAddress[]
  readonly client: RouteClient
  /** For renewing what is there: its changes are not reported here. Errors name interfaces by number. */
  readonly renewer: RouteClient
  close(): void
}

const topics: readonly RouteTopic[] = ['link', 'address', 'route', 'rule']

/** Reads everything once and follows the changes. Rejects with a KernelError or system error. */
export async function watchNetwork(listener: NetworkListener): Promise<NetworkView> {
  const client = openRoute()
  const renewer = openRoute()
  let links = new Map<number, Link>()
  let byName: Map<string, Link> | undefined
  let addresses = new Map<number, AssignedAddress[]>()
  let reading: Promise<void> | undefined
  let again = false
  let closed = false
  let ready = false

  /** Changes come in crowds: each interface is told of once for all that one turn of the event loop brought. */
  const changed = new Set<number>()
  const tell = (index: number): void => {
    if (!ready) return
    if (changed.size === 0) setImmediate(tellAll)
    changed.add(index)
  }
  const tellAll = (): void => {
    const all = [...changed]
    changed.clear()
    for (const index of all) {
      const link = links.get(index)
      if (link !== undefined && !closed) listener.link(link.name, link)
    }
  }

  function take(event: RouteEvent): void {
    switch (event.about) {
      case 'link':
        takeLink(event.change, event.link)
        break
      case 'address':
        takeAddress(event.change, event.address)
        break
      case 'route':
      case 'rule':
        if (event.change === 'gone') gone()
        break
      case 'lost':
        void readAll().catch(() => undefined) // the next event tries again
        gone()
        break
    }
  }

  const gone = (): void => {
    if (ready) listener.gone()
  }

  function takeLink(change: 'new' | 'gone', link: Link): void {
    const before = links.get(link.index)
    byName = undefined
    if (change === 'new') links.set(link.index, link)
    else {
      links.delete(link.index)
      addresses.delete(link.index)
    }
    if (!ready) return
    // Renamed or gone: nothing is left under the old name.
    if (before !== undefined && (change === 'gone' || before.name !== link.name)) listener.link(before.name, undefined)
    if (change === 'new' && (before === undefined || !sameLink(before, link))) tell(link.index)
  }

  function takeAddress(change: 'new' | 'gone', address: AssignedAddress): void {
    const list = addresses.get(address.index) ?? []
    const at = list.findIndex((one) => isSame(one, address))
    if (change === 'gone') {
      if (at >= 0) list.splice(at, 1)
      gone()
    } else if (at >= 0) {
      const known = list[at]
      list[at] = address
      if (known?.tentative === address.tentative) return // only its lifetime was renewed
    } else {
      list.push(address)
    }
    addresses.set(address.index, list)
    tell(address.index)
  }

  /** Everything anew; once more when it was asked for meanwhile. */
  function readAll(): Promise<void> {
    again = true
    reading ??= (async () => {
      try {
        while (again) {
          again = false
          const [allLinks, allAddresses] = await Promise.all([client.links(), client.addresses()])
          replaceAll(allLinks, allAddresses)
        }
      } finally {
        reading = undefined
      }
    })()
    return reading
  }

  /** Interfaces by name, made anew when it is asked for after a change. */
  function named(name: string): Link | undefined {
    byName ??= new Map([...links.values()].map((link) => [link.name, link]))
    return byName.get(name)
  }

  function replaceAll(allLinks: readonly Link[], allAddresses: readonly AssignedAddress[]): void {
    const before = links
    byName = undefined
    links = new Map(allLinks.map((link) => [link.index, link]))
    addresses = new Map(allLinks.map((link) => [link.index, allAddresses.filter(({ index }) => index === link.index)]))
    if (!ready) return
    const names = new Set(allLinks.map(({ name }) => name))
    for (const { name } of before.values()) if (!names.has(name)) listener.link(name, undefined)
    for (const index of links.keys()) tell(index)
  }

  // The watch first: what changes while everything is read is seen once more rather than never.
  const watch = watchRoute(
    topics,
    (event) => {
      if (!closed) take(event)
    },
    renewer.port,
  )
  try {
    await readAll()
  } catch (error) {
    watch.close()
    client.close()
    renewer.close()
    throw error
  }
  ready = true
  return {
    links: () => [...links.values()],
    link: named,
    addresses: (index) => addresses.get(index) ?? [],
    client,
    renewer,
    close() {
      closed = true
      watch.close()
      client.close()
      renewer.close()
    },
  }
}

const isSame = (a: AssignedAddress, b: AssignedAddress): boolean =>
  a.address === b.address && a.prefix === b.prefix && a.peer === b.peer

/** Counters and the like also make the kernel announce an interface. */
function sameLink(a: Link, b: Link): boolean {
  return (
    a.name === b.name &&
    a.flags === b.flags &&
    a.mtu === b.mtu &&
    a.master === b.master &&
    Buffer.compare(a.mac ?? Buffer.alloc(0), b.mac ?? Buffer.alloc(0)) === 0
  )
}
