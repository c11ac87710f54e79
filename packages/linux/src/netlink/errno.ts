import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** Numbers that libuv does not name but the kernel's netlink families answer with (asm-generic/errno.h). */
const others: readonly (readonly [number, string])[] = [
  [53, 'EBADR'],
  [61, 'ENODATA'],
  [62, 'ETIME'],
  [67, 'ENOLINK'],
  [76, 'ENOTUNIQ'],
  [117, 'EUCLEAN'],
  [126, 'ENOKEY'],
  [132, 'ERFKILL'],
]

/** Node's own name first: 95 is `ENOTSUP`, as everywhere in Node, not EOPNOTSUPP. */
const names: ReadonlyMap<number, string> = new Map([
  ...others,
  ...Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]),
  ...[...getSystemErrorMap()].map(([number, [name]]): [number, string] => [-number, name]),
])

/** The name of a positive errno: `EEXIST` for 17; `errno 1234` for one nobody named. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`
}

/** The positive number of a name: 17 for `EEXIST`; undefined for a name that is none. */
export function errnoNumber(name: string): number | undefined {
  for (const [number, known] of names) if (known === name) return number
  return (constants.errno as Readonly<Record<string, number | undefined>>)[name]
}
