import { expect, test, vi } from 'vitest'
import { fc, test as property } from '@fast-check/vitest'
import type { Field, Keyword } from './declare.ts'
import { grammarWith } from './grammar/root.ts'
import type { Json } from './kind.ts'
import { schemaOf } from './schema.ts'
import { fieldMap } from './tree.ts'
import { testCheckers } from './testing/checkers.ts'
import { fromSchema } from './testing/from-schema.ts'
import { convertText, loadText } from './testing/load-text.ts'
import { compile, validatorOf } from './validate.ts'
import { Remarks } from './diagnostics.ts'
import type { Statement } from './statement.ts'
import { Words } from './words.ts'

// Many runs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const grammar = grammarWith(testCheckers)
const schema = schemaOf(grammar)

property.prop([fromSchema(schema)], { numRuns: 100 })('JSON → keepalived.conf → JSON is the same', async (json) => {
  const first = await convertText(JSON.stringify(json))
  const second = await convertText(first.conf)
  expect(second.json, first.conf).toEqual(first.json)
  expect((await convertText(JSON.stringify(second.json))).conf).toBe(first.conf)
})

property.prop([fromSchema(schema)])('what the schema allows has no misfits', async (json) => {
  const { diagnostics } = await loadText(JSON.stringify(json))
  expect(diagnostics.filter((each) => each.code === 'E070' || each.code === 'E071')).toEqual([])
})

/** Every keyword with a value, once. */
function* keywords(): Generator<Keyword<unknown>> {
  const seen = new Set<Field>()
  const visit = function* (fields: Iterable<Field>): Generator<Keyword<unknown>> {
    for (const field of fields) {
      if (seen.has(field)) continue
      seen.add(field)
      if (field.form === 'value') yield field as Keyword<unknown>
      else if (field.form === 'block') yield* visit(fieldMap(field).values())
    }
  }
  yield* visit(fieldMap(grammar).values())
}

const numeric = [...keywords()].filter(
  ({ kind }) => ['integer', 'number'].includes(String(kind.schema['type'])) || kind.schema['anyOf'] !== undefined,
)
const choices = [...keywords()].filter(({ kind }) => kind.schema['enum'] !== undefined)

function readWords(field: Keyword<unknown>, words: readonly string[]): unknown {
  const statement: Statement = {
    keyword: field.name,
    args: words,
    source: { file: '', text: '' },
    line: 1,
    offset: 0,
    end: 0,
    written: { columns: [1], lengths: [1], indent: 0, raw: undefined },
    field,
    body: undefined,
  }
  return field.kind.read(new Words(new Remarks()).begin(statement))
}

test.for(numeric.map((field) => [field.name, field] as const))(
  'reader and schema agree on the range of %s',
  async ([, field]) => {
    const validate = await compile(field.kind.schema)
    const range = (field.kind.schema['anyOf'] as readonly Json[] | undefined)?.[1] ?? field.kind.schema
    const { minimum = 0, maximum = 0 } = range as Readonly<Record<string, number>>
    const step = field.kind.schema['type'] === 'integer' ? 1 : 0.000001
    for (const value of [
      minimum,
      maximum,
      minimum - step,
      maximum + step,
      Math.round((minimum + maximum) / 2),
      0,
      -1,
    ]) {
      const word = Number(value.toFixed(6))
      const read = readWords(field, field.kind.words(word))
      const kept = read !== undefined && field.kind.toJson(read as number) === word
      if (field.kind.schema['type'] === 'integer' && !Number.isInteger(word)) continue
      if (kept !== (validate(word).length === 0)) expect.fail(`${field.name} ${word}: ${kept ? 'read' : 'refused'}`)
    }
  },
)

test.for(choices.map((field) => [field.name, field] as const))(
  'reader and schema agree on the choices of %s',
  async ([, field]) => {
    const validate = await compile(field.kind.schema)
    for (const word of [...(field.kind.schema['enum'] as string[]), 'nonsense', '']) {
      expect(readWords(field, [word]) !== undefined, word).toBe(validate(word).length === 0)
    }
  },
)

property.prop([fc.constantFrom(...keywords()), fc.infiniteStream(fc.nat())], { numRuns: 300 })(
  'what the schema of a keyword allows is read, and is the same JSON again',
  async (field) => {
    const [json] = fc.sample(fromSchema(field.kind.schema), 1)
    if (json === undefined || field.kind.syntax === '') return
    const value = readWords(field, field.kind.words(json))
    if (value === undefined || value === null) return
    const written = field.kind.toJson(value)
    expect((await compile(field.kind.schema))(written)).toEqual([])
    expect(field.kind.toJson(readWords(field, field.kind.words(written)) as string)).toEqual(written)
  },
)

test('the schema is strict and names each keyword', async () => {
  const validate = await validatorOf(grammar)
  expect(validate({ virtual_server: [{ address: '192.0.2.1', port: 80, delay_loop: 6 }] })).toEqual([])
  expect(validate({ nonsense: 1 })).toHaveLength(1)
})

test.for([
  ['{"virtual_server": [{"address": "192.0.2.1", "delay_lop": 6}]}', 'E030 1:46', 'delay_loop'],
  ['{"virtual_server": [{"address": "192.0.2.1", "quorum": 0}]}', 'E021 1:56', undefined],
  ['{"virtual_server": [{"address": "192.0.2.300"}]}', 'E026 1:33', undefined],
  ['{"virtual_server": [{"quorum": 1}]}', 'E036 1:21', undefined],
  ['{"virtual_server": [{"address": "192.0.2.1", "lb_algo": "rrr"}]}', 'E024 1:57', undefined],
  ['{"virtual_server": [1,]}', 'E071 1:23', undefined],
  ['{"a": 1, "a": 2}', 'E071 1:10', undefined],
  ['{"a": 01}', 'E071 1:7', undefined],
] as const)('%s is answered at its place', async ([text, remark, suggestion]) => {
  const { diagnostics } = await loadText(text)
  const [first] = diagnostics.filter((each) => each.severity === 'error')
  expect(`${first?.code ?? ''} ${first?.place.line ?? 0}:${first?.place.column ?? 0}`).toBe(remark)
  expect(first?.suggestion).toBe(suggestion)
})

property.prop([fc.json()])('any JSON is answered', async (text) => {
  expect((await loadText(text)).diagnostics).toBeInstanceOf(Array)
})
