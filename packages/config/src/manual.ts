import { allCodes } from './explain.ts'
import type { Block, Field, Fields, Keyword } from './declare.ts'
import type { Json } from './kind.ts'

/** What this version does with a keyword. */
export type Support = 'full' | 'read only' | 'not supported'

/** A keyword in a block, as the manual and the compatibility table show it. */
export interface Entry {
  readonly block: string
  readonly field: Field
  readonly support: Support
}

/** Every keyword of a grammar, block by block, each block once. */
export function entriesOf(grammar: Block): readonly Entry[] {
  const found: Entry[] = []
  const seen = new Set<Fields>()
  const visit = (block: Block, pending: boolean): void => {
    if (seen.has(block.fields)) return
    seen.add(block.fields)
    const fields = Object.values(block.fields)
    for (const field of fields) {
      const idle = pending || field.pending === true
      const support = field.unsupported !== undefined ? 'not supported' : idle ? 'read only' : 'full'
      found.push({ block: block.name, field, support })
    }
    for (const field of fields) if (field.form === 'block') visit(field, pending || field.pending === true)
  }
  visit(grammar, false)
  return found
}

/** docs/keywords.md: every keyword with its value, range, default and meaning. */
export function manual(grammar: Block): string {
  const entries = entriesOf(grammar)
  const blocks = [...new Set(entries.map((entry) => entry.block))]
  const docs = new Map(
    entries.flatMap(({ field }) => (field.form === 'block' ? [[field.name, field.doc] as const] : [])),
  )
  const sections = blocks.map((block) => {
    const rows = entries.filter((entry) => entry.block === block).map(row)
    const title = block === '' ? 'Top level' : `\`${block}\``
    return `## ${title}\n\n${docs.get(block) ?? ''}\n\n${table(['keyword', 'value', 'default', 'meaning', 'since'], rows)}`
  })
  const own = entries.filter(({ field }) => field.extension === true)
  return `# Keywords

Generated from the declarations in \`packages/config\` and \`packages/checkers\`; \`npx vitest -u\` writes it anew.

Times are seconds with up to six decimals. BOOL is \`on\`, \`true\`, \`yes\`, \`off\`, \`false\` or \`no\`; without a value it is on.
A flag stands alone. \`*\` marks a keyword that is read and checked, and that this version does not act on yet.
"since" is the first keepalived release that knows the keyword; empty: before 1.2.10.

${sections.join('\n')}
## Our own keywords

keepalived does not know these; a file without them means the same to both programs.

${table(
  ['keyword', 'in', 'meaning'],
  own.map(({ block, field }) => [`\`${field.name}\``, `\`${block}\``, field.doc]),
)}
## Remarks

\`ipvs-ctl explain CODE\` says the same. E: the block is left out, and a reload is refused; W: it works, as the text says; N: worth knowing.

${allCodes()
  .map(({ code, title, doc }) => `- **${code}** ${title}. ${doc}`)
  .join('\n')}
`
}

/** The end of docs/compatibility.md: what this version does with each keyword. */
export function supportTable(grammar: Block): string {
  const entries = entriesOf(grammar).filter(({ field }) => field.name !== '')
  const count = (support: Support): number => entries.filter((entry) => entry.support === support).length
  const rows = entries.map(({ block, field, support }) => [
    `\`${[field.name, ...(field.aliases ?? [])].join('`, `')}\``,
    block === '' ? 'top level' : `\`${block}\``,
    support,
    field.unsupported ?? '',
  ])
  return `full: ${count('full')}, read only: ${count('read only')}, not supported: ${count('not supported')}. "Read only" means
read, checked and shown, and not acted on yet.

${table(['keyword', 'in', 'support', ''], rows)}`
}

function row({ field, support }: Entry): readonly string[] {
  const names = field.name === '' ? '*entries*' : `\`${[field.name, ...(field.aliases ?? [])].join('`, `')}\``
  const star = support === 'full' || field.form === 'block' ? '' : ' *'
  const notes = [
    field.doc,
    field.inherits === undefined ? '' : `Not given: as in ${field.inherits}.`,
    field.required === true ? 'Required.' : '',
    field.deprecated === undefined ? '' : `Deprecated: ${field.deprecated}.`,
    field.unsupported === undefined ? '' : `Not supported: ${field.unsupported}.`,
    field.extension === true ? 'Our own.' : '',
  ]
  return [
    names + star,
    syntaxOf(field),
    defaultOf(field),
    notes.filter((note) => note !== '').join(' '),
    field.since ?? '',
  ]
}

function syntaxOf(field: Field): string {
  if (field.form === 'block') return `${field.header === undefined ? '' : `\`${field.header.syntax}\` `}\`{ … }\``
  if (field.form === 'list')
    return field.name === ''
      ? `\`${field.entry.syntax}\``
      : `\`{ ${field.entry.syntax}${field.layout === 'words' ? ' …' : ''} }\``
  const { kind, bare } = field as Keyword<unknown>
  if (kind.syntax === '') return ''
  const syntax = bare === undefined || kind.syntax.startsWith('[') ? kind.syntax : `[${kind.syntax}]`
  const range = kind.range === '' || kind.syntax === 'BOOL' || kind.syntax.includes('|') ? '' : `, ${kind.range}`
  return `\`${syntax}\`${range}`
}

function defaultOf(field: Field): string {
  if (field.form !== 'value') return ''
  const keyword = field as Keyword<unknown>
  if (keyword.default === undefined || keyword.kind.syntax === '') return ''
  return show(keyword.kind.toJson(keyword.default))
}

const show = (json: Json): string =>
  json === true ? 'on' : json === false ? 'off' : typeof json === 'object' ? JSON.stringify(json) : String(json)

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}
