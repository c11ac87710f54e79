import type { Millis } from '@ipvs-director/core'
import { diff, openIpvs, type Table } from 'ipvs-netlink'
import { median, timed } from './measure.ts'
import { tableOf, type Shape } from './shapes.ts'

/** What our client needs for a table. */
export interface OwnFigures {
  /** From the known table to the kernel's last answer, in a process that has done nothing before. */
  readonly install: Millis
  /** The whole table by netlink, again and again. */
  readonly read: Millis
  /** The whole table compared with what is wanted, again and again. */
  readonly audit: Millis
}

/** Fills this namespace's empty table and reads it back. */
export async function ownFigures(shape: Shape): Promise<OwnFigures> {
  const client = await openIpvs()
  try {
    const table = tableOf(shape)
    const install = await timed(async () => {
      const answers = await client.execute(diff(new Map(), table))
      const refused = answers.find((error) => error !== undefined)
      if (refused !== undefined) throw refused
    })
    const audit = await settled(async () => {
      expectEqual(await client.audit(table), table)
    })
    const read = await settled(async () => {
      expectEqual(await client.table(), table)
    })
    return { install, read, audit }
  } finally {
    client.close()
  }
}

/** Something that a running program does again and again: the median once the first has warmed it up. */
async function settled(work: () => Promise<void>): Promise<Millis> {
  await work()
  return median([await timed(work), await timed(work), await timed(work)])
}

function expectEqual(actual: Table, expected: Table): void {
  const differences = diff(actual, expected, { owned: () => true }).length
  if (differences > 0) throw new Error(`the table just written shows ${differences} differences`)
}
