import { compareOid, startsWith, type Oid } from './oid.ts'
import type { SearchRange } from './packet.ts'
import type { SnmpValue, VarBind } from './value.ts'

/** One object without an index: its instance is `oid.0`. */
export interface Scalar {
  readonly kind: 'scalar'
  readonly oid: Oid
  readonly value: SnmpValue | undefined
}

/** A row with its place in the table. */
export interface Row<Each> {
  readonly index: Oid
  readonly row: Each
}

/** A column of a table; undefined: this row has none. */
export interface Column<Each> {
  readonly number: number
  readonly value: (row: Each) => SnmpValue | undefined
  /** The only ones that have a value, ascending by index; missing: all rows may. */
  readonly rows?: readonly Row<Each>[]
}

/** A conceptual table. Instances are `entry.column.index`, so a walk goes column by column. */
export interface Table<Each = unknown> {
  readonly kind: 'table'
  /** That of the entry, above the columns. */
  readonly oid: Oid
  /** Ascending. */
  readonly columns: readonly Column<Each>[]
  /** Ascending by index. */
  readonly rows: readonly Row<Each>[]
}

/** `columns` in any order. */
export function table<Each>(oid: Oid, columns: readonly Column<Each>[], rows: readonly Row<Each>[]): Node {
  const inOrder = [...columns].sort((a, b) => a.number - b.number)
  return { kind: 'table', oid, columns: inOrder, rows } as Table<Each> as unknown as Table
}

export type Node = Scalar | Table

/** What there is to read: values are made when they are asked for, so 50,000 rows cost nothing until then. */
export interface MibTree {
  get(name: Oid): SnmpValue
  /** The first instance in the range, or that there is none. */
  next(range: SearchRange): VarBind
}

export function createTree(nodes: readonly Node[]): MibTree {
  const sorted = [...nodes].sort((a, b) => compareOid(a.oid, b.oid))
  return {
    get(name) {
      const node = sorted.find(({ oid }) => startsWith(name, oid))
      if (node === undefined) return { type: 'noSuchObject' }
      if (node.kind === 'scalar') {
        const isInstance = name.length === node.oid.length + 1 && name.at(-1) === 0
        return (isInstance ? node.value : undefined) ?? { type: 'noSuchInstance' }
      }
      const column = node.columns.find(({ number }) => number === name[node.oid.length])
      if (column === undefined) return { type: 'noSuchObject' }
      const index = name.slice(node.oid.length + 1)
      const found = node.rows[firstAtOrAfter(node.rows, index)]
      const value = found !== undefined && compareOid(found.index, index) === 0 ? column.value(found.row) : undefined
      return value ?? { type: 'noSuchInstance' }
    },
    next({ start, include, end }) {
      for (const node of sorted) {
        const found = node.kind === 'scalar' ? nextScalar(node, start, include) : nextInTable(node, start, include)
        if (found === undefined) continue
        if (end.length > 0 && compareOid(found.name, end) >= 0) break
        return found
      }
      return { name: start, value: { type: 'endOfMibView' } }
    },
  }
}

const isAfter = (name: Oid, start: Oid, include: boolean): boolean => {
  const order = compareOid(name, start)
  return order > 0 || (include && order === 0)
}

function nextScalar({ oid, value }: Scalar, start: Oid, include: boolean): VarBind | undefined {
  const name = [...oid, 0]
  return value !== undefined && isAfter(name, start, include) ? { name, value } : undefined
}

function nextInTable({ oid, columns, rows: every }: Table, start: Oid, include: boolean): VarBind | undefined {
  for (const column of columns) {
    const above = [...oid, column.number]
    const rows = column.rows ?? every
    const within = startsWith(start, above)
    if (!within && compareOid(above, start) < 0) continue
    // Only the first column that is looked at can begin in its midst.
    const from = within ? firstAtOrAfter(rows, start.slice(above.length)) : 0
    for (let i = from; i < rows.length; i++) {
      const entry = rows[i]
      const name = entry === undefined ? [] : [...above, ...entry.index]
      const value = entry === undefined || !isAfter(name, start, include) ? undefined : column.value(entry.row)
      if (value !== undefined) return { name, value }
    }
  }
  return undefined
}

/** By halves: the number of rows before `index`. */
function firstAtOrAfter(rows: Table['rows'], index: Oid): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareOid(rows[middle]?.index ?? [], index) < 0) low = middle + 1
    else high = middle
  }
  return low
}
