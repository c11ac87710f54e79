import { seconds } from '@ipvs-director/core'
import {
  block,
  blocks,
  boolean,
  duration,
  each,
  endpoint,
  entries,
  flag,
  integer,
  oneOf,
  script,
  text,
  value,
  type Values,
} from '../declare.ts'
import { endpointKind } from '../endpoint.ts'
import { forwardingKind } from '../forwarding.ts'
import { granularityKind } from '../granularity.ts'
import { textKind } from '../kinds.ts'
import { groupEntryKind, targetKind } from '../target.ts'
import { serversFromKind } from './dynamic.ts'
import { changing } from './timing.ts'

/** The IPVS schedulers keepalived knows. */
export const schedulers = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'sh',
  'mh',
  'dh',
  'fo',
  'ovf',
  'sed',
  'nq',
  'twos',
] as const

/** The check options that a virtual server and a real server pass on to their checkers. */
const passedOn = {
  retry: integer('retry', {
    min: 1,
    max: 2 ** 32 - 1,
    since: '1.2.3',
    doc: 'Failures in a row that checkers forgive while the server is up.',
  }),
  delayBeforeRetry: duration('delay_before_retry', { doc: 'Time between a forgiven failure and the next attempt.' }),
  warmup: duration('warmup', { doc: 'The first check waits a random time up to this, so that checks spread.' }),
  connectTimeout: duration('connect_timeout', {
    min: 0.000001,
    max: 4294,
    doc: 'Time that connecting, or one step of a check, may take.',
  }),
  ...changing,
} as const

/** A server behind a virtual server. Its checkers are added to it: this package does not know them. */
export const realServer = blocks(
  'real_server',
  'A server that a virtual server forwards to, and how it is checked. Without a checker it counts as always up.',
  {
    weight: integer('weight', {
      min: 0,
      max: 2 ** 31 - 1,
      inherits: 'virtual_server',
      doc: 'Share of the connections; 0 sends no new ones.',
    }),
    lvsMethod: value('lvs_method', forwardingKind, {
      aliases: ['lb_kind'],
      inherits: 'virtual_server',
      since: '1.3.6',
      doc: 'How packets are forwarded to this server, where it differs from the others.',
    }),
    upperThreshold: integer('uthreshold', {
      min: 0,
      max: 2 ** 31 - 1,
      default: 0,
      doc: 'Connections above which the server gets no new ones; 0: no limit.',
    }),
    lowerThreshold: integer('lthreshold', {
      min: 0,
      max: 2 ** 31 - 1,
      default: 0,
      doc: 'Connections below which it gets new ones again.',
    }),
    inhibitOnFailure: boolean('inhibit_on_failure', {
      inherits: 'virtual_server',
      doc: 'While down, weight 0 instead of removal, so that its connections go on.',
    }),
    degradedWeight: integer('degraded_weight', {
      min: 0,
      max: 2 ** 31 - 1,
      extension: true,
      doc: 'Weight while down, instead of removal: a server that answers badly may be better than none.',
    }),
    tier: integer('tier', {
      min: 0,
      max: 255,
      default: 0,
      extension: true,
      doc: 'Servers of a higher tier stand by, checked, with weight 0: they serve when those of the lower ones do not make the quorum.',
    }),
    notifyUp: script('notify_up', { doc: 'Command to run when the server comes up.' }),
    notifyDown: script('notify_down', { doc: 'Command to run when the server goes down.' }),
    alpha: boolean('alpha', {
      inherits: 'virtual_server',
      doc: 'Counts as down until the first success of its checkers.',
    }),
    ...passedOn,
    delayLoop: duration('delay_loop', {
      min: 0.000001,
      max: 4294,
      inherits: 'virtual_server',
      doc: 'Time between two checks.',
    }),
    smtpAlert: boolean('smtp_alert', {
      inherits: 'smtp_alert_checker',
      doc: 'Send mail when the server goes up or down.',
    }),
    virtualhost: text('virtualhost', { what: 'a host name', doc: 'Host header of HTTP checks.' }),
    snmpName: text('snmp_name', { since: '2.2.3', doc: 'Name in SNMP tables.' }),
  },
  { header: endpointKind },
)

/** The same for servers that a source tells of: what is in it is as in `real_server`. */
export const realServerTemplate = block(
  'real_server_template',
  'How servers that real_servers_from brings are weighted and checked: what a real_server can say, but for the address.',
  realServer.fields,
  { extension: true },
)

