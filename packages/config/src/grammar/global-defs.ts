import {
  block,
  boolean,
  duration,
  type Fields,
  flag,
  integer,
  list,
  script,
  text,
  value,
  type Values,
  words,
} from '../declare.ts'
import { refine } from '../kind.ts'
import { addressKind, integerKind, textKind, wordsKind } from '../kinds.ts'
import { choice, first, maybe, phraseKind } from '../phrase.ts'
import { seconds } from '@ipvs-director/core'
import { leaseKind } from './own-vrrp.ts'
import { ownAlarms } from './own-alarms.ts'
import { fifoKind, hostPortKind, interfaceKind, pathKind, syncDaemonKind, timeoutsKind, userKind } from './shared.ts'

const markKind = integerKind({ min: 1, max: 2 ** 32 - 1 })
const nice = { min: -20, max: 19, doc: 'Niceness of the process.' } as const
const noSwap = { doc: 'Lock the process in memory.' } as const
const realTime = {
  min: 1,
  max: 99,
  clamp: true,
  since: '2.0.0',
  doc: 'Real-time priority of the process.',
} as const
const rtTime = {
  min: 1,
  since: '2.1.0',
  doc: 'Microseconds a real-time process may run without a system call.',
} as const
const affinity = {
  since: '2.0.17',
  what: 'processor numbers',
  doc: 'Processors the process may run on; those of the checkers count for VRRP, too, where it has none.',
} as const
const processName = {
  maxLength: 15,
  since: '2.0.16',
  doc: 'Name of the process in process lists.',
} as const
const buffers = {
  min: 0,
  since: '2.0.0',
  unsupported: 'the buffers are as large as the work needs, beyond the limit of the system',
  doc: 'Receive buffer of the netlink socket, bytes.',
} as const
const force = {
  since: '2.0.11',
  unsupported: 'the buffers are as large as the work needs, beyond the limit of the system',
  doc: 'Set the buffer beyond the system limit.',
} as const

const mail = {
  notificationEmail: list('notification_email', textKind({ what: 'a mail address', syntax: 'ADDR' }), {
    layout: 'words',
    doc: 'Who gets mail about changes.',
  }),
  notificationEmailFrom: text('notification_email_from', { doc: 'Sender of that mail.' }),
  smtpServer: value('smtp_server', hostPortKind, {
    doc: 'Mail server; without it no mail is sent. Port 25 when not given.',
  }),
  smtpHeloName: text('smtp_helo_name', { since: '1.2.20', doc: 'Name to greet the mail server with.' }),
  smtpConnectTimeout: duration('smtp_connect_timeout', {
    min: 1,
    max: 4294,
    default: seconds(30),
    doc: 'Time to connect to the mail server, and for each of its answers.',
  }),
  smtpAlert: boolean('smtp_alert', { doc: 'Default of smtp_alert in all blocks.' }),
  smtpAlertVrrp: boolean('smtp_alert_vrrp', {
    since: '2.0.0',
    doc: 'Default of smtp_alert in vrrp_instance and vrrp_sync_group.',
  }),
  smtpAlertChecker: boolean('smtp_alert_checker', {
    since: '2.0.0',
    doc: 'Default of smtp_alert in virtual_server and real_server.',
  }),
  noEmailFaults: flag('no_email_faults', { since: '2.0.0', doc: 'No mail about VRRP instances in FAULT.' }),
  noCheckerEmails: boolean('no_checker_emails', {
    default: false,
    since: '2.0.0',

    doc: 'Mail only when a real server changes, not for each of its checkers.',
  }),
  lvsId: text('lvs_id', { deprecated: 'use router_id', doc: 'Name of this machine in very old files.' }),
  routerId: text('router_id', { doc: 'Name of this machine in messages; the host name when not given.' }),
} as const satisfies Fields

