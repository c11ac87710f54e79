/** The firewall by iptables(8), ip6tables(8) and ipset(8): `vrrp_iptables`, `vrrp_ipsets`. */
import { familyOf, isLinkLocal, parseAddress, type Address, type Family } from '@ipvs-director/core'
import { type FirewallBackend, type Guarded, type GuardedAddress } from './firewall.ts'

/** Runs a program with a text on its standard input; what it prints. Rejects with its words. */
export type RunProgram = (argv: readonly string[], input?: string) => Promise<string>

export interface IptablesOptions {
  /** `vrrp_iptables IN OUT`. They must be there, as for keepalived. */
  readonly input: string | undefined
  readonly output: string | undefined
  /** `vrrp_ipsets`: names for IPv4, IPv6 and link-local addresses, the others made from those before; false: none. */
  readonly ipsets: readonly string[] | false | undefined
}

/** One rule of a chain, as words. */
type Rule = readonly string[]

const programs = { inet: 'iptables', inet6: 'ip6tables' } as const
/** By this the next run knows which rules are ours, should this one be killed. */
const mark = ['-m', 'comment', '--comment', 'ipvs-director'] as const
/** Somebody else may hold the lock. */
const patience = ['-w', '5'] as const
const discovery = ['neighbour-solicitation', 'neighbour-advertisement'] as const
const memberships: Readonly<Record<Family, readonly Rule[]>> = {
  inet: [['-p', 'igmp']],
  inet6: ['130', '131', '132', '143'].map((type) => ['-p', 'icmpv6', '--icmpv6-type', type]), // RFC 2710, RFC 3810
}

/** The set that an address belongs to, and how it is written there. */
interface Sets {
  readonly inet: string
  readonly inet6: string
  readonly local: string
}

/** Omitted names are made from the first, as keepalived makes them. */
export function setNames(given: readonly string[] | undefined): Sets {
  const [inet = 'keepalived', inet6 = `${inet}6`, local = inet6.endsWith('6') ? `${inet6.slice(0, -1)}_if6` : `${inet6}_if6`] = given ?? [] // prettier-ignore
  return { inet, inet6, local }
}

