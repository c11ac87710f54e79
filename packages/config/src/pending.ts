import type { Remarks } from './diagnostics.ts'
import { placeOf, type Statement } from './statement.ts'

/** One warning for each top-level block that the program does not act on yet, and one for all such settings. */
export function remarkOnPending(statements: readonly Statement[], remarks: Remarks): void {
  for (const statement of statements) {
    const { field } = statement
    if (field?.pending === true) {
      const name = [statement.keyword, ...statement.args.slice(0, 1)].join(' ')
      remarks.add('W028', placeOf(statement), `${name} is read and checked, but this version does not act on it yet`)
    } else if (field?.name === 'global_defs') {
      const names = new Set(
        (statement.body ?? []).filter((child) => child.field?.pending === true).map((child) => child.keyword),
      )
      if (names.size === 0) continue
      remarks.add('W028', placeOf(statement), `this version does not act yet on ${[...names].join(', ')}`)
    }
  }
}
