/** The sockets that VRRP advertisements travel by: raw IPv4 and IPv6 of protocol 112, or 51 where AH is used. */
import { addressBytes, type Address, type Family } from '@ipvs-director/core'
import { openSocket, type KernelSocket } from './native.ts'
import { s32 } from './netlink/codecs.ts'
import { AF_INET, AF_INET6 } from './netlink/route/constants.ts'
import { readAddress } from './netlink/route/prefix.ts'
import {
  addressOf,
  decodeControl,
  deviceOption,
  encodeControl,
  groupRequest,
  intOption,
  socketAddress,
} from './sockaddr.ts'

/** What to listen to, and what to send by. Numbers are the kernel's. */
export interface VrrpSocketOptions {
  readonly family: Family
  /** 112, or 51 (AH). */
  readonly protocol: number
  /** Bound to this interface; undefined: any (unicast only). */
  readonly interface: { readonly name: string; readonly index: number } | undefined
  /** The group to join on the interface and to listen to; undefined for unicast. */
  readonly group: Address | undefined
  /** Unicast: the address to listen at, which need not be there yet. */
  readonly source: Address | undefined
  /** Receive buffer, bytes; the kernel doubles it and has a lower bound. Default: the kernel's, which is bounded too. */
  readonly receiveBytes?: number | undefined
}

/** A packet as it came. */
export interface VrrpDatagram {
  readonly source: Address
  readonly destination: Address
  /** TTL or hop limit; undefined where the kernel did not tell. */
  readonly ttl: number | undefined
  /** IPv4: with its header. IPv6: what follows the headers. */
  readonly bytes: Buffer
}

/** A packet to send: IPv4 with its header (IP_HDRINCL), IPv6 without, checksum filled in. */
export interface VrrpSending {
  readonly source: Address
  readonly destination: Address
  /** IPv6 only (an IPv4 header has it); undefined: the kernel's default. */
  readonly ttl: number | undefined
  readonly bytes: Uint8Array
}

export interface VrrpSocketListener {
  packet(packet: VrrpDatagram): void
  /** ENETDOWN, ENODEV; the socket works on. */
  error(error: Error): void
}

export interface VrrpSocket {
  /** Throws a system error, or that the send buffer is full. */
  send(packet: VrrpSending): void
  /** How many packets it has reported: tells whether a turn of the event loop brought as many as one can. */
  readonly received: number
  /** How many packets the kernel dropped so far, mostly because the receive buffer was full. */
  dropped(): number
  /** SO_RCVBUF, bytes; the kernel doubles it and has bounds. */
  resize(bytes: number): void
  close(): void
}

const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_PRIORITY = 12
const SO_BINDTODEVICE = 25
const SO_MEMINFO = 55
/** linux/sock_diag.h: the last of nine numbers. */
const SK_MEMINFO_DROPS = 8
/** linux/pkt_sched.h, TC_PRIO_CONTROL */
const internetControl = 7

const IPPROTO_IP = 0
const IP_TOS = 1
const IP_HDRINCL = 3
const IP_FREEBIND = 15
const IP_MULTICAST_IF = 32
const IP_MULTICAST_LOOP = 34
const IP_ADD_MEMBERSHIP = 35
const IP_MULTICAST_ALL = 49

const IPPROTO_IPV6 = 41
const IPV6_MULTICAST_IF = 17
const IPV6_MULTICAST_LOOP = 19
const IPV6_ADD_MEMBERSHIP = 20
const IPV6_MULTICAST_ALL = 29
const IPV6_RECVPKTINFO = 49
const IPV6_PKTINFO = 50
const IPV6_RECVHOPLIMIT = 51
const IPV6_HOPLIMIT = 52
const IPV6_TCLASS = 67
const IPV6_FREEBIND = 78

/** Internet control, RFC 2474 class 6. */
const tos = 0xc0
const on = intOption(1)
const off = intOption(0)
/** Longer than any advert: 255 IPv6 addresses, header, HMAC trailer. */
const bufferBytes = 8192

/**
 * Opens a socket in the network namespace of this thread; its packets come from now on. Throws a system error: ENODEV or
 * EADDRNOTAVAIL where interface or group are not there, EPERM without CAP_NET_RAW.
 */