const snmp = {
  enableTraps: flag('enable_traps', { doc: 'Send SNMP traps.' }),
  snmpSocket: text('snmp_socket', { since: '1.2.20', doc: 'Where the SNMP master agent listens.' }),
  enableSnmpVrrp: flag('enable_snmp_vrrp', {
    aliases: ['enable_snmp_keepalived'],
    since: '1.2.20',
    doc: 'SNMP for VRRP (keepalived MIB).',
  }),
  enableSnmpChecker: flag('enable_snmp_checker', { since: '1.2.20', doc: 'SNMP for virtual servers.' }),
  enableSnmpRfc: flag('enable_snmp_rfc', { since: '1.2.20', doc: 'SNMP by the VRRP RFCs.' }),
  enableSnmpRfcv2: flag('enable_snmp_rfcv2', { since: '2.0.0', doc: 'SNMP by RFC 2787.' }),
  enableSnmpRfcv3: flag('enable_snmp_rfcv3', { since: '2.0.0', doc: 'SNMP by RFC 6527.' }),
  snmpVsStatsUpdateInterval: duration('snmp_vs_stats_update_interval', {
    min: 0.001,
    max: 30,
    since: '2.3.0',
    doc: 'Age that virtual server figures may have.',
  }),
  snmpRsStatsUpdateInterval: duration('snmp_rs_stats_update_interval', {
    min: 0.001,
    max: 30,
    since: '2.3.0',
    doc: 'Age that real server figures may have.',
  }),
} as const satisfies Fields

const scripts = {
  scriptUser: value('script_user', userKind, {
    since: '1.3.0',
    doc: 'User and group that run scripts; keepalived_script where that user exists, else root.',
  }),
  enableScriptSecurity: flag('enable_script_security', {
    since: '1.3.0',
    doc: 'Do not run scripts as root that others could change.',
  }),
  setSupplementaryGroups: boolean('set_supplementary_groups', {
    default: false,
    since: '2.4.4',
    doc: 'Scripts get the supplementary groups of their user.',
  }),
  useSymlinkPaths: boolean('use_symlink_paths', {
    default: false,
    since: '2.3.0',
    doc: 'Keep symbolic links in the paths of scripts.',
  }),
  startupScript: script('startup_script', { since: '2.1.0', doc: 'Command to run before anything else.' }),
  shutdownScript: script('shutdown_script', { since: '2.1.0', doc: 'Command to run at the very end.' }),
  startupScriptTimeout: integer('startup_script_timeout', {
    min: 1,
    max: 1000,
    default: 10,
    since: '2.1.0',

    doc: 'Seconds it may take.',
  }),
  shutdownScriptTimeout: integer('shutdown_script_timeout', {
    min: 1,
    max: 1000,
    default: 10,
    since: '2.1.0',

    doc: 'Seconds it may take.',
  }),
  notifyFifo: value('notify_fifo', fifoKind, {
    since: '1.3.6',
    repeated: 'first',
    doc: 'Named pipe for all events.',
  }),
  vrrpNotifyFifo: value('vrrp_notify_fifo', fifoKind, {
    since: '1.3.6',
    repeated: 'first',
    doc: 'Named pipe for VRRP events.',
  }),
  lvsNotifyFifo: value('lvs_notify_fifo', fifoKind, {
    since: '1.3.6',
    repeated: 'first',
    doc: 'Named pipe for virtual and real server events.',
  }),
  notifyFifoScript: script('notify_fifo_script', {
    since: '1.3.6',
    doc: 'Command started with the path of notify_fifo.',
  }),
  vrrpNotifyFifoScript: script('vrrp_notify_fifo_script', {
    since: '1.3.6',
    doc: 'Command started with the path of vrrp_notify_fifo.',
  }),
  lvsNotifyFifoScript: script('lvs_notify_fifo_script', {
    since: '1.3.6',
    doc: 'Command started with the path of lvs_notify_fifo.',
  }),
  vrrpNotifyPriorityChanges: boolean('vrrp_notify_priority_changes', {
    default: false,
    since: '2.0.16',
    doc: 'Priority changes are events, too.',
  }),
  fifoWriteVrrpStatesOnReload: flag('fifo_write_vrrp_states_on_reload', {
    since: '2.2.5',

    doc: 'Write all VRRP states after a reload.',
  }),
} as const satisfies Fields

