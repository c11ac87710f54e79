/** VRRP-MIB (RFC 2787, instances of VRRPv2) and VRRPv3-MIB (RFC 6527, those of VRRPv3). Read-only. */
import { addressBytes, familyOf, parseAddress } from '@ipvs-director/core'
import { compareOid, oid, type Oid } from '../oid.ts'
import { table, type Column, type Node } from '../tree.ts'
import { counter32, counter64, gauge, integer, octets, truth, type SnmpValue } from '../value.ts'
import { instanceRows, type InstanceRow, type SnmpSnapshot } from './snapshot.ts'

export const vrrpMib = oid('1.3.6.1.2.1.68')
export const vrrpv3Mib = oid('1.3.6.1.2.1.207')

const active = integer(1)
/** initialize, backup, master. */
const stateNumber = ({ status: { state } }: InstanceRow): SnmpValue => integer(state === 'master' ? 3 : state === 'backup' ? 2 : 1) // prettier-ignore
const hosts = ({ config }: InstanceRow) => config.addresses.map(({ address }) => address)
const rejected = ({ status }: InstanceRow, ...reasons: readonly string[]): number =>
  reasons.reduce((sum, reason) => sum + (status.counters.rejected[reason] ?? 0), 0)

/** RFC 9568 §7.3: 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6. */
const virtualMac = ({ config }: InstanceRow): SnmpValue =>
  octets(Uint8Array.of(0, 0, 0x5e, 0, config.family === 'inet' ? 1 : 2, config.virtualRouterId))

/** The master as heard, or nobody: then all zeroes. */
const masterOf = ({ status, config }: InstanceRow): Buffer => {
  const heard = status.master === undefined ? undefined : parseAddress(status.master.address)
  const own = status.state === 'master' ? config.sourceAddress : heard
  return own === undefined ? Buffer.alloc(config.family === 'inet' ? 4 : 16) : Buffer.from(addressBytes(own))
}
const primaryOf = ({ config }: InstanceRow): Buffer =>
  config.sourceAddress === undefined ? Buffer.alloc(config.family === 'inet' ? 4 : 16) : Buffer.from(addressBytes(config.sourceAddress)) // prettier-ignore

const ipAddress = (value: Uint8Array): SnmpValue => ({ type: 'ipAddress', value })

const operColumns: readonly Column<InstanceRow>[] = [
  { number: 2, value: virtualMac },
  { number: 3, value: stateNumber },
  { number: 4, value: ({ status }) => truth(status.state !== 'stopped') },
  { number: 5, value: ({ status }) => integer(status.priority.effective) },
  { number: 6, value: (row) => integer(hosts(row).length) },
  { number: 7, value: (row) => ipAddress(masterOf(row)) },
  { number: 8, value: (row) => ipAddress(primaryOf(row)) },
  { number: 9, value: ({ config: { auth } }) => integer(auth === undefined ? 1 : auth.type === 'PASS' ? 2 : 3) },
  { number: 10, value: () => octets(Buffer.alloc(0)) }, // never told
  { number: 11, value: ({ config }) => integer(config.advertInterval / 1000) },
  { number: 12, value: ({ config }) => truth(config.preempt) },
  { number: 14, value: () => integer(1) },
  { number: 15, value: () => active },
]

const operStatistics: readonly Column<InstanceRow>[] = [
  { number: 1, value: ({ status }) => counter32(status.counters.becameMaster) },
  { number: 2, value: ({ status }) => counter32(status.counters.advertsReceived) },
  { number: 3, value: (row) => counter32(rejected(row, 'interval')) },
  { number: 4, value: (row) => counter32(rejected(row, 'authFailure')) },
  { number: 5, value: (row) => counter32(rejected(row, 'ttl')) },
  { number: 6, value: ({ status }) => counter32(status.counters.priorityZeroReceived) },
  { number: 7, value: ({ status }) => counter32(status.counters.priorityZeroSent) },
  { number: 8, value: (row) => counter32(rejected(row, 'type')) },
  { number: 9, value: (row) => counter32(rejected(row, 'addresses')) },
  { number: 10, value: (row) => counter32(rejected(row, 'authType')) },
  { number: 11, value: (row) => counter32(rejected(row, 'authMismatch')) },
  { number: 12, value: (row) => counter32(rejected(row, 'length')) },
]

const v3Columns: readonly Column<InstanceRow>[] = [
  { number: 3, value: (row) => octets(masterOf(row)) },
  { number: 4, value: (row) => octets(primaryOf(row)) },
  { number: 5, value: virtualMac },
  { number: 6, value: stateNumber },
  { number: 7, value: ({ status }) => gauge(status.priority.effective) },
  { number: 8, value: (row) => integer(hosts(row).length) },
  { number: 9, value: ({ config }) => integer(config.advertInterval / 10) },
  { number: 10, value: ({ config }) => truth(config.preempt) },
  { number: 11, value: ({ config }) => truth(config.accept) },
  { number: 13, value: () => active },
]

const v3Statistics: readonly Column<InstanceRow>[] = [
  { number: 1, value: ({ status }) => counter32(status.counters.becameMaster) },
  { number: 3, value: ({ status }) => counter64(status.counters.advertsReceived) },
  { number: 4, value: (row) => counter64(rejected(row, 'interval')) },
  { number: 5, value: (row) => counter64(rejected(row, 'ttl')) },
  { number: 7, value: ({ status }) => counter64(status.counters.priorityZeroReceived) },
  { number: 8, value: ({ status }) => counter64(status.counters.priorityZeroSent) },
  { number: 9, value: (row) => counter64(rejected(row, 'type')) },
  { number: 10, value: (row) => counter64(rejected(row, 'addresses')) },
  { number: 11, value: (row) => counter64(rejected(row, 'length')) },
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

const ofVersion = (snapshot: SnmpSnapshot, version: 2 | 3): InstanceRow[] =>
  instanceRows(snapshot).filter(
    ({ config, interfaceIndex }) => config.version === version && interfaceIndex !== undefined,
  )

/** Index: ifIndex, VRID; of addresses the address too. */
export function vrrpV2Nodes(snapshot: SnmpSnapshot): Node[] {
  const rows = ofVersion(snapshot, 2).filter(({ config }) => config.family === 'inet')
  const indexOf = ({ interfaceIndex = 0, config }: InstanceRow): Oid => [interfaceIndex, config.virtualRouterId]
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
    scalar([2, 3], counter32(0)), // unknown VRIDs are not counted
    table([...vrrpMib, 2, 4, 1], operStatistics, indexed),
  ]
}

/** Index: ifIndex, VRID, address type; of addresses their length and bytes too. */
export function vrrpV3Nodes(snapshot: SnmpSnapshot): Node[] {
  const rows = ofVersion(snapshot, 3)
  const indexOf = ({ interfaceIndex = 0, config }: InstanceRow): Oid => [interfaceIndex, config.virtualRouterId, config.family === 'inet' ? 1 : 2] // prettier-ignore
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
    scalar(3, counter64(0)),
    table([...vrrpv3Mib, 1, 2, 5, 1], v3Statistics, indexed),
  ]
}
