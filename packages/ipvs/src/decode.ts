import { addressFromBytes, DecodeError, type Address, type Family } from '@ipvs-director/core'
import { littleEndian, type AttributeValues } from '@ipvs-director/linux'
import type { DestinationEntry, Info, ServiceEntry, SyncDaemon, Timeouts } from './client.ts'
import * as c from './constants.ts'
import * as messages from './messages.ts'
import { forwardingMethods, protocolName, tunnelTypes } from './names.ts'
import {
  serviceFamily,
  type Destination,
  type DestinationKey,
  type ServiceKey,
  type ServiceSettings,
  type Statistics,
  type Tunnel,
} from './table.ts'

type ServiceValues = AttributeValues<typeof messages.service.rows>
type DestinationValues = AttributeValues<typeof messages.destination.rows>

/** A service without its statistics. */
export type PlainService = Pick<ServiceEntry, 'key' | 'settings'>

/**
 * The service in one message of GET_SERVICE. Undefined for one of another protocol than TCP, UDP and SCTP: the kernel
 * lets such services be added, and forwards nothing by them. Throws a DecodeError.
 */
export function decodeService(payload: Buffer): PlainService | undefined {
  return plainService(serviceValues(payload))
}

/** The same with its statistics. */
export function decodeServiceEntry(payload: Buffer): ServiceEntry | undefined {
  const values = serviceValues(payload)
  const plain = plainService(values)
  return plain === undefined ? undefined : { ...plain, statistics: decodeStatistics(values) }
}

/** The destination in one message of GET_DEST of a service of this family. Throws a DecodeError. */
export function decodeDestination(payload: Buffer, service: Family): Destination {
  return plainDestination(destinationValues(payload), service)
}

/** The same with what the kernel counts for it. */
export function decodeDestinationEntry(payload: Buffer, service: Family): DestinationEntry {
  const values = destinationValues(payload)
  return {
    destination: plainDestination(values, service),
    counters: {
      activeConnections: values.activeConnections ?? 0,
      inactiveConnections: values.inactiveConnections ?? 0,
      persistentConnections: values.persistentConnections ?? 0,
      statistics: decodeStatistics(values),
    },
  }
}

/** The answer to GET_CONFIG. Throws a DecodeError. */
export function decodeTimeouts(payload: Buffer): Timeouts {
  const { tcp, tcpFin, udp } = messages.message.decode(payload)
  return { tcp: needed(tcp, 'tcp timeout'), tcpFin: needed(tcpFin, 'tcp-fin timeout'), udp: needed(udp, 'udp timeout') }
}

/** The answer to GET_INFO. Throws a DecodeError. */
export function decodeInfo(payload: Buffer): Info {
  const { version, connectionTableSize } = messages.info.decode(payload)
  const code = needed(version, 'version')
  return {
    version: `${(code >> 16) & 0xff}.${(code >> 8) & 0xff}.${code & 0xff}`,
    connectionTableSize: needed(connectionTableSize, 'connection table size'),
  }
}

/** One message of GET_DAEMON. Throws a DecodeError. */
export function decodeDaemon(payload: Buffer): SyncDaemon {
  const values = needed(messages.message.decode(payload).daemon, 'daemon')
  const { group, group6, maxLength, port, ttl } = values
  const state = needed(values.state, 'daemon state')
  if (state !== c.IP_VS_STATE_MASTER && state !== c.IP_VS_STATE_BACKUP) throw new DecodeError(`daemon state ${state}`)
  return {
    state: state === c.IP_VS_STATE_MASTER ? 'master' : 'backup',
    interface: needed(values.interface, 'interface'),
    syncId: needed(values.syncId, 'sync id'),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(group === undefined ? {} : { group: readAddress(group, 'inet') }),
    ...(group6 === undefined ? {} : { group: readAddress(group6, 'inet6') }),
    ...(port === undefined ? {} : { port }),
    ...(ttl === undefined ? {} : { ttl }),
  }
}

const serviceValues = (payload: Buffer): ServiceValues => needed(messages.message.decode(payload).service, 'service')

const destinationValues = (payload: Buffer): DestinationValues =>
  needed(messages.message.decode(payload).destination, 'destination')

function plainService(values: ServiceValues): PlainService | undefined {
  const key = serviceKey(values)
  return key === undefined ? undefined : { key, settings: serviceSettings(values, serviceFamily(key)) }
}

/** The key among a service's attributes; undefined for a protocol that IPVS does not balance. */
export function serviceKey(values: ServiceValues): ServiceKey | undefined {
  const family = readFamily(needed(values.family, 'address family'))
  if (values.fwmark !== undefined) return { fwmark: values.fwmark, family }
  const protocol = protocolName(needed(values.protocol, 'protocol'))
  if (protocol === undefined) return undefined
  const address = readAddress(needed(values.address, 'address'), family)
  return { protocol, address, port: needed(values.port, 'port') }
}

