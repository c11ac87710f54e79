import type { CheckConnection } from '@ipvs-director/config'
import { formatEndpoint } from '@ipvs-director/core'
import { readFileSync } from 'node:fs'
import { sockaddr } from './sockaddr.ts'

/** What every probe of a connection needs and is always the same. */
export interface Target {
  /** `10.0.0.1:80`, or `192.0.2.1:80 through 10.0.0.1`, for people. */
  readonly where: string
  /** `10.0.0.1:80` or `[2001:db8::1]:80`: what a Host header says where nothing else is wished. */
  readonly host: string
  /** For connect(2); without the scope of a link-local address. */
  readonly sockaddr: Buffer
  /** The kernel may choose this very port as the local one: see {@link metItself}. */
  readonly ephemeral: boolean
}

const targets = new WeakMap<CheckConnection, Target>()

/** Made once for each check: parsing an address costs as much as connecting to it. */
export function targetOf(at: CheckConnection): Target {
  let target = targets.get(at)
  if (target === undefined) {
    target = {
      where: whereOf(at),
      host: formatEndpoint(at),
      sockaddr: sockaddr(at.address, at.port),
      ephemeral: mayMeetItself(at),
    }
    targets.set(at, target)
  }
  return target
}

/** {@link Target.where}, where nothing else of it is needed. */
export function whereOf(at: CheckConnection): string {
  const host = formatEndpoint(at)
  return at.through === undefined ? host : `${host} through ${at.through.address}`
}

/** {@link Target.ephemeral}. */
export const mayMeetItself = (at: CheckConnection): boolean =>
  at.port >= firstEphemeralPort && at.bindPort === undefined && at.through === undefined

/**
 * A connect to a port of this machine that nobody listens on can meet itself, when the kernel chooses that very port as
 * the local one (TCP's simultaneous open): a server that is not there would seem to be up.
 */
export const metItself = 'connection refused (it met itself)'

const firstEphemeralPort = readFirstEphemeralPort()

function readFirstEphemeralPort(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
  } catch {
    return 32_768
  }
}
