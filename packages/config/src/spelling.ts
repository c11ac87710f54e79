import type { Block, Field, Keyword } from './declare.ts'
import type { Json } from './kind.ts'
import type { JsonNode } from './json-text.ts'
import { placeAt } from './json-text.ts'
import type { Source } from './source.ts'
import type { Statement } from './statement.ts'

/**
 * The two spellings of a configuration: values to JSON, and JSON to the statements that mean the same. Keys are
 * keepalived's keywords; a block that may stand many times is an array; what stands before a block's brace is among its
 * properties (`address` and `port`, or `name`).
 */

type Values = Readonly<Record<string, unknown>>

/** The name of a block's entries (virtual_server_group) in JSON. */
export const entriesKey = 'entries'

/** The key of a field in JSON. */
export const jsonKey = (field: Field): string => (field.name === '' ? entriesKey : field.name)

/** The values of a block as JSON; what is as it would be without being written is left out. */
export function blockToJson(block: Block, values: Values): { readonly [key: string]: Json } {
  const json: Record<string, Json> = {}
  if (block.header !== undefined && values['header'] !== undefined) {
    const header = block.header.toJson(values['header'])
    if (isObject(header)) Object.assign(json, header)
    else json['name'] = header
  }
  for (const [key, field] of Object.entries(block.fields)) {
    const value = fieldToJson(field, values[key])
    if (value !== undefined) json[jsonKey(field)] = value
  }
  return json
}

function fieldToJson(field: Field, value: unknown): Json | undefined {
  if (value === undefined) return undefined
  if (field.form === 'block') {
    if (!field.many) return blockToJson(field, value as Values)
    const blocks = value as readonly Values[]
    return blocks.length === 0 ? undefined : blocks.map((each) => blockToJson(field, each))
  }
  if (field.form === 'list') {
    const list = value as readonly unknown[]
    return list.length === 0 ? undefined : list.map((each) => field.entry.toJson(each))
  }
  const keyword = field as Keyword<unknown>
  if (field.repeated === 'each') {
    const list = value as readonly unknown[]
    return list.length === 0 ? undefined : list.map((each) => keyword.kind.toJson(each as string))
  }
  const json = keyword.kind.toJson(value as string)
  const unwritten = keyword.default === undefined ? undefined : keyword.kind.toJson(keyword.default)
  return JSON.stringify(json) === JSON.stringify(unwritten) ? undefined : json
}

const isObject = (json: Json | undefined): json is { readonly [key: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** The statements that a JSON object, valid by the block's schema, stands for. `source` is the JSON text. */
export function statementsOf(block: Block, node: JsonNode, source: Source): Statement[] {
  const statements: Statement[] = []
  for (const field of Object.values(block.fields)) {
    const member = node.members.get(jsonKey(field))
    if (member === undefined) continue
    const place = { start: member.keyStart, end: member.keyEnd }
    if (field.form === 'block') {
      const nodes = field.many ? [...member.node.members.values()].map((each) => each.node) : [member.node]
      for (const each of nodes) statements.push(blockStatement(field, each, source, field.many ? each : place))
    } else if (field.form === 'list') {
      const entries = [...member.node.members.values()].map(({ node: each }) => {
        const words = field.entry.words(each.value)
        return statementAt(words[0] ?? '', words.slice(1), undefined, each, source)
      })
      if (field.name === '') statements.push(...entries)
      else statements.push({ ...statementAt(field.name, [], field, place, source), body: entries })
    } else if (field.repeated === 'each') {
      for (const { node: each } of member.node.members.values()) {
        statements.push(
          statementAt(field.name, (field as Keyword<unknown>).kind.words(each.value), field, each, source),
        )
      }
    } else {
      const args = wordsOf(field as Keyword<unknown>, member.node.value)
      if (args !== undefined) statements.push(statementAt(field.name, args, field, member.node, source))
    }
  }
  return statements
}

/** The words of a keyword's value; undefined: it is not written at all. */
function wordsOf(field: Keyword<unknown>, json: Json): readonly string[] | undefined {
  if (field.kind.syntax === '') return json === true ? [] : undefined
  if (field.bare !== undefined && JSON.stringify(field.kind.toJson(field.bare)) === JSON.stringify(json)) return []
  return field.kind.words(json)
}

function blockStatement(
  block: Block,
  node: JsonNode,
  source: Source,
  place: { readonly start: number; readonly end: number },
): Statement {
  const args = block.header === undefined ? [] : block.header.words(headerJson(block, node.value))
  return { ...statementAt(block.name, args, block, place, source), body: statementsOf(block, node, source) }
}

/** The part of a block's JSON that is its header. */
function headerJson(block: Block, json: Json): Json {
  if (block.header === undefined || !isObject(json)) return json
  if (block.header.schema['type'] === 'string') return json['name'] ?? ''
  const own = new Set(Object.values(block.fields).map(jsonKey))
  return Object.fromEntries(Object.entries(json).filter(([key]) => !own.has(key)))
}

function statementAt(
  keyword: string,
  args: readonly string[],
  field: Field | undefined,
  { start, end }: { readonly start: number; readonly end: number },
  source: Source,
): Statement {
  const { line, column, length = 1 } = placeAt(source, start, end)
  const written = { columns: [column], lengths: [length], indent: 0, raw: undefined }
  return { keyword, args, source, line, offset: 0, end: 0, written, field, body: undefined }
}
