import type { CheckConnection, DataPath } from '@ipvs-director/config'
import { addressBytes, familyOf, type Address } from '@ipvs-director/core'
import { openSocket, readSetting, type KernelSocket } from '@ipvs-director/linux'
import { networkInterfaces } from 'node:os'
import { ProbeFailure } from '../verdict.ts'
import { AF_INET, AF_INET6, int, sockaddr } from './sockaddr.ts'

/** asm-generic/socket.h, linux/net.h. */
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_LINGER = 13
const SO_MARK = 36
const SOCK_STREAM = 1
const SOCK_DGRAM = 2

/**
 * Where the probes of one check come from. IPVS remembers a connection by its addresses and ports, for minutes, and the
 * mark does not count then: a local port that another check had used would lead to that one's server. So each check keeps
 * a port, which a socket that does nothing else holds for it.
 */
interface LocalEnd {
  readonly sockaddr: Buffer
  readonly source: Address
  readonly holder: KernelSocket | undefined
}

const ends = new WeakMap<CheckConnection, LocalEnd>()
const collected = new FinalizationRegistry((holder: KernelSocket) => {
  holder.close()
})

/** Mark and local end of a probe that goes through one real server. Throws what keeps it from being made. */
export function prepareThrough(
  socket: Pick<KernelSocket, 'setsockopt' | 'bind'>,
  at: CheckConnection,
  through: DataPath,
): void {
  if (at.fwmark === 0) throw new ProbeFailure('local', 'no mark is left in data_path_marks')
  const end = ends.get(at) ?? localEnd(at, through)
  expectAnswersHeard(at.address, end.source)
  socket.setsockopt(SOL_SOCKET, SO_MARK, int(at.fwmark))
  socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, int(1))
  // No TIME_WAIT, in which the port could not be used; and IPVS sees the end.
  socket.setsockopt(SOL_SOCKET, SO_LINGER, Buffer.concat([int(1), int(0)]))
  try {
    socket.bind(end.sockaddr)
  } catch (error) {
    ends.delete(at)
    end.holder?.close()
    throw error
  }
}

function localEnd(at: CheckConnection, through: DataPath): LocalEnd {
  const source = at.bindAddress ?? sourceTowards(through.address, at.port)
  if (source === at.address) {
    throw new ProbeFailure('local', `no address but ${source} itself to ask from: bindto must name one`)
  }
  const end = at.bindPort === undefined ? held(source) : { sockaddr: sockaddr(source, at.bindPort), holder: undefined }
  ends.set(at, { ...end, source })
  if (end.holder !== undefined) collected.register(at, end.holder)
  return { ...end, source }
}

/** A port that the kernel gives to nobody else. */
function held(source: Address): Pick<LocalEnd, 'sockaddr' | 'holder'> {
  const holder = openSocket({ domain: domainOf(source), type: SOCK_STREAM, protocol: 0 }, deaf)
  try {
    holder.setsockopt(SOL_SOCKET, SO_REUSEADDR, int(1))
    holder.bind(sockaddr(source, 0))
    return { sockaddr: holder.getsockname(), holder }
  } catch (error) {
    holder.close()
    throw error
  }
}

/** The address that the kernel would use towards a real server: the one it would choose for the VIP is the VIP itself. */
function sourceTowards(server: Address, port: number): Address {
  const socket = openSocket({ domain: domainOf(server), type: SOCK_DGRAM, protocol: 0 }, deaf)
  try {
    socket.connect(sockaddr(server, port === 0 ? 9 : port))
    const name = socket.getsockname()
    const own = familyOf(server) === 'inet' ? name.subarray(4, 8) : name.subarray(8, 24)
    for (const each of ownAddresses().keys()) if (own.equals(addressBytes(each))) return each
    throw new ProbeFailure('local', `no local address towards ${server}`)
  } finally {
    socket.close()
  }
}

const domainOf = (address: Address): number => (familyOf(address) === 'inet' ? AF_INET : AF_INET6)
const deaf = { message: () => undefined, error: () => undefined }

/**
 * Answers come from the VIP. Where that is also an address of this machine (an IPv4 one), the kernel takes them for
 * forged, unless it is told otherwise: that is no failure of the server's.
 */
function expectAnswersHeard(vip: Address, source: Address): void {
  if (familyOf(vip) !== 'inet') return
  const home = ownAddresses().get(vip)
  const device = ownAddresses().get(source)
  if (home === undefined || device === undefined) return
  const most = (name: string): number =>
    Math.max(setting(`ipv4/conf/all/${name}`), setting(`ipv4/conf/${device}/${name}`))
  const trouble =
    most('accept_local') === 0
      ? `net.ipv4.conf.${device}.accept_local is 0`
      : most('rp_filter') === 1 && home !== device
        ? `net.ipv4.conf.${device}.rp_filter is 1`
        : undefined
  if (trouble !== undefined) throw new ProbeFailure('local', `${trouble}: answers from ${vip} would be dropped`)
}

/** What this machine is like, looked at once a second at most. */
const looked = { at: -Infinity, addresses: new Map<Address, string>(), settings: new Map<string, number>() }

function look(): typeof looked {
  const now = performance.now()
  if (now - looked.at < 1000) return looked
  looked.at = now
  looked.settings.clear()
  looked.addresses.clear()
  for (const [device, entries = []] of Object.entries(networkInterfaces())) {
    for (const { address } of entries) looked.addresses.set(address as Address, device)
  }
  return looked
}

/** By address, its interface. */
const ownAddresses = (): ReadonlyMap<Address, string> => look().addresses

function setting(name: string): number {
  const { settings } = look()
  let value = settings.get(name)
  if (value === undefined) settings.set(name, (value = Number(readSetting(name) ?? 0)))
  return value
}
