import { addressBytes, familyOf, type Address, type Family } from '@ipvs-director/core'
import { littleEndian, type AttributeValues, type Writer } from '@ipvs-director/linux'
import type { SyncDaemon, Timeouts } from './client.ts'
import * as c from './constants.ts'
import * as messages from './messages.ts'
import { checksumFlags, forwardingMethods, protocolNumbers, tunnelTypes } from './names.ts'
import { tunnelOf } from './same.ts'
import {
  isMark,
  serviceFamily,
  type Command,
  type Destination,
  type DestinationKey,
  type ServiceKey,
  type ServiceSettings,
} from './table.ts'

/** What a message of the family carries. */
export type MessageValues = AttributeValues<typeof messages.message.rows>
type ServiceValues = AttributeValues<typeof messages.service.rows>
type DestinationValues = AttributeValues<typeof messages.destination.rows>
type DaemonValues = AttributeValues<typeof messages.daemon.rows>

/** IPVS_CMD_* for each command. */
export const commandNumbers: Readonly<Record<Command['do'], number>> = {
  addService: c.IPVS_CMD_NEW_SERVICE,
  setService: c.IPVS_CMD_SET_SERVICE,
  deleteService: c.IPVS_CMD_DEL_SERVICE,
  addDestination: c.IPVS_CMD_NEW_DEST,
  setDestination: c.IPVS_CMD_SET_DEST,
  deleteDestination: c.IPVS_CMD_DEL_DEST,
  flush: c.IPVS_CMD_FLUSH,
}

/** Writes a command's attributes. NEW and SET want everything that can be edited, the others the key alone. */
export function encodeCommand(writer: Writer, command: Command): void {
  messages.message.encodeInto(writer, commandValues(command))
}

/** The attributes that name a service: for GET_SERVICE, GET_DEST and ZERO. */
export function encodeServiceKey(key: ServiceKey): Buffer {
  return messages.message.encode({ service: serviceKeyValues(key) })
}

function commandValues(command: Command): MessageValues {
  switch (command.do) {
    case 'addService':
    case 'setService':
      return { service: { ...serviceKeyValues(command.key), ...settingsValues(command.key, command.settings) } }
    case 'deleteService':
      return { service: serviceKeyValues(command.key) }
    case 'addDestination':
    case 'setDestination':
      return { service: serviceKeyValues(command.service), destination: destinationValues(command.destination) }
    case 'deleteDestination':
      return { service: serviceKeyValues(command.service), destination: destinationKeyValues(command.destination) }
    case 'flush':
      return {}
  }
}

function serviceKeyValues(key: ServiceKey): ServiceValues {
  const family = familyNumber(serviceFamily(key))
  if (isMark(key)) return { family, fwmark: key.fwmark }
  return { family, protocol: protocolNumbers[key.protocol], address: paddedAddress(key.address), port: key.port }
}

function settingsValues(key: ServiceKey, settings: ServiceSettings): ServiceValues {
  return {
    scheduler: settings.scheduler,
    flags: { flags: flagsOf(settings), mask: 0xffffffff },
    timeout: settings.persistence,
    netmask: netmaskBytes(serviceFamily(key), settings.netmask),
    engine: settings.engine,
  }
}

function flagsOf({ persistence, onePacket, flag1, flag2, flag3 }: ServiceSettings): number {
  return (
    (persistence > 0 ? c.IP_VS_SVC_F_PERSISTENT : 0) |
    (onePacket ? c.IP_VS_SVC_F_ONEPACKET : 0) |
    (flag1 ? c.IP_VS_SVC_F_SCHED1 : 0) |
    (flag2 ? c.IP_VS_SVC_F_SCHED2 : 0) |
    (flag3 ? c.IP_VS_SVC_F_SCHED3 : 0)
  )
}

function netmaskBytes(family: Family, netmask: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  if (family === 'inet' || !littleEndian) bytes.writeUInt32BE(netmask)
  else bytes.writeUInt32LE(netmask)
  return bytes
}

function destinationKeyValues({ address, port }: DestinationKey): DestinationValues {
  return { address: paddedAddress(address), port, family: familyNumber(familyOf(address)) }
}

function destinationValues(destination: Destination): DestinationValues {
  const { forwarding, weight, upperThreshold, lowerThreshold } = destination
  const key = destinationKeyValues(destination)
  const tunnel = tunnelOf(destination)
  const settings = { ...key, forwarding: forwardingMethods.indexOf(forwarding), weight, upperThreshold, lowerThreshold }
  if (tunnel === undefined) return settings
  return {
    ...settings,
    tunnelType: tunnelTypes.indexOf(tunnel.type),
    tunnelPort: tunnel.port,
    tunnelFlags: checksumFlags[tunnel.checksum],
  }
}

/** The attributes of SET_CONFIG. */
export function encodeTimeouts({ tcp, tcpFin, udp }: Timeouts): Buffer {
  return messages.message.encode({ tcp, tcpFin, udp })
}

/** The attributes of NEW_DAEMON. */
export function encodeDaemon(daemon: SyncDaemon): Buffer {
  const { group } = daemon
  const groupBytes = group === undefined ? undefined : addressBytes(group)
  const values: DaemonValues = {
    ...daemonKeyValues(daemon),
    interface: daemon.interface,
    maxLength: daemon.maxLength,
    group: groupBytes?.length === 4 ? groupBytes : undefined,
    group6: groupBytes?.length === 16 ? groupBytes : undefined,
    port: daemon.port,
    ttl: daemon.ttl,
  }
  return messages.message.encode({ daemon: values })
}

/** The attributes of DEL_DAEMON. */
export function encodeDaemonKey(daemon: Pick<SyncDaemon, 'state' | 'syncId'>): Buffer {
  return messages.message.encode({ daemon: daemonKeyValues(daemon) })
}

function daemonKeyValues({ state, syncId }: Pick<SyncDaemon, 'state' | 'syncId'>): DaemonValues {
  return { state: state === 'master' ? c.IP_VS_STATE_MASTER : c.IP_VS_STATE_BACKUP, syncId }
}

const familyNumber = (family: Family): number => (family === 'inet' ? c.AF_INET : c.AF_INET6)

/** union nf_inet_addr: 16 bytes, of which IPv4 uses the first four. */
function paddedAddress(address: Address): Uint8Array {
  const bytes = addressBytes(address)
  if (bytes.length === 16) return bytes
  const padded = new Uint8Array(16)
  padded.set(bytes)
  return padded
}
