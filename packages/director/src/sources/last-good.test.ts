import { address } from '@ipvs-director/core'
import { mkdtempSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { lastGoodFile, type LastGood } from './last-good.ts'

function file(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sources-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  return join(directory, 'state', 'sources.json')
}

const answer: LastGood = {
  at: 123,
  servers: [
    { address: address('10.0.0.1'), port: 80, weight: 5, tier: 1 },
    { address: address('2001:db8::1'), port: undefined, weight: undefined, tier: 0 },
  ],
}

test('what was saved is read again, and nothing else is left lying about', () => {
  const path = file()
  expect(lastGoodFile(path).load()).toEqual({ known: new Map(), problem: undefined })
  lastGoodFile(path).save(new Map([['dns A web.example', answer]]))
  expect(lastGoodFile(path).load()).toEqual({ known: new Map([['dns A web.example', answer]]), problem: undefined })
  expect(readdirSync(join(path, '..'))).toEqual(['sources.json'])
})

test.for([
  '{"layout":1,"sources":{"x":{"at":1,"servers":[{"addr',
  '{"layout":2,"sources":{}}',
  '{"layout":1,"sources":{"x":{"at":1,"servers":[{"address":"10.0.0","tier":0}]}}}',
  '{"layout":1,"sources":{"x":{"at":1,"servers":[{"address":"10.0.0.1","tier":0,"port":70000}]}}}',
  '[]',
  '',
])('a damaged file is set aside: %s', (text) => {
  const path = file()
  lastGoodFile(path).save(new Map())
  writeFileSync(path, text)
  const { known, problem } = lastGoodFile(path).load()
  expect([...known]).toEqual([])
  expect(problem).toContain('is damaged')
  expect(existsSync(`${path}.damaged`)).toBe(true)
  expect(lastGoodFile(path).load().problem).toBeUndefined()
})
