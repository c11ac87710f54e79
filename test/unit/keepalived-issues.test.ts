/** docs/keepalived-issues.md promises a test for each number. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'

const page = readFileSync(join(root, 'docs/keepalived-issues.md'), 'utf8')
const numbers = [...page.matchAll(/^\| \[#(\d+)\]/gm)].map(([, number]) => number)

const tests = ['packages', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => readFileSync(join(root, folder, path), 'utf8')),
)
const named = tests.flatMap((text) => [...text.matchAll(/'keepalived #(\d+): /g)].map(([, number]) => number))

test('each issue of the page is a test of that name, and the other way round', () => {
  expect(numbers.length).toBeGreaterThan(15)
  expect([...new Set(named)].sort()).toEqual([...numbers].sort())
})
