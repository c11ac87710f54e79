/** An object identifier: its numbers, each 0 to 2^32-1, at most 128. */
export type Oid = readonly number[]

/** `1.3.6.1` → numbers; for constants. */
export const oid = (text: string): Oid => text.split('.').map(Number)

/** Below zero: `a` comes before `b` in the tree; a parent comes before its children. */
export function compareOid(a: Oid, b: Oid): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export const startsWith = (oid: Oid, prefix: Oid): boolean =>
  oid.length >= prefix.length && prefix.every((number, i) => oid[i] === number)
