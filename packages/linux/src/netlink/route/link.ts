/** Network interfaces (linux/if_link.h). */
import { DecodeError } from '@ipvs-director/core'
import { attributes, nested } from '../attributes.ts'
import type { NetlinkRequest } from '../channel.ts'
import { bytes, s32, text, u16, u32, u8 } from '../codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../message.ts'
import { struct } from '../struct.ts'
import { AF_UNSPEC, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK } from './constants.ts'

/** A network interface as the kernel tells it. */
export interface Link {
  readonly index: number
  readonly name: string
  /** Switched on by the administrator (IFF_UP). */
  readonly up: boolean
  /** On, and able to carry packets: cable, peer, bridge port (IFF_RUNNING). */
  readonly running: boolean
  /** IFF_ flags. */
  readonly flags: number
  /** ARPHRD_ number: 1 Ethernet, 772 loopback. */
  readonly hardwareType: number
  /** The hardware address (6 bytes on Ethernet). */
  readonly mac: Uint8Array | undefined
  readonly mtu: number
  /** What made it: veth, macvlan, bridge, …; undefined for hardware. */
  readonly kind: string | undefined
  /** Index of the interface below (macvlan, vlan) or of a veth's peer. */
  readonly parent: number | undefined
  /** Index of the bridge, bond or VRF it belongs to. */
  readonly master: number | undefined
  /** Of a VRF: its routing table. */
  readonly table: number | undefined
}

/** A new interface. */
export interface LinkSpec {
  readonly name: string
  /** macvlan, dummy, … */
  readonly kind: string
  readonly parent?: number
  readonly mac?: Uint8Array
  readonly mtu?: number
  /** The kind's own attributes, for example {@link macvlanMode}. */
  readonly data?: Uint8Array
}

/** What can be changed of an interface; absent parts stay. */
export interface LinkChange {
  readonly up?: boolean
  readonly name?: string
  readonly mac?: Uint8Array
  readonly mtu?: number
  /** Index of the bridge, bond or VRF to belong to; 0 for none. */
  readonly master?: number
}

const IFF_UP = 0x1
const IFF_RUNNING = 0x40
/** Without the counters, which make up most of an answer. */
const RTEXT_FILTER_SKIP_STATS = 8

/** struct ifinfomsg. */
const header = struct({ family: u8, pad: u8, type: u16, index: s32, flags: u32, change: u32 })

const linkInfo = attributes({ kind: [1, text], data: [2, bytes] })
const linkAttributes = attributes({
  mac: [1, bytes],
  name: [3, text],
  mtu: [4, u32],
  parent: [5, u32],
  master: [10, u32],
  info: [18, nested(linkInfo)],
  mask: [29, u32],
})
/** linux/if_link.h, IFLA_VRF_TABLE */
const vrf = attributes({ table: [1, u32] })
const macvlan = attributes({ mode: [1, u32] })

/** A macvlan's data: 1 private, 2 VEPA, 4 bridge, 8 passthru (as `use_vmac` wants it: private). */
export const macvlanMode = (mode: number): Uint8Array => macvlan.encode({ mode })

const ipvlan = attributes({ mode: [1, u16], flags: [2, u16] })

/** An ipvlan's data: mode 0 L2, 1 L3; flags 0 bridge, 1 private, 2 VEPA. */
export const ipvlanData = (mode: number, flags: number): Uint8Array => ipvlan.encode({ mode, flags })

/** Reads RTM_NEWLINK and RTM_DELLINK; throws a DecodeError. */
export function decodeLink(payload: Buffer): Link {
  const { index, flags, type } = header.decode(payload)
  const { name, mac, mtu = 0, parent, master, info } = linkAttributes.decodeRange(payload, header.size, payload.length)
  if (name === undefined) throw new DecodeError(`interface ${index} has no name`)
  return {
    index,
    name,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    flags,
    hardwareType: type,
    mac: mac === undefined ? undefined : Uint8Array.from(mac),
    mtu,
    kind: info?.kind,
    parent,
    master,
    table: info?.kind === 'vrf' && info.data !== undefined ? vrf.decode(Buffer.from(info.data)).table : undefined,
  }
}

/** All interfaces: a dump. */
export function allLinks(): NetlinkRequest {
  return request(RTM_GETLINK, {}, { mask: RTEXT_FILTER_SKIP_STATS })
}

/** One interface by index or name. */
export function oneLink(which: number | string): NetlinkRequest {
  return typeof which === 'number'
    ? request(RTM_GETLINK, { index: which }, { mask: RTEXT_FILTER_SKIP_STATS })
    : request(RTM_GETLINK, {}, { name: which, mask: RTEXT_FILTER_SKIP_STATS })
}

export function changeLink(index: number, { up, name, mac, mtu, master }: LinkChange): NetlinkRequest {
  const switching = up === undefined ? {} : { flags: up ? IFF_UP : 0, change: IFF_UP }
  return request(RTM_SETLINK, { index, ...switching }, { name, mac, mtu, master })
}

export function newLink({ name, kind, parent, mac, mtu, data }: LinkSpec): NetlinkRequest {
  const made = request(RTM_NEWLINK, {}, { name, parent, mac, mtu, info: { kind, data } })
  return { ...made, flags: NLM_F_CREATE | NLM_F_EXCL }
}

export function removeLink(index: number): NetlinkRequest {
  return request(RTM_DELLINK, { index }, {})
}

function request(
  type: number,
  head: Parameters<typeof header.encode>[0],
  values: Parameters<typeof linkAttributes.encode>[0],
): NetlinkRequest {
  return {
    type,
    payload: Buffer.concat([header.encode({ family: AF_UNSPEC, ...head }), linkAttributes.encode(values)]),
  }
}
