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
}

/** `unknown` gets what no instance on that path wants: another VRID. */
export function createSockets(
  link: Pick<VrrpLink, 'open'>,
  logger: Logger,
  unknown: (path: Path, vrid: number, packet: ReceivedPacket) => void,
): Sockets {
  const open = new Map<string, OpenPath>()

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
      const made = { handle, byVrid }
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
      const key = JSON.stringify([
        path.family,
        path.interface,
        path.group,
        path.source,
        path.protocol,
        path.receiveBuffer,
      ])
      const opened = openOnce(key, path)
      if (opened === undefined) return undefined
      const receivers = opened.byVrid.get(vrid) ?? new Set()
      opened.byVrid.set(vrid, receivers.add(receive))
      return {
        send: (packet) => {
          opened.handle.send(packet)
        },
        dropped: () => opened.handle.dropped(),
        close() {
          receivers.delete(receive)
          if (receivers.size === 0) opened.byVrid.delete(vrid)
          if (opened.byVrid.size > 0 || open.get(key) !== opened) return
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
