import { type Address, familyOf, type Millis, millis, seconds } from '@ipvs-director/core'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import { type Read, written } from '../read.ts'
import { placeOf } from '../statement.ts'
import type { Tracking } from '../tracking-config.ts'
import type { Ipvlan, VrrpInstance, VrrpNotify, Vmac } from '../vrrp-config.ts'
import { resolveAnnouncing } from './announcing.ts'
import { resolveAuth, resolveHmac } from './authentication.ts'
import { type AddressText, resolveAddress, resolveRoute, resolveRule } from './network.ts'
import { mostAddresses } from './rules-addresses.ts'
import { entryPlaces, familyOfInstance, isStrict, priorityOf, versionOf } from './text.ts'

/** What an instance depends on that stands elsewhere. */
export interface InstanceHome {
  readonly globals: GlobalDefsText | undefined
  /** Already without the weights that do not count. */
  readonly track: Tracking
  readonly group: VrrpSyncGroupText | undefined
  /** Its sync group begins as MASTER: all its members are owners. Undefined: it is in none. */
  readonly groupOwns: boolean | undefined
  /** Numbers for rules that have none, going down. */
  readonly nextPreference: () => number
  readonly linkbeatPolling: boolean
}

/** A whole instance with every default, inheritance and correction applied; what is corrected rules-vrrp.ts tells. */
export function resolveInstance(text: VrrpInstanceText & Read, vrid: number, home: InstanceHome): VrrpInstance {
  const { globals, group, groupOwns, track } = home
  const family = familyOfInstance(text)
  const version = versionOf(text, globals)
  const strict = isStrict(text, globals)
  const priority = priorityOf(text)
  const owner = priority === 255
  const advertInterval = intervalOf(text.advertInt, version)
  const auth = resolveAuth(text, globals)
  const wanted = initialStateOf(text, strict, owner, auth?.type === 'AH')
  const preempt = !text.nopreempt || wanted === 'MASTER' || owner
  const unicast = text.unicastPeer.length > 0
  const advertised = text.virtualIpaddress.filter(({ address }) => familyOf(address.address) === family)
  const addresses = held(text, 'virtual_ipaddress', advertised, text.virtualIpaddress)
  return {
    place: placeOf(text[written]),
    name: text.header,
    family,
    version,
    interface: text.interface,
    vrf: text.vrf,
    virtualRouterId: vrid,
    priority,
    initialState: groupOwns === false ? 'BACKUP' : wanted,
    ...(groupOwns === false && wanted === 'MASTER' ? { configuredState: wanted } : {}),
    advertInterval,
    downTimerAdverts: strict ? 3 : (text.downTimerAdverts ?? globals?.vrrpDownTimerAdverts ?? 3),
    strict,
    auth,
    hmac: resolveHmac(text, advertInterval, strict),
    preempt,
    preemptDelay: preempt && !strict && wanted === 'BACKUP' ? (text.preemptDelay ?? millis(0)) : millis(0),

    addresses: addresses.slice(0, mostAddresses(family)),
    excluded: [
      ...addresses.slice(mostAddresses(family)),
      ...held(text, 'virtual_ipaddress_excluded', text.virtualIpaddressExcluded, text.virtualIpaddressExcluded),
    ],
    routes: text.virtualRoutes.map((each, i) => resolveRoute(each, entryPlaces(text, 'virtual_routes')(i))),
    rules: text.virtualRules.map((each, i) =>
      resolveRule(each, entryPlaces(text, 'virtual_rules')(i), home.nextPreference),
    ),
    promoteSecondaries: text.promoteSecondaries,
    accept: owner || (strict ? version === 3 && text.accept : text.accept || !text.noAccept),
    vmac: vmacOf(text, strict, unicast),
    ipvlan: ipvlanOf(text),

    sourceAddress: text.unicastSrcIp ?? text.mcastSrcIp,
    trackSourceAddress: text.trackSrcIp,
    multicastGroup: text.mcastDstIp ?? multicastGroup(family, globals),
    unicastPeers: peersOf(text),
    unicastTtl: text.unicastTtl ?? (unicast && family === 'inet' ? 255 : undefined),
    unicastFaultWithoutPeers: text.unicastFaultNoPeer,
    checkUnicastSource: text.checkUnicastSrc || globals?.vrrpCheckUnicastSrc === true,
    oldUnicastChecksum:
      text.oldUnicastChecksum === undefined ? 'auto' : text.oldUnicastChecksum.how === 'never' ? 'never' : 'always',
    v3ChecksumAsV2: text.v3ChecksumAsV2 ?? globals?.v3ChecksumAsV2 ?? false,
    skipCheckAdvertAddresses: text.skipCheckAdvAddr ?? globals?.vrrpSkipCheckAdvAddr ?? false,
    lowerPriorityNoAdvert: strict || (text.lowerPrioNoAdvert ?? globals?.vrrpLowerPrioNoAdvert ?? false),
    higherPrioritySendAdvert: !strict && (text.higherPrioSendAdvert ?? globals?.vrrpHigherPrioSendAdvert ?? false),
    ownerIgnoreAdverts: strict || (text.ownerIgnoreAdverts ?? globals?.vrrpOwnerIgnoreAdverts ?? false),
    timerExpiredBackup: preempt ? undefined : text.timerExpiredBackup,
    receiveBuffer: receiveBufferOf(text, globals),

    announcing: resolveAnnouncing(text, globals, strict),
    trackPrimary: !text.dontTrackPrimary,
    track,
    notify: notifyOf(text, globals, group?.notifyPriorityChanges),
    notifyDeleted: text.notifyDeleted,
    notifyMasterRxLowerPriority: text.notifyMasterRxLowerPri,
    lvsSyncDaemonInterface: text.lvsSyncDaemonInterface,
    linkbeatPolling: text.linkbeatUsePolling || home.linkbeatPolling,

    vipLease: leaseOf(text, globals, advertInterval),
    heartbeatInterfaces: text.heartbeatInterface.filter((name) => name !== text.interface),
    heartbeatPeers: text.heartbeatPeer.map(({ address, src, dev }) => ({ address, source: src, interface: dev })),
    arbitration: arbitrationOf(text),
    preemptGate:
      text.preemptGate === undefined
        ? undefined
        : {
            checkers: text.preemptGate.checkers,
            ipvsSync: text.preemptGate.ipvsSync,
            timeout: text.preemptGate.timeout,
          },
  }
}

