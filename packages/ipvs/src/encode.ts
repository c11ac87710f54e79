import { addressBytes } from '@ipvs-director/core'
import { Writer } from '@ipvs-director/linux'
import type { SyncDaemon, Timeouts } from './client.ts'
import * as c from './constants.ts'
import { destinationBytes, destinationKeyBytes } from './encode-destination.ts'
import { serviceKeyBytes, serviceSettingsBytes } from './encode-service.ts'
import * as messages from './messages.ts'
import { serviceFamily, type Command, type ServiceKey, type ServiceSettings } from './table.ts'

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

/**
 * Writes a command's attributes: NEW and SET want everything that can be edited, the others the key alone. The values
 * must be within {@link beyondLimits}.
 */
export function encodeCommand(writer: Writer, command: Command): void {
  switch (command.do) {
    case 'addService':
    case 'setService':
      writeService(writer, command.key, command.settings)
      return
    case 'deleteService':
      writeService(writer, command.key)
      return
    case 'addDestination':
    case 'setDestination':
      writeService(writer, command.service)
      writer.bytes(destinationBytes(command.destination))
      return
    case 'deleteDestination':
      writeService(writer, command.service)
      writer.bytes(destinationKeyBytes(command.destination))
      return
    case 'flush':
      return
  }
}

/** The attributes that name a service: for GET_SERVICE, GET_DEST and ZERO. */
export function encodeServiceKey(key: ServiceKey): Buffer {
  const writer = new Writer(64)
  writeService(writer, key)
  return writer.view()
}

function writeService(writer: Writer, key: ServiceKey, settings?: ServiceSettings): void {
  const start = writer.openAttribute(c.IPVS_CMD_ATTR_SERVICE | nestedFlag)
  writer.bytes(serviceKeyBytes(key))
  if (settings !== undefined) writer.bytes(serviceSettingsBytes(settings, serviceFamily(key)))
  writer.closeAttribute(start)
}

/** NLA_F_NESTED */
const nestedFlag = 0x8000

/** The attributes of SET_CONFIG. */
export function encodeTimeouts({ tcp, tcpFin, udp }: Timeouts): Buffer {
  return messages.message.encode({ tcp, tcpFin, udp })
}

/** The attributes of NEW_DAEMON. */
export function encodeDaemon(daemon: SyncDaemon): Buffer {
  const { interface: device, syncId, maxLength, group, port, ttl } = daemon
  const bytes = group === undefined ? undefined : addressBytes(group)
  const groups = bytes?.length === 16 ? { group6: bytes } : { group: bytes }
  const values = { state: daemonState(daemon), interface: device, syncId, maxLength, ...groups, port, ttl }
  return messages.message.encode({ daemon: values })
}

/** The attributes of DEL_DAEMON. */
export function encodeDaemonKey(daemon: Pick<SyncDaemon, 'state' | 'syncId'>): Buffer {
  return messages.message.encode({ daemon: { state: daemonState(daemon), syncId: daemon.syncId } })
}

const daemonState = ({ state }: Pick<SyncDaemon, 'state'>): number =>
  state === 'master' ? c.IP_VS_STATE_MASTER : c.IP_VS_STATE_BACKUP
