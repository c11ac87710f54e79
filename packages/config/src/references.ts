import type { Remarks } from './diagnostics.ts'
import type { Statement } from './statement.ts'
import { placeOf } from './statement.ts'
import { closest } from './suggest.ts'

/** What a name in a list or after a keyword refers to: keyword here → keyword of the block that defines it. */
const lists: Readonly<Record<string, readonly string[]>> = {
  'vrrp_sync_group/group': ['vrrp_instance'],
  'track_group/group': ['vrrp_instance'],
  'vrrp_instance/track_script': ['vrrp_script'],
  'vrrp_sync_group/track_script': ['vrrp_script'],
  'vrrp_instance/track_file': ['track_file', 'vrrp_track_file'],
  'vrrp_sync_group/track_file': ['track_file', 'vrrp_track_file'],
  'vrrp_instance/track_process': ['vrrp_track_process'],
  'vrrp_sync_group/track_process': ['vrrp_track_process'],
  'vrrp_instance/track_bfd': ['bfd_instance'],
  'vrrp_sync_group/track_bfd': ['bfd_instance'],
}

/** Blocks of these kinds have names that must differ. */
const named = [
  'vrrp_instance',
  'vrrp_sync_group',
  'vrrp_script',
  'vrrp_track_process',
  'track_file',
  'vrrp_track_file',
  'bfd_instance',
  'track_group',
  'virtual_server_group',
]

/**
 * Errors for names that are defined twice, and for those that are used and not defined. Answers the statements that
 * are no use: the second of two, and what follows something that is not there. A group goes on without a member.
 */
export function remarkOnNames(statements: readonly Statement[], remarks: Remarks): readonly Statement[] {
  const broken: Statement[] = []
  const names = new Map<string, Map<string, Statement>>(named.map((kind) => [kind, new Map()]))
  for (const statement of statements) {
    const known = names.get(statement.keyword)
    const [name] = statement.args
    if (known === undefined || name === undefined || statement.field === undefined) continue
    const first = known.get(name)
    if (first === undefined) known.set(name, statement)
    else {
      broken.push(statement)
      remarks.add('E051', placeOf(statement, 1), `${statement.keyword} ${name} stands twice; this one is left out`, {
        related: [{ place: placeOf(first, 1), text: 'the first one' }],
      })
    }
  }
  for (const statement of statements) {
    for (const child of statement.body ?? []) {
      const kinds = lists[`${statement.keyword}/${child.keyword}`]
      if (kinds === undefined || child.body === undefined || child.field === undefined) continue
      const { errors } = remarks
      for (const entry of child.body) references(entry, child, kinds, names, remarks)
      if (remarks.errors > errors && child.keyword !== 'group') broken.push(statement)
    }
  }
  return broken
}

function references(
  entry: Statement,
  list: Statement,
  kinds: readonly string[],
  names: ReadonlyMap<string, ReadonlyMap<string, Statement>>,
  remarks: Remarks,
): void {
  const words =
    list.field?.form === 'list' && list.field.layout === 'words' ? [entry.keyword, ...entry.args] : [entry.keyword]
  for (const [i, name] of words.entries()) {
    if (kinds.some((kind) => names.get(kind)?.has(name) === true)) continue
    const suggestion = closest(
      name,
      kinds.flatMap((kind) => [...(names.get(kind)?.keys() ?? [])]),
    )
    const text = `no ${kinds[0] ?? ''} is named "${name}"`
    remarks.add('E040', placeOf(entry, i), text, suggestion === undefined ? {} : { suggestion })
  }
}