const garpSpacing = { min: 0.000001, max: 4294, orZero: true, since: '1.2.21' } as const

const vrrp = {
  defaultInterface: value('default_interface', interfaceKind, {
    since: '1.2.24',
    doc: 'Interface of static addresses and routes that name none; eth0 when not given.',
  }),
  dynamicInterfaces: value(
    'dynamic_interfaces',
    phraseKind({ how: choice('allow_if_changes') }, '[allow_if_changes]'),
    {
      bare: { how: undefined },
      since: '2.0.0',
      doc: 'Interfaces may be missing at the start: their instances wait in FAULT. Here they always may.',
    },
  ),
  vrrpVersion: integer('vrrp_version', {
    min: 2,
    max: 3,
    since: '1.2.20',
    doc: 'VRRP version of instances that name none; 2 when not given.',
  }),
  vrrpStrict: boolean('vrrp_strict', {
    default: false,
    since: '1.2.20',
    doc: 'Insist on what the RFC says.',
  }),
  vrrpSkipCheckAdvAddr: boolean('vrrp_skip_check_adv_addr', {
    default: false,
    since: '1.2.20',
    doc: 'Do not compare the addresses in advertisements of the same master again.',
  }),
  vrrpCheckUnicastSrc: flag('vrrp_check_unicast_src', {
    since: '1.2.20',
    doc: 'Unicast advertisements must come from a peer.',
  }),
  vrrpMcastGroup4: value('vrrp_mcast_group4', addressKind({ family: 'inet' }), {
    since: '1.2.10',
    doc: 'Multicast group for IPv4; 224.0.0.18 when not given.',
  }),
  vrrpMcastGroup6: value('vrrp_mcast_group6', addressKind({ family: 'inet6' }), {
    since: '1.2.10',
    doc: 'Multicast group for IPv6; ff02::12 when not given.',
  }),
  vrrpGarpMasterDelay: duration('vrrp_garp_master_delay', {
    max: 4294,
    default: seconds(5),
    since: '1.2.20',
    doc: 'Time until the second round of gratuitous ARPs after becoming master.',
  }),
  vrrpGarpMasterRepeat: integer('vrrp_garp_master_repeat', {
    min: 1,
    default: 5,
    clamp: true,
    since: '1.2.20',
    doc: 'Gratuitous ARPs of a round.',
  }),
  vrrpGarpMasterRefresh: duration('vrrp_garp_master_refresh', {
    max: 4294,
    default: seconds(0),
    since: '1.2.20',
    doc: 'Time between rounds while master; 0: none.',
  }),
  vrrpGarpMasterRefreshRepeat: integer('vrrp_garp_master_refresh_repeat', {
    min: 1,
    default: 1,
    clamp: true,
    since: '1.2.20',
    doc: 'Gratuitous ARPs of such a round.',
  }),
  vrrpGarpLowerPrioDelay: duration('vrrp_garp_lower_prio_delay', {
    max: 4294,
    since: '1.2.20',
    doc: 'Time until the second round after a lower priority advertisement came.',
  }),
  vrrpGarpLowerPrioRepeat: integer('vrrp_garp_lower_prio_repeat', {
    min: 0,
    since: '1.2.20',
    doc: 'Gratuitous ARPs of such a round.',
  }),
  vrrpGarpInterval: duration('vrrp_garp_interval', {
    ...garpSpacing,
    doc: 'Time between two gratuitous ARPs on an interface; 0: none.',
  }),
  vrrpGnaInterval: duration('vrrp_gna_interval', {
    ...garpSpacing,
    doc: 'Time between two unsolicited neighbour advertisements on an interface; 0: none.',
  }),
  vrrpMinGarp: boolean('vrrp_min_garp', {
    default: false,
    since: '2.0.12',
    doc: 'One gratuitous ARP only.',
  }),
  vrrpGarpExtraIf: value(
    'vrrp_garp_extra_if',
    phraseKind({ how: choice('all'), seconds: maybe(integerKind({ min: 1, max: 86400 })) }, '[all] SECONDS'),
    { since: '2.2.3', doc: 'Repeat gratuitous ARPs on other interfaces that hold the address.' },
  ),
  vrrpVmacGarpIntvl: value('vrrp_vmac_garp_intvl', wordsKind({ max: 2 }), {
    since: '2.2.3',
    deprecated: 'use vrrp_garp_extra_if',
    doc: 'Old name of vrrp_garp_extra_if.',
  }),
  vrrpLowerPrioNoAdvert: boolean('vrrp_lower_prio_no_advert', {
    default: false,
    since: '1.2.20',
    doc: 'Do not answer an advertisement of lower priority at once.',
  }),
  vrrpHigherPrioSendAdvert: boolean('vrrp_higher_prio_send_advert', {
    default: false,
    since: '1.3.5',
    doc: 'Advertise once more when a higher priority takes over.',
  }),
  vrrpDownTimerAdverts: integer('vrrp_down_timer_adverts', {
    min: 1,
    max: 100,
    default: 3,
    since: '2.2.3',
    doc: 'Missed advertisements after which a master counts as down.',
  }),
  vrrpOwnerIgnoreAdverts: boolean('vrrp_owner_ignore_adverts', {
    default: false,
    since: '2.3.3',
    doc: 'The address owner does not look at advertisements.',
  }),
  vrrpStartupDelay: duration('vrrp_startup_delay', {
    min: 0.001,
    max: 4294,
    since: '2.0.14',
    doc: 'Time to wait before VRRP begins.',
  }),
  vrrpDelayAfterBoot: duration('vrrp_delay_after_boot', {
    min: 0.001,
    max: 4294,
    since: '2.4.0',
    doc: 'Time after boot before VRRP begins.',
  }),
  vrrpVipLease: value('vrrp_vip_lease', leaseKind, {
    aliases: ['vip_lease'],
    extension: true,
    doc: 'vip_lease of instances that have none: how long the kernel keeps a VIP that nobody renews.',
  }),
  logUnknownVrids: flag('log_unknown_vrids', {
    since: '2.0.16',
    doc: 'Log advertisements of VRIDs that no instance has.',
  }),
  v3ChecksumAsV2: flag('v3_checksum_as_v2', {
    since: '2.2.8',
    doc: 'VRRPv3 checksum without the pseudo header.',
  }),
  vmacPrefix: text('vmac_prefix', {
    since: '2.2.0',
    repeated: 'first',
    doc: 'How names of VMAC interfaces begin; vrrp when not given.',
  }),
  vmacAddrPrefix: text('vmac_addr_prefix', {
    since: '2.2.0',
    repeated: 'first',
    doc: 'How names of use_vmac_addr interfaces begin.',
  }),
  disableLocalIgmp: flag('disable_local_igmp', { since: '2.2.0', doc: 'No IGMP for link-local groups.' }),
  vrrpIptables: value('vrrp_iptables', wordsKind({ min: 0, max: 2 }), {
    bare: [],
    since: '1.2.20',
    doc: 'iptables chains (in, out) for no_accept and use_vmac, which must be there; without names INPUT and OUTPUT.',
  }),
  vrrpIpsets: value('vrrp_ipsets', wordsKind({ min: 0, max: 6 }), {
    bare: [],
    since: '1.2.20',
    doc: 'Names of the ipsets that vrrp_iptables uses; without names none are used. Default: keepalived, keepalived6, keepalived_if6.',
  }),
  vrrpRxBufsPolicy: text('vrrp_rx_bufs_policy', {
    pattern: /^(?:MTU|ADVERT|\d+)$/,
    what: 'MTU, ADVERT or a number of bytes',
    since: '2.0.3',
    doc: 'Receive buffer of an instance: MTU of its interface or length of its advertisement times vrrp_rx_bufs_multiplier, or bytes. A socket has the sum of its instances.',
  }),
  vrrpRxBufsMultiplier: integer('vrrp_rx_bufs_multiplier', {
    min: 1,
    since: '2.0.3',
    default: 3,
    doc: 'What MTU or ADVERT of vrrp_rx_bufs_policy is multiplied with.',
  }),
} as const satisfies Fields

