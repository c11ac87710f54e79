import { errorCode, formatDuration } from '@ipvs-director/core'
import type { Attempt, AttemptEnd } from '../attempt.ts'
import type { VerdictClass } from '../checker.ts'
import { ProbeFailure } from '../verdict.ts'

/**
 * What each errno says about the server. What is not here is our own failure (EMFILE, ENOBUFS, EADDRNOTAVAIL, EACCES,
 * EINVAL …): it says nothing about the server and is never counted.
 */
const byCode: Readonly<Record<string, Exclude<VerdictClass, 'ok'>>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EPROTO: 'protocol',
  ENOPROTOOPT: 'unreachable',
}

/** Refusals that come from our own routing table when they come before any packet could be answered. */
const ownRouting = new Set(['ENETUNREACH', 'ENETDOWN'])

/**
 * Ours when the kernel says so at once (a privilege, a `prohibit` route), but later they are what a firewall or router
 * answered by ICMP: ICMPv6 "administratively prohibited" is EACCES, "host isolated" ENONET, "source route failed"
 * EOPNOTSUPP.
 */
const byIcmp: Readonly<Record<string, string>> = {
  EACCES: 'administratively prohibited',
  ENONET: 'host isolated',
  EOPNOTSUPP: 'source route failed',
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection aborted',
  EPIPE: 'connection closed while sending',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  EHOSTDOWN: 'host down',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network down',
  EAGAIN: 'no room for what is to be sent',
  EMFILE: 'this process has no descriptors left',
  ENFILE: 'this machine has no descriptors left',
  EADDRNOTAVAIL: 'no local address or port to connect from',
  EADDRINUSE: 'the local address and port are in use',
  ENODEV: 'no such interface',
  EPERM: 'not permitted (a local firewall, or a privilege that is missing)',
  EACCES: 'not permitted (a privilege that is missing)',
}

/**
 * A system error as the failure of a probe. `atOnce`: the kernel refused before anything could be sent, so that
 * "network unreachable" means that we have no route.
 */
export function systemFailure(error: unknown, where: string, atOnce = false): ProbeFailure {
  const code = errorCode(error) ?? ''
  const icmp = atOnce ? undefined : byIcmp[code]
  if (icmp !== undefined) return new ProbeFailure('unreachable', `${icmp}: ${where}`, error)
  const ours = atOnce && ownRouting.has(code)
  const kind = ours ? 'local' : (byCode[code] ?? 'local')
  const text = ours ? `no route (${code})` : words[code]
  const said = text ?? (error instanceof Error && error.message !== '' ? error.message : String(error))
  return new ProbeFailure(kind, `${said}: ${where}`, error)
}

/** The end of an attempt as the failure of what was being waited for: `no answer from 10.0.0.3:80 after 5 s`. */
export function endFailure(why: AttemptEnd, waitedFor: string, attempt: Attempt): ProbeFailure {
  if (why === 'stopped') return new ProbeFailure('local', 'the prober is stopping')
  return new ProbeFailure('timeout', `${waitedFor} after ${formatDuration(attempt.elapsed())}`)
}
