/** What instances hold: put into the kernel, renewed, taken out, and missed when somebody else takes it. */
import { describeError, KernelError, type Address, type Logger, type Millis } from '@ipvs-director/core'
import type { NetworkRoute, NetworkRule, ProtectedAddress } from '@ipvs-director/config'
import {
  routeNumber,
  writeSetting,
  type AddressChange,
  type NetworkView,
  type Route,
  type RouteNumber,
  type RouteChange,
  type Rule,
  type RuleChange,
} from '@ipvs-director/linux'
import type { Holding } from '@ipvs-director/vrrp'
import type { Firewall } from './firewall.ts'
import { createLeases } from './leases.ts'
import {
  addressText,
  kernelAddress,
  kernelRoute,
  kernelRule,
  routeText,
  ruleText,
  type IndexOf,
  type TableOf,
} from './entries.ts'

export interface Holdings {
  hold(holding: Holding, lease: Millis | undefined): Promise<void>
  renew(holding: Holding, lease: Millis): Promise<void>
  release(holding: Holding): Promise<void>
  holdStatic(entries: Entries): Promise<void>
  /** Whether a static address or route is on that interface. */
  isStaticOn(name: string): boolean
  /** Looks whether everything held is still there. */
  verify(): Promise<void>
  /** Resolves when all work asked for so far is done, or failed. */
  settled(): Promise<void>
  /** Whether an instance holds the address now. */
  holds(address: Address): boolean
}

/** A part of {@link Holding}. */
export interface Entries {
  readonly addresses: readonly ProtectedAddress[]
  readonly routes: readonly NetworkRoute[]
  readonly rules: readonly NetworkRule[]
}

type View = Pick<NetworkView, 'link' | 'client' | 'renewer'>

/** The name under which static entries are held. */
const staticOwner = '\0static'
/** What was to be removed and is not there: EADDRNOTAVAIL, ENODEV, ESRCH, ENOENT. */
const alreadyGone = new Set([99, 19, 3, 2])
/** What was to be added and is there: EEXIST. */
const EEXIST = 17

