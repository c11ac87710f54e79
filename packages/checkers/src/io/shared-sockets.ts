import type { CheckConnection } from '@ipvs-director/config'
import { familyOf, type Family } from '@ipvs-director/core'
import { ownFailure } from './prepare.ts'
import { targetOf } from './target.ts'

/**
 * One socket for all targets of a family, opened when it is first needed and again when it has broken; own ones for checks
 * with a mark, interface or local address. What keeps one from being opened is thrown as our own failure.
 */
export function sharedSockets<S extends { readonly broken: boolean }>(
  open: (family: Family, at: CheckConnection) => S,
): (at: CheckConnection) => S {
  const sockets = new Map<string, S>()
  return (at) => {
    const family = familyOf(at.address)
    const key = `${family} ${at.bindAddress ?? ''} ${at.bindInterface ?? ''} ${at.fwmark}`
    const known = sockets.get(key)
    if (known !== undefined && !known.broken) return known
    try {
      const socket = open(family, at)
      sockets.set(key, socket)
      return socket
    } catch (error) {
      throw ownFailure(error, targetOf(at).where)
    }
  }
}
