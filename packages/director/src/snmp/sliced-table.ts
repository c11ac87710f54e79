import { inSlices } from '@ipvs-director/core'
import type { Oid } from './oid.ts'
import { table, type Column, type Node, type Row } from './tree.ts'

/**
 * A table that may have fifty thousand rows, put together in slices. `sparse`: numbers of columns that most rows have
 * nothing in; which have is found out here, so that a walk that comes by does not look at every row of an empty one.
 */
export async function slicedTable<Each>(
  oid: Oid,
  columns: readonly Column<Each>[],
  all: Iterable<Row<Each>>,
  sparse: readonly number[],
): Promise<Node> {
  const rows: Row<Each>[] = []
  const dense = columns.filter(({ number }) => !sparse.includes(number))
  const thin = columns.filter(({ number }) => sparse.includes(number)).map((column) => ({ ...column, rows: [] as Row<Each>[] })) // prettier-ignore
  await inSlices(all, (row) => {
    rows.push(row)
    for (const column of thin) if (column.value(row.row) !== undefined) column.rows.push(row)
  })
  return table<Each>(oid, [...dense, ...thin], rows)
}
