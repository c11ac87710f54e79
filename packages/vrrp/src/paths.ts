import type { UnicastPeer, VrrpInstance } from '@ipvs-director/config'
import { type Address, familyOf } from '@ipvs-director/core'
import type { Way } from './check.ts'
import { packetLength } from './compose.ts'
import type { LinkInterface, Path, VrrpLink } from './link.ts'

/** One way for an instance's advertisements: where it listens, where it sends, and what it expects there. */
export interface Plan {
  readonly path: Path
  readonly way: Way
  /** Our own address there: what is sent from, and what ties are broken by. */
  readonly own: Address
  readonly destinations: readonly Address[]
  /** The interface's number, so that another one under the same name is another plan. */
  readonly index: number | undefined
}

/** What plans are made from. */
export interface Ground {
  get(name: string): LinkInterface | undefined
  sourceTowards: VrrpLink['sourceTowards']
  /** Addresses that come and go with an instance are no source. */
  isVirtual(address: Address): boolean
  /** The VMAC's interface, where it is made and advertisements leave by it. */
  readonly vmacInterface: string | undefined
}

const anybody: ReadonlyMap<Address, UnicastPeer> = new Map()

/**
 * The instance's own way first (undefined while it has no address or no interface), then the further heartbeats that can
 * be used now.
 */
export function plansOf(config: VrrpInstance, ground: Ground): readonly (Plan | undefined)[] {
  const extra = [
    ...config.heartbeatInterfaces.map((name) => multicastPlan(config, ground, name, undefined)),
    ...heartbeatPlans(config, ground),
  ]
  return [ownPlan(config, ground), ...extra.filter((plan) => plan !== undefined)]
}

function ownPlan(config: VrrpInstance, ground: Ground): Plan | undefined {
  const own = sourceOf(config, ground)
  if (own === undefined) return undefined
  // `vrf`: what is bound to it hears and sends in its routing table.
  const bound = config.interface ?? config.vrf
  const on = bound === undefined ? undefined : ground.get(bound)
  if (bound !== undefined && on === undefined) return undefined
  if (config.unicastPeers.length === 0) {
    const via = ground.vmacInterface ?? config.interface
    return via === undefined ? undefined : multicastPlan(config, ground, via, own)
  }
  const peers = new Map(config.unicastPeers.map((peer) => [peer.address, peer]))
  const limited = config.unicastPeers.some(({ minTtl, maxTtl }) => minTtl !== undefined || maxTtl !== undefined)
  return {
    path: { ...common(config, on), interface: bound, group: undefined, source: own },
    way: { unicast: true, peers, peersOnly: config.checkUnicastSource || limited },
    own,
    destinations: [...peers.keys()],
    index: on?.index,
  }
}

/** What is sent from: as configured, else the interface's first address of the family (IPv6: link-local). */
export function sourceOf(config: VrrpInstance, ground: Ground): Address | undefined {
  if (config.sourceAddress !== undefined) return config.sourceAddress
  if (config.interface === undefined) return undefined
  const vmac =
    config.family === 'inet6' && ground.vmacInterface !== undefined ? ground.get(ground.vmacInterface) : undefined
  return first(config, ground, vmac) ?? first(config, ground, ground.get(config.interface))
}

function first(config: VrrpInstance, ground: Ground, on: LinkInterface | undefined): Address | undefined {
  const usable = on?.addresses.filter((each) => familyOf(each) === config.family && !ground.isVirtual(each)) ?? []
  return config.family === 'inet6' ? usable.find((each) => /^fe[89ab]/.test(each)) : usable[0]
}

function multicastPlan(
  config: VrrpInstance,
  ground: Ground,
  name: string,
  source: Address | undefined,
): Plan | undefined {
  const on = ground.get(name)
  const own = source ?? first(config, ground, on)
  if (on === undefined || own === undefined) return undefined
  return {
    path: { ...common(config, on), interface: name, group: config.multicastGroup, source: undefined },
    way: { unicast: false, peers: anybody, peersOnly: false },
    own,
    destinations: [config.multicastGroup],
    index: on.index,
  }
}

/** Peers that share interface and source share a socket. */
function heartbeatPlans(config: VrrpInstance, ground: Ground): readonly Plan[] {
  const plans = new Map<string, Plan>()
  for (const peer of config.heartbeatPeers) {
    const on = peer.interface === undefined ? undefined : ground.get(peer.interface)
    if (peer.interface !== undefined && on === undefined) continue
    const own = peer.source ?? first(config, ground, on) ?? ground.sourceTowards(peer.address)
    if (own === undefined) continue
    const key = `${peer.interface ?? ''} ${own}`
    const before = plans.get(key)
    const peers = new Map([
      ...(before?.way.peers ?? []),
      [peer.address, { address: peer.address, minTtl: undefined, maxTtl: undefined }] as const,
    ])
    plans.set(key, {
      path: { ...common(config, on), interface: peer.interface, group: undefined, source: own },
      way: { unicast: true, peers, peersOnly: true },
      own,
      destinations: [...peers.keys()],
      index: on?.index,
    })
  }
  return [...plans.values()]
}

const common = (
  config: VrrpInstance,
  on: LinkInterface | undefined,
): Pick<Path, 'family' | 'protocol' | 'receiveBuffer'> => ({
  family: config.family,
  protocol: config.auth?.type === 'AH' && config.hmac === undefined ? 51 : 112,
  receiveBuffer: receiveBufferOf(config, on),
})

/** Bytes. An instance without an interface has no MTU to go by. */
function receiveBufferOf(config: VrrpInstance, on: LinkInterface | undefined): number | undefined {
  const { receiveBuffer: wanted } = config
  if (typeof wanted !== 'object') return wanted
  if (wanted.of === 'ADVERT') return wanted.times * packetLength(config)
  return on === undefined ? undefined : wanted.times * on.mtu
}

/** Whether two plans need the same socket and mean the same. */
export const samePlan = (a: Plan, b: Plan): boolean =>
  a.own === b.own &&
  a.index === b.index &&
  JSON.stringify([a.path, a.destinations, [...a.way.peers.values()]]) ===
    JSON.stringify([b.path, b.destinations, [...b.way.peers.values()]])
