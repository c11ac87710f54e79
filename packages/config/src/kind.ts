import type { Code } from './codes.ts'
import type { Place } from './place.ts'

/** A JSON Schema (2020-12) as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a JSON value can be. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A JSON value as one word. */
export const wordOf = (json: Json | undefined): string => (typeof json === 'string' ? json : JSON.stringify(json ?? ''))

/**
 * The words after a keyword, taken one after the other. A kind of value takes those it understands and reports what is
 * wrong with them; words that nobody takes are reported by the reader.
 */
export interface WordReader {
  /** How many words are not taken yet. */
  readonly left: number
  /** The next word, or undefined at the end; nothing moves. */
  peek(): string | undefined
  /** Takes the next word; undefined at the end. */
  take(): string | undefined
  /** An error (`E…` code) about the word taken last, or about the keyword when none was. Answers undefined. */
  bad<T>(code: Code, text: string, suggestion?: string): T | undefined
  /** A warning (`W…`) or note (`N…`) about the word taken last. */
  warn(code: Code, text: string, suggestion?: string): void
  /** An error: a value is wanted and the line is at its end. `what` completes "needs …". Answers undefined. */
  missing<T>(what: string): T | undefined
  /** Where the word taken last stands; of the keyword when none was. */
  place(): Place
}

/**
 * A kind of value: how it is read from words, what it is in JSON and how it is written as words again. `T` is plain
 * data. Reading what `words(toJson(value))` gives must give an equal value.
 */
export interface Kind<T> {
  /** How the manual writes it: `N`, `SECONDS`, `ADDR [PORT]`, `"CMD" [USER [GROUP]]`. */
  readonly syntax: string
  /** The range or the choices in words, for the manual; empty when there is nothing to say. */
  readonly range: string
  /** The value, or undefined after having reported what is wrong. */
  read(words: WordReader): T | undefined
  /** The value as JSON. */
  toJson(value: T): Json
  /** The words (unquoted) that a JSON value valid by `schema` stands for. */
  words(json: Json): readonly string[]
  readonly schema: JsonSchema
  /** Its words are read with shell-like quotes and escapes; what is printed has its backslashes doubled. */
  readonly escaped?: boolean
  /** A command line that is run. */
  readonly runs?: boolean
}

/**
 * A kind made narrower: `check` answers what is wrong with a value ("must be 32 hexadecimal digits"), or undefined.
 * The schema may be given narrower too (it replaces the base's).
 */
export function refine<T>(
  base: Kind<T>,
  check: (value: T) => string | undefined,
  change: {
    readonly syntax?: string
    readonly range?: string
    readonly schema?: JsonSchema
    readonly code?: Code
  } = {},
): Kind<T> {
  return {
    ...base,
    syntax: change.syntax ?? base.syntax,
    range: change.range ?? base.range,
    schema: change.schema ?? base.schema,
    read(words) {
      const value = base.read(words)
      if (value === undefined) return undefined
      const problem = check(value)
      return problem === undefined ? value : words.bad(change.code ?? 'E022', problem)
    },
  }
}
