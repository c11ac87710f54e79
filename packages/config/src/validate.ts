import { parseAddress } from '@ipvs-director/core'
import type { ErrorObject } from 'ajv'
import type { Code } from './codes.ts'
import type { Block } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import { type JsonNode, placeAt } from './json-text.ts'
import { schemaOf } from './schema.ts'
import type { Source } from './source.ts'
import { closest } from './suggest.ts'

/** What ajv answers about a value. */
export type Validator = (value: unknown) => readonly ErrorObject[]

const validators = new WeakMap<Block, Promise<Validator>>()

/** The validator of a grammar's JSON spelling. ajv is loaded when it is first asked for. */
export function validatorOf(grammar: Block): Promise<Validator> {
  let validator = validators.get(grammar)
  if (validator === undefined) validators.set(grammar, (validator = compile(schemaOf(grammar))))
  return validator
}

/** Compiles any schema of ours (strict, all errors, with the formats our kinds use). */
export async function compile(schema: object): Promise<Validator> {
  // A bundler gives the CommonJS module as the default only.
  const { Ajv2020 } = (await import('ajv/dist/2020.js')).default
  const ajv = new Ajv2020({ strict: true, strictTuples: false, allErrors: true, verbose: true })
  const isFamily = (wanted: boolean) => (text: string) => {
    const address = parseAddress(text)
    return address !== undefined && address.includes(':') === wanted
  }
  ajv.addFormat('ipv4', isFamily(false))
  ajv.addFormat('ipv6', isFamily(true))
  ajv.addFormat('ip-network', isNetwork)
  const validate = ajv.compile(schema)
  return (value) => (validate(value) ? [] : (validate.errors ?? []))
}

function isNetwork(text: string): boolean {
  const [before = '', length, ...more] = text.split('/')
  const address = parseAddress(before)
  if (address === undefined || more.length > 0) return false
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (address.includes(':') ? 128 : 32))
}

/** Remarks about what does not fit the schema, one for each place. Answers the top-level items that are to be left out. */
export function remarkOnMisfits(
  errors: readonly ErrorObject[],
  root: JsonNode,
  source: Source,
  remarks: Remarks,
): ReadonlySet<string> {
  const broken = new Set<string>()
  for (const error of telling(errors)) {
    const found = locate(error, root)
    const { code, text, suggestion } = describe(error)
    const name = error.instancePath === '' ? '' : ` (${error.instancePath.slice(1)})`
    remarks.add(
      code,
      placeAt(source, found.start, found.end),
      text + name,
      suggestion === undefined ? {} : { suggestion },
    )
    broken.add(topItem(error))
  }
  return broken
}

/** `virtual_server/3`, or the name of the top-level key. */
function topItem({ instancePath, keyword, params }: ErrorObject): string {
  const parts = instancePath.split('/').slice(1)
  if (parts.length === 0)
    return keyword === 'additionalProperties' ? (params as { additionalProperty: string }).additionalProperty : ''
  return /^\d+$/.test(parts[1] ?? '') ? `${parts[0] ?? ''}/${parts[1] ?? ''}` : (parts[0] ?? '')
}

/** Of the errors at one place the most telling; a failed alternative says less than what is wrong inside it. */
function telling(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const vague = new Set(['oneOf', 'anyOf', 'const', 'false schema', 'not'])
  const best = new Map<string, ErrorObject>()
  for (const error of errors) {
    const key = `${error.instancePath} ${error.keyword === 'additionalProperties' ? JSON.stringify(error.params) : ''}`
    const other = best.get(key)
    if (other === undefined || (vague.has(other.keyword) && !vague.has(error.keyword))) best.set(key, error)
  }
  const all = [...best.values()]
  return all.filter(
    (error) =>
      !vague.has(error.keyword) ||
      !all.some((other) => other !== error && other.instancePath.startsWith(error.instancePath)),
  )
}

function locate(error: ErrorObject, root: JsonNode): { readonly start: number; readonly end: number } {
  let node = root
  let place: { start: number; end: number } = root
  for (const part of error.instancePath.split('/').slice(1)) {
    const member = node.members.get(part.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (member === undefined) break
    node = place = member.node
  }
  if (error.keyword !== 'additionalProperties') return place
  const key = (error.params as { readonly additionalProperty: string }).additionalProperty
  const member = node.members.get(key)
  return member === undefined ? place : { start: member.keyStart, end: member.keyEnd }
}

function describe(error: ErrorObject): { readonly code: Code; readonly text: string; readonly suggestion?: string } {
  const params = error.params as Readonly<Record<string, unknown>>
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty'])
      const known = Object.keys((error.parentSchema as { readonly properties?: object }).properties ?? {})
      const suggestion = closest(key, known)
      return { code: 'E030', text: `unknown keyword "${key}"`, ...(suggestion === undefined ? {} : { suggestion }) }
    }
    case 'required':
      return { code: 'E036', text: `${String(params['missingProperty'])} is missing` }
    case 'minimum':
    case 'maximum':
      return { code: 'E021', text: `out of range: must be ${String(params['comparison'])} ${String(params['limit'])}` }
    case 'enum':
      return { code: 'E024', text: `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}` }
    case 'format':
      return { code: 'E026', text: `is not ${String(params['format'])}` }
    default:
      return { code: 'E070', text: error.message ?? 'does not fit the schema' }
  }
}
