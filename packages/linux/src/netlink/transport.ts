/** What carries netlink datagrams: the kernel's socket, or in tests a function. */
import { openSocket, type KernelSocket } from '../native.ts'
import { u16, u32, u8 } from './codecs.ts'
import { struct } from './struct.ts'
import { littleEndian } from './writer.ts'

/** Datagrams to the kernel and what is known about the way back. */
export interface NetlinkTransport {
  /** Throws a system error when the datagram was not taken whole. */
  send(datagram: Uint8Array): void
  /** Room for answers that were not read yet, in bytes of the kernel's accounting. */
  readonly receiveBytes: number
  /** Whether answers are awaited: only then does the socket keep the process alive. */
  setBusy(busy: boolean): void
  /** Joins a multicast group by its number. */
  join(group: number): void
  /** Our own end's number, which the kernel writes into what it announces because of our requests. */
  readonly port: number
  /** Announcements of this type that the requests of another port led to are not delivered from now on. */
  leaveOut(type: number, port: number): void
  close(): void
}

export interface TransportListener {
  /** One or more messages from the kernel. */
  datagram(bytes: Buffer): void
  /** The socket works on; ENOBUFS says that messages were lost. */
  error(error: Error): void
}

export type OpenTransport = (listener: TransportListener) => NetlinkTransport

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const MSG_TRUNC = 0x20

/** struct sockaddr_nl. Port 0 is the kernel. */
const address = struct({ family: u16, pad: u16, port: u32, groups: u32 })
const kernel = address.encode({ family: AF_NETLINK })
const on = u32bytes(1)

/**
 * A socket of one netlink protocol (NETLINK_ROUTE 0, NETLINK_GENERIC 16). `receiveBytes` is asked for by SO_RCVBUFFORCE,
 * which passes rmem_max, and without CAP_NET_ADMIN by SO_RCVBUF; the kernel doubles it.
 */
export function socketTransport(protocol: number, receiveBytes: number): OpenTransport {
  return (listener) => {
    const socket = openSocket(
      { domain: AF_NETLINK, type: SOCK_RAW, protocol },
      {
        message(data, from, _control, flags) {
          if (from === undefined || address.decode(from).port !== 0) return // anybody may send; only the kernel is believed
          if ((flags & MSG_TRUNC) !== 0) listener.error(new Error('a netlink datagram was longer than 64 KiB'))
          else listener.datagram(data)
        },
        error(error) {
          listener.error(error)
        },
      },
    )
    try {
      socket.bind(kernel)
      socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, on)
      socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, on)
      const granted = growReceiveBuffer(socket, receiveBytes)
      socket.start()
      socket.unref()
      return transport(socket, granted)
    } catch (error) {
      socket.close()
      throw error
    }
  }
}

function transport(socket: KernelSocket, receiveBytes: number): NetlinkTransport {
  return {
    receiveBytes,
    port: address.decode(socket.getsockname()).port,
    leaveOut(type, port) {
      socket.attachFilter(filterOut(type, port))
    },
    send(datagram) {
      const sent = socket.send(datagram, kernel)
      if (sent !== datagram.length) throw new Error(`netlink took ${sent} of ${datagram.length} bytes`)
    },
    setBusy(busy) {
      if (busy) socket.ref()
      else socket.unref()
    },
    join(group) {
      socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, u32bytes(group))
    },
    close() {
      socket.close()
    },
  }
}

function growReceiveBuffer(socket: KernelSocket, wanted: number): number {
  try {
    socket.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, u32bytes(wanted))
  } catch {
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, u32bytes(wanted)) // cut to rmem_max
  }
  return u32.read(socket.getsockopt(SOL_SOCKET, SO_RCVBUF, 4), 0, 4)
}

function u32bytes(value: number): Buffer {
  return struct({ value: u32 }).encode({ value })
}

/** struct sock_filter; see linux/filter.h. Words are loaded in network order, netlink's are the host's. */
const instruction = struct({ code: u16, ifTrue: u8, ifFalse: u8, value: u32 })

/** Classic BPF: everything but what has this `nlmsg_type` (offset 4) and this `nlmsg_pid` (offset 12). */
function filterOut(type: number, port: number): Buffer {
  const [loadHalf, load, jumpIfEqual, end] = [0x28, 0x20, 0x15, 0x06]
  const swapped = u32bytes(port)
  const half = u32bytes(type).subarray(littleEndian ? 0 : 2)
  return Buffer.concat(
    [
      { code: loadHalf, value: 4 },
      { code: jumpIfEqual, ifFalse: 2, value: half.readUInt16BE() },
      { code: load, value: 12 },
      { code: jumpIfEqual, ifTrue: 1, value: swapped.readUInt32BE() },
      { code: end, value: 0xffff_ffff },
      { code: end, value: 0 },
    ].map((one) => instruction.encode(one)),
  )
}
