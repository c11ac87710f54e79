/**
 * Every keyword of every checker is shown to matter: some test says so in a comment, `// shows KIND|KIND keyword
 * block.keyword …` (`*`: every kind that has the keyword), and changes it to see another verdict or other packets.
 */
import { checkers } from '@ipvs-director/checkers'
import type { Fields } from '@ipvs-director/config'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'

/** What has no effect by its nature. */
const idle = new Map([
  ['PING_CHECK connect_port', 'ICMP has no ports'],
  ['PING_CHECK bind_port', 'ICMP has no ports'],
  ...['enable_sni', 'sni_name', 'tls_compliant', 'url.tls_compliant'].map(
    (keyword) => [`HTTP_GET ${keyword}`, 'keepalived takes it, and it is about TLS'] as const,
  ),
  ...['verify', 'ca', 'name', 'certificate', 'key', 'expiry_warning', 'expiry_failure'].map(
    (word) => [`HTTP_GET tls_${word}`, 'is about TLS: a remark says so'] as const,
  ),
])

/** `url.path`: the keyword `path` in the block `url`. */
function keywordsOf(fields: Fields, before = ''): string[] {
  return Object.values(fields).flatMap((field) => {
    const names = [field.name, ...(field.aliases ?? [])].map((name) => before + name)
    return field.form === 'block' ? [...names, ...keywordsOf(field.fields, `${before}${field.name}.`)] : names
  })
}

const declared = new Map(checkers.map(({ keyword, block }) => [keyword, keywordsOf(block.fields)]))

function shown(): string[] {
  const files = ['packages', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !/(?:^|\/)node_modules\//.test(file))
      .map((file) => join(folder, file)),
  )
  return files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^\s*\/\/ shows (\S+) (.+)$/gm)].flatMap(
      ([, kinds = '', keywords = '']) =>
        keywords
          .trim()
          .split(/\s+/)
          .flatMap((keyword) => kindsOf(kinds, keyword).map((kind) => `${kind} ${keyword}`)),
    ),
  )
}

function kindsOf(kinds: string, keyword: string): readonly string[] {
  if (kinds !== '*') return kinds.split('|')
  const having = [...declared].filter(([, keywords]) => keywords.includes(keyword)).map(([kind]) => kind)
  return having.length === 0 ? ['*'] : having
}

test('each keyword of each checker is shown to matter by some test', () => {
  const all = [...declared].flatMap(([kind, keywords]) => keywords.map((keyword) => `${kind} ${keyword}`))
  const named = new Set(shown())
  expect(all.length).toBeGreaterThan(250)
  expect(all.filter((each) => !named.has(each) && !idle.has(each))).toEqual([])
  expect([...named, ...idle.keys()].filter((each) => !all.includes(each))).toEqual([])
})
