import { Assembly, type Context, type Shifted } from './assembly.ts'
import { type Known, NotAsBefore, type ReadBlocks } from './before.ts'
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
  /** There is no block and no keyword in it: it may be about to be written. */
  readonly blank: boolean
  /** What the next load may take from this one; see {@link Before}. */
  readonly blocks: ReadBlocks
  /** What was taken from an earlier load and stands elsewhere now. */
  readonly shifted: readonly Shifted[]
}

/**
 * Reads a configuration and everything it includes: keepalived.conf, or its JSON spelling where the file begins with a
 * brace. Whatever the bytes are: it answers with diagnostics, and does not throw.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadResult> {
  const random = remembered(options.random ?? Math.random)
  const again = (how: LoadOptions, context?: Context) => {
    random.again()
    return attempt(file, { ...how, random: random.next }, context)
  }
  for (const how of takingLess(options)) {
    const first = await again(how)
    const done = first?.stale === undefined ? first : await again(how, first.stale)
    if (done !== undefined) return done.result
  }
  throw new Error('a text that is read as if for the first time is not as before')
}

/** The ways to read a text, the last of which is always one: with less and less taken from an earlier load. */
function* takingLess(options: LoadOptions): Generator<LoadOptions> {
  const { before, ...others } = options
  if (before !== undefined) {
    yield options
    yield { ...others, before: { ...before, whole: true } }
  }
  yield others
}

/** Undefined: more was taken from an earlier load than counts. That may be so wherever there is an error. */
async function attempt(file: string, options: LoadOptions, context: Context | undefined): Promise<Attempt | undefined> {
  try {
    const done = await run(file, options, context)
    return options.before !== undefined && done.errors > 0 ? undefined : done
  } catch (error) {
    if (error instanceof NotAsBefore) return undefined
    throw error
  }
}

interface Attempt {
  readonly result: LoadResult
  readonly errors: number
  /** What it should have been read with. */
  readonly stale: Context | undefined
}

async function run(file: string, options: LoadOptions, context: Context | undefined): Promise<Attempt> {
  const remarks = new Remarks(options.strict)
  const grammar = grammarWith(options.checkers)
  const assembly = new Assembly(grammar, options.checkers, remarks, context, options)
  const { pause = () => undefined } = options
  const { readable, includes, json } = await withPauses(parseFile(file, grammar, options, remarks, assembly), pause)
  if (json !== undefined) {
    for (const statement of await statementsFromJson(json, grammar, remarks))
      await withPauses(assembly.take(statement, false), pause)
  }
  const { config, leftOut, blank, stale, blocks, shifted } = await withPauses(assembly.finish(), pause)
  if (blank && readable && remarks.errors === 0)
    remarks.add('W011', { file, line: 1, column: 1 }, 'there is no block and no keyword in it')
  const diagnostics = withExcerpts(grammar, remarks, includes)
  const files = [...includes.read.keys()]
  return {
    result: { config: readable ? config : undefined, diagnostics, files, leftOut, blank, blocks, shifted },
    errors: remarks.errors,
    stale,
  }
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
