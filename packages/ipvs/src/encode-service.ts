import type { Family } from '@ipvs-director/core'
import { littleEndian } from '@ipvs-director/linux'
import * as c from './constants.ts'
import * as messages from './messages.ts'
import { familyNumber, protocolNumbers } from './names.ts'
import { sameService } from './same.ts'
import { isMark, serviceFamily, type ServiceKey, type ServiceSettings } from './table.ts'
import { Template } from './template.ts'

const addressKey = new Template(
  messages.service.encode({ family: 0, protocol: 0, address: new Uint8Array(16), port: 0 }),
)
const familyAt = addressKey.find(c.IPVS_SVC_ATTR_AF)
const protocolAt = addressKey.find(c.IPVS_SVC_ATTR_PROTOCOL)
const addressAt = addressKey.find(c.IPVS_SVC_ATTR_ADDR)
const portAt = addressKey.find(c.IPVS_SVC_ATTR_PORT)

/** The attributes that name a service, without the SERVICE around them. Valid until the next call. */
export function serviceKeyBytes(key: ServiceKey): Buffer {
  const family = familyNumber(serviceFamily(key))
  if (isMark(key)) return messages.service.encode({ family, fwmark: key.fwmark })
  addressKey.u16(familyAt, family)
  addressKey.u16(protocolAt, protocolNumbers[key.protocol])
  addressKey.address(addressAt, key.address)
  addressKey.be16(portAt, key.port)
  return addressKey.bytes
}

let lastSettings: { readonly settings: ServiceSettings; readonly family: Family; readonly bytes: Buffer } | undefined

/** The attributes that NEW_SERVICE and SET_SERVICE want beside the key. Most services of a table have the same. */
export function serviceSettingsBytes(settings: ServiceSettings, family: Family): Buffer {
  if (lastSettings?.family === family && sameService(lastSettings.settings, settings)) return lastSettings.bytes
  const bytes = messages.service.encode({
    scheduler: settings.scheduler,
    flags: { flags: flagsOf(settings), mask: 0xffffffff },
    timeout: settings.persistence,
    netmask: netmaskBytes(family, settings.netmask),
    engine: settings.engine,
  })
  lastSettings = { settings, family, bytes }
  return bytes
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
