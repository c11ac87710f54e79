import type { CheckConnection } from '@ipvs-director/config'
import { familyOf, isLinkLocal, type Address } from '@ipvs-director/core'
import type { KernelSocket } from '@ipvs-director/linux'
import { networkInterfaces } from 'node:os'
import { ProbeFailure } from '../verdict.ts'
import { prepareThrough } from './data-path.ts'
import { systemFailure } from './failure.ts'
import { int, sockaddr } from './sockaddr.ts'
import { targetOf } from './target.ts'

/** asm-generic/socket.h, linux/in.h. */
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUF = 8
const SO_BINDTODEVICE = 25
const SO_RCVBUFFORCE = 33
const SO_MARK = 36
const IPPROTO_IP = 0
const IP_BIND_ADDRESS_NO_PORT = 24

/** Whether a connection needs what node:net cannot: a mark on its packets, or an interface to go through. */
export function needsKernelSocket(at: CheckConnection): boolean {
  return at.fwmark !== 0 || at.through !== undefined || at.bindInterface !== undefined
}

/** Whether there is nothing to say about a connection but where it goes. */
export function isPlain(at: CheckConnection): boolean {
  return !needsKernelSocket(at) && at.bindAddress === undefined && at.bindPort === undefined
}

/** Mark, interface and local address, before connecting. */
export function prepare(socket: Pick<KernelSocket, 'setsockopt' | 'bind'>, at: CheckConnection): void {
  if (at.through !== undefined) {
    prepareThrough(socket, at, at.through)
    return
  }
  if (at.fwmark !== 0) socket.setsockopt(SOL_SOCKET, SO_MARK, int(at.fwmark))
  if (at.bindInterface !== undefined) {
    socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${at.bindInterface}\0`))
  }
  if (at.bindAddress === undefined && at.bindPort === undefined) return
  if (at.bindPort === undefined) leavePort(socket)
  else socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, int(1))
  const any = (familyOf(at.address) === 'inet' ? '0.0.0.0' : '::') as Address
  const local = at.bindAddress ?? any
  socket.bind(sockaddr(local, at.bindPort ?? 0, scopeOf(local, at.bindInterface)))
}

/** The port is chosen when it connects: of one address there are only so many. */
function leavePort(socket: Pick<KernelSocket, 'setsockopt'>): void {
  try {
    socket.setsockopt(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, int(1))
  } catch {
    // Raw sockets of IPv6 do not know it, and have no ports.
  }
}

/** Room for the answers of a few thousand targets that come at once. */
const receiveBytes = 4 * 1024 * 1024

/** For a socket that serves many. */
export function enlarge(socket: KernelSocket): void {
  try {
    socket.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, int(receiveBytes))
  } catch {
    // Without the right to: as much as everybody may have.
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, int(receiveBytes))
  }
}

/** The index of its interface, which a link-local address means nothing without. */
function scopeOf(address: Address, device: string | undefined): number {
  if (device === undefined || !isLinkLocal(address)) return 0
  return networkInterfaces()[device]?.find((entry) => entry.family === 'IPv6' && entry.scopeid > 0)?.scopeid ?? 0
}

/** Where connect(2) goes, with the interface of a link-local address. */
export function addressOf(at: CheckConnection, target = targetOf(at)): Buffer {
  const scope = scopeOf(at.address, at.bindInterface)
  return scope === 0 ? target.sockaddr : sockaddr(at.address, at.port, scope)
}

/** There is no socket to look with, which says nothing about the server. */
export function ownFailure(error: unknown, where: string): ProbeFailure {
  if (error instanceof ProbeFailure) return new ProbeFailure('local', `${error.message}: ${where}`, error)
  const failure = systemFailure(error, where, true)
  return new ProbeFailure('local', `no socket for it: ${failure.message}`, error)
}
