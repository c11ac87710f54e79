import { seconds } from '@ipvs-director/core'
import { block, duration, type Fields, flag, integer, list, oneOf, value } from '../declare.ts'
import { type Kind, wordOf } from '../kind.ts'
import { addressKind, durationKind } from '../kinds.ts'
import { first, option, phraseKind } from '../phrase.ts'
import { interfaceKind } from './shared.ts'
import { trackedServiceKind } from './tracked-service.ts'

/** Keywords of vrrp_instance that keepalived does not know. */

const leaseTime = durationKind({ min: 1, max: 86_400 })

/** `SECONDS|default|off`: how long the kernel keeps an address that nobody renews. A number is milliseconds. */
export const leaseKind: Kind<number | 'default' | 'off'> = {
  syntax: 'SECONDS|default|off',
  range: '1 to 86400 s',
  read(words) {
    const word = words.peek()
    if (word !== 'default' && word !== 'off') return leaseTime.read(words)
    words.take()
    return word
  },
  toJson: (lease) => (typeof lease === 'string' ? lease : leaseTime.toJson(lease as never)),
  words: (json) => (typeof json === 'string' ? [wordOf(json)] : leaseTime.words(json)),
  schema: { anyOf: [{ enum: ['default', 'off'] }, leaseTime.schema] },
}

const heartbeatPeer = phraseKind(
  { address: first(addressKind()), src: option('src', addressKind()), dev: option('dev', interfaceKind) },
  'ADDR [src ADDR] [dev IF]',
)

const arbitration = block(
  'arbitration',
  'Addresses outside both directors that must answer before this one takes over: a cut-off director stays backup.',
  {
    require: oneOf('require', ['any', 'all'], {
      default: 'any',
      extension: true,
      doc: 'Whether one answer is enough or every address must answer.',
    }),
    addresses: list('addresses', addressKind(), {
      layout: 'words',
      required: true,
      extension: true,
      doc: 'What is asked (ARP or neighbour solicitation on the link, else an ICMP echo): the router, a switch.',
    }),
    interval: duration('interval', {
      min: 0.1,
      max: 3600,
      default: seconds(1),
      extension: true,
      doc: 'Time between two questions.',
    }),
    timeout: duration('timeout', {
      min: 0.05,
      max: 60,
      default: seconds(1),
      extension: true,
      doc: 'Time an answer may take.',
    }),
    fall: integer('fall', {
      min: 1,
      max: 1000,
      default: 3,
      extension: true,
      doc: 'Questions in a row without an answer until an address counts as lost.',
    }),
    stepDown: flag('step_down', {
      extension: true,
      doc: 'A master that has lost them becomes backup; otherwise it stays and only says so.',
    }),
  },
  { extension: true },
)

const preemptGate = block(
  'preempt_gate',
  'What must be so before a living master of lower priority is replaced.',
  {
    checkers: flag('checkers', {
      extension: true,
      doc: 'Every real server was judged at least once since the start.',
    }),
    ipvsSync: flag('ipvs_sync', {
      extension: true,
      doc: 'Connection state of the master was received (lvs_sync_daemon).',
    }),
    timeout: duration('timeout', {
      min: 1,
      max: 86_400,
      extension: true,
      doc: 'After this time it is taken over all the same; never when not given.',
    }),
  },
  { extension: true },
)

/** See docs/keywords.md, "Our own keywords". */
export const ownVrrp = {
  vipLease: value('vip_lease', leaseKind, {
    extension: true,
    inherits: 'vrrp_vip_lease',
    doc: 'How long the kernel keeps an address that nobody renews; "default" is three advert_int and at least 3 s, "off" for ever, as keepalived.',
  }),
  trackVirtualServer: list('track_virtual_server', trackedServiceKind, {
    extension: true,
    doc: 'Virtual servers that must have their quorum; with a weight they change the priority instead.',
  }),
  heartbeatInterface: list('heartbeat_interface', interfaceKind, {
    layout: 'words',
    extension: true,
    doc: 'Further interfaces that advertisements are sent and heard on: the master counts as down when all are silent.',
  }),
  heartbeatPeer: list('heartbeat_peer', heartbeatPeer, {
    extension: true,
    doc: 'Further addresses of the other machines that advertisements go to, and come from, by unicast.',
  }),
  arbitration,
  preemptGate,
} as const satisfies Fields
