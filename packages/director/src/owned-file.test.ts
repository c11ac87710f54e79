import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownedFile } from './owned-file.ts'

const fresh = (): string => join(mkdtempSync(join(tmpdir(), 'owned-')), 'deep', 'owned.json')

test('what is saved is loaded by the next run', () => {
  const path = fresh()
  ownedFile(path).save(['192.0.2.1:80/tcp', 'fwmark 7/inet'])
  expect(ownedFile(path).load()).toEqual(['192.0.2.1:80/tcp', 'fwmark 7/inet'])
})

test.each(['', 'nonsense', '{}', '[1, null]', '"x"'])('a damaged file (%j) owns nothing', (content) => {
  const path = join(mkdtempSync(join(tmpdir(), 'owned-')), 'owned.json')
  writeFileSync(path, content)
  expect(ownedFile(path).load()).toEqual([])
})

test('a missing file owns nothing', () => {
  expect(ownedFile(fresh()).load()).toEqual([])
})
