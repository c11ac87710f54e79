/** KEEPALIVED-MIB, `check`: virtual servers and their groups, the sync daemon, timeouts. Read-only. */
import type { Forwarding, VirtualServerGroup } from '@ipvs-director/config'
import { familyOf, type Millis } from '@ipvs-director/core'
import { slicedTable } from '../sliced-table.ts'
import { table, type Column, type Node, type Row } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, octets, text, truth, type SnmpValue } from '../value.ts'
import { under } from './keepalived-global.ts'
import { trafficColumns } from './keepalived-traffic.ts'
import { commandText, isUp, pathText, type ServiceRow, type SnmpSnapshot } from './snapshot.ts'

export const wholeSeconds = (value: Millis): SnmpValue => gauge(Math.trunc(value / 1000))
export const microseconds = (value: Millis): SnmpValue => gauge(value * 1000)

/** `virtualServerLoadBalancingAlgo`. */
const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']
const unknownScheduler = 99
export const protocols = { tcp: 1, udp: 2, sctp: 3 } as const
const kinds = { fwmark: 1, address: 2, group: 3 } as const
const methods = { masq: 1, droute: 2, tunnel: 3 } as const
const tunnels = { ipip: 1, gue: 2, gre: 3 } as const
const checksums = { none: 1, csum: 2, remcsum: 3 } as const

export const methodOf = ({ method }: Forwarding): SnmpValue => integer(methods[method])

const typeOf = ({ tunnel }: Forwarding): keyof typeof tunnels => tunnel?.type ?? 'ipip'

/** Type, port and checksum of a tunnel, in three columns. */
export const tunnelColumns = <Row>(first: number, of: (row: Row) => Forwarding): Column<Row>[] => [
  { number: first, value: (row) => (of(row).method === 'tunnel' ? integer(tunnels[typeOf(of(row))]) : undefined) },
  { number: first + 1, value: (row) => (typeOf(of(row)) === 'gue' ? gauge(of(row).tunnel?.port ?? 0) : undefined) },
  { number: first + 2, value: (row) => (typeOf(of(row)) === 'ipip' ? undefined : integer(checksums[of(row).tunnel?.checksum ?? 'none'])) }, // prettier-ignore
]

/** Those of a group are in a table of their own. */
const familyOfTarget = ({ config: { target, realServers } }: ServiceRow): 'inet' | 'inet6' => {
  const [first] = target.kind === 'group' ? target.entries : [target]
  if (first?.kind === 'fwmark') return first.family
  const address = first?.address ?? realServers[0]?.address
  return address === undefined ? 'inet' : familyOf(address)
}
/** Whether it is an address of that family; marks and groups are of neither. */
const isOf = ({ config: { target } }: ServiceRow, family: 'inet' | 'inet6'): boolean =>
  target.kind === 'address' && familyOf(target.address) === family

/** What tells which service a row, or a notification, is about. */
export const serviceIdentity: readonly Column<Pick<ServiceRow, 'config'>>[] = [
  { number: 2, value: ({ config }) => integer(kinds[config.target.kind]) },
  { number: 3, value: ({ config: { target } }) => (target.kind === 'group' ? text(target.group) : undefined) },
  { number: 4, value: ({ config: { target } }) => (target.kind === 'fwmark' ? gauge(target.fwmark) : undefined) },
  { number: 5, value: ({ config: { target } }) => (target.kind === 'address' ? addressType(target.address) : undefined) }, // prettier-ignore
  { number: 6, value: ({ config: { target } }) => (target.kind === 'address' ? addressOctets(target.address) : undefined) }, // prettier-ignore
  { number: 7, value: ({ config: { target } }) => (target.kind === 'address' ? gauge(target.port) : undefined) },
]

