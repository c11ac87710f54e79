import type { RealServer, VirtualServer } from './config.ts'
import type { Place } from './place.ts'
import type { Field } from './declare.ts'
import type { Source } from './source.ts'
import { scanWords } from './tokens.ts'

/** What cannot be found again in the file's own line: the statement came out of a substitution, or from JSON. */
export interface Written {
  /** Of the keyword and each argument: column (from 1) and characters to underline. */
  readonly columns: readonly number[]
  readonly lengths: readonly number[]
  /** Column on a screen (from 0) at which it begins. */
  readonly indent: number
  /** The statement's text after substitution; undefined where its words never were text. */
  readonly raw: string | undefined
}

/** A keyword with its words and, where braces follow, what is in them. */
export interface Statement {
  readonly keyword: string
  readonly args: readonly string[]
  readonly source: Source
  readonly line: number
  /** Index of the keyword in `source.text`; only where `written` is undefined. */
  readonly offset: number
  /** Index in `source.text` after the last character of the statement. */
  readonly end: number
  readonly written: Written | undefined
  /** Its declaration in the block it stands in; undefined when it has none there. */
  readonly field: Field | undefined
  body: Statement[] | undefined
  /** Of a block of the top level, or of one of its own blocks: where it was closed, if that is in the same file. */
  closing?: Closing | undefined
  /** Set where the block is as it was in an earlier load: its body was not read. */
  kept?: Kept | undefined
}

/** A block that is taken as it was. */
export interface Kept {
  readonly block: VirtualServer | RealServer
  readonly lines: number
  readonly length: number
  /** How many lines it stands further down than before. */
  readonly shift: number
}

export interface Closing {
  readonly line: number
  /** Index in the source's text of the brace. */
  readonly at: number
  /** Below its first line, the text alone says what stands in the block, and there was nothing to say of that. */
  plain: boolean
}

/** Where a word of a statement stands: 0 is the keyword, 1 its first argument. */
export function placeOf(statement: Statement, word = 0): Place {
  const { source, line, written } = statement
  if (written !== undefined) {
    const i = Math.min(word, written.columns.length - 1)
    return { file: source.file, line, column: written.columns[i] ?? 1, length: written.lengths[i] ?? 1 }
  }
  const start = source.text.lastIndexOf('\n', statement.offset - 1) + 1
  if (word === 0)
    return { file: source.file, line, column: statement.offset - start + 1, length: statement.keyword.length }
  const found = scanWords(source.text, statement.offset, statement.end)
  const i = Math.min(word, found.count - 1)
  const from = found.starts[i] ?? statement.offset
  return { file: source.file, line, column: from - start + 1, length: Math.max(1, (found.ends[i] ?? from) - from) }
}

/** All the words of a statement, from the keyword on, as one thing to underline. */
export function wholePlace(statement: Statement): Place {
  const first = placeOf(statement, 0)
  const last = placeOf(statement, statement.args.length)
  return { ...first, length: Math.max(first.length ?? 1, last.column + (last.length ?? 1) - first.column) }
}

/** The statement's text after its keyword, quotes and escapes as written; undefined where it never was text. */
export function rawText({ written, source, offset, end, keyword }: Statement): string | undefined {
  const whole = written === undefined ? source.text.slice(offset, end) : written.raw
  return whole?.slice(keyword.length)
}
