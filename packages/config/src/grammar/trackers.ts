import { seconds } from '@ipvs-director/core'
import {
  address,
  blocks,
  boolean,
  command,
  duration,
  type Fields,
  flag,
  integer,
  list,
  oneOf,
  value,
  words,
} from '../declare.ts'
import { integerKind, textKind } from '../kinds.ts'
import { choice, first, mark, maybe, option, phraseKind } from '../phrase.ts'
import { interfaceKind, nameKind, pathKind, userKind } from './shared.ts'

const named = { header: nameKind } as const

/** `N [reverse]`. */
const weight = (limit: number) =>
  phraseKind({ value: first(integerKind({ min: -limit, max: limit })), reverse: mark('reverse') }, 'N [reverse]')

/** `NAME [weight N [reverse|noreverse]]`. */
const tracked = (limit: number, kind = nameKind) =>
  phraseKind(
    {
      name: first(kind),
      weight: option('weight', integerKind({ min: -limit, max: limit })),
      reverse: choice('reverse', 'noreverse'),
    },
    `${kind.syntax} [weight N [reverse|noreverse]]`,
  )

/** The lists of things that an instance or group follows. */
export const tracking = {
  trackInterface: list('track_interface', tracked(253, interfaceKind), {
    doc: 'Interfaces that must be up; with a weight they change the priority instead.',
  }),
  trackScript: list('track_script', tracked(253), {
    doc: 'vrrp_scripts that must succeed; with a weight they change the priority instead.',
  }),
  trackFile: list('track_file', tracked(254), { since: '2.0.0', doc: 'track_files whose value counts.' }),
  trackProcess: list('track_process', tracked(254), { since: '2.0.11', doc: 'vrrp_track_processes that must run.' }),
  trackBfd: list('track_bfd', tracked(253), { since: '2.0.0', doc: 'bfd_instances that must be up.' }),
} as const satisfies Fields

/** A script that decides about priorities. */
export const vrrpScript = blocks(
  'vrrp_script',
  'A script that is run again and again; what it answers changes priorities or faults instances.',
  {
    script: command('script', { required: true, doc: 'Command to run; 0 is success. "</path" only opens the file.' }),
    interval: duration('interval', { min: 0.001, decimals: 3, default: seconds(1), doc: 'Time between two runs.' }),
    timeout: duration('timeout', { min: 0.001, decimals: 3, doc: 'Time a run may take; the interval when not given.' }),
    weight: value('weight', weight(253), {
      doc: 'Added to the priority on success (positive) or failure (negative); 0: failure is a fault.',
    }),
    rise: integer('rise', { min: 1, default: 1, doc: 'Successes in a row that count as one.' }),
    fall: integer('fall', { min: 1, default: 1, doc: 'Failures in a row that count as one.' }),
    user: value('user', userKind, { since: '1.3.0', doc: 'User and group to run it as; script_user when not given.' }),
    initFail: flag('init_fail', { since: '1.3.2', doc: 'Counts as failed until its first result.' }),
  },
  named,
)

/** A process that must run. */
export const vrrpTrackProcess = blocks(
  'vrrp_track_process',
  'A process that must run, found by its name.',
  {
    process: words('process', {
      required: true,
      what: 'the name of a process',
      doc: 'Name of the process, and its parameters.',
    }),
    paramMatch: oneOf('param_match', ['initial', 'partial'], {
      bare: 'partial',
      doc: 'How parameters are compared; all of them when not given.',
    }),
    weight: value('weight', weight(254), { doc: 'As in vrrp_script.' }),
    quorum: integer('quorum', { min: 1, max: 65535, default: 1, doc: 'How many must run.' }),
    quorumMax: integer('quorum_max', { min: 0, max: 65535, doc: 'How many may run.' }),
    delay: duration('delay', { min: 0.000001, max: 3600, doc: 'Time until a change counts.' }),
    forkDelay: duration('fork_delay', { min: 0.000001, max: 3600, doc: 'Time until a start counts.' }),
    terminateDelay: duration('terminate_delay', { min: 0.000001, max: 3600, doc: 'Time until an end counts.' }),
    fullCommand: flag('full_command', { doc: 'Compare the whole command line, not only the name.' }),
  },
  { ...named, since: '2.0.11' },
)

const fileFields = {
  file: value('file', pathKind, { required: true, doc: 'Path of the file; its directory must exist.' }),
  weight: value('weight', weight(254), { doc: 'Multiplies the value; 1 when not given.' }),
  initFile: value(
    'init_file',
    phraseKind(
      { value: maybe(integerKind({ min: -(2 ** 31), max: 2 ** 31 - 1 })), overwrite: mark('overwrite') },
      '[VALUE] [overwrite]',
    ),
    { bare: { value: undefined, overwrite: undefined }, doc: 'Create the file at the start.' },
  ),
} as const satisfies Fields

/** A file whose number counts. */
export const trackFile = blocks('track_file', 'A file whose number changes priorities or weights.', fileFields, {
  ...named,
  since: '2.1.0',
})

export const vrrpTrackFile = blocks('vrrp_track_file', 'Old name of track_file.', fileFields, {
  ...named,
  since: '2.0.0',
  deprecated: 'use track_file',
})

const ttl = { min: 1, max: 255 } as const

/** A BFD session. */
export const bfdInstance = blocks(
  'bfd_instance',
  'A BFD session (RFC 5880) with another machine.',
  {
    neighborIp: address('neighbor_ip', {
      aliases: ['neighbour_ip'],
      required: true,
      doc: 'Address of the other end.',
    }),
    sourceIp: address('source_ip', { doc: 'Own address.' }),
    minRx: integer('min_rx', {
      min: 1,
      max: 4_294_967,
      default: 10,
      doc: 'Shortest time in milliseconds between packets we can take.',
    }),
    minTx: integer('min_tx', {
      min: 1,
      max: 4_294_967,
      default: 10,
      doc: 'Shortest time in milliseconds between packets we send.',
    }),
    idleTx: integer('idle_tx', {
      min: 1000,
      max: 4_294_967,
      default: 1000,
      doc: 'Time in milliseconds between packets while down.',
    }),
    multiplier: integer('multiplier', {
      min: 1,
      max: 255,
      default: 5,
      doc: 'Packets missed until the session is down.',
    }),
    passive: flag('passive', { doc: 'Wait for the other end to begin.' }),
    ttl: integer('ttl', {
      aliases: ['hoplimit'],
      ...ttl,
      doc: 'TTL of packets; 255 (IPv4) or 64 (IPv6) when not given.',
    }),
    maxHops: integer('max_hops', { min: 0, max: 255, default: 0, doc: 'Routers that may be between; 255: any.' }),
    multihop: boolean('multihop', {
      since: '2.2.8',
      doc: 'Use the port for sessions over routers.',
    }),
    weight: value('weight', weight(253), { doc: 'As in vrrp_script.' }),
    vrrp: flag('vrrp', { doc: 'Only VRRP is told.' }),
    checker: flag('checker', { doc: 'Only checkers are told.' }),
  },
  { header: textKind({ maxLength: 31, what: 'a name', syntax: 'NAME' }), since: '2.0.0' },
)