export function openVrrpSocket(options: VrrpSocketOptions, listener: VrrpSocketListener): VrrpSocket {
  const { family, protocol } = options
  let received = 0
  const read = family === 'inet' ? readIpv4 : readIpv6
  const socket = openSocket(
    { domain: family === 'inet' ? AF_INET : AF_INET6, type: SOCK_RAW, protocol, bufferBytes, controlBytes: 128 },
    {
      message(data, from, control) {
        received++
        const packet = read(data, from, control)
        if (packet !== undefined) listener.packet(packet)
      },
      error(error) {
        listener.error(error)
      },
    },
  )
  try {
    if (family === 'inet') setUpIpv4(socket, options)
    else setUpIpv6(socket, options)
    socket.setsockopt(SOL_SOCKET, SO_PRIORITY, intOption(internetControl))
    if (options.receiveBytes !== undefined) setReceiveBuffer(socket, options.receiveBytes)
    socket.start()
  } catch (error) {
    socket.close()
    throw error
  }
  const index = options.interface?.index ?? 0
  const destinations = new Map<Address, Buffer>() // a group, or the configured peers
  const addressed = (to: Address): Buffer => {
    const known = destinations.get(to)
    if (known !== undefined) return known
    const made = socketAddress(to, index)
    destinations.set(to, made)
    return made
  }
  return {
    get received() {
      return received
    },
    resize: (bytes) => {
      setReceiveBuffer(socket, bytes)
    },
    dropped: () => socket.getsockopt(SOL_SOCKET, SO_MEMINFO, 36).readUInt32LE(SK_MEMINFO_DROPS * 4),
    send: (packet) => {
      const to = addressed(packet.destination)
      const control = family === 'inet' ? undefined : ipv6Control(packet, index)
      const taken = control === undefined ? socket.send(packet.bytes, to) : socket.send(packet.bytes, to, control)
      if (taken < 0) throw new Error('the send buffer is full')
    },
    close: () => {
      socket.close()
    },
  }
}

const setReceiveBuffer = (socket: KernelSocket, bytes: number): void => {
  socket.setsockopt(SOL_SOCKET, SO_RCVBUF, intOption(Math.min(bytes, 2 ** 30)))
}

function setUpIpv4(socket: KernelSocket, { interface: link, group, source }: VrrpSocketOptions): void {
  socket.setsockopt(IPPROTO_IP, IP_HDRINCL, on)
  socket.setsockopt(IPPROTO_IP, IP_TOS, intOption(tos))
  bindToDevice(socket, link)
  // Only groups that this very socket joined, not those of others in this network namespace.
  socket.setsockopt(IPPROTO_IP, IP_MULTICAST_ALL, off)
  socket.setsockopt(IPPROTO_IP, IP_MULTICAST_LOOP, off)
  if (group !== undefined && link !== undefined) {
    socket.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, groupRequest(group, link.index))
    socket.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, groupRequest(group, link.index))
    socket.bind(socketAddress(group))
  } else if (source !== undefined) {
    socket.setsockopt(IPPROTO_IP, IP_FREEBIND, on)
    socket.bind(socketAddress(source))
  }
}

function setUpIpv6(socket: KernelSocket, { interface: link, group, source }: VrrpSocketOptions): void {
  socket.setsockopt(IPPROTO_IPV6, IPV6_TCLASS, intOption(tos))
  socket.setsockopt(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, on)
  socket.setsockopt(IPPROTO_IPV6, IPV6_RECVPKTINFO, on)
  bindToDevice(socket, link)
  socket.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_ALL, off)
  socket.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, off)
  if (group !== undefined && link !== undefined) {
    socket.setsockopt(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, groupRequest(group, link.index))
    socket.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_IF, intOption(link.index))
    socket.bind(socketAddress(group, link.index))
  } else if (source !== undefined) {
    socket.setsockopt(IPPROTO_IPV6, IPV6_FREEBIND, on)
    socket.bind(socketAddress(source, link?.index))
  }
}

function bindToDevice(socket: KernelSocket, link: VrrpSocketOptions['interface']): void {
  if (link !== undefined) socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, deviceOption(link.name))
}

/** The source goes with each packet, as it may differ between instances that share a socket. */
function ipv6Control({ source, ttl }: VrrpSending, index: number): Buffer {
  const info = {
    level: IPPROTO_IPV6,
    type: IPV6_PKTINFO,
    data: Buffer.concat([addressBytes(source), intOption(index)]),
  }
  const hops = ttl === undefined ? [] : [{ level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, data: intOption(ttl) }]
  return encodeControl([info, ...hops])
}

/** With its header; what is cut or no IPv4 is none. */
function readIpv4(bytes: Buffer): VrrpDatagram | undefined {
  if (bytes.length < 20) return undefined
  const source = readAddress(bytes.subarray(12, 16))
  const destination = readAddress(bytes.subarray(16, 20))
  return { source, destination, ttl: bytes[8], bytes }
}

function readIpv6(bytes: Buffer, from: Buffer | undefined, control: Buffer | undefined): VrrpDatagram | undefined {
  const source = from === undefined ? undefined : addressOf(from)
  let destination: Address | undefined
  let ttl: number | undefined
  for (const { level, type, data } of decodeControl(control)) {
    if (level !== IPPROTO_IPV6) continue
    if (type === IPV6_HOPLIMIT && data.length >= 4) ttl = s32.read(data, 0, 4)
    if (type === IPV6_PKTINFO && data.length >= 16) destination = readAddress(data.subarray(0, 16))
  }
  return source === undefined || destination === undefined ? undefined : { source, destination, ttl, bytes }
}
