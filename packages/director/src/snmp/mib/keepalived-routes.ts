/** KEEPALIVED-MIB, `vrrp`: routes and their next hops. Read-only. */
import type { NetworkRoute, NextHop } from '@ipvs-director/config'
import { addressBytes } from '@ipvs-director/core'
import type { Route, RouteNextHop } from '@ipvs-director/linux'
import { kernelRoute } from '../../vrrp-link/entries.ts'
import { table, type Column, type Node } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, octets, text, truth, type SnmpValue } from '../value.ts'
import { under } from './keepalived-global.ts'
import { scopeNumber, type Entry } from './keepalived-entries.ts'

interface RouteRow extends Entry<NetworkRoute> {
  /** As it is given to the kernel; undefined: something it names is not there. */
  readonly route: Route | undefined
  readonly interfaceIndex: number | undefined
}

interface HopRow {
  readonly wanted: Pick<NextHop, 'gateway' | 'interface' | 'weight' | 'onlink'>
  readonly hop: RouteNextHop | undefined
}

/** `vrrpRouteType`; the others are 1. */
const types: Readonly<Record<string, number>> = { blackhole: 3, multicast: 5, broadcast: 6, unreachable: 7, prohibit: 8, throw: 9, nat: 10 } // prettier-ignore
const preferences = { low: 1, medium: 2, high: 3 } as const
const encapsulations = { mpls: 2, ip: 3, ila: 4, ip6: 5 } as const
const RTPROT_KEEPALIVED = 18
const RT_TABLE_MAIN = 254

const hopsOf = ({ gateway, alternative, interface: on, onlink, nextHops }: NetworkRoute): HopRow['wanted'][] => [
  ...(alternative === undefined ? [] : [gateway, alternative].map((each) => ({ gateway: each, interface: on, weight: 1, onlink }))), // prettier-ignore
  ...nextHops,
]

const unsigned = (value: number | undefined): SnmpValue | undefined => (value === undefined ? undefined : gauge(value))
const known = <T>(value: T | undefined, make: (value: T) => SnmpValue): SnmpValue | undefined =>
  value === undefined ? undefined : make(value)

/** A metric, and whether the kernel must leave it alone. `divisor`: the kernel's units in one of the MIB's. */
function metric(
  number: number,
  name: 'mtu' | 'advmss' | 'rtt' | 'rttvar' | 'reordering' | 'cwnd' | 'ssthresh' | 'rto_min',
  divisor = 1,
): Column<RouteRow>[] {
  // prettier-ignore
  return [
    { number, value: ({ route }) => known(route?.metrics?.[name], (value) => gauge(Math.trunc(value / divisor))) },
    { number: number + 1, value: ({ wanted }) => known(wanted.metrics[name], ({ lock }) => truth(lock)) },
  ]
}

/** Of the destination in the lower half, of the source in the upper. */
const realms = <Row>(number: number, of: (row: Row) => number | undefined): Column<Row>[] => [
  { number, value: (row) => { const both = of(row) ?? 0; return both === 0 ? undefined : gauge(both & 0xffff) } }, // prettier-ignore
  { number: number + 1, value: (row) => { const from = (of(row) ?? 0) >>> 16; return from === 0 ? undefined : gauge(from) } }, // prettier-ignore
]

const encapsulation = ({ route }: RouteRow) => route?.encapsulation
const tunnel = (row: RouteRow) => {
  const found = encapsulation(row)
  return found?.kind === 'ip' || found?.kind === 'ip6' ? found : undefined
}

const encapsulationColumns: readonly Column<RouteRow>[] = [
  { number: 46, value: (row) => known(encapsulation(row), ({ kind }) => integer(encapsulations[kind])) },
  { number: 47, value: (row) => { const found = encapsulation(row); return found?.kind === 'mpls' ? text(found.labels.join('/')) : undefined } }, // prettier-ignore
  { number: 48, value: (row) => known(tunnel(row)?.id, (value) => ({ type: 'counter64', value })) },
  { number: 49, value: (row) => known(tunnel(row)?.destination, addressOctets) },
  { number: 50, value: (row) => known(tunnel(row)?.source, addressOctets) },
  { number: 51, value: (row) => unsigned(tunnel(row)?.tos) },
  { number: 52, value: (row) => unsigned(tunnel(row)?.ttl) },
  { number: 54, value: (row) => { const found = encapsulation(row); return found?.kind === 'ila' ? { type: 'counter64', value: Buffer.from(found.locator).readBigUInt64BE() } : undefined } }, // prettier-ignore
]