export function iptablesFirewall(run: RunProgram, options: IptablesOptions): FirewallBackend {
  const { input, output, ipsets } = options
  const sets = ipsets === false ? undefined : setNames(ipsets)
  /** Rules that were added, in the order of the additions, by what identifies them. */
  const added = new Map<string, { family: Family; chain: string; rule: Rule }>()
  let members = new Set<string>()
  let setsAreThere = false

  const call = (family: Family, ...words: readonly string[]): Promise<string> =>
    run([programs[family], ...patience, ...words])

  /** One that a run before us left is taken away first. */
  async function add(how: '-A' | '-I', family: Family, chain: string, rule: Rule): Promise<void> {
    const key = keyOf(family, chain, rule)
    if (added.has(key)) return
    await call(family, '-D', chain, ...rule).catch(() => undefined)
    await call(family, how, chain, ...rule)
    added.set(key, { family, chain, rule })
  }

  async function remove(key: string): Promise<void> {
    const known = added.get(key)
    if (known === undefined) return
    added.delete(key)
    await call(known.family, '-D', known.chain, ...known.rule).catch(() => undefined) // taken away by somebody else
  }

  /** Takes away what a run before this one left; the addresses that it was about. */
  async function clear(family: Family, chain: string): Promise<Address[]> {
    const listed = await call(family, '-S', chain).catch(() => '') // no such chain: the first rule will tell
    const ours = listed.split('\n').filter((line) => line.startsWith('-A ') && line.includes(` ${mark.join(' ')} `))
    for (const line of ours) await call(family, '-D', ...line.split(' ').slice(1)).catch(() => undefined) // gone by now
    return ours.flatMap((line) => parseAddress(/ -[ds] ([^/ ]+)/.exec(line)?.[1] ?? '') ?? [])
  }

  /** Of several rules inserted at the beginning the last one comes first. */
  const rulesOf = ({ address, interface: on }: GuardedAddress): { chain: string; rule: Rule }[] => {
    const device = (flag: string): Rule => (isLinkLocal(address) && on !== undefined ? [flag, on] : [])
    const accepts = familyOf(address) === 'inet6' ? discovery : []
    const both = (chain: string | undefined, match: Rule) =>
      chain === undefined
        ? []
        : [
            { chain, rule: [...match, ...mark, '-j', 'DROP'] },
            ...accepts.map((type) => ({ chain, rule: [...match, '-p', 'icmpv6', '--icmpv6-type', type, ...mark, '-j', 'ACCEPT'] })), // prettier-ignore
          ]
    return [...both(input, [...device('-i'), '-d', address]), ...both(output, [...device('-o'), '-s', address])]
  }

  async function withoutSets(addresses: Guarded['addresses']): Promise<Set<string>> {
    const kept = new Set<string>()
    for (const one of addresses) {
      const family = familyOf(one.address)
      for (const { chain, rule } of rulesOf(one)) {
        kept.add(keyOf(family, chain, rule))
        await add('-I', family, chain, rule)
      }
    }
    return kept
  }

  async function withSets(names: Sets, { addresses }: Guarded): Promise<Set<string>> {
    const now = new Set(addresses.map((one) => memberOf(names, one)))
    if (now.size > 0 && !setsAreThere) {
      await run(['ipset', '-exist', 'restore'], creation(names))
      setsAreThere = true
    }
    const changes = [
      ...[...now].filter((one) => !members.has(one)).map((one) => `add ${one}`),
      ...[...members].filter((one) => !now.has(one)).map((one) => `del ${one}`),
    ]
    if (changes.length > 0) await run(['ipset', '-exist', 'restore'], `${changes.join('\n')}\n`)
    members = now
    const kept = new Set<string>()
    if (now.size === 0) return kept
    for (const { family, chain, rule } of setRules(names)) {
      kept.add(keyOf(family, chain, rule))
      await add('-A', family, chain, rule)
    }
    return kept
  }

  function setRules(names: Sets): { family: Family; chain: string; rule: Rule }[] {
    const match = (name: string, ...sides: readonly string[]): Rule => ['-m', 'set', '--match-set', name, sides.join()]
    const rules = (chain: string | undefined, side: string, device: string) =>
      chain === undefined
        ? []
        : ([['inet', match(names.inet, side)], ['inet6', match(names.inet6, side)], ['inet6', match(names.local, side, device)]] as const) // prettier-ignore
            .flatMap(([family, rule]) => [
              ...(family === 'inet' ? [] : discovery.map((type) => ({ family, chain, rule: [...rule, '-p', 'icmpv6', '--icmpv6-type', type, ...mark, '-j', 'ACCEPT'] }))), // prettier-ignore
              { family, chain, rule: [...rule, ...mark, '-j', 'DROP'] },
            ])
    return [...rules(input, 'dst', 'src'), ...rules(output, 'src', 'dst')]
  }

  /** Appended: `vrrp_iptables` says so, too. */
  async function quietInterfaces({ interfaces }: Guarded): Promise<Set<string>> {
    const kept = new Set<string>()
    if (output === undefined) return kept
    for (const name of interfaces.keys()) {
      for (const family of ['inet', 'inet6'] as const) {
        for (const what of memberships[family]) {
          const rule = ['-o', name, ...what, ...mark, '-j', 'DROP']
          kept.add(keyOf(family, output, rule))
          await add('-A', family, output, rule)
        }
      }
    }
    return kept
  }

  return {
    async begin(addresses) {
      const chains = new Set([input, output].filter((one) => one !== undefined))
      const left: string[] = []
      for (const family of ['inet', 'inet6'] as const)
        for (const chain of chains) left.push(...(await clear(family, chain)))
      if (sets === undefined) await withoutSets(addresses.filter(({ address }) => left.includes(address)))
      const { inet, inet6, local } = sets ?? {}
      const names = [inet, inet6, local].filter((name) => name !== undefined)
      for (const name of names) await run(['ipset', 'flush', name]).catch(() => undefined) // there is none
    },
    async apply(now) {
      const wanted = sets === undefined ? await withoutSets(now.addresses) : await withSets(sets, now)
      const quiet = await quietInterfaces(now)
      for (const key of [...added.keys()].reverse()) if (!wanted.has(key) && !quiet.has(key)) await remove(key)
      if (sets === undefined || !setsAreThere || members.size > 0) return
      setsAreThere = false
      await run(['ipset', '-exist', 'restore'], destruction(sets))
    },
  }
}

const keyOf = (family: Family, chain: string, rule: Rule): string => [family, chain, ...rule].join(' ')

function memberOf(names: Sets, { address, interface: on }: GuardedAddress): string {
  if (familyOf(address) === 'inet') return `${names.inet} ${address}`
  return isLinkLocal(address) && on !== undefined ? `${names.local} ${address}/128,${on}` : `${names.inet6} ${address}`
}

/** Sets that a run before us left are emptied. */
const creation = ({ inet, inet6, local }: Sets): string =>
  [
    `create ${inet} hash:ip family inet`,
    `create ${inet6} hash:ip family inet6`,
    `create ${local} hash:net,iface family inet6`,
    ...[inet, inet6, local].map((name) => `flush ${name}`),
    '',
  ].join('\n')

const destruction = ({ inet, inet6, local }: Sets): string =>
  [inet, inet6, local].map((name) => `destroy ${name}\n`).join('')
