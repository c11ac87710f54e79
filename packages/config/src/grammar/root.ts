import type { CheckerBlock } from '../checker-block.ts'
import { block, type Block, flag, integer, text } from '../declare.ts'
import { otherCheckers } from './other-checkers.ts'
import { globalDefs } from './global-defs.ts'
import { garpGroup, ssl, staticLists, trackGroup } from './static.ts'
import { bfdInstance, trackFile, vrrpScript, vrrpTrackFile, vrrpTrackProcess } from './trackers.ts'
import { realServer, realServerTemplate, virtualServer, virtualServerGroup } from './virtual-server.ts'
import { vrrpInstance, vrrpSyncGroup } from './vrrp.ts'

const topLevel = {
  globalDefs,
  ssl,
  netNamespace: text('net_namespace', {
    since: '1.2.24',
    repeated: 'first',

    doc: 'Network namespace to run in.',
  }),
  netNamespaceIpvs: text('net_namespace_ipvs', {
    bare: '',
    since: '2.1.0',
    repeated: 'first',

    doc: 'Network namespace whose IPVS is used.',
  }),
  namespaceWithIpsets: flag('namespace_with_ipsets', {
    since: '1.3.0',
    unsupported: 'ipsets are used wherever the kernel has them',
    doc: 'Allow ipsets in a namespace on old kernels.',
  }),
  instance: text('instance', { since: '1.2.24', doc: 'Name of this daemon in file and log names.' }),
  usePidDir: flag('use_pid_dir', { since: '1.2.24', doc: 'Process id files in a directory of their own.' }),
  childWaitTime: integer('child_wait_time', {
    min: 0,
    default: 5,
    since: '2.0.0',

    doc: 'Seconds to wait for processes at the end.',
  }),
  linkbeatUsePolling: flag('linkbeat_use_polling', {
    doc: 'Poll the link state of the interfaces of all instances, once a second.',
  }),
  ...staticLists,
  garpGroups: garpGroup,
  trackGroups: trackGroup,
  vrrpScripts: vrrpScript,
  vrrpTrackProcesses: vrrpTrackProcess,
  trackFiles: trackFile,
  vrrpTrackFiles: vrrpTrackFile,
  bfdInstances: bfdInstance,
  vrrpSyncGroups: vrrpSyncGroup,
  vrrpInstances: vrrpInstance,
  virtualServerGroups: virtualServerGroup,
} as const

const grammars = new WeakMap<readonly CheckerBlock[], Block>()

/** The whole grammar, with the checkers' blocks in real_server. The top level is a block without a name. */
export function grammarWith(checkers: readonly CheckerBlock[]): Block {
  let grammar = grammars.get(checkers)
  if (grammar !== undefined) return grammar
  const known = new Set(checkers.map(({ keyword }) => keyword))
  const others = otherCheckers
    .filter(({ name }) => !known.has(name))
    .map((each): readonly [string, Block] => [each.name, { ...each, many: true }])
  const own = Object.fromEntries(checkers.map(({ keyword, block: declared }) => [keyword, { ...declared, many: true }]))
  const real = { ...realServer, fields: { ...realServer.fields, ...own, ...Object.fromEntries(others) } }
  const template = { ...realServerTemplate, fields: real.fields }
  const servers = { realServerTemplate: template, realServers: real }
  const virtual = { ...virtualServer, fields: { ...virtualServer.fields, ...servers } }
  grammar = block('', 'The top level of a configuration.', { ...topLevel, virtualServers: virtual })
  grammars.set(checkers, grammar)
  return grammar
}
