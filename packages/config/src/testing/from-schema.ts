import { fc } from '@fast-check/vitest'
import { parseAddress } from '@ipvs-director/core'
import type { Json, JsonSchema } from '../kind.ts'

/** Any JSON that a schema of ours allows; objects have a few of their optional properties. */
export function fromSchema(schema: unknown): fc.Arbitrary<Json> {
  const given = schema as Readonly<Record<string, unknown>>
  if (given['const'] !== undefined) return fc.constant(given['const'] as Json)
  if (given['enum'] !== undefined) return fc.constantFrom(...(given['enum'] as Json[]))
  const alternatives = (given['oneOf'] ?? given['anyOf']) as readonly JsonSchema[] | undefined
  switch (given['type']) {
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: Number(given['minimum']), max: Math.min(Number(given['maximum']), 2 ** 31 - 1) })
    case 'number':
      return fc
        .double({ min: Number(given['minimum']), max: Number(given['maximum']), noNaN: true })
        .map((value) => Number(value.toFixed(3)))
        .filter((value) => value >= Number(given['minimum']))
    case 'string':
      return alternatives === undefined ? text(given) : fc.oneof(...alternatives.map((each) => text(each)))
    case 'array': {
      const { minItems = 0, maxItems = 3 } = given as { readonly minItems?: number; readonly maxItems?: number }
      const first = (given['prefixItems'] ?? []) as readonly JsonSchema[]
      const rest = fc.array(fromSchema(given['items']), {
        minLength: Math.max(0, minItems - first.length),
        maxLength: Math.max(minItems, Math.min(maxItems, 3)) - first.length,
      })
      return fc.tuple(fc.tuple(...first.map(fromSchema)), rest).map(([head, tail]) => [...head, ...tail])
    }
    case 'object':
      return object(given)
    default:
      if (alternatives === undefined) throw new Error(`cannot make up ${JSON.stringify(given)}`)
      return fc.oneof(...alternatives.map(fromSchema))
  }
}

function text({
  format,
  pattern,
  maxLength,
  minLength,
}: Readonly<Record<string, unknown>> & { readonly pattern?: string }): fc.Arbitrary<string> {
  const v4 = fc.ipV4().map((value) => String(parseAddress(value)))
  const v6 = fc.ipV6().map((value) => String(parseAddress(value)))
  if (format === 'ipv4') return v4
  if (format === 'ipv6') return v6
  if (format === 'ip-network') {
    return fc.oneof(
      v4,
      fc.tuple(v4, fc.nat(32)).map(([ip, n]) => `${ip}/${n}`),
      fc.tuple(v6, fc.nat(128)).map(([ip, n]) => `${ip}/${n}`),
    )
  }
  const limits = { maxLength: Math.min(Number(maxLength ?? 12), 12), minLength: Number(minLength ?? 0) }
  const plain = fc.string({ ...limits, unit: fc.constantFrom(...Array.from(" azAZ09_-./\\'#!{}@~$%&()[]=,;:*?<>|üé")) })
  if (pattern === undefined || pattern.includes('[^"')) return plain
  return fc.stringMatching(new RegExp(pattern))
}

function object({
  properties = {},
  required = [],
  oneOf,
  dependentRequired = {},
}: Readonly<Record<string, unknown>>): fc.Arbitrary<Json> {
  const all = Object.entries(properties as Readonly<Record<string, JsonSchema>>).filter(([key]) => key !== '$schema')
  const forms = (oneOf ?? [{ required: [], properties: {} }]) as readonly {
    readonly required: readonly string[]
    readonly properties: Readonly<Record<string, unknown>>
  }[]
  const needs = dependentRequired as Readonly<Record<string, readonly string[]>>
  return fc.constantFrom(...forms).chain((form) => {
    const must = new Set([...(required as readonly string[]), ...form.required])
    const may = all.map(([key]) => key).filter((key) => !must.has(key) && form.properties[key] !== false)
    return fc.subarray(may, { maxLength: Math.min(4, may.length) }).chain((keys) => {
      const model = Object.fromEntries(
        all
          .filter(([key]) => must.has(key) || keys.includes(key) || keys.some((each) => needs[each]?.includes(key)))
          .map(([key, schema]) => [key, fromSchema(schema)]),
      )
      return fc.record(model)
    })
  })
}
