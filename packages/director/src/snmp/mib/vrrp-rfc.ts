/** VRRP-MIB (RFC 2787: VRRPv2 over IPv4) and VRRPv3-MIB (RFC 6527: all instances, as Debian's keepalived). Read-only. */
import { addressBytes, familyOf, parseAddress } from '@ipvs-director/core'
import { compareOid, oid, type Oid } from '../oid.ts'
import { table, type Column, type Node } from '../tree.ts'
import { counter32, counter64, gauge, integer, octets, timeTicks, truth, type SnmpValue } from '../value.ts'
import { instanceRows, type InstanceRow, type SnmpSnapshot } from './snapshot.ts'

export const vrrpMib = oid('1.3.6.1.2.1.68')
export const vrrpv3Mib = oid('1.3.6.1.2.1.207')

const active = integer(1)
/** initialize, backup, master. */
const stateNumber = ({ status: { state } }: InstanceRow): SnmpValue => integer(state === 'master' ? 3 : state === 'backup' ? 2 : 1) // prettier-ignore
const hosts = ({ config }: InstanceRow) => config.addresses.map(({ address }) => address)
const rejected = ({ status }: InstanceRow, ...reasons: readonly string[]): number =>
  reasons.reduce((sum, reason) => sum + (status.counters.rejected[reason] ?? 0), 0)

/** An instance with what its tables need of the rest. */
interface Row extends InstanceRow {
  /** Of its interface. */
  readonly mac: string | undefined
  /** Wall clock at which sysUpTime was 0. */
  readonly masterSince: number | undefined
  /** Wall clock now. */
  readonly now: number
}

/** The address that is told to neighbours: with use_vmac that of RFC 9568 §7.3, else the interface's own. */
function macOf({ config, mac }: Row): SnmpValue | undefined {
  const { vmac, family, virtualRouterId } = config
  if (vmac !== undefined && vmac.mac === undefined) return octets(Uint8Array.of(0, 0, 0x5e, 0, family === 'inet' ? 1 : 2, virtualRouterId)) // prettier-ignore
  const told = vmac?.mac ?? mac
  return told === undefined ? undefined : octets(Buffer.from(told.replaceAll(':', ''), 'hex'))
}

const unspecified = ({ config }: InstanceRow): Buffer => Buffer.alloc(config.family === 'inet' ? 4 : 16)
const primaryOf = (row: InstanceRow): Buffer => bytesOf(row.status.own) ?? unspecified(row)

/** The master: ourselves, or whom we hear; nobody is all zeroes. */
const masterOf = (row: InstanceRow): Buffer =>
  row.status.state === 'master' ? primaryOf(row) : (bytesOf(row.status.master?.address) ?? unspecified(row))

function bytesOf(text: string | undefined): Buffer | undefined {
  const address = text === undefined ? undefined : parseAddress(text)
  return address === undefined ? undefined : Buffer.from(addressBytes(address))
}

const ipAddress = (value: Uint8Array): SnmpValue => ({ type: 'ipAddress', value })

const operColumns: readonly Column<Row>[] = [
  { number: 2, value: macOf },
  { number: 3, value: stateNumber },
  { number: 4, value: ({ status }) => truth(status.state !== 'stopped') },
  { number: 5, value: ({ status }) => integer(status.priority.base) },
  { number: 6, value: (row) => integer(hosts(row).length) },
  { number: 7, value: (row) => ipAddress(masterOf(row)) },
  { number: 8, value: (row) => ipAddress(primaryOf(row)) },
  { number: 9, value: ({ config: { auth } }) => integer(auth === undefined ? 1 : auth.type === 'PASS' ? 2 : 3) },
  { number: 10, value: () => octets(Buffer.alloc(0)) }, // never told
  { number: 11, value: ({ config }) => integer(config.advertInterval / 1000) },
  { number: 12, value: ({ config }) => truth(config.preempt) },
  // A time stamp: sysUpTime of then.
  { number: 13, value: ({ status: { upSince }, masterSince }) => timeTicks(upSince === undefined || masterSince === undefined ? 0 : upSince - masterSince) }, // prettier-ignore
  { number: 14, value: () => integer(1) },
  { number: 15, value: () => active },
]

