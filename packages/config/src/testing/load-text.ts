import type { Diagnostic } from '../diagnostics.ts'
import { Remarks } from '../diagnostics.ts'
import { grammarWith } from '../grammar/root.ts'
import { convertConfig, type Converted } from '../convert.ts'
import { loadConfig, type LoadOptions, type LoadResult } from '../load.ts'
import { parseWhole } from '../parse.ts'
import { filesInMemory } from '../read-file.ts'
import type { Statement } from '../statement.ts'
import { testCheckers } from './checkers.ts'

/** Texts by path; a single text is /etc/test.conf, which is always the main file. */
export type Texts = string | Uint8Array | Readonly<Record<string, string | Uint8Array>>

export const mainFile = '/etc/test.conf'

const filesOf = (texts: Texts) =>
  filesInMemory(
    new Map(typeof texts === 'string' || texts instanceof Uint8Array ? [[mainFile, texts]] : Object.entries(texts)),
  )

/** Loads texts as if they were files. */
export function loadText(texts: Texts, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  return loadConfig(mainFile, {
    checkers: testCheckers,
    read: filesOf(texts),
    configId: 'lb1',
    env: {},
    random: () => 0,
    ...options,
  })
}

/** A tree of statements as text: words with `·` between them, blocks in braces. */
export type Shape = string | readonly [string, ...Shape[]]

/** What the lexical layers make of texts: the statements and the codes of the remarks, with line and column. */
export function parseText(
  texts: Texts,
  options: Partial<LoadOptions> = {},
): {
  readonly tree: Shape[]
  readonly remarks: string[]
  readonly statements: Statement[]
  readonly diagnostics: readonly Diagnostic[]
} {
  const remarks = new Remarks()
  const given = { checkers: testCheckers, read: filesOf(texts), configId: 'lb1', env: {}, random: () => 0, ...options }
  const { statements } = parseWhole(mainFile, grammarWith(testCheckers), given, remarks)
  return { tree: statements.map(shape), remarks: remarks.all.map(brief), statements, diagnostics: remarks.all }
}

function shape(statement: Statement): Shape {
  const words = [statement.keyword, ...statement.args].join('·')
  return statement.body === undefined ? words : [words, ...statement.body.map(shape)]
}

/** `E030 12:5`. */
export const brief = ({ code, place }: Diagnostic): string => `${code} ${place.line}:${place.column}`

/** Either spelling as both. */
export function convertText(texts: Texts): Promise<Converted> {
  return convertConfig(mainFile, {
    checkers: testCheckers,
    read: filesOf(texts),
    configId: 'lb1',
    env: {},
    random: () => 0,
  })
}
