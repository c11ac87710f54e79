import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { statusPieces } from './pieces.ts'
import { controlSchema, type ReplyName } from './schema.ts'
import {
  busyStatus,
  check,
  driftReport,
  event,
  fixtureNow,
  largeStatus,
  reloadResult,
  status,
  sources,
} from './testing/index.ts'

const ajv = new Ajv2020({ strict: true, allErrors: true })
ajv.addSchema(controlSchema)
const strictAjv = new Ajv2020({ strict: true, allErrors: true })
strictAjv.addSchema(closed(controlSchema) as object)

/** The same schema without room for further members, to notice what the model has and the schema has not. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in copy ? { ...copy, additionalProperties: false } : copy
}

function faults(validator: Ajv2020, name: ReplyName, value: unknown): unknown {
  const validate = validator.getSchema(`${controlSchema.$id}#/$defs/${name}`)
  if (validate === undefined) throw new Error(`no schema ${name}`)
  void validate(JSON.parse(JSON.stringify(value)))
  return validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`) ?? []
}

const refused = { at: fixtureNow, diagnostics: ['a.conf:1:1: no'] }
const lastError = { at: fixtureNow, message: 'cannot add: EPERM' }
const base = status()

test.for<[ReplyName, string, unknown]>([
  ['Status', 'busy', busyStatus()],
  ['Status', 'with sources', status({ sources: sources() })],
  [
    'Status',
    'in trouble',
    status({ config: { ...base.config, refused }, kernel: { ...base.kernel, reachable: false, lastError } }),
  ],
  ['Status', 'written in pieces', JSON.parse([...statusPieces(largeStatus(3, 250))].join(''))],
  ['CheckStatus', 'with its pace', check({ timing: { delayLoop: 6000, delayBeforeRetry: 1000, timeout: 5000 } })],
  ['DriftReport', 'with findings', driftReport()],
  ['ReloadResult', 'refused', reloadResult({ ok: false, diagnostics: ['a.conf:1:1: no'] })],
  ['Event', 'down', event(3)],
  ['Version', 'of a director', { schema: 1, version: '0.1.0', pid: 1, startedAt: fixtureNow }],
  ['Problem', 'with suggestions', { error: { code: 'x', message: 'y', suggestions: ['z'] } }],
])('%s (%s) is as its schema says, and has nothing more', ([name, , value]) => {
  expect(faults(strictAjv, name, value)).toEqual([])
})

test.for<[string, ReplyName, unknown]>([
  ['another version', 'Status', { ...base, schema: 2 }],
  ['a state nobody knows', 'CheckStatus', { ...check(), state: 'sleepy' }],
  ['a missing member', 'Drift', { at: 1, what: 'x' }],
  ['an object as a field of an event', 'Event', { ...event(1), fields: { deep: {} } }],
])('refused: %s', ([, name, value]) => {
  expect(faults(ajv, name, value)).not.toEqual([])
})

test('members of a later version are no fault', () => {
  expect(faults(ajv, 'Status', { ...base, later: true })).toEqual([])
})

test('every definition and every member but the plain ones is described', () => {
  for (const [name, definition] of Object.entries(controlSchema.$defs)) {
    expect(definition['description'], name).toMatch(/./)
  }
})