/** `vrrpv3StatisticsNewMasterReason`. */
export const masterReasons = { never: 0, resigned: 1, preempted: 2, silence: 3 } as const
/** `vrrpv3StatisticsProtoErrReason`. */
export const protocolErrors = { ttl: 1, version: 2, checksum: 3 } as const

const operStatistics: readonly Column<InstanceRow>[] = [
  { number: 1, value: ({ status }) => counter32(status.counters.becameMaster) },
  { number: 2, value: ({ status }) => counter32(status.counters.advertsReceived) },
  { number: 3, value: (row) => counter32(rejected(row, 'interval')) },
  { number: 4, value: (row) => counter32(rejected(row, 'authFailure')) },
  { number: 5, value: (row) => counter32(rejected(row, 'ttl')) },
  { number: 6, value: ({ status }) => counter32(status.counters.priorityZeroReceived) },
  { number: 7, value: ({ status }) => counter32(status.counters.priorityZeroSent) },
  { number: 8, value: (row) => counter32(rejected(row, 'type')) },
  { number: 9, value: (row) => counter32(row.status.counters.addressErrors ?? 0) },
  { number: 10, value: (row) => counter32(rejected(row, 'authType')) },
  { number: 11, value: (row) => counter32(rejected(row, 'authMismatch')) },
  { number: 12, value: (row) => counter32(rejected(row, 'length')) },
]

const v3Columns: readonly Column<Row>[] = [
  { number: 3, value: (row) => octets(masterOf(row)) },
  { number: 4, value: (row) => octets(primaryOf(row)) },
  { number: 5, value: macOf },
  { number: 6, value: stateNumber },
  { number: 7, value: ({ status }) => gauge(status.priority.base) },
  { number: 8, value: (row) => integer(hosts(row).length) },
  { number: 9, value: ({ config }) => integer(config.advertInterval / 10) },
  { number: 10, value: ({ config }) => truth(config.preempt) },
  { number: 11, value: ({ config }) => truth(config.accept) },
  { number: 12, value: ({ status: { upSince }, now }) => timeTicks(upSince === undefined ? 0 : now - upSince) },
  { number: 13, value: () => active },
]

const v3Statistics: readonly Column<InstanceRow>[] = [
  { number: 1, value: ({ status }) => counter32(status.counters.becameMaster) },
  { number: 2, value: ({ status }) => integer(masterReasons[status.masterReason ?? 'never']) },
  { number: 3, value: ({ status }) => counter64(status.counters.advertsReceived) },
  { number: 4, value: (row) => counter64(rejected(row, 'interval')) },
  { number: 5, value: (row) => counter64(rejected(row, 'ttl')) },
  { number: 6, value: ({ status: { protocolError } }) => integer(protocolError === undefined ? 0 : protocolErrors[protocolError]) }, // prettier-ignore
  { number: 7, value: ({ status }) => counter64(status.counters.priorityZeroReceived) },
  { number: 8, value: ({ status }) => counter64(status.counters.priorityZeroSent) },
  { number: 9, value: (row) => counter64(rejected(row, 'type')) },
  { number: 10, value: (row) => counter64(row.status.counters.addressErrors ?? 0) },
  { number: 11, value: (row) => counter64(rejected(row, 'length')) },
  { number: 12, value: () => timeTicks(0) }, // nothing is ever set back
  { number: 13, value: ({ config }) => gauge(config.advertInterval) },
]

interface Indexed<Row> {
  readonly index: Oid
  readonly row: Row
}