export function createHoldings(
  view: View,
  firewall: Pick<Firewall, 'block' | 'unblock'>,
  logger: Logger,
  lost: (key: string, what: string) => void,
  names: RouteNumber = routeNumber,
): Holdings {
  const held = new Map<string, Entries>()
  /** How many instances hold an address; static ones do not count. */
  const counts = new Map<Address, number>()
  /** Numbers of the interfaces that addresses were put on: their names may be other ones when they are taken off. */
  const placed = new Map<string, number>()
  const queues = new Map<string, Promise<unknown>>()
  const indexOf: IndexOf = (name) => view.link(name)?.index
  const tableOf: TableOf = (vrf) => view.link(vrf)?.table
  /** Why static entries could not be added again the last time. */
  let trouble: string | undefined
  const leases = createLeases(view.renewer, indexOf, names)

  /** Work for one owner in the order of the calls; at once when nothing is under way. */
  function inOrder<T>(owner: string, work: () => Promise<T>): Promise<T> {
    const before = queues.get(owner)
    const result = before === undefined ? work() : before.then(work, work)
    queues.set(owner, result)
    const done = (): void => {
      if (queues.get(owner) === result) queues.delete(owner)
    }
    result.then(done, done)
    return result
  }

  async function put(owner: string, wanted: Entries, lease: Millis | undefined): Promise<void> {
    const before = held.get(owner)
    held.set(owner, wanted)
    count(owner, before, -1)
    count(owner, wanted, 1)
    const removed = before === undefined ? undefined : difference(before, wanted)
    const errors = [
      ...(removed === undefined ? [] : takeOut(removed)),
      addresses(wanted.addresses, 'replace', lease),
      routes(wanted.routes, 'add'),
      rules(wanted.rules, 'add'),
    ]
    report((await Promise.all(errors)).flat())
  }

  function count(owner: string, entries: Entries | undefined, by: 1 | -1): void {
    if (owner === staticOwner) return
    for (const { address } of entries?.addresses ?? []) {
      const now = (counts.get(address) ?? 0) + by
      if (now === 0) counts.delete(address)
      else counts.set(address, now)
    }
  }

  /** In reverse order; what somebody else still holds stays. */
  function takeOut(entries: Entries): Promise<(Error | undefined)[]>[] {
    // Nearly always nobody else holds any of it.
    const shared = entries.routes.length > 0 || entries.rules.length > 0 || entries.addresses.some(({ address }) => counts.has(address) || held.has(staticOwner)) // prettier-ignore
    const others = shared ? [...held.values()] : []
    const free = <T>(list: readonly T[], of: (entries: Entries) => readonly T[], key: (one: T) => string): T[] => {
      const kept = new Set(others.flatMap((one) => of(one).map(key)))
      return list.filter((one) => !kept.has(key(one)))
    }
    return [
      rules(free(entries.rules, (one) => one.rules, ruleKey).reverse(), 'delete'), // prettier-ignore
      routes(free(entries.routes, (one) => one.routes, routeKey).reverse(), 'delete'), // prettier-ignore
      addresses(free(entries.addresses, (one) => one.addresses, addressText).reverse(), 'delete', undefined), // prettier-ignore
    ]
  }

  async function addresses(
    list: readonly ProtectedAddress[],
    action: AddressChange['do'],
    lease: Millis | undefined,
  ): Promise<(Error | undefined)[]> {
    const errors: (Error | undefined)[] = []
    const changes: AddressChange[] = []
    for (const wanted of list) {
      const name = addressText(wanted)
      const now = wanted.interface === undefined ? undefined : indexOf(wanted.interface)
      const index = action === 'delete' ? (placed.get(name) ?? now) : now
      if (action === 'delete') placed.delete(name)
      else if (index !== undefined) placed.set(name, index)
      if (index !== undefined) attempt(errors, () => changes.push({ do: action, address: kernelAddress(wanted, index, lease, names) })) // prettier-ignore
      else if (action !== 'delete') errors.push(new Error(`cannot add ${name}: there is no such interface`)) // prettier-ignore
    }
    return [...errors, ...(await view.client.changeAddresses(changes))].filter(isTrouble(action))
  }

  /** Added beside what is there, as `ip route prepend` does, so that no route of somebody else is replaced. */
  async function routes(list: readonly NetworkRoute[], action: 'add' | 'delete'): Promise<(Error | undefined)[]> {
    const errors: (Error | undefined)[] = []
    const changes: RouteChange[] = []
    for (const wanted of list) {
      attempt(errors, () =>
        changes.push({
          do: action === 'add' ? wanted.how : action,
          route: kernelRoute(wanted, indexOf, tableOf, names),
        }),
      )
    }
    const known = action === 'delete' ? [] : errors
    return [...known, ...(await view.client.changeRoutes(changes))].filter(isTrouble(action))
  }

  async function rules(list: readonly NetworkRule[], action: RuleChange['do']): Promise<(Error | undefined)[]> {
    const errors: (Error | undefined)[] = []
    const changes: RuleChange[] = []
    for (const wanted of list) attempt(errors, () => changes.push({ do: action, rule: kernelRule(wanted, names) }))
    const known = action === 'delete' ? [] : errors
    return [...known, ...(await view.client.changeRules(changes))].filter(isTrouble(action))
  }

  async function verify(): Promise<void> {
    const owners = [...held]
    if (owners.length === 0) return
    const some = (count: (entries: Entries) => number): boolean => owners.some(([, entries]) => count(entries) > 0)
    const [thereAddresses, thereRoutes, thereRules] = await Promise.all([
      view.client.addresses(),
      some(({ routes }) => routes.length) ? view.client.routes() : [],
      some(({ rules }) => rules.length) ? view.client.rules() : [],
    ])
    const there = {
      addresses: new Set(thereAddresses.map(({ index, address }) => `${index} ${address}`)),
      routes: thereRoutes,
      rules: thereRules,
    }
    for (const [owner, entries] of owners) {
      if (held.get(owner) !== entries) continue // changed while the kernel was asked
      const missing = missingOf(entries, there, indexOf, (wanted) => kernelRoute(wanted, indexOf, tableOf, names))
      if (missing === undefined) continue
      if (owner === staticOwner) {
        if (trouble === undefined) logger.warn('vrrp.static', `${missing} was removed by somebody else; it is added again`) // prettier-ignore
        await restore(entries)
      } else lost(owner, missing)
    }
  }

  /** What cannot be added now is tried again when its interface changes. */
  async function restore(entries: Entries): Promise<void> {
    try {
      await put(staticOwner, entries, undefined)
      trouble = undefined
    } catch (error) {
      const text = describeError(error)
      if (text !== trouble) logger.warn('vrrp.static', `cannot add it again: ${text}`)
      trouble = text
    }
  }

  /** Who is master has the addresses, with or without a firewall. */
  async function block(holding: Holding): Promise<void> {
    try {
      await firewall.block(holding)
    } catch (error) {
      const where = `packets to its addresses are not dropped, as no_accept or vrrp_strict would have it`
      logger.error('vrrp.firewall', `(${holding.instance}) ${where}: ${describeError(error)}`)
    }
  }

  async function unblock(key: string): Promise<void> {
    try {
      await firewall.unblock(key)
    } catch (error) {
      logger.error('vrrp.firewall', `packets to addresses are still dropped: ${describeError(error)}`)
    }
  }

  return {
    hold(holding, lease) {
      leases.drop(holding.key)
      return inOrder(holding.key, async () => {
        promoteSecondaries(holding, logger)
        if (!holding.accept) await block(holding)
        await put(holding.key, entriesOf(holding), lease)
        if (holding.accept) await unblock(holding.key) // it may have been otherwise before a reload
      })
    },
    // What is only about to be held has its lease with it.
    renew: (holding, lease) => (held.has(holding.key) ? leases.renew(holding, lease) : Promise.resolve()),
    release(holding) {
      leases.drop(holding.key)
      return inOrder(holding.key, async () => {
        leases.drop(holding.key) // it was held meanwhile
        count(holding.key, held.get(holding.key), -1)
        held.delete(holding.key)
        report((await Promise.all(takeOut(entriesOf(holding)))).flat())
        await firewall.unblock(holding.key)
      })
    },
    holdStatic: (entries) =>
      inOrder(staticOwner, async () => {
        await put(staticOwner, entries, undefined)
      }),
    isStaticOn(name) {
      const { addresses: list = [], routes: ways = [] } = held.get(staticOwner) ?? {}
      return [...list, ...ways].some((each) => each.interface === name)
    },
    verify,
    async settled() {
      await Promise.allSettled(queues.values())
    },
    holds: (address) => counts.has(address),
  }
}