/** A virtual service and the pool of real servers behind it. */
export const virtualServer = blocks(
  'virtual_server',
  'A virtual service and the pool of real servers behind it.',
  {
    delayLoop: duration('delay_loop', {
      min: 0.000001,
      max: 4294,
      default: seconds(60),
      doc: 'Time between two checks.',
    }),
    scheduler: oneOf('lb_algo', schedulers, {
      aliases: ['lvs_sched'],
      doc: 'How connections are spread over the real servers; wlc when not given.',
    }),
    lvsMethod: value('lb_kind', forwardingKind, {
      aliases: ['lvs_method'],
      doc: 'How packets are forwarded; NAT when not given.',
    }),
    protocol: oneOf('protocol', ['TCP', 'UDP', 'SCTP'], {
      ignoreCase: true,
      doc: 'Transport protocol; UDP when not given, as in keepalived.',
    }),
    persistenceTimeout: integer('persistence_timeout', {
      min: 1,
      max: 2_678_400,
      orZero: true,
      bare: 360,
      doc: 'Seconds for which a client stays with its real server; without a number 360, 0: it does not.',
    }),
    persistenceGranularity: value('persistence_granularity', granularityKind, {
      doc: 'Clients that share this part of their address count as one. Implies persistence.',
    }),
    persistenceEngine: text('persistence_engine', {
      maxLength: 16,
      since: '1.2.20',
      doc: 'Persistence by what packets hold; the kernel knows "sip".',
    }),
    onePacket: flag('ops', { since: '1.3.0', doc: 'Schedule each UDP packet by itself.' }),
    hashed: flag('hashed', { since: '2.0.20', doc: 'Accepted for old files; has no effect.' }),
    flag1: flag('flag-1', { since: '2.0.20', doc: 'Scheduler flag 1 (0x08).' }),
    flag2: flag('flag-2', { since: '2.0.20', doc: 'Scheduler flag 2 (0x10).' }),
    flag3: flag('flag-3', { since: '2.0.20', doc: 'Scheduler flag 3 (0x20).' }),
    shPort: flag('sh-port', { since: '1.3.0', doc: 'With lb_algo sh: the source port counts too.' }),
    shFallback: flag('sh-fallback', {
      since: '1.3.0',
      doc: 'With lb_algo sh: take another server when the hashed one is unavailable.',
    }),
    mhPort: flag('mh-port', { since: '2.0.20', doc: 'With lb_algo mh: the source port counts too.' }),
    mhFallback: flag('mh-fallback', {
      since: '2.0.20',
      doc: 'With lb_algo mh: take another server when the hashed one is unavailable.',
    }),
    ipFamily: oneOf('ip_family', ['inet', 'inet6'], {
      since: '1.2.20',
      doc: 'Family of a fwmark service where its real servers do not tell.',
    }),
    haSuspend: flag('ha_suspend', { doc: 'Check only while the VIP is on this machine.' }),
    virtualhost: text('virtualhost', { what: 'a host name', doc: 'Host header, and TLS server name, of HTTP checks.' }),
    alpha: flag('alpha', { doc: 'Real servers count as down until their first successful check.' }),
    omega: flag('omega', { doc: 'Run notify_down and quorum_down at shutdown.' }),
    quorum: integer('quorum', { min: 1, max: 2 ** 32 - 1, default: 1, doc: 'Weight that must be up to serve at all.' }),
    hysteresis: integer('hysteresis', {
      min: 0,
      max: 2 ** 32 - 1,
      default: 0,
      doc: 'Margin before the answer about the quorum changes.',
    }),
    panicThreshold: integer('panic_threshold', {
      min: 0,
      max: 100,
      default: 0,
      extension: true,
      doc: 'Per cent of the real servers: when fewer are up, the checks are not believed and all of them serve; 0: never.',
    }),
    slowStart: duration('slow_start', {
      min: 0,
      max: 86_400,
      default: seconds(0),
      extension: true,
      doc: 'Time in which the weight of a server that has recovered grows from a tenth to all of it.',
    }),
    drainOnRemoval: duration('drain_on_removal', {
      max: 86_400,
      extension: true,
      inherits: 'global_defs',
      doc: 'How long a real server that a reload removes keeps its connections, with weight 0; 0: it is removed at once.',
    }),
    quorumUp: script('quorum_up', { doc: 'Command to run when the quorum is gained.' }),
    quorumDown: script('quorum_down', { doc: 'Command to run when the quorum is lost.' }),
    ...passedOn,
    inhibitOnFailure: flag('inhibit_on_failure', {
      doc: 'Default for the real servers: weight 0 instead of removal while down.',
    }),
    natMask: text('nat_mask', {
      unsupported: 'IPVS has not needed it since Linux 2.4',
      doc: 'Of very old files.',
    }),
    weight: integer('weight', { min: 1, max: 2 ** 31 - 1, default: 1, doc: 'Default weight of the real servers.' }),
    smtpAlert: boolean('smtp_alert', {
      inherits: 'smtp_alert_checker',
      doc: 'Send mail when the quorum is gained or lost.',
    }),
    snmpName: text('snmp_name', { since: '2.2.3', doc: 'Name in SNMP tables.' }),
    sorryServer: endpoint('sorry_server', { doc: 'Server that is used while the quorum is lost.' }),
    sorryServerInhibit: flag('sorry_server_inhibit', {
      since: '1.2.13',
      doc: 'Keep the sorry server in the table with weight 0. Stands after sorry_server.',
    }),
    sorryServerLvsMethod: value('sorry_server_lvs_method', forwardingKind, {
      since: '1.3.6',
      doc: 'How packets are forwarded to the sorry server. Stands after sorry_server.',
    }),
    serversFrom: each('real_servers_from', serversFromKind, {
      extension: true,
      doc: 'Real servers beside those written here, by DNS name or from etcd, followed as they change. Needs a real_server_template. When the source fails, or has none, its last servers stay.',
    }),
    realServerTemplate,
    realServers: realServer,
  },
  { header: targetKind },
)

/** Several addresses, ranges or marks that share one virtual_server. */
export const virtualServerGroup = blocks(
  'virtual_server_group',
  'Addresses, ranges of addresses or packet marks that a "virtual_server group" answers for together.',
  { entries: entries(groupEntryKind, { doc: 'What belongs to the group.' }) },
  { header: textKind({ what: 'a name', syntax: 'NAME' }) },
)

export type VirtualServerText = Values<typeof virtualServer>
export type RealServerText = Values<typeof realServer>
export type VirtualServerGroupText = Values<typeof virtualServerGroup>
