/** Asking a network interface whether its cable is in, for drivers that do not tell by themselves. */
import { openSocket } from './native.ts'
import { littleEndian } from './netlink/writer.ts'

/** How an interface is asked: its PHY's registers, its driver, or only the kernel's flags. */
export type LinkbeatKind = 'MII' | 'ETHTOOL' | 'IOCTL'

export interface Linkbeat {
  /** Whether there is a carrier; undefined where this way of asking does not work (no such interface, not supported). */
  look(name: string, kind: LinkbeatKind): boolean | undefined
  close(): void
}

const AF_INET = 2
const SOCK_DGRAM = 2

/** linux/sockios.h */
const SIOCGIFFLAGS = 0x8913
const SIOCETHTOOL = 0x8946
const SIOCGMIIPHY = 0x8947
const SIOCGMIIREG = 0x8948
/** linux/ethtool.h */
const ETHTOOL_GLINK = 0x0a
/** linux/mii.h: the basic status register and its bit for an established link, which stays 0 until read once. */
const MII_BMSR = 1
const BMSR_LSTATUS = 0x0004
/** linux/if.h */
const IFF_RUNNING = 0x40

/** struct ifreq: a name of 16 bytes, then what the request is about. */
const requestBytes = 40
const nameBytes = 16

/** Opens a socket to ask by, in the network namespace of this thread. Throws a system error. */
export function openLinkbeat(): Linkbeat {
  const socket = openSocket(
    { domain: AF_INET, type: SOCK_DGRAM, protocol: 0, bufferBytes: 1 },
    { error: () => undefined },
  )

  function registers(name: string): boolean {
    const request = requestFor(name)
    socket.ioctl(SIOCGMIIPHY, request)
    const status = (): number => {
      host(request).setUint16(nameBytes + 2, MII_BMSR, littleEndian)
      socket.ioctl(SIOCGMIIREG, request)
      return host(request).getUint16(nameBytes + 6, littleEndian)
    }
    status() // a failure is latched until it is read
    return (status() & BMSR_LSTATUS) !== 0
  }

  function driver(name: string): boolean {
    const value = Buffer.alloc(8)
    host(value).setUint32(0, ETHTOOL_GLINK, littleEndian)
    socket.ioctl(SIOCETHTOOL, requestFor(name), value, nameBytes)
    return host(value).getUint32(4, littleEndian) !== 0
  }

  function flags(name: string): boolean {
    const request = requestFor(name)
    socket.ioctl(SIOCGIFFLAGS, request)
    return (host(request).getUint16(nameBytes, littleEndian) & IFF_RUNNING) !== 0
  }

  const ways = { MII: registers, ETHTOOL: driver, IOCTL: flags } as const
  return {
    look(name, kind) {
      try {
        return ways[kind](name)
      } catch {
        return undefined
      }
    },
    close: () => {
      socket.close()
    },
  }
}

function requestFor(name: string): Buffer {
  const request = Buffer.alloc(requestBytes)
  request.write(name, 0, nameBytes - 1, 'utf8')
  return request
}

const host = ({ buffer, byteOffset, byteLength }: Buffer): DataView => new DataView(buffer, byteOffset, byteLength)