/** v2 has whole seconds, 1 to 255; v3 hundredths up to 40.95 s. The nearest is taken. */
function intervalOf(written: Millis, version: 2 | 3): Millis {
  if (version === 2) return seconds(Math.min(255, Math.max(1, Math.round(written / 1000))))
  return millis(Math.min(40_950, Math.max(10, Math.round(written / 10) * 10)))
}

/** Whether an instance wants to be master from the start, and is: what all members of a group must be. */
export const ownsAtStart = (text: VrrpInstanceText, globals: GlobalDefsText | undefined): boolean =>
  priorityOf(text) === 255 &&
  initialStateOf(text, isStrict(text, globals), true, resolveAuth(text, globals)?.type === 'AH') === 'MASTER'

/** The state written is a wish; in strict mode it follows from ownership, and with AH only an owner begins as MASTER. */
function initialStateOf(
  text: VrrpInstanceText,
  strict: boolean,
  owner: boolean,
  hashed: boolean,
): VrrpInstance['initialState'] {
  if (owner && (strict || text.state === undefined)) return 'MASTER'
  if (!owner && (strict || hashed)) return 'BACKUP'
  return text.state ?? 'BACKUP'
}

/** The entries of a list as addresses; `all` is the list they stand in. */
function held(
  text: VrrpInstanceText & Read,
  keyword: string,
  entries: readonly AddressText[],
  all: readonly AddressText[],
): VrrpInstance['addresses'] {
  const place = entryPlaces(text, keyword)
  return entries.map((entry) => {
    const address = resolveAddress(entry, place(all.indexOf(entry)), text.interface)
    return { ...address, useVmac: goesOnVmac(address, entry.dev !== undefined, text) }
  })
}

