import { addonAvailable, become, capset, prctl } from '@ipvs-director/linux'
import type { CheckConnection } from '@ipvs-director/config'
import type { Check } from '../checker.ts'

/** linux/capability.h */
const CAP_NET_BIND_SERVICE = 10n
const CAP_NET_ADMIN = 12n
const CAP_NET_RAW = 13n
/** linux/prctl.h */
const PR_SET_PDEATHSIG = 1
const PR_SET_KEEPCAPS = 8
const PR_SET_NO_NEW_PRIVS = 38
const SIGKILL = 9

/** What a prober process must have before it gives up all that it can. */
export interface Needs {
  /** By number, as a mask. */
  readonly capabilities: bigint
}

/** The options that tell what a check needs. */
interface Telling {
  readonly halfOpen?: boolean
}

/** Marks need network administration; interfaces, echo requests and SYNs raw sockets; ports below 1024 their own right. */
export function needsOf(checks: Iterable<Check>): Needs {
  let capabilities = 0n
  for (const { kind, connection, options } of checks) {
    const { halfOpen } = options as Telling
    if (kind === 'PING_CHECK' || halfOpen === true) capabilities |= 1n << CAP_NET_RAW
    capabilities |= forConnection(connection)
  }
  return { capabilities }
}

/** Whether who has the one needs nothing more for the other. */
export function covers(has: Needs, needs: Needs): boolean {
  return (needs.capabilities & ~has.capabilities) === 0n
}

function forConnection(connection: CheckConnection | undefined): bigint {
  if (connection === undefined) return 0n
  const marked = connection.fwmark !== 0 ? 1n << CAP_NET_ADMIN : 0n
  const device = connection.bindInterface !== undefined ? 1n << CAP_NET_RAW : 0n
  const low = connection.bindPort !== undefined && connection.bindPort < 1024 ? 1n << CAP_NET_BIND_SERVICE : 0n
  return marked | device | low
}

/**
 * Becomes somebody who can do nothing but probe, for good: user and group without supplementary groups, only these
 * capabilities, no new privileges by exec, killed with its parent. Without the addon capabilities cannot be kept.
 * Answers what could not be done, as sentences.
 */
export function dropPrivileges(
  identity: { readonly uid: number; readonly gid: number } | undefined,
  keep: bigint,
): string[] {
  const addon = addonAvailable()
  const remarks: string[] = []
  if (identity !== undefined && process.getuid?.() === 0) {
    if (keep !== 0n && addon) prctl(PR_SET_KEEPCAPS, 1)
    if (keep !== 0n && !addon)
      remarks.push('without the native addon no capability is kept: fwmark, bind_if and low ports will not work')
    if (addon) {
      become(identity.uid, identity.gid)
      capset(keep, keep, 0n)
    } else {
      process.setgroups?.([])
      process.setgid?.(identity.gid)
      process.setuid?.(identity.uid)
    }
  }
  if (!addon) return remarks
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
  // Changing user or capabilities clears it, so it comes last.
  prctl(PR_SET_PDEATHSIG, SIGKILL)
  return remarks
}
