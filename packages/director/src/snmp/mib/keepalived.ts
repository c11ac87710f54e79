/** KEEPALIVED-MIB (enterprises.9586.100.5): its globals, virtual and real servers, timeouts. Read-only. */
import type { Forwarding, Script } from '@ipvs-director/config'
import { addressBytes, parseAddress } from '@ipvs-director/core'
import { oid, type Oid } from '../oid.ts'
import { table, type Column, type Node } from '../tree.ts'
import { addressOctets, addressType, counter64, gauge, integer, octets, text, truth, type SnmpValue } from '../value.ts'
import { routerOf, serverRows, serviceRows, type ServerRow, type ServiceRow, type SnmpSnapshot } from './snapshot.ts'

export const keepalivedMib = oid('1.3.6.1.4.1.9586.100.5')
export const under = (...numbers: readonly number[]): Oid => [...keepalivedMib, ...numbers]

const words = (script: Script | undefined): SnmpValue | undefined => script && text(script.words.join(' '))
const milliseconds = (value: number): SnmpValue => gauge(value / 1000)

/** `virtualServerLoadBalancingAlgo`. */
const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']
const unknownScheduler = 99
const protocols = { tcp: 1, udp: 2, sctp: 3 } as const
const kinds = { fwmark: 1, address: 2, group: 3 } as const
const methods = { masq: 1, droute: 2, tunnel: 3 } as const
const tunnels = { ipip: 1, gue: 2, gre: 3 } as const
const checksums = { none: 1, csum: 2, remcsum: 3 } as const

const methodOf = ({ method }: Forwarding): SnmpValue => integer(methods[method])
const tunnelColumns = <Row>(first: number, of: (row: Row) => Forwarding | undefined): Column<Row>[] => [
  { number: first, value: (row) => tunnelValue(of(row), ({ type }) => integer(tunnels[type])) },
  { number: first + 1, value: (row) => tunnelValue(of(row), ({ type, port }) => (type === 'gue' ? gauge(port) : undefined)) }, // prettier-ignore
  { number: first + 2, value: (row) => tunnelValue(of(row), ({ checksum }) => integer(checksums[checksum])) },
]
const tunnelValue = (
  forwarding: Forwarding | undefined,
  make: (tunnel: NonNullable<Forwarding['tunnel']>) => SnmpValue | undefined,
): SnmpValue | undefined => forwarding?.tunnel && make(forwarding.tunnel)

/** What tells which service a row, or a notification, is about. */
export const serviceIdentity: readonly Column<ServiceRow>[] = [
  { number: 2, value: ({ config }) => integer(kinds[config.target.kind]) },
  { number: 3, value: ({ config: { target } }) => (target.kind === 'group' ? text(target.group) : undefined) },
  { number: 4, value: ({ config: { target } }) => (target.kind === 'fwmark' ? gauge(target.fwmark) : undefined) },
  { number: 5, value: ({ config: { target } }) => (target.kind === 'address' ? addressType(target.address) : undefined) }, // prettier-ignore
  { number: 6, value: ({ config: { target } }) => (target.kind === 'address' ? addressOctets(target.address) : undefined) }, // prettier-ignore
  { number: 7, value: ({ config: { target } }) => (target.kind === 'address' ? gauge(target.port) : undefined) },
  { number: 8, value: ({ config }) => integer(protocols[config.protocol]) },
]

const isIpv6 = ({ config: { target } }: ServiceRow): boolean =>
  target.kind === 'address' ? target.address.includes(':') : target.kind === 'fwmark' && target.family === 'inet6'

