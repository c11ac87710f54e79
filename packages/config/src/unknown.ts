import type { Block, Field, Fields } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import { misspellings } from './misspellings.ts'
import { placeOf, type Statement } from './statement.ts'
import { closest } from './suggest.ts'
import { fieldMap } from './tree.ts'

/** Every keyword, and the blocks it stands in. */
export type Vocabulary = ReadonlyMap<string, readonly string[]>

/** Collects the vocabulary of a grammar. */
export function vocabularyOf(grammar: Block): Vocabulary {
  const homes = new Map<string, string[]>()
  const seen = new Set<Fields>()
  const visit = (block: Block): void => {
    if (seen.has(block.fields)) return
    seen.add(block.fields)
    for (const [name, field] of fieldMap(block)) {
      const list = homes.get(name)
      if (list === undefined) homes.set(name, [block.name])
      else list.push(block.name)
      if (field.form === 'block') visit(field)
    }
  }
  visit(grammar)
  return homes
}

/** One remark about a keyword that means nothing in this block: the best explanation there is. */
export function remarkOnUnknown(statement: Statement, block: Block, vocabulary: Vocabulary, remarks: Remarks): void {
  const { keyword } = statement
  const place = placeOf(statement)
  const fields = fieldMap(block)
  if (templateSyntax(statement, remarks) || runTogether(statement, fields, remarks)) return
  const here = block.name === '' ? 'at the top level' : `in ${block.name}`
  const meant = misspellings.get(keyword)
  const suggestion = meant !== undefined && fields.has(meant) ? meant : closest(keyword, fields.keys())
  const homes = vocabulary.get(keyword)
  if (homes !== undefined) {
    remarks.add('E031', place, `"${keyword}" has no meaning ${here}; it belongs ${whereOf(homes)}`)
    return
  }
  const skipped = statement.body === undefined ? '' : '; the block is left out'
  const elsewhere = suggestion ?? meant ?? closest(keyword, vocabulary.keys())
  if (suggestion !== undefined)
    remarks.add('E030', place, `unknown keyword "${keyword}" ${here}${skipped}`, { suggestion })
  else if (elsewhere !== undefined && vocabulary.has(elsewhere)) {
    const home = vocabulary.get(elsewhere)?.[0] ?? ''
    const where = home === '' ? 'stands at the top level' : `belongs in ${home}`
    remarks.add('E030', place, `unknown keyword "${keyword}" ${here}${skipped} ("${elsewhere}" ${where})`)
  } else remarks.add('E030', place, `unknown keyword "${keyword}" ${here}${skipped}`)
}

/** `in virtual_server, real_server or TCP_CHECK`. */
function whereOf(homes: readonly string[]): string {
  const blocks = [...new Set(homes)].filter((home) => home !== '').slice(0, 4)
  const last = blocks.pop()
  const inside = last === undefined ? '' : `in ${blocks.length === 0 ? last : `${blocks.join(', ')} or ${last}`}`
  if (!homes.includes('')) return inside
  return inside === '' ? 'at the top level' : `at the top level or ${inside}`
}

/** `rr|wrr|lc`, `<INT>`, `...`: copied from a manual. One remark, and true, where it is so. */
export function templateSyntax(statement: Statement, remarks: Remarks): boolean {
  const all = [statement.keyword, ...statement.args]
  const at = all.findIndex(
    (word) =>
      /^<[A-Za-z][\w :./-]*>$/.test(word) ||
      /^[A-Za-z_-]+(?:\|[A-Za-z_-]+)+$/.test(word) ||
      /^(?:\.{3,}|…)$/.test(word),
  )
  if (at < 0) return false
  remarks.add('E033', placeOf(statement, at), `"${all[at] ?? ''}" looks like documentation syntax; write what is meant`)
  return true
}

/**
 * Line breaks that were lost: a keyword of this block among the values or glued to one (`state MASTERinterface eth0`),
 * or two keywords in one word. One remark, and true, where it is so.
 */
export function runTogether(statement: Statement, fields: ReadonlyMap<string, Field>, remarks: Remarks): boolean {
  const { keyword, args } = statement
  for (const [i, word] of [keyword, ...args].entries()) {
    if (i === 0 && fields.has(word)) continue
    if (i > 0 && word.length >= 4 && fields.has(word) && statement.field?.form === 'value') {
      remarks.add('E032', placeOf(statement, i), `"${word}" is a keyword of its own and must begin a line`)
      return true
    }
    for (const name of fields.keys()) {
      if (name.length < 4 || word.length <= name.length || !word.endsWith(name)) continue
      const rest = word.slice(0, -name.length)
      const glued =
        i === 0
          ? fields.has(rest)
          : (/[A-Za-z0-9.)]$/.test(rest) && !/^[a-z_]+$/.test(rest + name)) || (i > 0 && knownValue(rest, statement))
      if (!glued) continue
      remarks.add('E032', placeOf(statement, i), `"${word}": the line break between "${rest}" and "${name}" was lost`)
      return true
    }
  }
  return false
}

/** Whether a text alone would be one of the choices of the statement's keyword. */
function knownValue(text: string, { field }: Statement): boolean {
  return field?.form === 'value' && field.kind.range.split(', ').includes(text)
}