const firewall = {
  nftables: text('nftables', {
    bare: '',
    repeated: 'first',
    since: '2.0.11',
    doc: 'nftables table for no_accept; keepalived when not named.',
  }),
  nftablesPriority: integer('nftables_priority', {
    min: -(2 ** 31),
    max: 2 ** 31 - 1,
    since: '2.0.11',
    doc: 'Priority of its base chains.',
  }),
  nftablesIfindex: flag('nftables_ifindex', {
    since: '2.0.11',
    doc: 'Match interfaces by index.',
  }),
  nftablesCounters: flag('nftables_counters', { since: '2.0.11', doc: 'Counters in its rules.' }),
  nftablesIpvs: text('nftables_ipvs', {
    bare: '',
    since: '2.2.2',
    doc: 'nftables table that marks the packets to a virtual_server_group: its addresses are one IPVS service for each protocol then; keepalived_ipvs when not named.',
  }),
  nftablesIpvsPriority: integer('nftables_ipvs_priority', {
    min: -(2 ** 31),
    max: 2 ** 31 - 1,
    since: '2.2.2',
    doc: 'Priority of its base chain; -1 when not given.',
  }),
  nftablesIpvsStartFwmark: integer('nftables_ipvs_start_fwmark', {
    min: 1,
    max: 2 ** 32 - 1,
    since: '2.2.2',
    doc: 'First mark it gives; 1000 when not given.',
  }),
} as const satisfies Fields