function serviceSettings(values: ServiceValues, family: Family): ServiceSettings {
  const flags = needed(values.flags?.flags, 'flags')
  const netmask = needed(values.netmask, 'netmask')
  if (netmask.length !== 4) throw new DecodeError(`netmask of ${netmask.length} bytes`)
  const { engine } = values
  return {
    scheduler: needed(values.scheduler, 'scheduler'),
    persistence: (flags & c.IP_VS_SVC_F_PERSISTENT) === 0 ? 0 : needed(values.timeout, 'persistence timeout'),
    netmask: readNetmask(netmask, family),
    engine: engine === '' ? undefined : engine,
    onePacket: (flags & c.IP_VS_SVC_F_ONEPACKET) !== 0,
    flag1: (flags & c.IP_VS_SVC_F_SCHED1) !== 0,
    flag2: (flags & c.IP_VS_SVC_F_SCHED2) !== 0,
    flag3: (flags & c.IP_VS_SVC_F_SCHED3) !== 0,
  }
}

/** The key among a destination's attributes, under a service of this family. */
export function destinationKey(values: DestinationValues, service: Family): DestinationKey {
  const family = values.family === undefined ? service : readFamily(values.family)
  return { address: readAddress(needed(values.address, 'address'), family), port: needed(values.port, 'port') }
}

function plainDestination(values: DestinationValues, service: Family): Destination {
  // The kernel takes numbers that have no method yet; none of ours, so that a difference is seen.
  const forwarding =
    forwardingMethods[needed(values.forwarding, 'forwarding method') & c.IP_VS_CONN_F_FWD_MASK] ?? 'bypass'
  return {
    ...destinationKey(values, service),
    forwarding,
    weight: needed(values.weight, 'weight'),
    upperThreshold: needed(values.upperThreshold, 'upper threshold'),
    lowerThreshold: needed(values.lowerThreshold, 'lower threshold'),
    tunnel: forwarding === 'tunnel' ? readTunnel(values) : undefined,
  }
}

/** Kernels before 5.3 know ipip alone and send no options. A type nobody knows is forwarded as ipip. */
function readTunnel({ tunnelType = 0, tunnelPort = 0, tunnelFlags = 0 }: DestinationValues): Tunnel | undefined {
  if (tunnelType === 0 && tunnelPort === 0 && tunnelFlags === 0) return undefined
  const remote = (tunnelFlags & c.IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM) !== 0
  const plain = (tunnelFlags & c.IP_VS_TUNNEL_ENCAP_FLAG_CSUM) !== 0
  const checksum = remote ? 'remcsum' : plain ? 'csum' : 'none'
  return { type: tunnelTypes[tunnelType] ?? 'ipip', port: tunnelPort, checksum }
}

function decodeStatistics(values: Pick<ServiceValues, 'statistics' | 'statistics64'>): Statistics {
  const read: Partial<Readonly<Record<keyof Statistics, number | bigint | undefined>>> =
    values.statistics64 !== undefined
      ? messages.statistics64.decode(values.statistics64)
      : values.statistics !== undefined
        ? messages.statistics.decode(values.statistics)
        : {}
  return {
    connections: BigInt(read.connections ?? 0),
    inPackets: BigInt(read.inPackets ?? 0),
    outPackets: BigInt(read.outPackets ?? 0),
    inBytes: BigInt(read.inBytes ?? 0),
    outBytes: BigInt(read.outBytes ?? 0),
    connectionRate: BigInt(read.connectionRate ?? 0),
    inPacketRate: BigInt(read.inPacketRate ?? 0),
    outPacketRate: BigInt(read.outPacketRate ?? 0),
    inByteRate: BigInt(read.inByteRate ?? 0),
    outByteRate: BigInt(read.outByteRate ?? 0),
  }
}

function readFamily(number: number): Family {
  if (number === c.AF_INET) return 'inet'
  if (number === c.AF_INET6) return 'inet6'
  throw new DecodeError(`address family ${number}`)
}

function readAddress(bytes: Uint8Array, family: Family): Address {
  const length = family === 'inet' ? 4 : 16
  if (bytes.length < length) throw new DecodeError(`${bytes.length} bytes where an address has ${length}`)
  return addressFromBytes(bytes.subarray(0, length))
}

function readNetmask(bytes: Uint8Array, family: Family): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4)
  return view.getUint32(0, family === 'inet6' && littleEndian)
}

function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new DecodeError(`no ${what} in the kernel's answer`)
  return value
}
