import { seconds } from '@ipvs-director/core'
import {
  address,
  block,
  blocks,
  boolean,
  duration,
  each,
  type Fields,
  flag,
  integer,
  list,
  oneOf,
  script,
  text,
  value,
  type Values,
} from '../declare.ts'
import { addressKind, integerKind, textKind } from '../kinds.ts'
import { bare, choice, first, mark, option, phraseKind } from '../phrase.ts'
import { ownVrrp } from './own-vrrp.ts'
import { routeKind, ruleKind } from './routes.ts'
import { scriptOrBareKind } from '../script.ts'
import { interfaceKind, nameKind } from './shared.ts'
import { tracking } from './trackers.ts'
import { vipKind } from './vip.ts'

const mac = textKind({ pattern: /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/, what: 'a MAC address', syntax: 'MAC' })
const looksMac = /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/
const looksAddress = /^(?:\d+(?:\.\d+){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)(?:\/\d+)?$/
const anything = /^/

const useVmac = phraseKind(
  {
    mac: bare(mac, looksMac),
    name: bare(interfaceKind, anything, 'name'),
    group: option('group', integerKind({ min: 0, max: 2 ** 32 - 1 })),
    netlink_notify_msg: mark('netlink_notify_msg'),
  },
  '[[name] IF] [MAC] [group N] [netlink_notify_msg]',
)

const useIpvlan = phraseKind(
  {
    mode: choice('bridge', 'private', 'vepa'),
    address: bare(textKind({ what: 'an address', syntax: 'ADDR' }), looksAddress),
    name: bare(interfaceKind, anything, 'name'),
    group: option('group', integerKind({ min: 0, max: 2 ** 32 - 1 })),
  },
  '[[name] IF] [ADDR] [bridge|private|vepa] [group N]',
)

const peer = phraseKind(
  {
    address: first(addressKind()),
    min_ttl: option('min_ttl', integerKind({ min: 0, max: 255 })),
    max_ttl: option('max_ttl', integerKind({ min: 0, max: 255 })),
  },
  'ADDR [min_ttl N] [max_ttl N]',
)

const authentication = block('authentication', 'Password or hash of advertisements (VRRPv2; RFC 9568 has none).', {
  authType: oneOf('auth_type', ['PASS', 'AH'], { doc: 'PASS: a password in clear; AH: IPsec authentication header.' }),
  authPass: text('auth_pass', {
    secret: true,
    what: 'a password',
    doc: 'Password; only its first eight characters count.',
  }),
})

const authHmac = block(
  'auth_hmac',
  'Keyed hashes of advertisements (keepalived 2.4).',
  {
    keys: each(
      'key',
      phraseKind(
        {
          id: first(integerKind({ min: 0, max: 255 })),
          value: first(textKind({ what: 'a key of 32 to 64 bytes, hex:… or file:…', syntax: 'VALUE|hex:…|file:…' })),
        },
        'ID VALUE|hex:…|file:…',
      ),
      { secret: true, doc: 'A key and its number.' },
    ),
    activeKey: integer('active_key', { min: 0, max: 255, doc: 'Number of the key to send with.' }),
    timeWindow: integer('time_window', { min: 1, max: 300, doc: 'Seconds that clocks may differ.' }),
    antiReplay: oneOf('anti_replay', ['time', 'monotonic'], { doc: 'How replays are told.' }),
    mode: oneOf('mode', ['enforce', 'permissive', 'receive-only'], {
      doc: 'What happens to advertisements without a right hash.',
    }),
  },
  { since: '2.4.0' },
)

const notifications = {
  notifyMaster: script('notify_master', { doc: 'Command to run on becoming master.' }),
  notifyBackup: script('notify_backup', { doc: 'Command to run on becoming backup.' }),
  notifyFault: script('notify_fault', { doc: 'Command to run on a fault.' }),
  notifyStop: script('notify_stop', { doc: 'Command to run at the end.' }),
  notify: script('notify', { doc: 'Command to run on every change, with what, its name, its state and priority.' }),
  notifyPriorityChanges: boolean('notify_priority_changes', {
    since: '2.0.16',
    doc: 'Priority changes are events, too.',
  }),
  smtpAlert: boolean('smtp_alert', { inherits: 'smtp_alert_vrrp', doc: 'Send mail on changes.' }),
} as const satisfies Fields

const announcing = {
  garpMasterDelay: duration('garp_master_delay', {
    inherits: 'vrrp_garp_master_delay',
    doc: 'Time until the second round of gratuitous ARPs after becoming master.',
  }),
  garpMasterRepeat: integer('garp_master_repeat', {
    min: 1,
    clamp: true,
    inherits: 'vrrp_garp_master_repeat',
    doc: 'Gratuitous ARPs of a round.',
  }),
  garpMasterRefresh: duration('garp_master_refresh', {
    inherits: 'vrrp_garp_master_refresh',
    doc: 'Time between rounds while master; 0: none.',
  }),
  garpMasterRefreshRepeat: integer('garp_master_refresh_repeat', {
    min: 1,
    clamp: true,
    inherits: 'vrrp_garp_master_refresh_repeat',
    doc: 'Gratuitous ARPs of such a round.',
  }),
  garpLowerPrioDelay: duration('garp_lower_prio_delay', {
    since: '1.2.20',
    inherits: 'vrrp_garp_lower_prio_delay',
    doc: 'Time until the second round after a lower priority advertisement came.',
  }),
  garpLowerPrioRepeat: integer('garp_lower_prio_repeat', {
    min: 0,
    since: '1.2.20',
    inherits: 'vrrp_garp_lower_prio_repeat',
    doc: 'Gratuitous ARPs of such a round.',
  }),
  garpExtraIf: value(
    'garp_extra_if',
    phraseKind({ how: choice('all'), seconds: bare(integerKind({ min: 0, max: 86400 }), anything) }, '[all] SECONDS'),
    {
      since: '2.2.3',
      inherits: 'vrrp_garp_extra_if',
      doc: 'Repeat gratuitous ARPs on other interfaces that hold the address.',
    },
  ),
  vmacGarpIntvl: value(
    'vmac_garp_intvl',
    phraseKind({ how: choice('all'), seconds: bare(integerKind({ min: 0, max: 86400 }), anything) }, '[all] SECONDS'),
    { since: '2.2.3', deprecated: 'use garp_extra_if', doc: 'Old name of garp_extra_if.' },
  ),
} as const satisfies Fields

/** A virtual router. */
export const vrrpInstance = blocks(
  'vrrp_instance',
  'A virtual router: addresses that one of several machines holds, decided by VRRP.',
  {
    state: oneOf('state', ['MASTER', 'BACKUP'], { doc: 'State to begin with; the priority decides soon after.' }),
    interface: value('interface', interfaceKind, { doc: 'Interface VRRP runs on.' }),
    vrf: value('vrf', interfaceKind, { since: '2.2.5', doc: 'VRF of unicast VRRP without an interface.' }),
    virtualRouterId: integer('virtual_router_id', {
      min: 1,
      max: 255,
      required: true,
      doc: 'Number of the virtual router on its link, the same on all its machines.',
    }),
    priority: integer('priority', {
      min: 1,
      max: 255,
      doc: 'The highest becomes master; 100 when not given. 255 owns the addresses.',
    }),
    advertInt: duration('advert_int', {
      min: 0.01,
      max: 255,
      default: seconds(1),
      doc: 'Time between advertisements; whole seconds for VRRPv2, at most 40.95 for v3.',
    }),
    version: integer('version', { min: 2, max: 3, since: '1.2.17', inherits: 'vrrp_version', doc: 'VRRP version.' }),
    nativeIpv6: flag('native_ipv6', { doc: 'Use IPv6, which means VRRPv3.' }),
    virtualIpaddress: list('virtual_ipaddress', vipKind, { doc: 'Addresses the master holds, and advertises.' }),
    virtualIpaddressExcluded: list('virtual_ipaddress_excluded', vipKind, {
      doc: 'Addresses the master holds and does not advertise; any family.',
    }),
    noVirtualIpaddress: flag('no_virtual_ipaddress', { since: '2.2.8', doc: 'There are no addresses on purpose.' }),
    virtualRoutes: list('virtual_routes', routeKind, { doc: 'Routes the master has.' }),
    virtualRules: list('virtual_rules', ruleKind, { since: '1.2.20', doc: 'Routing rules the master has.' }),
    promoteSecondaries: flag('promote_secondaries', {
      since: '1.3.0',
      doc: 'Set promote_secondaries on the interface.',
    }),
    authentication,
    authHmac,
    nopreempt: flag('nopreempt', {
      doc: 'A higher priority does not take over from a living master. Needs state BACKUP.',
    }),
    preempt: flag('preempt', { doc: 'A higher priority takes over; the default.' }),
    preemptDelay: duration('preempt_delay', { max: 1000, doc: 'Time after the start before taking over.' }),
    ...tracking,
    dontTrackPrimary: flag('dont_track_primary', { doc: 'The own interface may be down.' }),
    trackSrcIp: flag('track_src_ip', { since: '2.0.0', doc: 'A fault when the source address goes away.' }),
    mcastSrcIp: address('mcast_src_ip', {
      doc: "Source address of multicast advertisements; the interface's first when not given.",
    }),
    mcastDstIp: address('mcast_dst_ip', { since: '2.2.5', doc: 'Multicast group.' }),
    unicastSrcIp: address('unicast_src_ip', { since: '1.2.10', doc: 'Source address of unicast advertisements.' }),
    unicastPeer: list('unicast_peer', peer, {
      since: '1.2.10',
      doc: 'The other machines: advertisements are sent to each, not by multicast.',
    }),
    unicastTtl: integer('unicast_ttl', { min: 0, max: 255, since: '2.1.0', doc: 'TTL of unicast advertisements.' }),
    unicastFaultNoPeer: flag('unicast_fault_no_peer', { since: '2.2.5', doc: 'A fault when there are no peers.' }),
    checkUnicastSrc: flag('check_unicast_src', { since: '2.1.0', doc: 'Advertisements must come from a peer.' }),
    oldUnicastChecksum: value('old_unicast_checksum', phraseKind({ how: choice('never') }, '[never]'), {
      bare: { how: undefined },
      since: '1.3.7',
      doc: 'Checksum of unicast VRRPv3 as old versions had it.',
    }),
    v3ChecksumAsV2: boolean('v3_checksum_as_v2', { since: '2.2.8', doc: 'VRRPv3 checksum without the pseudo header.' }),
    useVmac: value('use_vmac', useVmac, {
      bare: { mac: undefined, name: undefined, group: undefined, netlink_notify_msg: undefined },
      doc: 'Use the virtual MAC address of RFC 9568 on an interface of its own.',
    }),
    useVmacAddr: flag('use_vmac_addr', {
      since: '2.2.0',
      doc: 'VMAC interfaces for addresses on other interfaces, or of the other family, too.',
    }),
    vmacXmitBase: flag('vmac_xmit_base', { since: '1.2.10', doc: 'Send advertisements from the base interface.' }),
    useIpvlan: value('use_ipvlan', useIpvlan, {
      bare: { mode: undefined, address: undefined, name: undefined, group: undefined },
      since: '2.0.17',
      doc: 'Use an ipvlan interface.',
    }),
    accept: flag('accept', {
      since: '1.2.17',
      doc: 'Accept packets to the addresses; the default without vrrp_strict.',
    }),
    noAccept: flag('no_accept', { since: '1.3.0', doc: 'Drop packets to the addresses unless they are owned.' }),
    strictMode: boolean('strict_mode', {
      since: '1.2.20',
      inherits: 'vrrp_strict',
      doc: 'Insist on what the RFC says.',
    }),
    skipCheckAdvAddr: boolean('skip_check_adv_addr', {
      since: '1.2.20',
      inherits: 'vrrp_skip_check_adv_addr',
      doc: 'Do not compare the addresses in advertisements of the same master again.',
    }),
    ...announcing,
    lowerPrioNoAdvert: boolean('lower_prio_no_advert', {
      since: '1.2.20',
      inherits: 'vrrp_lower_prio_no_advert',
      doc: 'Do not answer an advertisement of lower priority at once.',
    }),
    higherPrioSendAdvert: boolean('higher_prio_send_advert', {
      since: '1.3.5',
      inherits: 'vrrp_higher_prio_send_advert',
      doc: 'Advertise once more when a higher priority takes over.',
    }),
    ownerIgnoreAdverts: boolean('owner_ignore_adverts', {
      since: '2.3.3',
      inherits: 'vrrp_owner_ignore_adverts',
      doc: 'The address owner does not look at advertisements.',
    }),
    downTimerAdverts: integer('down_timer_adverts', {
      min: 1,
      max: 100,
      since: '2.2.3',
      inherits: 'vrrp_down_timer_adverts',
      doc: 'Missed advertisements after which a master counts as down.',
    }),
    timerExpiredBackup: integer('timer_expired_backup', {
      aliases: ['thread_timer_expired'],
      min: 1,
      max: 254,
      bare: 1,
      since: '2.2.8',
      doc: 'Become backup when timers are this late. Needs nopreempt.',
    }),
    ...notifications,
    notifyDeleted: value('notify_deleted', scriptOrBareKind, {
      bare: true,
      repeated: 'first',
      since: '2.1.0',
      doc: 'DELETED is told when a reload removes the instance, else FAULT; a command to run then.',
    }),
    notifyMasterRxLowerPri: script('notify_master_rx_lower_pri', {
      since: '2.0.6',
      doc: 'Command to run when a master gets an advertisement of lower priority.',
    }),
    kernelRxBufSize: integer('kernel_rx_buf_size', { min: 0, since: '2.0.3', doc: 'Receive buffer, bytes.' }),
    debug: integer('debug', { min: 0, max: 4, bare: 0, bareIsOld: true, doc: 'Accepted for old files.' }),
    lvsSyncDaemonInterface: value('lvs_sync_daemon_interface', interfaceKind, {
      deprecated: 'use lvs_sync_daemon in global_defs',
      deprecatedIsError: true,
      doc: 'Interface of the IPVS sync daemon.',
    }),
    linkbeatUsePolling: flag('linkbeat_use_polling', {
      deprecated: 'use linkbeat_interfaces',
      doc: 'Poll the link state of the interface.',
    }),
    ...ownVrrp,
  },
  { header: nameKind },
)

/** Instances that change state together. */
export const vrrpSyncGroup = blocks(
  'vrrp_sync_group',
  'Instances that change state together: one with a fault takes all with it.',
  {
    group: list('group', nameKind, { layout: 'words', required: true, doc: 'Names of the instances.' }),
    ...tracking,
    ...notifications,
    syncGroupTrackingWeight: flag('sync_group_tracking_weight', {
      aliases: ['global_tracking'],
      since: '2.0.0',
      doc: 'Allow weights of tracked things in the instances.',
    }),
    trackVirtualServer: ownVrrp.trackVirtualServer,
  },
  { header: nameKind },
)

export type VrrpInstanceText = Values<typeof vrrpInstance>
export type VrrpSyncGroupText = Values<typeof vrrpSyncGroup>
