/** Addresses, routes and rules of instances, and static ones, as KEEPALIVED-MIB numbers them. */
import type { Oid } from '../oid.ts'
import type { InstanceRow } from './snapshot.ts'

/** An entry of an instance, or a static one, with its number. */
export interface Entry<Wanted> {
  readonly index: Oid
  readonly wanted: Wanted
  /** The kernel is to have it now. */
  readonly isSet: boolean
}

/** Static entries are those of instance 0. */
export function entriesOf<Wanted>(
  fixed: readonly Wanted[],
  instances: readonly InstanceRow[],
  of: (config: InstanceRow['config']) => readonly Wanted[],
): Entry<Wanted>[] {
  const all = [{ wanted: fixed, isSet: true }, ...instances.map(({ config, status }) => ({ wanted: of(config), isSet: status.state === 'master' }))] // prettier-ignore
  return all.flatMap(({ wanted, isSet }, i) => wanted.map((each, j) => ({ index: [i, j + 1], wanted: each, isSet })))
}

/** InetScopeType of an RT_SCOPE_ number: universe, site, link, host; nowhere and others are 0. */
export const scopeNumber = (scope: number): number => ({ 0: 14, 200: 5, 253: 2, 254: 1 })[scope] ?? 0