const lvs = {
  lvsSyncDaemon: value('lvs_sync_daemon', syncDaemonKind, {
    since: '1.2.20',
    repeated: 'first',
    doc: 'Send and receive connection state for the other director.',
  }),
  lvsTimeouts: value('lvs_timeouts', timeoutsKind, { since: '1.2.24', doc: 'Timeouts of IPVS connections.' }),
  lvsFlush: flag('lvs_flush', { since: '1.2.23', doc: "Empty the kernel's table at the start." }),
  lvsFlushOnStop: value('lvs_flush_on_stop', phraseKind({ how: choice('VS') }, '[VS]'), {
    bare: { how: undefined },
    aliases: ['lvs_flush_onstop'],
    since: '2.2.0',
    doc: 'At the end empty the whole table, or with VS remove each virtual server by one command.',
  }),
  checkerLogAllFailures: boolean('checker_log_all_failures', {
    default: false,
    since: '2.0.11',
    doc: 'Log also the failures that are forgiven.',
  }),
  rsInitNotifies: boolean('rs_init_notifies', {
    default: false,
    since: '2.0.0',
    doc: 'Run notify_up for real servers that are up at the start.',
  }),
  drainOnRemoval: duration('drain_on_removal', {
    max: 86_400,
    extension: true,
    doc: 'drain_on_removal of virtual servers that have none.',
  }),
  reconcileInterval: duration('reconcile_interval', {
    min: 0,
    max: 4294,
    default: seconds(30),
    extension: true,
    doc: "Time between two comparisons of the kernel's table with the wanted one; 0: only on events.",
  }),
  dataPathMarks: value('data_path_marks', phraseKind({ first: first(markKind), last: first(markKind) }, 'FIRST LAST'), {
    extension: true,
    doc: 'Marks for checks with data_path, one for each real server: of packets that nothing else on this machine marks so.',
  }),
} as const satisfies Fields

