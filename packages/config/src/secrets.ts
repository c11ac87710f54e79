import type { Block, Field } from './declare.ts'
import type { Json } from './kind.ts'

/** What stands in the place of a secret. */
const hidden = '***'

/** Every keyword that is declared `secret`, wherever it stands. */
export function secretKeywords(grammar: Block): ReadonlySet<string> {
  const found = new Set<string>()
  const seen = new Set<Field>()
  const visit = (field: Field): void => {
    if (seen.has(field)) return
    seen.add(field)
    if (field.secret === true) for (const name of [field.name, ...(field.aliases ?? [])]) found.add(name)
    if (field.form === 'block') Object.values(field.fields).forEach(visit)
  }
  visit(grammar)
  return found
}

/** A configuration in its JSON spelling, with `***` for every text in what is declared `secret`. */
export function withoutSecretValues(block: Block, json: Json): Json {
  if (Array.isArray(json)) return json.map((each: Json) => withoutSecretValues(block, each))
  if (typeof json !== 'object' || json === null) return json
  const fields = new Map(Object.values(block.fields).map((field) => [field.name, field]))
  return Object.fromEntries(
    Object.entries(json).map(([name, value]: [string, Json]) => {
      const field = fields.get(name)
      if (field?.secret === true) return [name, withoutTexts(value)]
      return [name, field?.form === 'block' ? withoutSecretValues(field, value) : value]
    }),
  )
}

function withoutTexts(json: Json): Json {
  if (typeof json === 'string') return hidden
  if (Array.isArray(json)) return json.map((each: Json) => withoutTexts(each))
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, value]: [string, Json]) => [name, withoutTexts(value)]))
}

/** Those that are configured as a URL have it in its user, its path or its query: https://hooks.example/T0K3N. */
export function publicUrl(url: string): string {
  const { origin, username, pathname, search } = new URL(url)
  return username === '' && pathname === '/' && search === '' ? origin : `${origin}/${hidden}`
}
