/** Telling a network who has an address, hearing who says so, and asking. */
import { familyOf, type Address } from '@ipvs-director/core'
import { openSocket } from './native.ts'
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  gratuitousArp,
  neighbourAdvertisement,
  question,
  readAdvertisement,
  readArp,
  unsolicitedAdvertisement,
  type NeighbourClaim,
} from './neighbour-frames.ts'
import { AF_INET6 } from './netlink/route/constants.ts'
import { AF_PACKET, decodeControl, deviceOption, intOption, linkAddress } from './sockaddr.ts'
import { s32 } from './netlink/codecs.ts'

/** An Ethernet interface to speak on. */
export interface EthernetPort {
  readonly name: string
  readonly index: number
  /** Six bytes. */
  readonly mac: Uint8Array
}

export interface Announcer {
  /** One gratuitous ARP, or one unsolicited neighbour advertisement (`router`: its flag). Throws a system error. */
  announce(port: EthernetPort, address: Address, router: boolean): void
  /** Asks for an address as one who has `from`; whoever has it answers to `port` (see {@link hearNeighbours}). */
  ask(port: EthernetPort, from: Address, target: Address): void
  close(): void
}

export interface Hearing {
  close(): void
}

const SOCK_DGRAM = 2
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_BINDTODEVICE = 25
const IPPROTO_IPV6 = 41
const IPPROTO_ICMPV6 = 58
const ICMP6_FILTER = 1
const IPV6_MULTICAST_ALL = 29
const IPV6_RECVHOPLIMIT = 51
const IPV6_HOPLIMIT = 52
/** Neighbours talk a lot; what does not fit may be lost. */
const hearingBytes = 65_536
const nobodysError = { error: () => undefined }

/** One socket for all interfaces; it hears nothing. Throws a system error: EPERM without CAP_NET_RAW. */
export function openAnnouncer(): Announcer {
  const socket = openSocket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0, bufferBytes: 64 }, nobodysError)
  const send = (port: EthernetPort, frame: Buffer, address: Address): void => {
    const ethertype = familyOf(address) === 'inet' ? ETHERTYPE_ARP : ETHERTYPE_IPV6
    if (socket.send(frame, linkAddress(port.index, ethertype, frame.subarray(0, 6))) < 0) {
      throw new Error('the send buffer is full')
    }
  }
  return {
    announce(port, address, router) {
      const isV4 = familyOf(address) === 'inet'
      send(port, isV4 ? gratuitousArp(port.mac, address) : unsolicitedAdvertisement(port.mac, address, router), address)
    },
    ask(port, from, target) {
      send(port, question(port.mac, from, target), target)
    },
    close: () => {
      socket.close()
    },
  }
}

/**
 * Reports what others on the link say to have: all ARP, or all neighbour advertisements that come here (those to all
 * nodes, and answers to our own questions). Does not keep the process alive. Throws a system error.
 */
export function hearNeighbours(
  port: Pick<EthernetPort, 'name' | 'index'>,
  family: 'inet' | 'inet6',
  heard: (claim: NeighbourClaim) => void,
): Hearing {
  const socket = family === 'inet' ? hearArp(port.index, heard) : hearAdvertisements(port.name, heard)
  try {
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, intOption(hearingBytes))
    socket.start()
    socket.unref()
  } catch (error) {
    socket.close()
    throw error
  }
  return {
    close: () => {
      socket.close()
    },
  }
}

/** ETH_P_ARP alone: a packet socket of one ethertype does not hear what this machine sends. */
function hearArp(index: number, heard: (claim: NeighbourClaim) => void) {
  const socket = openSocket(
    { domain: AF_PACKET, type: SOCK_DGRAM, protocol: 0, bufferBytes: 128 },
    {
      ...nobodysError,
      message(data) {
        const claim = readArp(data)
        if (claim !== undefined) heard(claim)
      },
    },
  )
  socket.bind(linkAddress(index, ETHERTYPE_ARP)) // only now does it hear anything
  return socket
}

function hearAdvertisements(name: string, heard: (claim: NeighbourClaim) => void) {
  const socket = openSocket(
    { domain: AF_INET6, type: SOCK_RAW, protocol: IPPROTO_ICMPV6, bufferBytes: 256, controlBytes: 64 },
    {
      ...nobodysError,
      message(data, _from, control) {
        const hops = decodeControl(control).find(({ level, type }) => level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT)
        if (hops === undefined || s32.read(hops.data, 0, 4) !== 255) return
        const claim = readAdvertisement(data)
        if (claim !== undefined) heard(claim)
      },
    },
  )
  socket.setsockopt(IPPROTO_ICMPV6, ICMP6_FILTER, onlyType(neighbourAdvertisement))
  socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, deviceOption(name))
  socket.setsockopt(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, intOption(1))
  socket.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_ALL, intOption(1))
  return socket
}

/** struct icmp6_filter: 256 bits in words of the host's order, 0 lets a type pass. */
function onlyType(type: number): Buffer {
  const words = new Uint32Array(8).fill(0xffff_ffff)
  const word = words[type >> 5] ?? 0
  words[type >> 5] = word & ~(1 << (type & 31))
  return Buffer.from(words.buffer)
}
