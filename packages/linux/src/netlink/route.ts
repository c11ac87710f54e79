/** rtnetlink: interfaces, addresses, routes and rules of this network namespace. */
import { DecodeError, KernelError, type Family } from '@ipvs-director/core'
import { isRefusal, type NetlinkChannel, type NetlinkMessage, type NetlinkRequest } from './channel.ts'
import {
  allAddresses,
  changeAddress,
  decodeAddress,
  type AddressChange,
  type AssignedAddress,
  type InterfaceAddress,
  type PreparedRenewal,
} from './route/address.ts'
import {
  allLinks,
  changeLink,
  decodeLink,
  newLink,
  oneLink,
  removeLink,
  type Link,
  type LinkChange,
  type LinkSpec,
} from './route/link.ts'
import { formatPrefix } from './route/prefix.ts'
import { allRoutes, changeRoute, decodeRoute, type Route, type RouteChange } from './route/route.ts'
import { allRules, changeRule, decodeRule, type Rule, type RuleChange } from './route/rule.ts'
import { NETLINK_ROUTE, openNetlink } from './socket-channel.ts'

/**
 * Reads and changes what `ip` shows. Every method rejects with a KernelError that says what was tried on what; the
 * plural ones change many things in few system calls and resolve to one element each: undefined, or the error.
 */
export interface RouteClient {
  links(): Promise<readonly Link[]>
  /** Undefined where there is no such interface. */
  link(which: number | string): Promise<Link | undefined>
  setLink(index: number, change: LinkChange): Promise<void>
  addLink(spec: LinkSpec): Promise<void>
  deleteLink(index: number): Promise<void>
  /** Those of one interface, or of all. */
  addresses(index?: number): Promise<readonly AssignedAddress[]>
  addAddress(address: InterfaceAddress): Promise<void>
  /** Adds it, or renews the lifetime of the one that is there. */
  replaceAddress(address: InterfaceAddress): Promise<void>
  deleteAddress(address: InterfaceAddress): Promise<void>
  changeAddresses(changes: readonly AddressChange[]): Promise<readonly (KernelError | undefined)[]>
  /**
   * Renews the lifetimes of at most 100 addresses in one send, which happens before this returns when nothing else is
   * under way on this client. Trap: the kernel adds what is not there, with NLM_F_REPLACE alone and without NLM_F_CREATE,
   * too (IPv4 and IPv6; seen on 6.18). So whoever calls must know at this very moment that they are to be there.
   */
  renewAddresses(prepared: readonly PreparedRenewal[]): Promise<readonly (KernelError | undefined)[]>
  /** {@link watchRoute} can leave out what comes from here. */
  readonly port: number
  routes(family?: Family): Promise<readonly Route[]>
  changeRoutes(changes: readonly RouteChange[]): Promise<readonly (KernelError | undefined)[]>
  rules(family?: Family): Promise<readonly Rule[]>
  changeRules(changes: readonly RuleChange[]): Promise<readonly (KernelError | undefined)[]>
  close(): void
}

const ENODEV = 19

/** Opens a client in the network namespace of this thread, or over the given channel. */
export function openRoute(channel: NetlinkChannel = openNetlink(NETLINK_ROUTE)): RouteClient {
  const names = new Map<number, string>() // of interfaces read so far, for messages
  const nameOf = (index: number | undefined): string =>
    index === undefined ? 'any interface' : (names.get(index) ?? `interface ${index}`)

  const remember = (link: Link): Link => {
    names.set(link.index, link.name)
    return link
  }

  async function dump(request: NetlinkRequest, what: string): Promise<readonly NetlinkMessage[]> {
    const answer = await channel.dump(request)
    if (isRefusal(answer)) throw new KernelError(`cannot list ${what}`, answer)
    return answer
  }

  /** Carries out changes; each is put into words only when it was refused. */
  async function change<T>(
    changes: readonly T[],
    encode: (change: T) => NetlinkRequest,
    describe: (change: T) => string,
  ): Promise<readonly (KernelError | undefined)[]> {
    const outcomes = await channel.execute(changes.map(encode))
    return changes.map((one, i) => {
      const refusal = outcomes[i]
      return refusal === undefined ? undefined : new KernelError(`cannot ${describe(one)}`, refusal)
    })
  }

  async function changeOne(request: NetlinkRequest, describe: () => string): Promise<void> {
    const [error] = await change([request], (one) => one, describe)
    if (error !== undefined) throw error
  }

  const changeAddresses = (changes: readonly AddressChange[]): Promise<readonly (KernelError | undefined)[]> =>
    change(changes, changeAddress, ({ do: action, address: { address, prefix, index } }) => {
      const which = formatPrefix({ address, length: prefix })
      return action === 'delete' ? `delete ${which} from ${nameOf(index)}` : `${action} ${which} on ${nameOf(index)}`
    })

  async function oneAddress(one: AddressChange): Promise<void> {
    const [error] = await changeAddresses([one])
    if (error !== undefined) throw error
  }

  return {
    links: async () => (await dump(allLinks(), 'interfaces')).map(({ payload }) => remember(decodeLink(payload))),
    async link(which) {
      const answer = await channel.ask(oneLink(which))
      if (isRefusal(answer)) {
        if (answer.errno === ENODEV) return undefined
        throw new KernelError(`cannot read interface ${which}`, answer)
      }
      const [message] = answer
      if (message === undefined) throw new DecodeError(`no answer about interface ${which}`)
      return remember(decodeLink(message.payload))
    },
    setLink: (index, wanted) => changeOne(changeLink(index, wanted), () => `change ${nameOf(index)}`),
    addLink: (spec) => changeOne(newLink(spec), () => `add interface ${spec.name} (${spec.kind})`),
    deleteLink: (index) => changeOne(removeLink(index), () => `delete ${nameOf(index)}`),
    async addresses(index) {
      const all = (await dump(allAddresses(), 'addresses')).map(({ payload }) => decodeAddress(payload))
      return index === undefined ? all : all.filter((one) => one.index === index)
    },
    addAddress: (address) => oneAddress({ do: 'add', address }),
    replaceAddress: (address) => oneAddress({ do: 'replace', address }),
    deleteAddress: (address) => oneAddress({ do: 'delete', address }),
    changeAddresses,
    renewAddresses: (prepared) =>
      change(
        prepared,
        ({ request }) => request,
        ({ address: { address, prefix, index } }) =>
          `renew ${formatPrefix({ address, length: prefix })} on ${nameOf(index)}`,
      ),
    port: channel.port,
    routes: async (family) =>
      (await dump(allRoutes(family), 'routes')).flatMap(({ payload }) => decodeRoute(payload) ?? []),
    changeRoutes: (changes) =>
      change(changes, changeRoute, ({ do: action, route }) => `${action} the route ${describeRoute(route, nameOf)}`),
    rules: async (family) =>
      (await dump(allRules(family), 'rules')).flatMap(({ payload }) => decodeRule(payload) ?? []),
    changeRules: (changes) => change(changes, changeRule, ({ do: action, rule }) => `${action} ${describeRule(rule)}`),
    close: () => {
      channel.close()
    },
  }
}

function describeRoute({ destination, gateway, index }: Route, nameOf: (index: number) => string): string {
  const to = destination === undefined ? 'default' : formatPrefix(destination)
  const via = gateway === undefined ? '' : ` via ${gateway}`
  return `${to}${via}${index === undefined ? '' : ` on ${nameOf(index)}`}`
}

function describeRule({ priority, table }: Rule): string {
  return `the rule ${priority ?? 'without priority'} for table ${table ?? 'none'}`
}
