import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tunables } from './kernel-looks.ts'

test('docs/doctor.md has every name of a finding', () => {
  const page = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8')
  const folder = new URL('./', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('-looks.ts'))
  const text = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  const literal = [...text.matchAll(/(?:fine|note|unknown|noRoute)\(\s*'([a-z-]+)'/g)].map(([, name]) => name)
  const wrong = [...text.matchAll(/'(?:bad|warning)',\s*'([a-z-]+)'/g)].map(([, name]) => name)
  const names = new Set([...literal, ...wrong, ...tunables.map(({ name }) => name.replaceAll('_', '-'))])
  expect(names.size).toBeGreaterThan(20)
  for (const name of names) expect(page).toContain(`\`${name}\``)
})
