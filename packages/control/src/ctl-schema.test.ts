import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '@ipvs-director/core'
import { runCtl } from './cli.ts'
import { knownCommands } from './command-names.ts'
import { answersOf, ctlSchema, type AnswerName } from './ctl-schema.ts'
import { createControlServer, type ControlServer } from './server.ts'
import { busyStatus, driftReport, event, fakeDirector, fakeTools, reloadResult, splitBrain, status } from './testing/index.ts' // prettier-ignore
import type { FakeToolsOptions } from './testing/index.ts'

/** Members that are not declared are faults here, so that none is forgotten. */
const ajv = new Ajv2020({ strict: true, allErrors: true })
ajv.addSchema(closed(ctlSchema) as object)

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in copy ? { ...copy, additionalProperties: false } : copy
}

let folder: string
let path: string
let server: ControlServer
const director = fakeDirector()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(folder, 's')
  server = await createControlServer({ socket: { path }, handlers: director, logger: silentLogger })
  director.status = () => Promise.resolve({ ...busyStatus(), vrrp: splitBrain() })
  director.drift = () => Promise.resolve(driftReport())
  director.events.push(event(1))
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

async function printed(line: string, options: FakeToolsOptions = {}): Promise<unknown> {
  const tools = fakeTools({ ...options, env: { IPVS_DIRECTOR_SOCKET: path } })
  await runCtl([...line.split(' '), '--json'], tools)
  return JSON.parse(tools.out())
}

const remark = { code: 'W043', severity: 'warning', text: 'x', place: { file: 'a', line: 3, column: 1, length: 2 }, excerpt: 'x', suggestion: 'y', related: [{ place: { file: 'a', line: 1, column: 1 }, text: 'z' }] } as const // prettier-ignore
const counts = { vrrpInstances: 0, virtualServers: 1, realServers: 2, checkers: 2 }
const configTools: FakeToolsOptions['configTools'] = {
  check: () => Promise.resolve({ errors: 0, warnings: 1, diagnostics: ['a:3:1: x'], remarks: [remark], leftOut: ['b'], config: {}, counts }), // prettier-ignore
  explain: () => ({ code: 'W043', severity: 'warning', title: 'a', keepalived: 'ok', doc: 'b' }),
}
const doctor: NonNullable<FakeToolsOptions['doctor']> = () =>
  Promise.resolve({
    findings: [
      { name: 'a', text: 'b', verdict: 'bad', why: 'c', mend: ['d'] },
      { name: 'a', text: 'b', verdict: 'fine' },
    ],
    done: ['x'],
    keep: [{ file: 'y', lines: ['z'] }],
  })

const server2 = '10.0.0.2:80'
const answers: readonly (readonly [line: string, name: AnswerName, options?: FakeToolsOptions])[] = [
  ['status', 'Status'],
  ['servers', 'ServersAnswer'],
  ['checks', 'ChecksAnswer'],
  ['explain 10.0.0.4:80', 'ExplainAnswer'],
  ['explain W043', 'CodeAnswer', { configTools }],
  ['check a.conf', 'CheckAnswer', { configTools }],
  ['check a.conf', 'CheckAnswer', { configTools: { check: () => Promise.reject(new Error('ENOENT')) } }],
  ['doctor a.conf', 'DoctorAnswer', { doctor }],
  ['reload', 'ReloadAnswer'],
  ['reload --confirm 60s', 'ReloadAnswer'],
  ['confirm', 'ConfirmAnswer'],
  ['plan', 'PlanAnswer'],
  ...['drain', 'disable', 'enable', 'remove', 'reset'].map((name) => [`${name} ${server2}`, 'Steered'] as const),
  [`weight ${server2} 3`, 'Steered'],
  [`force up ${server2}`, 'Steered'],
  ['maintenance 10.0.0.2', 'Steered'],
  ['add 192.0.2.1:80 10.0.0.9:80', 'Steered'],
  ['remove-service 192.0.2.1:80', 'Steered'],
  ['add-service 192.0.2.9:80 10.0.0.2:80', 'Steered'],
  ['vrrp', 'VrrpAnswer'],
  ['vrrp move VI_1', 'VrrpDone'],
  ['probers', 'ProbersAnswer'],
  ['probers restart 1', 'ProberDone'],
  ['drift', 'DriftAnswer'],
  ['events', 'Event'],
  ['stop', 'StopAnswer'],
  ['version', 'VersionAnswer'],
  ['version --socket /nowhere/s', 'VersionAnswer'],
]

function faults(name: AnswerName, value: unknown): unknown {
  const validate = ajv.getSchema(`${ctlSchema.$id}#/$defs/${name}`)
  void validate?.(value)
  return validate?.errors?.map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`) ?? []
}

test.for(answers)('%s prints a %s, and nothing that is not declared', async ([line, name, options]) => {
  const value = await printed(line, options)
  expect(faults(name, value)).toEqual([])
  if (name !== 'Event') expect(value).toMatchObject({ schema: 1 })
})

test('what is refused has a schema, too', async () => {
  director.reload = () =>
    Promise.resolve(reloadResult({ ok: false, diagnostics: ['a:1:1: no'], changes: [], writes: 0 }))
  director.steer = () => Promise.resolve({ ok: false, problem: 'x', candidates: [], diagnostics: ['a:1:1: no'] })
  director.status = () => Promise.resolve(status())
  expect(faults('ReloadAnswer', await printed('reload'))).toEqual([])
  expect(faults('SteerRefused', await printed('add-service 192.0.2.9:80 10.0.0.2:80'))).toEqual([])
})

test('every command that answers in JSON is declared, and every declared answer was tried', () => {
  const answering = knownCommands.filter(({ options }) => options.includes('--json')).map(({ name }) => name)
  expect(Object.keys(answersOf).sort()).toEqual(answering.sort())
  const tried = new Set([
    ...answers.map(([line, name]) => `${line.split(' ')[0] ?? ''} ${name}`),
    'add-service SteerRefused',
  ])
  expect([...tried].sort()).toEqual(
    Object.entries(answersOf).flatMap(([command, { names }]) => names.map((name) => `${command} ${name}`)).sort(), // prettier-ignore
  )
})

test('every definition is described', () => {
  for (const [name, definition] of Object.entries(ctlSchema.$defs)) expect(definition['description'], name).toMatch(/./)
})