/** `use_vmac` of an address needs a `dev`, and says nothing where the instance's VMAC is right for it. */
function goesOnVmac(
  { address, interface: on, useVmac }: VrrpInstance['addresses'][number],
  named: boolean,
  text: VrrpInstanceText,
): boolean {
  const at = on !== text.interface || familyOf(address) !== familyOfInstance(text)
  if (on === undefined) return false
  return useVmac && named ? at || text.useVmac === undefined : at && text.useVmacAddr
}

const multicastGroup = (family: VrrpInstance['family'], globals: GlobalDefsText | undefined): Address =>
  family === 'inet'
    ? (globals?.vrrpMcastGroup4 ?? ('224.0.0.18' as Address))
    : (globals?.vrrpMcastGroup6 ?? ('ff02::12' as Address))

function peersOf(text: VrrpInstanceText): VrrpInstance['unicastPeers'] {
  const seen = new Set<Address>(text.unicastSrcIp === undefined ? [] : [text.unicastSrcIp])
  return text.unicastPeer.flatMap(({ address, min_ttl: minTtl, max_ttl: maxTtl }) => {
    if (seen.has(address)) return []
    seen.add(address)
    return [{ address, minTtl, maxTtl }]
  })
}

function vmacOf(text: VrrpInstanceText, strict: boolean, unicast: boolean): Vmac | undefined {
  const given = text.useVmac
  if (given === undefined) return undefined
  return {
    name: given.name,
    mac: strict ? undefined : given.mac?.toLowerCase(),
    group: given.group,
    netlinkNotifyMessage: given.netlink_notify_msg === true,
    transmitBase: unicast || (text.vmacXmitBase && !strict),
  }
}

function ipvlanOf({ useIpvlan: given }: VrrpInstanceText): Ipvlan | undefined {
  if (given === undefined) return undefined
  return { name: given.name, address: given.address, mode: given.mode ?? 'bridge', group: given.group }
}

/** The scripts of an instance, or of a group; `inherited`: notify_priority_changes of the group. */
export function notifyOf(
  text: VrrpInstanceText | VrrpSyncGroupText,
  globals: GlobalDefsText | undefined,
  inherited: boolean | undefined,
): VrrpNotify {
  return {
    master: text.notifyMaster,
    backup: text.notifyBackup,
    fault: text.notifyFault,
    stop: text.notifyStop,
    any: text.notify,
    priorityChanges: text.notifyPriorityChanges ?? inherited ?? globals?.vrrpNotifyPriorityChanges ?? false,
    smtpAlert: text.smtpAlert ?? globals?.smtpAlertVrrp ?? globals?.smtpAlert ?? false,
  }
}

/** A read block keeps its defaults in its prototype; this is plain data. */
function arbitrationOf({ arbitration: given }: VrrpInstanceText): VrrpInstance['arbitration'] {
  if (given === undefined) return undefined
  const { require, addresses, interval, timeout, fall, stepDown } = given
  return { require, addresses, interval, timeout, fall, stepDown }
}

/** 0 is no size of its own. */
function receiveBufferOf(
  { kernelRxBufSize: own = 0 }: VrrpInstanceText,
  globals: GlobalDefsText | undefined,
): VrrpInstance['receiveBuffer'] {
  const policy = globals?.vrrpRxBufsPolicy
  if (own !== 0) return own
  if (policy === 'MTU' || policy === 'ADVERT') return { times: globals?.vrrpRxBufsMultiplier ?? 3, of: policy }
  return policy === undefined ? undefined : Number(policy)
}

/** By default three intervals and at least 3 s. */
function leaseOf(
  text: VrrpInstanceText,
  globals: GlobalDefsText | undefined,
  interval: Millis,
): VrrpInstance['vipLease'] {
  const lease = text.vipLease ?? globals?.vrrpVipLease ?? 'default'
  if (lease === 'off') return undefined
  return lease === 'default' ? millis(Math.max(3000, 3 * interval)) : millis(lease)
}
