import { hostname } from 'node:os'
import type { Block } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import { Includes } from './include.ts'
import { looksLikeJson } from './json-text.ts'
import { Lexer } from './lexer.ts'
import { type ReadFile, realFiles } from './read-file.ts'
import type { Source } from './source.ts'
import type { Statement } from './statement.ts'
import { atOnce, type Steps } from './steps.ts'
import { type Taker, TreeBuilder } from './tree.ts'

/** What the text may refer to beside itself. */
export interface ParseOptions {
  /** Where files come from; the real file system when not given. */
  readonly read?: ReadFile
  /** What `@ID` compares with, and `${_INSTANCE}`; the host name up to its first dot when not given. */
  readonly configId?: string
  /** For `${_ENV NAME}`; the process's environment when not given. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** For `${_RANDOM}`; answers 0 up to 1. */
  readonly random?: () => number
  /** Every include must match files that can be read (keepalived's `-e`). */
  readonly allIncludes?: boolean
}

export interface Parsed {
  /** False when the main file cannot be read. */
  readonly readable: boolean
  readonly includes: Includes
  /** The main file, when it is the JSON spelling: it is not parsed here. */
  readonly json: Source | undefined
}

/** A file and what it includes as top-level statements, each handed over as soon as it is whole. */
export function* parseFile(
  file: string,
  grammar: Block,
  options: ParseOptions,
  remarks: Remarks,
  taker: Taker,
): Steps<Parsed> {
  const builder = new TreeBuilder(grammar, remarks, taker)
  const includes = new Includes(options.read ?? realFiles, remarks, options.allIncludes)
  const lexer = new Lexer(builder, includes, remarks, {
    configId: options.configId ?? hostname().split('.')[0] ?? '',
    env: options.env ?? process.env,
    random: options.random ?? Math.random,
  })
  let json: Source | undefined
  const readable = yield* includes.main(file, function* (source) {
    if (looksLikeJson(source.text)) json = source
    else yield* lexer.file(source)
  })
  builder.finish()
  yield* builder.work()
  return { readable, includes, json }
}

/** The same, all at once. */
export function parseWhole(
  file: string,
  grammar: Block,
  options: ParseOptions,
  remarks: Remarks,
): Parsed & { readonly statements: Statement[] } {
  const statements: Statement[] = []
  const taker: Taker = {
    *take(statement) {
      statements.push(statement)
    },
  }
  const parsed = atOnce(parseFile(file, grammar, options, remarks, taker))
  return { ...parsed, statements }
}