const serviceColumns: readonly Column<ServiceRow>[] = [
  ...serviceIdentity.flatMap(({ number, value }) => (number === 5 ? [] : [{ number, value }])),
  { number: 5, value: (row) => integer(familyOfTarget(row) === 'inet' ? 1 : 2) },
  { number: 8, value: ({ config }) => (config.target.kind === 'fwmark' ? undefined : integer(protocols[config.protocol])) }, // prettier-ignore
  { number: 9, value: ({ config }) => integer(schedulers.indexOf(config.scheduler) + 1 || unknownScheduler) },
  { number: 10, value: ({ config }) => methodOf(config.forwarding) },
  { number: 11, value: ({ status }) => truth(status.refused === undefined) },
  { number: 12, value: ({ config }) => (config.virtualhost === undefined ? undefined : text(config.virtualhost)) },
  { number: 13, value: ({ config }) => truth(config.persistenceTimeout > 0) },
  { number: 14, value: ({ config }) => (config.persistenceTimeout > 0 ? gauge(config.persistenceTimeout) : undefined) },
  { number: 15, value: (row) => (isOf(row, 'inet6') ? undefined : mask(row.config.persistenceGranularity)) },
  { number: 16, value: ({ config }) => wholeSeconds(config.delayLoop) },
  { number: 17, value: ({ config }) => truth(config.haSuspend) },
  { number: 18, value: ({ config }) => truth(config.alpha) },
  { number: 19, value: ({ config }) => truth(config.omega) },
  { number: 20, value: ({ config }) => gauge(config.realServers.length) },
  { number: 21, value: ({ status }) => gauge(status.servers.filter(isUp).length) },
  { number: 22, value: ({ config }) => gauge(config.quorum) },
  { number: 23, value: ({ status }) => truth(status.state === 'up') },
  { number: 24, value: ({ config }) => commandText(config.quorumUp) },
  { number: 25, value: ({ config }) => commandText(config.quorumDown) },
  { number: 26, value: ({ config }) => gauge(config.hysteresis) },
  ...trafficColumns<ServiceRow>({ connections: 27, packets: 28, rates: 32, wide: 38, halves: 41, wideRates: 74 }, ({ status }) => status.totals), // prettier-ignore
  { number: 37, value: ({ config }) => truth(config.onePacket) },
  { number: 51, value: (row) => (isOf(row, 'inet') ? undefined : gauge(row.config.persistenceGranularity)) },
  { number: 52, value: () => truth(false) },
  // The flags of sh and mh are the same bits.
  { number: 53, value: ({ config }) => truth(config.flag1) },
  { number: 54, value: ({ config }) => truth(config.flag2) },
  { number: 55, value: ({ config }) => truth(config.flag3) },
  { number: 56, value: ({ config }) => config.serverDefaults && truth(!config.serverDefaults.inhibitOnFailure) },
  { number: 57, value: ({ config }) => config.serverDefaults && gauge(config.serverDefaults.retry) },
  { number: 58, value: ({ config }) => config.serverDefaults && wholeSeconds(config.serverDefaults.delayBeforeRetry) },
  { number: 59, value: ({ config }) => config.serverDefaults && wholeSeconds(config.serverDefaults.warmup) },
  { number: 60, value: ({ config }) => config.serverDefaults && integer(config.serverDefaults.weight) },
  { number: 61, value: ({ config }) => truth(config.smtpAlert) },
  { number: 62, value: ({ config }) => truth(config.flag1) },
  { number: 63, value: ({ config }) => truth(config.flag2) },
  { number: 64, value: ({ config }) => microseconds(config.delayLoop) },
  { number: 65, value: ({ config }) => config.serverDefaults && microseconds(config.serverDefaults.delayBeforeRetry) },
  { number: 66, value: ({ config }) => config.serverDefaults && microseconds(config.serverDefaults.warmup) },
  { number: 67, value: ({ config }) => config.serverDefaults && microseconds(config.serverDefaults.connectTimeout) },
  ...tunnelColumns<ServiceRow>(68, ({ config }) => config.forwarding),
  { number: 71, value: ({ config }) => (config.snmpName === undefined ? undefined : text(config.snmpName)) },
  { number: 72, value: ({ config }) => pathText(config.quorumUp) },
  { number: 73, value: ({ config }) => pathText(config.quorumDown) },
]