const serviceColumns: readonly Column<ServiceRow>[] = [
  ...serviceIdentity,
  { number: 9, value: ({ config }) => integer(schedulers.indexOf(config.scheduler) + 1 || unknownScheduler) },
  { number: 10, value: ({ config }) => methodOf(config.forwarding) },
  { number: 11, value: ({ status }) => integer(status.servers.some(({ state }) => state === 'up') ? 1 : 2) },
  { number: 12, value: ({ config }) => (config.virtualhost === undefined ? undefined : text(config.virtualhost)) },
  { number: 13, value: ({ config }) => truth(config.persistenceTimeout > 0) },
  { number: 14, value: ({ config }) => (config.persistenceTimeout > 0 ? gauge(config.persistenceTimeout) : undefined) },
  { number: 15, value: (row) => (isIpv6(row) || row.config.persistenceTimeout === 0 ? undefined : mask(row.config.persistenceGranularity)) }, // prettier-ignore
  { number: 16, value: ({ config }) => milliseconds(config.delayLoop) },
  { number: 17, value: ({ config }) => truth(config.haSuspend) },
  { number: 18, value: ({ config }) => truth(config.alpha) },
  { number: 19, value: ({ config }) => truth(config.omega) },
  { number: 20, value: ({ config }) => gauge(config.realServers.length) },
  { number: 21, value: ({ status }) => gauge(status.servers.filter(({ state }) => state === 'up').length) },
  { number: 22, value: ({ config }) => gauge(config.quorum) },
  { number: 23, value: ({ status }) => integer(status.state === 'up' ? 1 : 2) },
  { number: 24, value: ({ config }) => words(config.quorumUp) },
  { number: 25, value: ({ config }) => words(config.quorumDown) },
  { number: 26, value: ({ config }) => gauge(config.hysteresis) },
  { number: 27, value: ({ status }) => gauge(status.totals.connections) },
  { number: 30, value: ({ status }) => counter64(status.totals.inBytes) },
  { number: 31, value: ({ status }) => counter64(status.totals.outBytes) },
  { number: 32, value: ({ status }) => gauge(status.totals.connectionRate) },
  { number: 35, value: ({ status }) => gauge(status.totals.inByteRate) },
  { number: 36, value: ({ status }) => gauge(status.totals.outByteRate) },
  { number: 37, value: ({ config }) => truth(config.onePacket) },
  { number: 38, value: ({ status }) => counter64(status.totals.connections) },
  { number: 51, value: (row) => (isIpv6(row) ? gauge(row.config.persistenceGranularity) : undefined) },
  { number: 61, value: ({ config }) => truth(config.smtpAlert) },
  { number: 64, value: ({ config }) => gauge(config.delayLoop * 1000) },
  ...tunnelColumns<ServiceRow>(68, ({ config }) => config.forwarding),
  { number: 71, value: ({ config }) => (config.snmpName === undefined ? undefined : text(config.snmpName)) },
  { number: 74, value: ({ status }) => counter64(status.totals.connectionRate) },
  { number: 77, value: ({ status }) => counter64(status.totals.inByteRate) },
  { number: 78, value: ({ status }) => counter64(status.totals.outByteRate) },
]

/** IPv4 netmask as an unsigned number, in network order. */
function mask(value: number): SnmpValue {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return octets(bytes)
}

/** Address and port of a server from its name, `10.0.0.2:80` or `[2001:db8::2]:80`. */
function endpointOf({ status }: ServerRow) {
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(status.name)
  const address = parseAddress(match?.[1] ?? '')
  return address === undefined ? undefined : { address, port: Number(match?.[2]) }
}
const first = ({ config }: ServerRow) => config?.checkers[0]?.timing
const present = ({ status }: ServerRow): boolean => status.kernelWeight !== undefined

/** What tells which server a row, or a notification, is about. */
export const serverIdentity: readonly Column<ServerRow>[] = [
  { number: 3, value: (row) => { const at = endpointOf(row); return at && addressType(at.address) } }, // prettier-ignore
  { number: 4, value: (row) => { const at = endpointOf(row); return at && octets(addressBytes(at.address)) } }, // prettier-ignore
  { number: 5, value: (row) => { const at = endpointOf(row); return at && gauge(at.port) } }, // prettier-ignore
  { number: 6, value: ({ status }) => integer(status.state === 'up' ? 1 : 2) },
]

