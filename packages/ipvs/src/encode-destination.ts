import { familyOf } from '@ipvs-director/core'
import * as c from './constants.ts'
import * as messages from './messages.ts'
import { checksumFlags, familyNumber, forwardingMethods, tunnelTypes } from './names.ts'
import { tunnelOf } from './same.ts'
import type { Destination, DestinationKey } from './table.ts'
import { Template } from './template.ts'

const zeroKey = { address: new Uint8Array(16), port: 0, family: 0 }
const zeroSettings = { ...zeroKey, forwarding: 0, weight: 0, upperThreshold: 0, lowerThreshold: 0 }

const ofKey = destinationTemplate(zeroKey)
const plain = destinationTemplate(zeroSettings)
const tunnelled = destinationTemplate({ ...zeroSettings, tunnelType: 0, tunnelPort: 0, tunnelFlags: 0 })

// The key comes first in the table, then the settings, then the tunnel's options: offsets are the same in all three.
const addressAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_ADDR)
const portAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_PORT)
const familyAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_ADDR_FAMILY)
const forwardingAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_FWD_METHOD)
const weightAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_WEIGHT)
const upperAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_U_THRESH)
const lowerAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_L_THRESH)
const tunnelTypeAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_TUN_TYPE)
const tunnelPortAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_TUN_PORT)
const tunnelFlagsAt = tunnelled.find(c.IPVS_CMD_ATTR_DEST, c.IPVS_DEST_ATTR_TUN_FLAGS)

/** The attribute DEST with the key alone, for DEL_DEST. Valid until the next call. */
export function destinationKeyBytes(key: DestinationKey): Buffer {
  setKey(ofKey, key)
  return ofKey.bytes
}

/** The attribute DEST with all that NEW_DEST and SET_DEST want. Valid until the next call. */
export function destinationBytes(destination: Destination): Buffer {
  const tunnel = tunnelOf(destination)
  const template = tunnel === undefined ? plain : tunnelled
  setKey(template, destination)
  template.u32(forwardingAt, forwardingMethods.indexOf(destination.forwarding))
  template.u32(weightAt, destination.weight) // -1 becomes 2^32-1, which the kernel reads as -1 again
  template.u32(upperAt, destination.upperThreshold)
  template.u32(lowerAt, destination.lowerThreshold)
  if (tunnel !== undefined) {
    template.u8(tunnelTypeAt, tunnelTypes.indexOf(tunnel.type))
    template.be16(tunnelPortAt, tunnel.port)
    template.u16(tunnelFlagsAt, checksumFlags[tunnel.checksum])
  }
  return template.bytes
}

function setKey(template: Template, { address, port }: DestinationKey): void {
  template.address(addressAt, address)
  template.be16(portAt, port)
  template.u16(familyAt, familyNumber(familyOf(address)))
}

function destinationTemplate(values: Parameters<typeof messages.destination.encode>[0]): Template {
  return new Template(messages.message.encode({ destination: values }))
}