const processes = {
  vrrpPriority: integer('vrrp_priority', nice),
  checkerPriority: integer('checker_priority', nice),
  bfdPriority: integer('bfd_priority', { ...nice, unsupported: 'BFD has no process of its own' }),
  vrrpNoSwap: flag('vrrp_no_swap', noSwap),
  checkerNoSwap: flag('checker_no_swap', noSwap),
  bfdNoSwap: flag('bfd_no_swap', { ...noSwap, unsupported: 'BFD has no process of its own' }),
  vrrpRtPriority: integer('vrrp_rt_priority', realTime),
  checkerRtPriority: integer('checker_rt_priority', realTime),
  bfdRtPriority: integer('bfd_rt_priority', {
    ...realTime,

    unsupported: 'BFD has no process of its own',
  }),
  vrrpRlimitRttime: integer('vrrp_rlimit_rttime', rtTime),
  checkerRlimitRttime: integer('checker_rlimit_rttime', rtTime),
  bfdRlimitRttime: integer('bfd_rlimit_rttime', {
    ...rtTime,

    unsupported: 'BFD has no process of its own',
  }),
  vrrpRlimitRtime: integer('vrrp_rlimit_rtime', { ...rtTime, deprecated: 'use vrrp_rlimit_rttime' }),
  checkerRlimitRtime: integer('checker_rlimit_rtime', { ...rtTime, deprecated: 'use checker_rlimit_rttime' }),
  bfdRlimitRtime: integer('bfd_rlimit_rtime', {
    ...rtTime,

    unsupported: 'BFD has no process of its own',
    deprecated: 'use bfd_rlimit_rttime',
  }),
  vrrpCpuAffinity: words('vrrp_cpu_affinity', affinity),
  checkerCpuAffinity: words('checker_cpu_affinity', affinity),
  bfdCpuAffinity: words('bfd_cpu_affinity', {
    ...affinity,

    unsupported: 'BFD has no process of its own',
  }),
  maxAutoPriority: integer('max_auto_priority', {
    min: -1,
    max: 99,
    clamp: true,
    since: '2.1.0',
    unsupported: 'a process that was held up is noticed, and VRRP steps back',
    doc: 'Highest real-time priority given when timers are late; 0: none.',
  }),
  minAutoPriorityDelay: integer('min_auto_priority_delay', {
    min: 1,
    max: 10_000_000,
    since: '2.1.0',
    unsupported: 'a process that was held up is noticed, and VRRP steps back',
    doc: 'Lateness in microseconds that counts.',
  }),
  processNames: flag('process_names', { since: '2.0.16', doc: 'Give the processes names of their own.' }),
  processName: text('process_name', processName),
  vrrpProcessName: text('vrrp_process_name', processName),
  checkerProcessName: text('checker_process_name', processName),
  lvsProcessName: text('lvs_process_name', { ...processName, deprecated: 'use checker_process_name' }),
  bfdProcessName: text('bfd_process_name', {
    ...processName,

    unsupported: 'BFD has no process of its own',
  }),
  vrrpNetlinkCmdRcvBufs: integer('vrrp_netlink_cmd_rcv_bufs', buffers),
  vrrpNetlinkCmdRcvBufsForce: boolean('vrrp_netlink_cmd_rcv_bufs_force', force),
  vrrpNetlinkMonitorRcvBufs: integer('vrrp_netlink_monitor_rcv_bufs', buffers),
  vrrpNetlinkMonitorRcvBufsForce: boolean('vrrp_netlink_monitor_rcv_bufs_force', force),
  lvsNetlinkCmdRcvBufs: integer('lvs_netlink_cmd_rcv_bufs', buffers),
  lvsNetlinkCmdRcvBufsForce: boolean('lvs_netlink_cmd_rcv_bufs_force', force),
  lvsNetlinkMonitorRcvBufs: integer('lvs_netlink_monitor_rcv_bufs', buffers),
  lvsNetlinkMonitorRcvBufsForce: boolean('lvs_netlink_monitor_rcv_bufs_force', force),
  processMonitorRcvBufs: integer('process_monitor_rcv_bufs', buffers),
  processMonitorRcvBufsForce: boolean('process_monitor_rcv_bufs_force', force),
  umask: text('umask', {
    since: '2.0.9',
    pattern: /^(?:\d+|I(?:RWX[UGO]|[RWX](?:USR|GRP|OTH))(?:\|I(?:RWX[UGO]|[RWX](?:USR|GRP|OTH)))*)$/,
    what: 'a file mode mask',

    doc: 'Permissions that new files do not get: octal with a leading 0, or names such as IRWXG|IRWXO.',
  }),
} as const satisfies Fields

