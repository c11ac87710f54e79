import { type Address, familyOf } from '@ipvs-director/core'
import type { Code } from './codes.ts'
import type { VirtualServer } from './config.ts'
import type { Remarks } from './diagnostics.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from './grammar/vrrp.ts'
import { damaged, placeOfKeyword, type Read, written } from './read.ts'
import { placeOf, type Statement } from './statement.ts'
import { keyProblem } from './vrrp/authentication.ts'
import { addressKey } from './vrrp/instance.ts'
import { familyOfInstance, isStrict, priorityOf, versionOf } from './vrrp/text.ts'
import { findService } from './vrrp/tracking.ts'

/** What the VRRP rules look at. */
export interface VrrpText {
  readonly globals: GlobalDefsText | undefined
  readonly instances: readonly (VrrpInstanceText & Read)[]
  readonly groups: readonly (VrrpSyncGroupText & Read)[]
  readonly virtualServers: readonly VirtualServer[]
}

/**
 * Rules across the keywords of VRRP blocks: known ways to an outage (reference/vrrp.md, keepalived's own checks).
 * Answers the blocks that cannot run.
 */
export function vrrpRules(text: VrrpText, remarks: Remarks): readonly Statement[] {
  const { globals, instances, groups } = text
  const whole = instances.filter((each) => each[damaged] !== true)
  const broken: Statement[] = []
  for (const instance of whole) {
    const { errors } = remarks
    const say: Say = (code, message, keyword) => {
      remarks.add(code, placeOfKeyword(instance, keyword), message)
    }
    instanceRules(instance, globals, say)
    hmacRules(instance, say)
    serviceRules(instance, text.virtualServers, say)
    if (remarks.errors > errors) broken.push(instance[written])
  }
  broken.push(...sameVrid(whole, globals, remarks))
  sameAddress(whole, remarks)
  const byName = new Map(whole.map((each) => [each.header, each]))
  for (const group of groups) {
    if (group[damaged] === true) continue
    const { errors } = remarks
    groupRules(group, byName, remarks)
    serviceRules(group, text.virtualServers, (code, message, keyword) => {
      remarks.add(code, placeOfKeyword(group, keyword), message)
    })
    if (remarks.errors > errors) broken.push(group[written])
  }
  return broken
}

type Say = (code: Code, text: string, keyword?: string) => void

function instanceRules(instance: VrrpInstanceText & Read, globals: GlobalDefsText | undefined, say: Say): void {
  const name = instance.header
  const version = versionOf(instance, globals)
  const strict = isStrict(instance, globals)
  const unicast = instance.unicastPeer.length > 0
  const auth = instance.authentication
  if (instance.interface === undefined && !(unicast && instance.unicastSrcIp !== undefined)) {
    say('E065', `vrrp_instance ${name} needs an interface (or unicast_peer and unicast_src_ip)`)
  }
  if (instance.nopreempt && instance.state === 'MASTER') {
    say('W060', 'nopreempt needs "state BACKUP": with MASTER it has no effect', 'nopreempt')
  }
  if (instance.nopreempt && (instance.preemptDelay ?? 0) > 0) {
    say('W063', 'preempt_delay has no effect with nopreempt', 'preempt_delay')
  }
  if (instance.nopreempt && instance.preempt) say('W063', 'preempt and nopreempt contradict each other', 'preempt')
  if (instance.state === 'MASTER' && instance.priority === undefined) {
    say('W073', 'state MASTER without a priority means 255, the owner of the addresses', 'state')
  }
  if (strict && auth !== undefined) say('W061', 'vrrp_strict does not allow authentication', 'authentication')
  if (strict && unicast) say('W061', 'vrrp_strict does not allow unicast_peer', 'unicast_peer')
  if (auth !== undefined && version === 3) say('W070', 'VRRPv3 has no authentication: it is left out', 'authentication')
  if (auth?.authPass !== undefined && Buffer.byteLength(auth.authPass) > 8) {
    const place = (auth as typeof auth & Read)[written].body?.find((child) => child.keyword === 'auth_pass')
    if (place !== undefined) say('W062', 'only the first eight characters of auth_pass count', 'authentication')
  }
  const interval = instance.advertInt / 1000
  if (version === 2 && !Number.isInteger(interval))
    say('W068', 'VRRPv2 has whole seconds only: advert_int is rounded', 'advert_int')
  if (version === 3 && interval > 40.95) say('W068', 'VRRPv3 has at most 40.95 s between advertisements', 'advert_int')
  if (version === 2 && familyOfInstance(instance) === 'inet6') say('E065', 'VRRPv2 has no IPv6', 'version')
  addressRules(instance, say)
  weightRules(instance, say)
  unicastRules(instance, say)
}