const entriesOf = ({ addresses, excluded, routes, rules }: Holding): Entries => ({
  addresses: [...addresses, ...excluded],
  routes,
  rules,
})

const routeKey = (route: NetworkRoute): string => JSON.stringify({ ...route, place: undefined })
const ruleKey = (rule: NetworkRule): string => JSON.stringify({ ...rule, place: undefined })

/** What `before` has and `now` has not. */
function difference(before: Entries, now: Entries): Entries {
  const without = <T>(list: readonly T[], others: readonly T[], key: (one: T) => string): T[] => {
    const keys = new Set(others.map(key))
    return list.filter((one) => !keys.has(key(one)))
  }
  return {
    addresses: without(before.addresses, now.addresses, addressText),
    routes: without(before.routes, now.routes, routeKey),
    rules: without(before.rules, now.rules, ruleKey),
  }
}

function attempt(errors: (Error | undefined)[], action: () => unknown): void {
  try {
    action()
  } catch (error) {
    errors.push(error instanceof Error ? error : new Error(String(error)))
  }
}

const isTrouble =
  (action: 'add' | 'replace' | 'delete') =>
  (error: Error | undefined): boolean => {
    if (!(error instanceof KernelError)) return error !== undefined
    return action === 'delete' ? !alreadyGone.has(error.errno) : error.errno !== EEXIST
  }

/** All that went wrong as one error; the rest was done. */
function report(errors: readonly (Error | undefined)[]): void {
  const real = errors.filter((error) => error !== undefined)
  const [first] = real
  if (first !== undefined && real.length === 1) throw first
  if (first !== undefined) throw new Error(real.map(({ message }) => message).join('; '), { cause: first })
}

/** Otherwise the kernel drops the secondary addresses of a network with its primary one. */
function promoteSecondaries({ promoteSecondaries: wanted, interface: on }: Holding, logger: Logger): void {
  if (!wanted || on === undefined) return
  try {
    writeSetting(`ipv4/conf/${on}/promote_secondaries`, '1')
  } catch (error) {
    logger.warn('vrrp.settings', `cannot set promote_secondaries of ${on}: ${String(error)}`)
  }
}

interface There {
  /** Number of the interface and address. */
  readonly addresses: ReadonlySet<string>
  readonly routes: readonly Route[]
  readonly rules: readonly Rule[]
}

/** The first tracked entry that is not there, in words. */
function missingOf(
  entries: Entries,
  there: There,
  indexOf: IndexOf,
  kernelsOf: (route: NetworkRoute) => Route,
): string | undefined {
  for (const wanted of entries.addresses) {
    const index = wanted.interface === undefined ? undefined : indexOf(wanted.interface)
    if (wanted.track && !there.addresses.has(`${index} ${wanted.address}`)) return addressText(wanted)
  }
  for (const wanted of entries.routes) {
    if (!wanted.track) continue
    const route = attemptTo(() => kernelsOf(wanted))
    if (route !== undefined && !there.routes.some((one) => sameRoute(one, route))) return routeText(wanted)
  }
  for (const wanted of entries.rules) {
    if (!wanted.track) continue
    const found = there.rules.some(({ family, priority }) => family === wanted.family && priority === wanted.preference)
    if (!found) return ruleText(wanted)
  }
  return undefined
}

/** Equal by what finds a route. */
const sameRoute = (there: Route, wanted: Route): boolean =>
  there.family === wanted.family &&
  there.table === wanted.table &&
  there.destination?.address === wanted.destination?.address &&
  (there.destination?.length ?? 0) === (wanted.destination?.length ?? 0) &&
  (wanted.index === undefined || there.index === wanted.index) &&
  (wanted.metric === undefined || there.metric === wanted.metric)

function attemptTo<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
