import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownedFile } from './owned-file.ts'

const fresh = (): string => join(mkdtempSync(join(tmpdir(), 'owned-')), 'deep', 'owned.json')

const open = (path: string, told: string[] = []) => ownedFile(path, (problem) => told.push(problem))

test('what is saved is loaded by the next run', () => {
  const path = fresh()
  open(path).save(['192.0.2.1:80/tcp', 'fwmark 7/inet'])
  expect(open(path).load()).toEqual(['192.0.2.1:80/tcp', 'fwmark 7/inet'])
})

test.each(['', 'nonsense', '{}', '[1, null]', '"x"'])(
  'a damaged file (%j) owns nothing, and is told of once',
  (content) => {
    const path = join(mkdtempSync(join(tmpdir(), 'owned-')), 'owned.json')
    writeFileSync(path, content)
    const told: string[] = []
    const file = open(path, told)
    expect([file.load(), file.load()]).toEqual([[], []])
    expect(told).toEqual([expect.stringMatching(/owned\.json is damaged.*taken for those of others$/)])
  },
)

test('a missing file owns nothing', () => {
  const told: string[] = []
  expect(open(fresh(), told).load()).toEqual([])
  expect(told).toEqual([])
})