/** By index, each once: two instances of one VRID on an interface (unicast) would clash, the first counts. */
function inOrder<Row>(rows: readonly Indexed<Row>[]): Indexed<Row>[] {
  const sorted = [...rows].sort((a, b) => compareOid(a.index, b.index))
  return sorted.filter(({ index }, i) => i === 0 || compareOid(sorted[i - 1]?.index ?? [], index) !== 0)
}

const sumOf = (rows: readonly InstanceRow[], ...reasons: readonly string[]): number =>
  rows.reduce((sum, row) => sum + rejected(row, ...reasons), 0)

/** Those with addresses; the RFCs know no others. */
function rowsOf(snapshot: SnmpSnapshot): Row[] {
  const { status, masterSince } = snapshot
  const byName = new Map(status.vrrp?.interfaces?.map(({ name, mac }) => [name, mac]))
  return instanceRows(snapshot)
    .filter((row) => hosts(row).length > 0)
    .map((row) => ({ ...row, mac: byName.get(row.config.interface ?? ''), masterSince, now: status.at }))
}

/** Index: ifIndex, VRID; of addresses the address too. */
export function vrrpV2Nodes(snapshot: SnmpSnapshot): Node[] {
  const rows = rowsOf(snapshot).filter(({ config }) => config.version === 2 && config.family === 'inet')
  const indexOf = ({ interfaceIndex, config }: Row): Oid => [interfaceIndex, config.virtualRouterId]
  const indexed = inOrder(rows.map((row) => ({ index: indexOf(row), row })))
  const addresses = rows.flatMap((row) => hosts(row).map((host) => ({ index: [...indexOf(row), ...addressBytes(host)], row: host }))) // prettier-ignore
  const scalar = (numbers: readonly number[], value: SnmpValue): Node => ({ kind: 'scalar', oid: [...vrrpMib, ...numbers], value }) // prettier-ignore
  return [
    scalar([1, 1], integer(2)),
    scalar([1, 2], truth(snapshot.config.snmp.traps)),
    table([...vrrpMib, 1, 3, 1], operColumns, indexed),
    table([...vrrpMib, 1, 4, 1], [{ number: 2, value: () => active }], inOrder(addresses)),
    scalar([2, 1], counter32(sumOf(rows, 'checksum'))),
    scalar([2, 2], counter32(sumOf(rows, 'version'))),
    scalar([2, 3], counter32(snapshot.status.vrrp?.strangers?.v2 ?? 0)),
    table([...vrrpMib, 2, 4, 1], operStatistics, indexed),
  ]
}

/** Index: ifIndex, VRID, address type; of addresses their length and bytes too. */
export function vrrpV3Nodes(snapshot: SnmpSnapshot): Node[] {
  const rows = rowsOf(snapshot)
  const { v2 = 0, v3 = 0 } = snapshot.status.vrrp?.strangers ?? {}
  const indexOf = ({ interfaceIndex, config }: Row): Oid => [interfaceIndex, config.virtualRouterId, config.family === 'inet' ? 1 : 2] // prettier-ignore
  const indexed = inOrder(rows.map((row) => ({ index: indexOf(row), row })))
  const addresses = rows.flatMap(
    (row) =>
    hosts(row).map((host) => ({ index: [...indexOf(row), familyOf(host) === 'inet' ? 4 : 16, ...addressBytes(host)], row: host })), // prettier-ignore
  )
  const scalar = (number: number, value: SnmpValue): Node => ({ kind: 'scalar', oid: [...vrrpv3Mib, 1, 2, number], value }) // prettier-ignore
  return [
    table([...vrrpv3Mib, 1, 1, 1, 1], v3Columns, indexed),
    table([...vrrpv3Mib, 1, 1, 2, 1], [{ number: 2, value: () => active }], inOrder(addresses)),
    scalar(1, counter64(sumOf(rows, 'checksum'))),
    scalar(2, counter64(sumOf(rows, 'version'))),
    scalar(3, counter64(v2 + v3)),
    scalar(4, timeTicks(0)),
    table([...vrrpv3Mib, 1, 2, 5, 1], v3Statistics, indexed),
  ]
}
