import type { VrrpInstance } from '@ipvs-director/config'
import { type Address, describeError, type Millis, seconds } from '@ipvs-director/core'
import { checkPacket, type Listener } from './check.ts'
import { compose, composeAgain } from './compose.ts'
import { readKeys } from './keys.ts'
import type { OutgoingPacket, ReceivedPacket } from './packet.ts'
import { type Plan, samePlan } from './paths.ts'
import { isRejection, type RejectReason } from './rejection.ts'
import { createAhCounter, createFreshness } from './sequence.ts'
import type { Subscription } from './sockets.ts'
import type { Surroundings } from './surroundings.ts'
import type { HeardAdvert } from './state.ts'
import type { ProtocolError } from './status.ts'
import { type Counters, type Peer, rememberPeer } from './tallies.ts'
import type { Voice } from './voice.ts'

/** An instance's ways to the others: it sends on all of them, and passes on what is right of what it hears. */
export interface Channel {
  advertise(priority: number): void
  /** Opens what is new and closes what is gone; true when the instance's own way cannot be heard. */
  open(plans: readonly (Plan | undefined)[]): boolean
  /** The configuration changed. */
  configure(): void
  peers(): readonly Peer[]
  /** Of the last rejection that RFC 6527 has a number for. */
  protocolError(): ProtocolError | undefined
  /** Packets that the kernel dropped on the open ways because a buffer was full. */
  dropped(): number
  close(): void
}

export interface ChannelOptions {
  readonly shared: Surroundings
  readonly counters: Counters
  readonly voice: Voice
  readonly config: () => VrrpInstance
  readonly isMaster: () => boolean
  /** Adverts mean something now. */
  readonly listens: () => boolean
  readonly masterNow: () => Address | undefined
  readonly hear: (advert: HeardAdvert) => void
}

interface OpenWay {
  readonly plan: Plan
  readonly subscription: Subscription
  /** `old_unicast_checksum`: it turned out that the peers need it. */
  oldChecksum: boolean
  /** What was sent last on it, and what it said. */
  last: { readonly config: VrrpInstance; readonly priority: number; readonly oldChecksum: boolean; readonly packets: readonly OutgoingPacket[] } | undefined // prettier-ignore
}

/** Senders that disagree, and ways of each to do so, that are told of: forged ones are endless. */
const toldLimit = 64

/** Rejections of one reason are told so far apart at least: a flood of forged ones is not. */
const rejectedEvery = seconds(1)

/** Reasons that say: a machine with our VRID is there, and does not agree with us. */
const disagreements: ReadonlySet<RejectReason> = new Set([
  'version',
  'authType',
  'authMismatch',
  'authFailure',
  'hmacMissing',
  'hmacInvalid',
  'hmacUnknownKey',
  'hmacStale',
  'interval',
  'checksum',
  'kind',
])

