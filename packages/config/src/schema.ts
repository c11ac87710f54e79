import type { Block, Field, Keyword } from './declare.ts'
import type { Json, JsonSchema } from './kind.ts'
import { jsonKey } from './spelling.ts'

/** The name of the schema (it has no address of its own: configs/ipvs-director.schema.json holds it). */
export const schemaId = 'urn:ipvs-director:schema:configuration:1'

/** The JSON Schema (2020-12) of the JSON spelling of a whole configuration. */
export function schemaOf(grammar: Block): JsonSchema {
  const { properties, ...rest } = blockSchema(grammar) as { properties: object }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId,
    title: 'ipvs-director configuration',
    ...rest,
    properties: { $schema: { type: 'string', description: 'Where this schema is, for editors.' }, ...properties },
  }
}

function blockSchema(block: Block): JsonSchema {
  const fields = Object.values(block.fields)
  const own = Object.fromEntries(fields.map((field) => [jsonKey(field), fieldSchema(field)]))
  const required = fields.filter((field) => field.required === true).map(jsonKey)
  const header = headerSchema(block)
  const properties = { ...header.properties, ...own }
  const needed = [...header.required, ...required]
  return {
    type: 'object',
    description: block.doc,
    properties,
    ...(needed.length === 0 ? {} : { required: needed }),
    ...(header.oneOf === undefined ? {} : { oneOf: header.oneOf }),
    additionalProperties: false,
  }
}

interface HeaderSchema {
  readonly properties: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
  readonly oneOf?: readonly JsonSchema[]
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
}

/** What stands before the brace, as properties of the block. */
function headerSchema({ header }: Block): HeaderSchema {
  if (header === undefined) return { properties: {}, required: [] }
  const schema = header.schema as Partial<ObjectSchema> & {
    readonly type?: string
    readonly oneOf?: readonly ObjectSchema[]
  }
  if (schema.type === 'string') return { properties: { name: schema }, required: ['name'] }
  if (schema.oneOf === undefined) return { properties: schema.properties ?? {}, required: schema.required ?? [] }
  const properties = Object.assign({}, ...schema.oneOf.map((each) => each.properties)) as Readonly<
    Record<string, unknown>
  >
  const forms = schema.oneOf.map((each) => {
    const foreign = Object.keys(properties).filter((key) => !(key in each.properties))
    return {
      type: 'object',
      properties: Object.fromEntries([
        ...each.required.map((key) => [key, true]),
        ...foreign.map((key) => [key, false]),
      ]) as JsonSchema,
      required: each.required,
    }
  })
  return { properties, required: [], oneOf: forms }
}

function fieldSchema(field: Field): JsonSchema {
  const described = { description: describe(field), ...(field.deprecated === undefined ? {} : { deprecated: true }) }
  if (field.form === 'block') {
    const schema = blockSchema(field)
    return field.many ? { type: 'array', items: schema, ...described } : { ...schema, ...described }
  }
  if (field.form === 'list') {
    return {
      type: 'array',
      items: field.entry.schema,
      ...(field.required === true ? { minItems: 1 } : {}),
      ...described,
    }
  }
  const keyword = field as Keyword<unknown>
  if (field.repeated === 'each') return { type: 'array', items: keyword.kind.schema, ...described }
  const fallback: Json | undefined = keyword.default === undefined ? undefined : keyword.kind.toJson(keyword.default)
  return { ...keyword.kind.schema, ...described, ...(fallback === undefined ? {} : { default: fallback }) }
}

function describe(field: Field): string {
  const unit = field.form === 'value' && (field as Keyword<unknown>).kind.syntax === 'SECONDS' ? ' In seconds.' : ''
  return field.doc + unit
}