const routeColumns: readonly Column<RouteRow>[] = [
  { number: 2, value: ({ wanted }) => integer(wanted.family === 'inet' ? 1 : 2) },
  { number: 3, value: ({ wanted }) => wanted.destination && octets(addressBytes(wanted.destination.address)) },
  { number: 4, value: ({ wanted }) => unsigned(wanted.destination?.length) },
  { number: 5, value: ({ wanted }) => known(wanted.gateway, addressOctets) },
  { number: 6, value: ({ wanted }) => known(wanted.alternative, addressOctets) },
  { number: 7, value: ({ wanted }) => known(wanted.source, addressOctets) },
  { number: 8, value: ({ wanted }) => gauge(wanted.metric ?? 0) },
  { number: 9, value: ({ route }) => integer(scopeNumber(route?.scope ?? 0)) },
  { number: 10, value: ({ wanted }) => integer(hopsOf(wanted).length > 0 ? 2 : (types[wanted.type] ?? 1)) },
  { number: 11, value: ({ interfaceIndex }) => known(interfaceIndex, integer) },
  { number: 12, value: ({ wanted }) => known(wanted.interface, text) },
  { number: 13, value: ({ wanted: { table: given }, route }) => gauge(route?.table ?? (typeof given === 'number' ? given : RT_TABLE_MAIN)) }, // prettier-ignore
  { number: 14, value: ({ isSet }) => truth(isSet) },
  { number: 17, value: ({ wanted, route }) => (wanted.tos === undefined ? undefined : unsigned(route?.tos)) },
  { number: 18, value: ({ route }) => integer((route?.protocol ?? RTPROT_KEEPALIVED) + 1) },
  { number: 19, value: ({ wanted }) => truth(wanted.ecn) },
  { number: 20, value: ({ wanted }) => truth(wanted.quickAck === true) },
  { number: 21, value: ({ wanted }) => known(wanted.expires, integer) },
  ...metric(22, 'mtu'),
  { number: 24, value: ({ route }) => unsigned(route?.metrics?.hoplimit) },
  ...metric(25, 'advmss'),
  ...metric(27, 'rtt', 8),
  ...metric(29, 'rttvar', 4),
  ...metric(31, 'reordering'),
  { number: 33, value: ({ route }) => unsigned(route?.metrics?.window) },
  ...metric(34, 'cwnd'),
  ...metric(36, 'ssthresh'),
  ...metric(38, 'rto_min'),
  { number: 40, value: ({ route }) => unsigned(route?.metrics?.initcwnd) },
  { number: 41, value: ({ route }) => unsigned(route?.metrics?.initrwnd) },
  { number: 42, value: ({ route }) => known(route?.metrics?.congctl, text) },
  { number: 43, value: ({ wanted }) => known(wanted.preference, (value) => integer(preferences[value])) },
  ...realms<RouteRow>(44, ({ route }) => route?.realms),
  ...encapsulationColumns,
  { number: 55, value: ({ wanted }) => known(wanted.fastopenNoCookie, truth) },
]

const hopColumns: readonly Column<HopRow>[] = [
  { number: 2, value: ({ wanted }) => known(wanted.gateway, addressType) },
  { number: 3, value: ({ wanted }) => known(wanted.gateway, addressOctets) },
  { number: 4, value: ({ hop }) => known(hop?.index, integer) },
  { number: 5, value: ({ wanted }) => known(wanted.interface, text) },
  { number: 6, value: ({ wanted }) => gauge(wanted.weight) },
  { number: 7, value: ({ wanted }) => truth(wanted.onlink) },
  ...realms<HopRow>(8, ({ hop }) => hop?.realms),
]

export function routeNodes(
  entries: readonly Entry<NetworkRoute>[],
  indexOf: (name: string | undefined) => number | undefined,
): Node[] {
  const rows = entries.map((entry): RouteRow => {
    return { ...entry, route: asGiven(entry.wanted, indexOf), interfaceIndex: indexOf(entry.wanted.interface) }
  })
  return [
    table<RouteRow>(under(2, 7, 1), routeColumns, rows.map((row) => ({ index: row.index, row }))), // prettier-ignore
    table<HopRow>(
      under(2, 11, 1),
      hopColumns,
      rows.flatMap(({ index, wanted, route }) =>
        hopsOf(wanted).map((hop, i) => ({ index: [...index, i + 1], row: { wanted: hop, hop: route?.nextHops?.[i] } })),
      ),
    ),
  ]
}

function asGiven(wanted: NetworkRoute, indexOf: (name: string) => number | undefined): Route | undefined {
  try {
    return kernelRoute(wanted, indexOf, () => undefined)
  } catch {
    return undefined
  }
}