export function createChannel(options: ChannelOptions): Channel {
  const { shared, counters, config } = options
  const { once, alarm } = options.voice
  const { link, clock } = shared
  const ahCounter = createAhCounter()
  const peers = new Map<Address, Peer>()
  const mismatches = new Map<Address, Set<string>>()
  const rejectedAt = new Map<RejectReason, Millis>()
  let protocolError: ProtocolError | undefined
  let ways: readonly (OpenWay | undefined)[] = []
  let id = 0
  let unsent = false
  const wall = (): number => clock.wall()

  const freshnessOf = ({ hmac }: VrrpInstance): Listener['freshness'] =>
    hmac === undefined ? undefined : createFreshness(hmac.antiReplay, hmac.timeWindow)
  const keysOf = (): Listener['keys'] =>
    readKeys(config().hmac, link, (text) => {
      once('warn', 'vrrp.key', text)
    })
  let keys = keysOf()
  let freshness = freshnessOf(config())
  let hmacIdentity = JSON.stringify(config().hmac)

  const known = (sender: Address): boolean =>
    config().skipCheckAdvertAddresses && !options.isMaster() && options.masterNow() === sender

  const disagree = (text: string, sender: Address): void => {
    const told = mismatches.get(sender) ?? new Set()
    if (told.has(text) || told.size >= toldLimit || mismatches.size >= toldLimit) return
    mismatches.set(sender, told.add(text))
    alarm('alarm', 'mismatch', `${text} (from ${sender}, which has our VRID ${config().virtualRouterId})`)
  }

  const tellRejected = (reason: RejectReason, source: Address): void => {
    if (reason === 'ttl' || reason === 'version' || reason === 'checksum') protocolError = reason
    const now = clock.now()
    if (now - (rejectedAt.get(reason) ?? Number.NEGATIVE_INFINITY) < rejectedEvery) return
    rejectedAt.set(reason, now)
    const { name, interface: on } = config()
    const interfaceIndex = on === undefined ? undefined : shared.interfaces.get(on)?.index
    shared.tell({ type: 'rejected', name, reason, source, interfaceIndex, at: clock.wall() })
  }

  const receive = (packet: ReceivedPacket, plan: Plan, path: number): void => {
    if (!options.listens()) return
    const checked = checkPacket(packet, plan.way, { config: config(), keys, freshness, ahCounter, wall, known })
    if (isRejection(checked)) {
      counters.rejected[checked.rejected]++
      tellRejected(checked.rejected, packet.source)
      once('warn', `vrrp.rejected.${checked.rejected}`, `${checked.text} (from ${packet.source})`)
      if (disagreements.has(checked.rejected)) disagree(checked.text, packet.source)
      return
    }
    counters.advertsReceived++
    const { priority, interval } = checked.advertisement
    const way = ways[path]
    if (checked.oldChecksum && way !== undefined && !way.oldChecksum && config().oldUnicastChecksum === 'auto') {
      way.oldChecksum = true
      once('info', 'vrrp.old-checksum', `${packet.source} uses the checksum of old versions: so do we from now on`)
    }
    if (priority === 0) counters.priorityZeroReceived++
    if (checked.differences.length > 0) counters.addressErrors++
    for (const text of checked.differences) {
      once('warn', 'vrrp.addresses', `${text} (from ${packet.source})`)
      disagree(text, packet.source)
    }
    if (checked.differences.length === 0 && mismatches.delete(packet.source)) {
      alarm('calm', 'mismatch', `${packet.source} agrees with us now`)
    }
    rememberPeer(peers, { address: packet.source, priority, path, heardAt: clock.wall() })
    options.hear({ priority, interval, source: packet.source, own: plan.own, path })
  }

  const openWay = (plan: Plan | undefined, path: number, before: OpenWay | undefined): OpenWay | undefined => {
    if (before !== undefined && plan !== undefined && samePlan(before.plan, plan)) return before
    if (plan === undefined) {
      before?.subscription.close()
      return undefined
    }
    // The new one first: they may share a socket, which then stays open.
    const subscription = shared.sockets.subscribe(plan.path, config().virtualRouterId, (packet) => {
      receive(packet, plan, path)
    })
    before?.subscription.close()
    return subscription === undefined
      ? undefined
      : { plan, subscription, oldChecksum: config().oldUnicastChecksum === 'always', last: undefined }
  }

  const nextId = (): number => (id = (id % 0xffff) + 1)

  const packetsFor = (way: OpenWay, priority: number): readonly OutgoingPacket[] => {
    const { plan, oldChecksum, last } = way
    const composer = { config: config(), keys, freshness, ahCounter, nextId, wall }
    if (last?.config === composer.config && last.priority === priority && last.oldChecksum === oldChecksum) {
      const again = composeAgain(composer, last.packets)
      if (again !== undefined) return again
    }
    const to = { source: plan.own, addresses: plan.destinations, unicast: plan.way.unicast, oldChecksum }
    const packets = compose(composer, priority, to)
    way.last = { config: composer.config, priority, oldChecksum, packets }
    return packets
  }

  /** Adds what could not be sent, in words. */
  const sendOn = (way: OpenWay, priority: number, failures: string[]): void => {
    try {
      for (const packet of packetsFor(way, priority)) {
        try {
          way.subscription.send(packet)
        } catch (error) {
          failures.push(`cannot send advertisements to ${packet.destination}: ${describeError(error)}`)
        }
      }
    } catch (error) {
      failures.push(`cannot make an advertisement: ${describeError(error)}`)
    }
  }

  return {
    advertise(priority) {
      counters.advertsSent++
      if (priority === 0) counters.priorityZeroSent++
      if (priority === 0) once('info', 'vrrp.sent-zero', 'sent 0 priority')
      const failures: string[] = []
      for (const way of ways) if (way !== undefined) sendOn(way, priority, failures)
      const [failed] = failures
      counters.sendErrors += failures.length
      if (failed !== undefined && priority > 0 && !unsent) alarm('alarm', 'unsent', failed)
      if (failed === undefined && unsent) alarm('calm', 'unsent', 'advertisements leave again')
      unsent = failed === undefined ? false : unsent || priority > 0
    },
    open(plans) {
      ways = Array.from({ length: Math.max(plans.length, ways.length) }, (_, i) => openWay(plans[i], i, ways[i]))
      return plans[0] !== undefined && ways[0] === undefined
    },
    configure() {
      mismatches.clear()
      const identity = JSON.stringify(config().hmac)
      keys = keysOf()
      if (identity === hmacIdentity) return
      hmacIdentity = identity
      freshness = freshnessOf(config())
    },
    peers: () => [...peers.values()],
    protocolError: () => protocolError,
    dropped: () => ways.reduce((sum, way) => sum + (way?.subscription.dropped() ?? 0), 0),
    close() {
      for (const way of ways) way?.subscription.close()
      ways = []
    },
  }
}
