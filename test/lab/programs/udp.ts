import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { seconds, type Millis } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import { insideNamespace } from '../namespace.ts'

/** A UDP server that a test keeps in a host. */
export interface UdpServer {
  /** Datagrams received so far. */
  readonly received: number
  /** Stops listening: datagrams are then answered by ICMP port unreachable. */
  close(): void
}

/**
 * Opens a UDP server that answers each datagram with the host's name. It must be bound to the address that clients ask
 * (the VIP for LVS-DR and LVS-TUN): a wildcard would answer from the host's own address.
 */
export async function serveUdp(host: Host, address: string, port: number): Promise<UdpServer> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const state = { received: 0 }
  socket.on('message', (_, from) => {
    state.received++
    socket.send(host.name, from.port, from.address)
  })
  await insideNamespace(host, async () => {
    socket.bind({ address, port })
    await once(socket, 'listening')
  })
  return {
    get received() {
      return state.received
    },
    close() {
      socket.close()
    },
  }
}

/** Sends one datagram from a host, from a new port; resolves with the answer, or undefined when none comes in time. */
export async function askUdp(
  host: Host,
  address: string,
  port: number,
  within: Millis = seconds(2),
): Promise<string | undefined> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  await insideNamespace(host, async () => {
    socket.bind()
    await once(socket, 'listening')
  })
  socket.send('?', port, address)
  const answer = await once(socket, 'message', { signal: AbortSignal.timeout(within) }).then(
    ([data]) => String(data),
    () => undefined,
  )
  socket.close()
  return answer
}
