import type { CheckerBlock } from '../checker-block.ts'
import { block, type Block, blocks, type Fields, flag, integer, text } from '../declare.ts'
import { wordsKind } from '../kinds.ts'
import { globalDefs } from './global-defs.ts'
import { realServer, virtualServer, virtualServerGroup } from './virtual-server.ts'

const pending = (name: string, doc: string): Block & { readonly many: true } =>
  blocks(name, doc, {}, { open: true, pending: true, header: wordsKind({ min: 0 }) })

const ssl = block('SSL', 'Certificates that SSL_GET checks present.', {
  password: text('password', { doc: 'Password of the key.' }),
  ca: text('ca', { doc: 'File of certificate authorities.' }),
  certificate: text('certificate', { doc: 'File of the certificate.' }),
  key: text('key', { doc: 'File of its key.' }),
})

const topLevel = {
  globalDefs,
  ssl,
  virtualServerGroups: virtualServerGroup,
  netNamespace: text('net_namespace', { since: '1.2.24', pending: true, doc: 'Network namespace to run in.' }),
  netNamespaceIpvs: text('net_namespace_ipvs', {
    bare: '',
    since: '2.1.0',
    pending: true,
    doc: 'Network namespace whose IPVS is used.',
  }),
  namespaceWithIpsets: flag('namespace_with_ipsets', {
    since: '1.3.0',
    pending: true,
    doc: 'Allow ipsets in a namespace on old kernels.',
  }),
  instance: text('instance', { since: '1.2.24', pending: true, doc: 'Name of this daemon in file and log names.' }),
  usePidDir: flag('use_pid_dir', {
    since: '1.2.24',
    pending: true,
    doc: 'Process id files in a directory of their own.',
  }),
  childWaitTime: integer('child_wait_time', {
    min: 0,
    since: '2.0.0',
    pending: true,
    doc: 'Seconds to wait for processes at the end.',
  }),
  linkbeatUsePolling: flag('linkbeat_use_polling', { pending: true, doc: 'Poll the link state.' }),
  vrrpInstances: pending('vrrp_instance', 'A virtual router.'),
  vrrpSyncGroups: pending('vrrp_sync_group', 'Instances that change state together.'),
  vrrpScripts: pending('vrrp_script', 'A script that decides about priorities.'),
  vrrpTrackProcesses: pending('vrrp_track_process', 'A process that decides about priorities.'),
  trackFiles: pending('track_file', 'A file that decides about priorities.'),
  vrrpTrackFiles: pending('vrrp_track_file', 'Old name of track_file.'),
  trackGroups: pending('track_group', 'Instances that static addresses and routes follow.'),
  garpGroups: pending('garp_group', 'Interfaces that share the spacing of gratuitous ARPs.'),
  staticIpAddress: pending('static_ipaddress', 'Addresses to add at the start.'),
  staticRoutes: pending('static_routes', 'Routes to add at the start.'),
  staticRules: pending('static_rules', 'Rules to add at the start.'),
  linkbeatInterfaces: pending('linkbeat_interfaces', 'Interfaces whose link state is polled.'),
  interfaceUpDownDelays: pending('interface_up_down_delays', 'Times a link must be up or down to count.'),
  bfdInstances: pending('bfd_instance', 'A BFD session.'),
} as const

const grammars = new WeakMap<readonly CheckerBlock[], Block<Fields>>()

/** The whole grammar, with the checkers' blocks in real_server. The top level is a block without a name. */
export function grammarWith(checkers: readonly CheckerBlock[]): Block<Fields> {
  let grammar = grammars.get(checkers)
  if (grammar !== undefined) return grammar
  const own = Object.fromEntries(checkers.map(({ keyword, block: declared }) => [keyword, { ...declared, many: true }]))
  const real = { ...realServer, fields: { ...realServer.fields, ...own } }
  const virtual = { ...virtualServer, fields: { ...virtualServer.fields, realServers: real } }
  grammar = block('', 'The top level of a configuration.', { ...topLevel, virtualServers: virtual })
  grammars.set(checkers, grammar)
  return grammar
}
