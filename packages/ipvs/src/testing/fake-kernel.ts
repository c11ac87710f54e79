import { addressBytes, type Address } from '@ipvs-director/core'
import { attributes, text, u16, u32, Writer } from '@ipvs-director/linux'
import {
  fakeNetlink,
  type FakeAnswer,
  type FakeMessage,
  type FakeNetlink,
  type FakeRequest,
} from '@ipvs-director/linux/testing'
import type { SyncDaemon, Timeouts } from '../client.ts'
import * as c from '../constants.ts'
import { decodeDaemon, decodeDestination, decodeService, destinationKey, serviceKey } from '../decode.ts'
import { encodeCommand } from '../encode.ts'
import { MemoryDaemons } from '../memory-daemons.ts'
import { kernelSchedulers, MemoryTable } from '../memory-table.ts'
import * as messages from '../messages.ts'
import { parseText } from '../proc.ts'
import type { TextSource } from '../proc-file.ts'
import type { IpvsRefusal } from '../refusal.ts'
import { serviceFamily, serviceId, type Command, type Destination, type Service, type ServiceKey } from '../table.ts'
import { renderText } from './render-text.ts'

/** A kernel with IPVS behind a netlink channel: messages and text as Linux 6.1 has them, the table in memory. */
export interface FakeKernel {
  readonly channel: FakeNetlink
  readonly openText: () => TextSource
  readonly table: MemoryTable
  /** IPVS_CMD_* of every request so far. */
  readonly requests: number[]
  /** Texts read so far. */
  readonly reads: number
}

const genericHeaderBytes = 4
const controlId = 0x10
const familyId = 0x21
const control = attributes({ id: [1, u16], name: [2, text], version: [3, u32] })
const flagHashed = 2

/** `missing`: the kernel has no IPVS. */
export function fakeKernel({ missing = false } = {}): FakeKernel {
  const table = new MemoryTable(kernelSchedulers)
  const daemons = new MemoryDaemons()
  const requests: number[] = []
  let timeouts: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 }
  let reads = 0

  function answer(request: FakeRequest): FakeAnswer {
    const attributesOf = request.payload.subarray(genericHeaderBytes)
    if (request.type === controlId) {
      const { name } = control.decode(attributesOf)
      if (missing || name !== c.IPVS_GENL_NAME) return { errno: 2 }
      return [reply(control.encode({ id: familyId, name, version: 1 }))]
    }
    const command = request.payload[0] ?? 0
    requests.push(command)
    return carryOut(command, attributesOf, request.dump)
  }

  function carryOut(command: number, payload: Buffer, dump: boolean): FakeAnswer {
    const values = messages.message.decode(payload)
    switch (command) {
      case c.IPVS_CMD_GET_SERVICE: {
        if (dump) return [...table.services.values()].map(serviceReply)
        const service = table.services.get(serviceId(keyOf(payload)))
        return service === undefined ? { errno: 3 } : [serviceReply(service)]
      }
      case c.IPVS_CMD_GET_DEST: {
        const destinations = table.services.get(serviceId(keyOf(payload)))?.destinations.values() ?? []
        return [...destinations].toReversed().map(destinationReply)
      }
      case c.IPVS_CMD_NEW_DAEMON:
        return table.mixesFamilies ? { errno: 22 } : told(daemons.start(decodeDaemon(payload)))
      case c.IPVS_CMD_DEL_DAEMON:
        return told(daemons.stop(values.daemon?.state === c.IP_VS_STATE_MASTER ? 'master' : 'backup'))
      case c.IPVS_CMD_GET_DAEMON:
        return daemons.list().map(daemonReply)
      case c.IPVS_CMD_SET_CONFIG: {
        const { tcp = 0, tcpFin = 0, udp = 0 } = values
        if (Math.max(tcp, tcpFin, udp) > 2 ** 31 / 100) return { errno: 22 }
        timeouts = { tcp: tcp || timeouts.tcp, tcpFin: tcpFin || timeouts.tcpFin, udp: udp || timeouts.udp }
        return undefined
      }
      case c.IPVS_CMD_GET_CONFIG:
        return [reply(messages.message.encode(timeouts))]
      case c.IPVS_CMD_GET_INFO:
        return [reply(messages.info.encode({ version: 0x010201, connectionTableSize: 4096 }))]
      case c.IPVS_CMD_ZERO:
        return values.service === undefined || table.services.has(serviceId(keyOf(payload))) ? undefined : { errno: 3 }
      default:
        table.daemonRuns = daemons.list().length > 0
        return told(table.apply(commandOf(command, payload)))
    }
  }

  const channel = fakeNetlink(answer)
  return {
    channel,
    table,
    requests,
    get reads() {
      return reads
    },
    openText: () => ({
      read: () => {
        reads++
        return Promise.resolve(parseText(renderText(table.services.values())))
      },
      close: () => undefined,
    }),
  }
}