function addressRules(instance: VrrpInstanceText & Read, say: Say): void {
  const all = instance.virtualIpaddress
  if (all.length === 0 && !instance.noVirtualIpaddress) {
    say(
      'W066',
      `vrrp_instance ${instance.header} has no virtual_ipaddress (no_virtual_ipaddress says that this is meant)`,
    )
  }
  const family = familyOfInstance(instance)
  const other = all.find((entry) => familyOf(entry.address.address) !== family)
  if (other !== undefined) {
    say(
      'W067',
      `${other.address.address} is of another family than the first address: put it into virtual_ipaddress_excluded`,
      'virtual_ipaddress',
    )
  }
  for (const list of [all, instance.virtualIpaddressExcluded]) {
    const odd = list.find((entry) => isNoHost(entry.address.address))
    if (odd !== undefined) say('W055', `${odd.address.address} is no address of a host`, 'virtual_ipaddress')
  }
}

function weightRules(instance: VrrpInstanceText & Read, say: Say): void {
  const owner = priorityOf(instance) === 255
  const lists = [
    ['track_interface', instance.trackInterface],
    ['track_script', instance.trackScript],
    ['track_process', instance.trackProcess],
    ['track_file', instance.trackFile],
    ['track_bfd', instance.trackBfd],
  ] as const
  for (const [keyword, list] of lists) {
    const weighted = list.find((entry) => (entry.weight ?? 0) !== 0)
    if (owner && weighted !== undefined)
      say('W075', `the weight of ${weighted.name} changes nothing: priority 255 stays what it is`, keyword)
  }
}

function unicastRules(instance: VrrpInstanceText & Read, say: Say): void {
  const peers = instance.unicastPeer.map((each) => each.address)
  const source = instance.unicastSrcIp
  const only = (['unicast_src_ip', 'unicast_ttl', 'check_unicast_src'] as const).find((keyword) =>
    has(instance, keyword),
  )
  if (peers.length === 0 && only !== undefined) say('W069', `${only} has no effect without unicast_peer`, only)
  if (source !== undefined && peers.includes(source)) {
    say('W074', `unicast_peer has ${source}, which is this machine's own unicast_src_ip`, 'unicast_peer')
  }
  const twice = peers.find((each, i) => peers.indexOf(each) !== i)
  if (twice !== undefined) say('W074', `unicast_peer has ${twice} twice`, 'unicast_peer')
  const mixed = peers.find((each) => source !== undefined && familyOf(each) !== familyOf(source))
  if (mixed !== undefined)
    say('E061', `${mixed} is of another family than unicast_src_ip ${source ?? ''}`, 'unicast_peer')
}

/** Keys that cannot be, and a number that no key has. */
function hmacRules({ authHmac }: VrrpInstanceText, say: Say): void {
  if (authHmac === undefined) return
  if (authHmac.keys.length === 0) say('E036', 'auth_hmac needs a key', 'auth_hmac')
  for (const { value } of authHmac.keys) {
    const problem = keyProblem(value)
    if (problem !== undefined) say('E022', `auth_hmac: ${problem}`, 'auth_hmac')
  }
  const { activeKey } = authHmac
  if (activeKey !== undefined && !authHmac.keys.some(({ id }) => id === activeKey))
    say('E040', `auth_hmac has no key ${activeKey}`, 'auth_hmac')
}

