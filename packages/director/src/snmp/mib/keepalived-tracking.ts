/** KEEPALIVED-MIB, `vrrp`: what instances and sync groups follow, and scripts, files, processes, BFD sessions. */
import type { BfdInstance, Tracked, TrackFile, Tracking, TrackProcess, VrrpScript } from '@ipvs-director/config'
import type { VrrpTrackerStatus } from '@ipvs-director/control'
import { table, type Column, type Node } from '../tree.ts'
import { gauge, integer, text, truth } from '../value.ts'
import { under } from './keepalived-global.ts'
import { commandText, pathText, type SnmpSnapshot } from './snapshot.ts'

type Kind = Exclude<keyof Tracking, 'virtualServers'>

/** Numbers of the tables under `vrrp`, of instances and of groups. In those of interfaces the name is column 1, else 2. */
const tables: readonly (readonly [Kind, number, number])[] = [
  ['interfaces', 4, 14],
  ['scripts', 5, 15],
  ['files', 12, 16],
  ['bfd', 17, 19],
  ['processes', 20, 22],
]

const trackedColumns = (kind: Kind): Column<Tracked>[] => {
  const first = kind === 'interfaces' ? 1 : 2
  return [
    { number: first, value: ({ name }) => text(name) },
    { number: first + 1, value: ({ weight }) => integer(weight) },
    { number: first + 2, value: ({ reverse }) => truth(reverse) },
  ]
}

export function trackedNodes(instances: readonly Tracking[], groups: readonly Tracking[]): Node[] {
  const rowsOf = (all: readonly Tracking[], kind: Kind) =>
    all.flatMap((each, i) => each[kind].map((row, j) => ({ index: [i + 1, j + 1], row })))
  return tables.flatMap(([kind, ofInstance, ofGroup]) => [
    table<Tracked>(under(2, ofInstance, 1), trackedColumns(kind), rowsOf(instances, kind)),
    table<Tracked>(under(2, ofGroup, 1), trackedColumns(kind), rowsOf(groups, kind)),
  ])
}

/** A block with what is known of it. */
interface Followed<Block> {
  readonly block: Block
  readonly now: VrrpTrackerStatus | undefined
}

const isGood = ({ now }: Followed<unknown>): boolean => now?.status.kind === 'good'
const isKnown = ({ now }: Followed<unknown>): boolean => now !== undefined && now.status.kind !== 'unknown'
const scriptResults = { init: 1, bad: 2, good: 3, initFailed: 5 } as const

const scriptColumns: readonly Column<Followed<VrrpScript>>[] = [
  { number: 2, value: ({ block }) => text(block.name) },
  { number: 3, value: ({ block }) => commandText(block.script) },
  { number: 4, value: ({ block }) => integer(block.interval / 1000) },
  { number: 5, value: ({ block }) => integer(block.weight) },
  { number: 6, value: (row) => integer(scriptResults[isKnown(row) ? (isGood(row) ? 'good' : 'bad') : row.block.initFail ? 'initFailed' : 'init']) }, // prettier-ignore
  { number: 7, value: ({ block }) => gauge(block.rise) },
  { number: 8, value: ({ block }) => gauge(block.fall) },
  { number: 9, value: ({ block }) => truth(block.reverse) },
  { number: 10, value: ({ block }) => pathText(block.script) },
  { number: 11, value: ({ block }) => gauge(block.interval * 1000) },
  { number: 12, value: ({ block }) => gauge(block.timeout * 1000) },
]

const fileColumns: readonly Column<Followed<TrackFile>>[] = [
  { number: 2, value: ({ block }) => text(block.name) },
  { number: 3, value: ({ block }) => text(block.path) },
  { number: 4, value: ({ now }) => (now?.status.kind === 'value' ? integer(now.status.value) : undefined) },
  { number: 5, value: ({ block }) => integer(block.weight) },
  { number: 6, value: ({ block }) => truth(block.reverse) },
]

const bfdColumns: readonly Column<Followed<BfdInstance>>[] = [
  { number: 2, value: ({ block }) => text(block.name) },
  { number: 3, value: (row) => integer(isGood(row) ? 1 : 0) },
  { number: 4, value: ({ block }) => integer(block.weight) },
  { number: 5, value: ({ block }) => truth(block.reverse) },
]

const matches = { none: 0, exact: 1, partial: 2, initial: 3 } as const

const processColumns: readonly Column<Followed<TrackProcess>>[] = [
  { number: 2, value: ({ block }) => text(block.name) },
  { number: 3, value: ({ block }) => text(block.process) },
  { number: 4, value: ({ block }) => text(block.parameters.join(' ')) },
  { number: 5, value: ({ block }) => integer(matches[block.parameters.length === 0 ? 'none' : block.match]) },
  { number: 6, value: ({ block }) => integer(block.weight) },
  { number: 7, value: ({ block }) => truth(block.reverse) },
  { number: 8, value: ({ block }) => gauge(block.quorum) },
  // No limit is -1, as in keepalived.
  { number: 9, value: ({ block }) => integer(block.quorumMax ?? -1) },
  { number: 10, value: ({ block }) => gauge(block.forkDelay * 1000) },
  { number: 11, value: ({ block }) => gauge(block.terminateDelay * 1000) },
  { number: 12, value: ({ block }) => truth(block.fullCommand) },
  { number: 13, value: ({ now }) => (now?.count === undefined ? undefined : integer(now.count)) },
  { number: 14, value: (row) => truth(isGood(row)) },
]

export function trackerNodes({ config, status }: SnmpSnapshot): Node[] {
  const known = new Map(status.vrrp?.trackers?.map((each) => [`${each.kind} ${each.name}`, each]))
  const rowsOf = <Block extends { readonly name: string }>(kind: VrrpTrackerStatus['kind'], blocks: readonly Block[]) =>
    blocks.map((block, i) => ({ index: [i + 1], row: { block, now: known.get(`${kind} ${block.name}`) } }))
  const { scripts, processes } = config.vrrp
  const sessions = config.bfdInstances.filter(({ vrrp }) => vrrp)
  return [
    table<Followed<VrrpScript>>(under(2, 9, 1), scriptColumns, rowsOf('script', scripts)),
    table<Followed<TrackFile>>(under(2, 13, 1), fileColumns, rowsOf('file', config.trackFiles)),
    table<Followed<BfdInstance>>(under(2, 18, 1), bfdColumns, rowsOf('bfd', sessions)),
    table<Followed<TrackProcess>>(under(2, 21, 1), processColumns, rowsOf('process', processes)),
  ]
}