const serverColumns: readonly Column<ServerRow>[] = [
  { number: 2, value: ({ config }) => integer(config === undefined ? 2 : 1) },
  ...serverIdentity,
  { number: 7, value: ({ config, status }) => integer(status.wantedWeight ?? config?.weight ?? 1) },
  { number: 8, value: ({ config }) => config && gauge(config.upperThreshold) },
  { number: 9, value: ({ config }) => config && gauge(config.lowerThreshold) },
  { number: 10, value: ({ config }) => config && integer(config.inhibitOnFailure ? 2 : 1) },
  { number: 11, value: ({ config }) => words(config?.notifyUp) },
  { number: 12, value: ({ config }) => words(config?.notifyDown) },
  { number: 13, value: ({ config, status }) => config && gauge(status.checks.filter(({ state }) => state === 'down').length) }, // prettier-ignore
  { number: 14, value: (row) => (present(row) ? gauge(row.status.traffic.connections) : undefined) },
  { number: 15, value: (row) => (present(row) ? gauge(row.status.traffic.activeConnections) : undefined) },
  { number: 16, value: (row) => (present(row) ? gauge(row.status.traffic.inactiveConnections) : undefined) },
  { number: 20, value: (row) => (present(row) ? counter64(row.status.traffic.inBytes) : undefined) },
  { number: 21, value: (row) => (present(row) ? counter64(row.status.traffic.outBytes) : undefined) },
  { number: 22, value: (row) => (present(row) ? gauge(row.status.traffic.connectionRate) : undefined) },
  { number: 25, value: (row) => (present(row) ? gauge(row.status.traffic.inByteRate) : undefined) },
  { number: 26, value: (row) => (present(row) ? gauge(row.status.traffic.outByteRate) : undefined) },
  { number: 27, value: (row) => (present(row) ? counter64(row.status.traffic.connections) : undefined) },
  { number: 40, value: ({ config, service }) => methodOf(config?.forwarding ?? service.sorryServer?.forwarding ?? service.forwarding) }, // prettier-ignore
  { number: 41, value: ({ config }) => (config?.virtualhost === undefined ? undefined : text(config.virtualhost)) },
  { number: 42, value: (row) => { const timing = first(row); return timing && truth(timing.alpha) } }, // prettier-ignore
  { number: 43, value: (row) => { const timing = first(row); return timing && gauge(timing.retry) } }, // prettier-ignore
  { number: 44, value: (row) => { const timing = first(row); return timing && milliseconds(timing.delayBeforeRetry) } }, // prettier-ignore
  { number: 45, value: (row) => { const timing = first(row); return timing && milliseconds(timing.warmup) } }, // prettier-ignore
  { number: 46, value: (row) => { const timing = first(row); return timing && milliseconds(timing.delayLoop) } }, // prettier-ignore
  { number: 47, value: ({ config }) => config && truth(config.smtpAlert) },
  ...tunnelColumns<ServerRow>(52, ({ config, service }) => config?.forwarding ?? service.sorryServer?.forwarding),
  { number: 55, value: ({ config }) => (config?.snmpName === undefined ? undefined : text(config.snmpName)) },
  { number: 58, value: (row) => (present(row) ? counter64(row.status.traffic.connectionRate) : undefined) },
  { number: 61, value: (row) => (present(row) ? counter64(row.status.traffic.inByteRate) : undefined) },
  { number: 62, value: (row) => (present(row) ? counter64(row.status.traffic.outByteRate) : undefined) },
]

/** `global`: version, router, mail. */
function globalNodes(snapshot: SnmpSnapshot): Node[] {
  const { config, status } = snapshot
  const { globals, snmp } = config
  const scalar = (numbers: readonly number[], value: SnmpValue | undefined): Node => ({ kind: 'scalar', oid: under(1, ...numbers), value }) // prettier-ignore
  const mail = globals.alarms?.mail
  const server = mail && parseAddress(mail.host)
  const emails = mail?.to.map((address, i) => ({ index: [i + 1], row: address })) ?? []
  return [
    scalar([1], text(`ipvs-director ${status.version}`)),
    scalar([2], text(routerOf(snapshot))),
    // InetAddressType dns is 16.
    scalar([3, 1], mail && (server === undefined ? integer(16) : addressType(server))),
    scalar([3, 2], mail && (server === undefined ? text(mail.host) : addressOctets(server))),
    scalar([3, 3], mail && milliseconds(mail.timeout)),
    scalar([3, 4], mail?.from === undefined ? undefined : text(mail.from)),
    table<string>(under(1, 3, 5, 1), [{ number: 2, value: text }], emails),
    scalar([3, 6], mail && gauge(mail.port)),
    scalar([4], truth(snmp.traps)),
    scalar([5], integer(1)),
    scalar([6], truth(globals.lvsFlush)),
    scalar([7], truth(true)),
    scalar([9], truth(false)),
    scalar([10], truth(config.vrrp.globals.dynamicInterfaces !== false)),
    scalar([11], integer(globals.lvsFlushOnStop === 'all' ? 1 : globals.lvsFlushOnStop === 'VS' ? 3 : 2)),
  ]
}

/** Everything of `global` and `check`. */
export function keepalivedNodes(snapshot: SnmpSnapshot): Node[] {
  const services = serviceRows(snapshot)
  const timeouts = snapshot.config.globals.lvsTimeouts
  return [
    ...globalNodes(snapshot),
    table<ServiceRow>(under(3, 3, 1), serviceColumns, services.map((row, i) => ({ index: [i + 1], row }))), // prettier-ignore
    table<ServerRow>(
      under(3, 4, 1),
      serverColumns,
      services.flatMap((service, i) => serverRows(service).map((row, j) => ({ index: [i + 1, j + 1], row }))),
    ),
    { kind: 'scalar', oid: under(3, 7, 1), value: timeouts && integer(timeouts.tcp) },
    { kind: 'scalar', oid: under(3, 7, 2), value: timeouts && integer(timeouts.tcpFin) },
    { kind: 'scalar', oid: under(3, 7, 3), value: timeouts && integer(timeouts.udp) },
  ]
}