/** IPv4 netmask as an unsigned number, in network order. */
function mask(value: number): SnmpValue {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return octets(bytes)
}

type Member = VirtualServerGroup['members'][number]
type Addresses = Extract<Member, { kind: 'addresses' }>
const addressesOf = (member: Member): Addresses | undefined => (member.kind === 'addresses' ? member : undefined)
const isRange = ({ first, last }: Addresses): boolean => first !== last

const memberColumns: readonly Column<Member>[] = [
  { number: 2, value: (row) => integer(row.kind === 'fwmark' ? 1 : isRange(row) ? 3 : 2) },
  { number: 3, value: (row) => (row.kind === 'fwmark' ? gauge(row.fwmark) : undefined) },
  { number: 4, value: (row) => (row.kind === 'fwmark' ? undefined : addressType(row.first)) },
  { number: 5, value: (row) => (row.kind === 'fwmark' || isRange(row) ? undefined : addressOctets(row.first)) },
  { number: 6, value: (row) => (row.kind === 'fwmark' || !isRange(row) ? undefined : addressOctets(row.first)) },
  { number: 7, value: (row) => (row.kind === 'fwmark' || !isRange(row) ? undefined : addressOctets(row.last)) },
  { number: 8, value: (row) => { const found = addressesOf(row); return found && gauge(found.port) } }, // prettier-ignore
]

function syncNodes({ config: { syncDaemon, globals } }: SnmpSnapshot): Node[] {
  const scalar = (numbers: readonly number[], value: SnmpValue | undefined): Node => ({ kind: 'scalar', oid: under(3, ...numbers), value }) // prettier-ignore
  const { group, instance } = syncDaemon ?? {}
  const timeout = (value: number | undefined): SnmpValue | undefined =>
    value === undefined || value === 0 ? undefined : integer(value)
  return [
    scalar([6, 1], truth(syncDaemon !== undefined)),
    scalar([6, 2], syncDaemon && text(syncDaemon.interface)),
    scalar([6, 3], instance === undefined ? undefined : text(instance)),
    scalar([6, 4], syncDaemon && integer(syncDaemon.id)),
    scalar([6, 5], syncDaemon && integer(syncDaemon.maxLength ?? 0)),
    scalar([6, 6], syncDaemon && integer(syncDaemon.port ?? 0)),
    scalar([6, 7], syncDaemon && integer(syncDaemon.ttl ?? 0)),
    scalar([6, 8], group === undefined ? undefined : addressType(group)),
    scalar([6, 9], group === undefined ? undefined : addressOctets(group)),
    scalar([7, 1], timeout(globals.lvsTimeouts?.tcp)),
    scalar([7, 2], timeout(globals.lvsTimeouts?.tcpFin)),
    scalar([7, 3], timeout(globals.lvsTimeouts?.udp)),
  ]
}

/** Groups, marks, addresses, persistence, scripts, tunnels, names. */
const sparse = [3, 4, 6, 7, 8, 12, 14, 15, 24, 25, 51, 56, 57, 58, 59, 60, 65, 66, 67, 68, 69, 70, 71, 72, 73]

function* numbered(services: readonly ServiceRow[]): Generator<Row<ServiceRow>> {
  for (const [i, row] of services.entries()) yield { index: [i + 1], row }
}

export async function serviceNodes(snapshot: SnmpSnapshot, services: readonly ServiceRow[]): Promise<Node[]> {
  const groups = snapshot.config.virtualServerGroups ?? []
  return [
    table<string>(under(3, 1, 1), [{ number: 2, value: text }], groups.map(({ name }, i) => ({ index: [i + 1], row: name }))), // prettier-ignore
    table<Member>(under(3, 2, 1), memberColumns, groups.flatMap(({ members }, i) => members.map((row, j) => ({ index: [i + 1, j + 1], row })))), // prettier-ignore
    await slicedTable<ServiceRow>(under(3, 3, 1), serviceColumns, numbered(services), sparse),
    ...syncNodes(snapshot),
  ]
}
