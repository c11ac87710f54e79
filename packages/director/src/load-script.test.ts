import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Script } from 'node:vm'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { loadScript } from './load-script.ts'

const folder = mkdtempSync(join(tmpdir(), 'load-script-'))
const file = join(folder, 'program.cjs')
const cache = `${file}.cache`
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const source = (answer: number): string => `(function (exports, require, filename) {
exports.answer = ${answer}
exports.called = require('node:path').basename(filename)
})`
const expected = { answer: 42, called: 'program.cjs' }

beforeEach(() => {
  writeFileSync(file, source(42))
  rmSync(cache, { force: true })
})

const load = (): unknown => loadScript(pathToFileURL(file))
const compiled = (text: string): Buffer => new Script(text, { filename: file }).createCachedData()

test('a program runs without a cache, with its own, and with one that is none', () => {
  expect(load()).toEqual(expected)
  writeFileSync(cache, compiled(readFileSync(file, 'latin1')))
  expect(load()).toEqual(expected)
  for (const broken of [Buffer.alloc(0), Buffer.from('nothing of the kind'), compiled('1 + 1')]) {
    writeFileSync(cache, broken)
    expect(load()).toEqual(expected)
  }
})
