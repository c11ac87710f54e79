import type { Block } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import { JsonError, type JsonNode, parseJson, placeAt } from './json-text.ts'
import type { Source } from './source.ts'
import { statementsOf } from './spelling.ts'
import type { Statement } from './statement.ts'
import { remarkOnMisfits, validatorOf } from './validate.ts'

/** The JSON spelling as statements; what does not fit the schema is told and left out. */
export async function statementsFromJson(source: Source, grammar: Block, remarks: Remarks): Promise<Statement[]> {
  let root: JsonNode
  try {
    root = parseJson(source.text)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    remarks.add('E071', placeAt(source, error.at), `this is no JSON: ${error.message}`)
    return []
  }
  const validate = await validatorOf(grammar)
  const broken = remarkOnMisfits(validate(root.value), root, source, remarks)
  return broken.has('') ? [] : statementsOf(grammar, prune(root, broken), source)
}

/** The node without the top-level keys, and items of top-level arrays, that are named. */
function prune(root: JsonNode, broken: ReadonlySet<string>): JsonNode {
  if (broken.size === 0) return root
  const members = [...root.members].flatMap(([key, member]) => {
    if (broken.has(key)) return []
    const kept = [...member.node.members].filter(([index]) => !broken.has(`${key}/${index}`))
    if (kept.length === member.node.members.size) return [[key, member] as const]
    return [[key, { ...member, node: { ...member.node, members: new Map(kept) } }] as const]
  })
  return { ...root, members: new Map(members) }
}
