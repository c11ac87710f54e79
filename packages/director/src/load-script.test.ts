import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const compiled = (text: string): Buffer =>
  Buffer.concat([digestOf(text), new Script(text, { filename: file }).createCachedData()])

test('a program runs without a cache, with its own, and with one that is none', () => {
  expect(load()).toEqual(expected)
  writeFileSync(cache, compiled(source(42)))
  expect(load()).toEqual(expected)
  for (const broken of [Buffer.alloc(0), Buffer.from('nothing of the kind'), compiled('1 + 1')]) {
    writeFileSync(cache, broken)
    expect(load()).toEqual(expected)
  }
})

test('the code of another script of the same length is not run', () => {
  writeFileSync(cache, compiled(source(43)))
  expect(load()).toEqual(expected)
  // It would be, but for the digest: scripts that this process has not compiled yet show it.
  writeFileSync(file, source(44))
  writeFileSync(cache, Buffer.concat([digestOf(source(44)), compiled(source(45)).subarray(32)]))
  expect(load()).toMatchObject({ answer: 45 })
})