const includeChecks = refine(wordsKind({ what: 'read, match, wildcard_match or brace_match' }), (words) => {
  const odd = words.find((word) => !/^[+-]?(?:read|match|wildcard_match|brace_match)$/.test(word))
  return odd === undefined ? undefined : `"${odd}" is not read, match, wildcard_match or brace_match`
})

const files = {
  randomSeed: integer('random_seed', {
    min: 0,
    max: 2 ** 32 - 1,
    since: '2.0.15',
    unsupported: '${_RANDOM} has no seed here',
    doc: 'Seed of ${_RANDOM}.',
  }),
  includeCheck: value('include_check', includeChecks, {
    since: '2.2.0',
    doc: 'What include insists on from here on: [+-]read match wildcard_match brace_match.',
  }),
  reloadCheckConfig: text('reload_check_config', {
    bare: '/dev/null',
    since: '2.2.0',
    doc: 'Check the file before a reload (this program always does), with a log file.',
  }),
  reloadTimeFile: value('reload_time_file', pathKind, {
    since: '2.1.0',

    doc: 'File that holds the time of the next reload.',
  }),
  reloadRepeat: flag('reload_repeat', { since: '2.1.0', doc: 'Reload at that time every day.' }),
  reloadFile: text('reload_file', {
    bare: '',
    since: '2.2.0',

    doc: 'File that exists while the configuration is being read.',
  }),
  configSaveDir: value('config_save_dir', pathKind, {
    since: '2.2.3',

    doc: 'Directory for copies of the configuration.',
  }),
  tmpConfigDirectory: value('tmp_config_directory', pathKind, {
    since: '2.2.0',
    unsupported: 'there is no consolidated copy of the configuration',
    doc: 'Directory for the consolidated copy.',
  }),
  dataUseInstance: boolean('data_use_instance', {
    default: false,
    since: '2.2.3',

    doc: 'Instance and namespace in the names of dump files.',
  }),
  stateDumpFile: value('state_dump_file', pathKind, {
    since: '2.3.3',

    doc: 'File for the state at SIGUSR1.',
  }),
  statsDumpFile: value('stats_dump_file', pathKind, {
    since: '2.3.3',
    unsupported: 'ipvs-ctl status --json and the metrics tell the figures; SIGUSR2 opens the log file anew',
    doc: 'File for the figures at SIGUSR2.',
  }),
  jsonDumpFile: value('json_dump_file', pathKind, {
    since: '2.3.3',
    unsupported: 'ipvs-ctl status --json tells it',
    doc: 'File for the JSON dump.',
  }),
  jsonVersion: integer('json_version', {
    min: 1,
    max: 2,
    since: '2.2.8',
    unsupported: 'ipvs-ctl status --json tells it',
    doc: 'Form of the JSON dump.',
  }),
  enableDbus: flag('enable_dbus', {
    since: '1.3.0',
    unsupported: 'the control socket tells and steers what D-Bus does in keepalived',
    doc: 'Offer a D-Bus service.',
  }),
  dbusServiceName: text('dbus_service_name', {
    since: '1.3.7',
    unsupported: 'the control socket tells and steers what D-Bus does in keepalived',
    doc: 'Its name.',
  }),
  dbusNoInterfaceName: text('dbus_no_interface_name', {
    since: '2.3.0',
    unsupported: 'the control socket tells and steers what D-Bus does in keepalived',
    doc: 'Stands for the interface in its object paths where an instance has none.',
  }),
  iprouteUsrDir: value('iproute_usr_dir', pathKind, {
    since: '2.3.2',
    doc: 'Directory of rt_tables and the like.',
  }),
  iprouteEtcDir: value('iproute_etc_dir', pathKind, {
    since: '2.3.2',
    doc: 'Directory that overrides it.',
  }),
} as const satisfies Fields

/** Settings of the whole program. It may stand several times. */
export const globalDefs = block('global_defs', 'Settings of the whole program. May stand several times.', {
  ...mail,
  ...ownAlarms,
  ...snmp,
  ...scripts,
  ...vrrp,
  ...firewall,
  ...lvs,
  ...processes,
  ...files,
})

export type GlobalDefsText = Values<typeof globalDefs>