/** As the kernel answers: by number. */
const told = (refusal: IpvsRefusal | undefined): FakeAnswer => refusal && { errno: refusal.errno }

function commandOf(command: number, payload: Buffer): Command {
  switch (command) {
    case c.IPVS_CMD_NEW_SERVICE:
    case c.IPVS_CMD_SET_SERVICE: {
      const service = decodeService(payload)
      if (service === undefined) throw new Error('a service of another protocol')
      return { do: command === c.IPVS_CMD_NEW_SERVICE ? 'addService' : 'setService', ...service }
    }
    case c.IPVS_CMD_DEL_SERVICE:
      return { do: 'deleteService', key: keyOf(payload) }
    case c.IPVS_CMD_NEW_DEST:
    case c.IPVS_CMD_SET_DEST: {
      const service = keyOf(payload)
      const destination = decodeDestination(payload, serviceFamily(service))
      return { do: command === c.IPVS_CMD_NEW_DEST ? 'addDestination' : 'setDestination', service, destination }
    }
    case c.IPVS_CMD_DEL_DEST: {
      const service = keyOf(payload)
      const destination = destinationKey(messages.message.decode(payload).destination ?? {}, serviceFamily(service))
      return { do: 'deleteDestination', service, destination }
    }
    case c.IPVS_CMD_FLUSH:
      return { do: 'flush' }
    default:
      throw new Error(`no such command: ${command}`)
  }
}

function keyOf(payload: Buffer): ServiceKey {
  const key = serviceKey(messages.message.decode(payload).service ?? {})
  if (key === undefined) throw new Error('a service of another protocol')
  return key
}

function serviceReply({ key, settings }: Service): FakeMessage {
  const { service } = encoded({ do: 'addService', key, settings })
  const flags = { flags: (service?.flags?.flags ?? 0) | flagHashed, mask: 0xffffffff }
  return reply(messages.message.encode({ service: { ...service, flags, ...noStatistics } }))
}

function destinationReply(destination: Destination): FakeMessage {
  const key: ServiceKey = { fwmark: 1, family: 'inet' }
  const values = encoded({ do: 'addDestination', service: key, destination }).destination
  const counted = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 }
  return reply(messages.message.encode({ destination: { ...values, ...counted, ...noStatistics } }))
}

function daemonReply(daemon: SyncDaemon): FakeMessage {
  const { state, interface: device, syncId, maxLength, group, port, ttl } = daemon
  const bytes = addressBytes(group ?? ('224.0.0.81' as Address))
  const number = state === 'master' ? c.IP_VS_STATE_MASTER : c.IP_VS_STATE_BACKUP
  const groups = bytes.length === 16 ? { group6: bytes } : { group: bytes }
  const values = { state: number, interface: device, syncId, maxLength, ...groups, port, ttl }
  return reply(messages.message.encode({ daemon: values }))
}

function encoded(command: Command): ReturnType<typeof messages.message.decode> {
  const writer = new Writer()
  encodeCommand(writer, command)
  return messages.message.decode(writer.copy())
}

const noStatistics = {
  statistics: messages.statistics.encode({ connections: 0, inBytes: 0n }),
  statistics64: messages.statistics64.encode({ connections: 0n, inBytes: 0n }),
}

const reply = (payload: Buffer): FakeMessage => ({ payload: Buffer.concat([Buffer.from([1, 1, 0, 0]), payload]) })