/** `track_virtual_server` names virtual servers that are there. */
function serviceRules(
  { trackVirtualServer }: Pick<VrrpInstanceText, 'trackVirtualServer'>,
  servers: readonly VirtualServer[],
  say: Say,
): void {
  for (const each of trackVirtualServer) {
    if (findService(each, servers) !== undefined) continue
    const name = 'group' in each ? `group ${each.group}` : 'fwmark' in each ? `fwmark ${each.fwmark}` : each.address
    say('E040', `no virtual_server is ${name}`, 'track_virtual_server')
  }
}

const has = (block: Read, keyword: string): boolean =>
  block[written].body?.some((child) => child.field?.name === keyword) === true

/** 127.0.0.0, 0.0.0.0 and the like: a slip of the hand. */
export function isNoHost(address: Address): boolean {
  return address === '127.0.0.0' || address.startsWith('0.') || address === '255.255.255.255' || address === '::'
}

/** Two instances with one VRID on one interface fight each other; keepalived refuses to start. */
function sameVrid(
  instances: readonly (VrrpInstanceText & Read)[],
  globals: GlobalDefsText | undefined,
  remarks: Remarks,
): readonly Statement[] {
  const broken: Statement[] = []
  const seen = new Map<string, VrrpInstanceText & Read>()
  for (const instance of instances) {
    if (instance.virtualRouterId === undefined || instance.interface === undefined) continue
    if (instance.unicastPeer.length > 0) continue
    const family = familyOfInstance(instance)
    const group =
      instance.mcastDstIp ?? (family === 'inet' ? globals?.vrrpMcastGroup4 : globals?.vrrpMcastGroup6) ?? family
    const key = `${instance.virtualRouterId} ${instance.interface} ${group}`
    const other = seen.get(key)
    if (other === undefined) seen.set(key, instance)
    else {
      const text = `virtual_router_id ${instance.virtualRouterId} on ${instance.interface} is taken by vrrp_instance ${other.header}`
      remarks.add('E052', placeOfKeyword(instance, 'virtual_router_id'), text, {
        related: [{ place: placeOfKeyword(other, 'virtual_router_id'), text: 'the first one' }],
      })
      broken.push(instance[written])
    }
  }
  return broken
}

function sameAddress(instances: readonly (VrrpInstanceText & Read)[], remarks: Remarks): void {
  const seen = new Map<string, { readonly name: string; readonly block: Read }>()
  for (const block of instances) {
    for (const entry of [...block.virtualIpaddress, ...block.virtualIpaddressExcluded]) {
      const { address } = entry
      const key = addressKey(entry, block.interface)
      const other = seen.get(key)
      if (other === undefined) seen.set(key, { name: block.header, block })
      else {
        remarks.add(
          'W065',
          placeOfKeyword(block, 'virtual_ipaddress'),
          `${address.address} stands also in vrrp_instance ${other.name}`,
          {
            related: [{ place: placeOfKeyword(other.block, 'virtual_ipaddress'), text: 'the first one' }],
          },
        )
      }
    }
  }
}

function groupRules(
  group: VrrpSyncGroupText & Read,
  instances: ReadonlyMap<string, VrrpInstanceText & Read>,
  remarks: Remarks,
): void {
  const members = group.group.flatMap((name) => instances.get(name) ?? [])
  const [first] = members
  const slower = members.find((each) => each.advertInt !== first?.advertInt)
  if (first !== undefined && slower !== undefined) {
    remarks.add(
      'W064',
      placeOf(group[written]),
      `${first.header} and ${slower.header} of one group have different advert_int: the group fails over as the slower one does`,
    )
  }
  const priorities = new Set(members.map((each) => each.priority ?? 100))
  if (priorities.size > 1) {
    remarks.add(
      'W064',
      placeOf(group[written]),
      `the instances of vrrp_sync_group ${group.header} have different priorities: two machines may each win some`,
    )
  }
}
