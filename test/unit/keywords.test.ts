/** What is made from the declarations is fresh, and no keyword of keepalived is missing. `vitest -u` writes the files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { grammarWith, manual, schemaOf, supportTable, type Field } from '@ipvs-director/config'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'
import { keepalivedKeywords } from './keepalived-keywords.ts'

const grammar = grammarWith(checkers)

test('docs/keywords.md', async () => {
  await expect(manual(grammar)).toMatchFileSnapshot(join(root, 'docs/keywords.md'))
})

test('configs/ipvs-director.schema.json', async () => {
  await expect(`${JSON.stringify(schemaOf(grammar), null, 2)}\n`).toMatchFileSnapshot(
    join(root, 'configs/ipvs-director.schema.json'),
  )
})

test('docs/compatibility.md ends with what is done with each keyword', async () => {
  const path = join(root, 'docs/compatibility.md')
  const heading = '## Every keyword\n\n'
  const [text = ''] = readFileSync(path, 'utf8').split(heading)
  const formatted = await format(text + heading + supportTable(grammar), {
    ...(await resolveConfig(path)),
    filepath: path,
  })
  await expect(formatted).toMatchFileSnapshot(path)
})

/** Each keyword by its spellings; true: it is marked as our own wherever it stands. */
function declared(): ReadonlyMap<string, boolean> {
  const names = new Map<string, boolean>()
  const seen = new Set<object>()
  const visit = (fields: Readonly<Record<string, Field>>): void => {
    if (seen.has(fields)) return
    seen.add(fields)
    for (const field of Object.values(fields)) {
      for (const name of [field.name, ...(field.aliases ?? [])])
        names.set(name, (names.get(name) ?? true) && field.extension === true)
      if (field.form === 'block') visit(field.fields as Readonly<Record<string, Field>>)
    }
  }
  visit(grammar.fields)
  names.delete('')
  return names
}

test('every keyword of keepalived is declared', () => {
  const names = declared()
  expect(keepalivedKeywords).toHaveLength(new Set(keepalivedKeywords).size)
  expect(keepalivedKeywords.filter((keyword) => !names.has(keyword))).toEqual([])
})

test('what keepalived does not know is marked as our own, but for what only very old versions knew', () => {
  const known = new Set(keepalivedKeywords)
  const others = [...declared()].filter(([name, own]) => !known.has(name) && !own).map(([name]) => name)
  expect(others.sort()).toEqual(['lvs_id', 'nat_mask'])
})
