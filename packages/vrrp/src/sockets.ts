import type { Logger } from '@ipvs-director/core'
import { describeError } from '@ipvs-director/core'
import { ahLength } from './authentication.ts'
import type { Path, PathHandle, VrrpLink } from './link.ts'
import type { ReceivedPacket } from './packet.ts'

/** Somebody who wants the packets of one VRID on one path. */
export interface Subscription {
  send: PathHandle['send']
  dropped: PathHandle['dropped']
  close(): void
}

/** Opens each path once, however many instances use it, and hands packets out by VRID. */
export interface Sockets {
  /** Undefined when the path cannot be opened now; the reason was logged. */
  subscribe(path: Path, vrid: number, receive: (packet: ReceivedPacket) => void): Subscription | undefined
  close(): void
}

interface OpenPath {
  readonly handle: PathHandle
  readonly byVrid: Map<number, Set<(packet: ReceivedPacket) => void>>
  /** What each of those who share it adds to its receive buffer. */
  readonly shares: Set<{ readonly bytes: number }>
  /** Bytes; 0: the kernel's. */
  size: number
}

/** `unknown` gets what no instance on that path wants: another VRID. */
export function createSockets(
  link: Pick<VrrpLink, 'open'>,
  logger: Logger,
  unknown: (path: Path, vrid: number, packet: ReceivedPacket) => void,
): Sockets {
  const open = new Map<string, OpenPath>()

  /** A socket has the room that all who share it need; one that nobody said a size for is left as it is. */
  const fit = (opened: OpenPath): void => {
    const size = [...opened.shares].reduce((sum, { bytes }) => sum + bytes, 0)
    if (size === opened.size || size === 0) return
    opened.size = size
    try {
      opened.handle.resize(size)
    } catch (error) {
      logger.warn('vrrp.socket', `cannot make a receive buffer of ${size} bytes: ${describeError(error)}`)
    }
  }

  const openOnce = (key: string, path: Path): OpenPath | undefined => {
    const found = open.get(key)
    if (found !== undefined) return found
    const byVrid: OpenPath['byVrid'] = new Map()
    try {
      const handle = link.open(path, (packet) => {
        const vrid = vridOf(packet)
        if (vrid === undefined) return
        const receivers = byVrid.get(vrid)
        if (receivers === undefined) unknown(path, vrid, packet)
        else for (const receive of receivers) receive(packet)
      })
      const made = { handle, byVrid, shares: new Set<{ bytes: number }>(), size: path.receiveBuffer ?? 0 }
      open.set(key, made)
      return made
    } catch (error) {
      logger.warn(
        'vrrp.socket',
        `cannot listen for VRRP on ${path.interface ?? 'any interface'}: ${describeError(error)}`,
      )
      return undefined
    }
  }

  return {
    subscribe(path, vrid, receive) {
      const key = JSON.stringify([path.family, path.interface, path.group, path.source, path.protocol])
      const opened = openOnce(key, path)
      if (opened === undefined) return undefined
      const receivers = opened.byVrid.get(vrid) ?? new Set()
      opened.byVrid.set(vrid, receivers.add(receive))
      const share = { bytes: path.receiveBuffer ?? 0 }
      opened.shares.add(share)
      fit(opened)
      return {
        send: (packet) => {
          opened.handle.send(packet)
        },
        dropped: () => opened.handle.dropped(),
        close() {
          receivers.delete(receive)
          opened.shares.delete(share)
          if (receivers.size === 0) opened.byVrid.delete(vrid)
          if (open.get(key) !== opened) return
          if (opened.byVrid.size > 0) {
            fit(opened)
            return
          }
          open.delete(key)
          opened.handle.close()
        },
      }
    },
    close() {
      for (const { handle } of open.values()) handle.close()
      open.clear()
    },
  }
}

/** The second octet of the message, which may lie behind an authentication header. */
function vridOf({ payload, protocol }: ReceivedPacket): number | undefined {
  return payload[protocol === 51 ? ahLength + 1 : 1]
}
