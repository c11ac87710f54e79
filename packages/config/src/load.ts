import { Assembly, type Context } from './assembly.ts'
import type { Known } from './before.ts'
import type { CheckerBlock } from './checker-block.ts'
import type { Config } from './config.ts'
import { type Diagnostic, Remarks } from './diagnostics.ts'
import { withExcerpts } from './excerpts.ts'
import { grammarWith } from './grammar/root.ts'
import { statementsFromJson } from './load-json.ts'
import { parseFile, type ParseOptions } from './parse.ts'
import { withPauses } from './steps.ts'

/** What loading needs beside the file's name. */
export interface LoadOptions extends ParseOptions, Known {
  /** The blocks of all checkers; what is not in the list is an unknown keyword. */
  readonly checkers: readonly CheckerBlock[]
  /** Warnings are errors: they take their blocks out. */
  readonly strict?: boolean
  /** Asked every few lines whether others are to have their turn: a promise is waited for. Default: all at once. */
  readonly pause?: () => Promise<void> | undefined
}

export interface LoadResult {
  /** Undefined only when nothing can run: there is no file. Blocks with an error in them are left out. */
  readonly config: Config | undefined
  /** In the order of the text, file by file. */
  readonly diagnostics: readonly Diagnostic[]
  /** Every file that was read, the main one first. */
  readonly files: readonly string[]
  /** The blocks that are not in the configuration because of errors, as their first lines name them. */
  readonly leftOut: readonly string[]
}

/**
 * Reads a configuration and everything it includes: keepalived.conf, or its JSON spelling where the file begins with a
 * brace. Whatever the bytes are: it answers with diagnostics, and does not throw.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadResult> {
  const random = remembered(options.random ?? Math.random)
  const first = await run(file, { ...options, random: random.next }, undefined)
  if (first.stale === undefined) return first.result
  random.again()
  return (await run(file, { ...options, random: random.next }, first.stale)).result
}

async function run(
  file: string,
  options: LoadOptions,
  context: Context | undefined,
): Promise<{ readonly result: LoadResult; readonly stale: Context | undefined }> {
  const remarks = new Remarks(options.strict)
  const grammar = grammarWith(options.checkers)
  const assembly = new Assembly(grammar, options.checkers, remarks, context, options)
  const steps = parseFile(file, grammar, options, remarks, (statement, broken, next) => {
    assembly.take(statement, broken, next)
  })
  const { readable, includes, json } = await withPauses(steps, options.pause ?? (() => undefined))
  if (json !== undefined) {
    for (const statement of await statementsFromJson(json, grammar, remarks)) assembly.take(statement, false)
  }
  const { config, leftOut, stale } = assembly.finish()
  const diagnostics = withExcerpts(grammar, remarks, includes)
  const result = { config: readable ? config : undefined, diagnostics, files: [...includes.read.keys()], leftOut }
  return { result, stale }
}

/** Random numbers that come again when a text is read again. */
function remembered(random: () => number): { readonly next: () => number; readonly again: () => void } {
  const numbers: number[] = []
  let at = 0
  return {
    next: () => (numbers[at++] ??= random()),
    again: () => {
      at = 0
    },
  }
}
