/** The words in which the schemas of the control API and of `ipvs-ctl --json` are written. */

/** A JSON Schema, draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A member that may be missing (undefined in the model). */
interface Maybe {
  readonly maybe: JsonSchema
}

/** One row per member of the model: the compiler complains of a missing, a further and a wrongly optional one. */
type Fields<T> = { readonly [K in keyof Required<T>]: undefined extends T[K] ? Maybe : JsonSchema }

/** Members that are not declared are allowed: later versions may add some, and readers must not mind. */
export function object<T>(description: string, fields: Fields<T>): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, field] of Object.entries<JsonSchema | Maybe>(fields)) {
    if (isMaybe(field)) properties[name] = field.maybe
    else {
      properties[name] = field
      required.push(name)
    }
  }
  return { type: 'object', description, properties, required }
}

function isMaybe(field: JsonSchema | Maybe): field is Maybe {
  return 'maybe' in field
}

/** One JSON Schema with a definition for each kind of answer, as it is published: what it is of names it. */
export const published = <T>(of: string, title: string, $defs: T): JsonSchema & { $id: string; $defs: T } => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: `https://ipvs-director.invalid/schema/${of}/v1`,
  title: `${title}, version 1`,
  $defs,
})

export const maybe = (schema: JsonSchema): Maybe => ({ maybe: schema })
export const ref = (name: string): JsonSchema => ({ $ref: `#/$defs/${name}` })
export const listOf = (items: JsonSchema, description?: string): JsonSchema => ({
  type: 'array',
  items,
  ...(description === undefined ? {} : { description }),
})
export const text = (description?: string): JsonSchema => ({
  type: 'string',
  ...(description === undefined ? {} : { description }),
})
export const flag = (description: string): JsonSchema => ({ type: 'boolean', description })
export const whole = (description: string): JsonSchema => ({ type: 'integer', minimum: 0, description })
export const figure = (description: string): JsonSchema => ({ type: 'number', minimum: 0, description })
export const moment = (description: string): JsonSchema => ({
  type: 'number',
  description: `${description} Milliseconds since 1970.`,
})
export const duration = (description: string): JsonSchema => ({
  type: 'number',
  description: `${description} Milliseconds.`,
})

export const schemaVersion: JsonSchema = {
  const: 1,
  description: 'Version of this schema; changes when a member is removed or means something else.',
}
