import type { Address, Family, Millis } from '@ipvs-director/core'
import type { Script } from './place.ts'
import { endpointKind, type EndpointText } from './endpoint.ts'
import type { Kind } from './kind.ts'
import {
  addressKind,
  booleanKind,
  type CaseRule,
  choiceKind,
  durationKind,
  type DurationLimits,
  integerKind,
  type IntegerLimits,
  textKind,
  type TextLimits,
  wordsKind,
} from './kinds.ts'
import { commandKind, quotedKind, scriptKind } from './script.ts'

/**
 * The keyword kit: a keyword is declared once, and that line is its type, its reader, its range error, its JSON Schema,
 * its row in docs/keywords.md and the source of suggestions.
 */

/** What can be said of any keyword. */
export interface Meta {
  /** One or two sentences for the manual: what it means, the unit, the reason to use it. */
  readonly doc: string
  /** Other spellings, read the same. */
  readonly aliases?: readonly string[]
  /** First keepalived release that knows it; absent: before 1.2.10. */
  readonly since?: string
  /** What to use instead; the keyword works, with a warning. */
  readonly deprecated?: string
  /** Those of the aliases that are deprecated. */
  readonly oldNames?: readonly string[]
  /** keepalived's test calls the deprecated keyword an error. */
  readonly deprecatedIsError?: boolean
  /** Why it is never going to work here; using it is a warning at its line. */
  readonly unsupported?: string
  /** Declared, read and checked, but the program does not act on it yet. */
  readonly pending?: boolean
  /** Its value is shown to nobody. */
  readonly secret?: boolean
  /** Our own keyword: keepalived does not know it. */
  readonly extension?: boolean
  /**
   * What counts when it is written twice: the last (default), the first, all of them together (values that are arrays),
   * or each by itself, as an entry of an array.
   */
  readonly repeated?: 'last' | 'first' | 'all' | 'each'
  /** Written without a value it is as in old versions; keepalived insists on one. */
  readonly bareIsOld?: boolean
  /** Where the value comes from when it is not written here, in words for the manual: `virtual_server`, `delay_loop`. */
  readonly inherits?: string
  /** Without it the block is no use: its absence is an error. */
  readonly required?: boolean
}

/** A keyword with a value on its line. `V` is what the read block holds: undefined is in it unless there is a default. */
export interface Keyword<V> extends Meta {
  readonly form: 'value'
  readonly name: string
  readonly kind: Kind<NonNullable<V>>
  /** Used when the keyword is not written. */
  readonly default?: NonNullable<V>
  /** Used when the keyword is written without a value; absent: that is an error. */
  readonly bare?: NonNullable<V>
  /** Never there: it carries the type, undefined included. */
  readonly typed?: () => V
}

/** A keyword whose braces hold entries of one kind: `virtual_ipaddress { … }`. */
export interface List<E> extends Meta {
  readonly form: 'list'
  readonly name: string
  readonly entry: Kind<E>
  /** `words`: every word is an entry; `lines`: every line is one. */
  readonly layout: 'words' | 'lines'
}

/** Any keyword of a block. (`never`-free upper bound for heterogeneous records.) */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where the value types of fields are forgotten
export type Field = Keyword<any> | List<any> | Block
export type Fields = Readonly<Record<string, Field>>

/** A keyword with braces holding keywords of its own. `H` is the value of the words before the brace. */
export interface Block<F extends Fields = Fields, H = unknown> extends Meta {
  readonly form: 'block'
  readonly name: string
  readonly fields: F
  /** How the words between the keyword and the brace are read; absent: there are none. */
  readonly header?: Kind<H>
  /** May stand more than once: its value is then an array. */
  readonly many: boolean
  /** Its keywords are not declared: what is in it is not looked at. */
  readonly open?: boolean
}

type ValueOf<X> = X extends { readonly form: 'value'; readonly typed?: () => infer V }
  ? V
  : X extends { readonly form: 'list'; readonly entry: Kind<infer E> }
    ? readonly E[]
    : X extends { readonly form: 'block'; readonly many: true } & Block<infer F, infer H>
      ? readonly BlockValues<F, H>[]
      : X extends Block<infer F, infer H>
        ? BlockValues<F, H> | undefined
        : never

/** What a block holds once read: one property for each field; `header` where the block has one. */
export type BlockValues<F extends Fields, H = unknown> = { readonly [K in keyof F]: ValueOf<F[K]> } & (unknown extends H
  ? unknown
  : { readonly header: H })

/** The values of a declared block: `Values<typeof tcpCheck>`. */
export type Values<B> = B extends Block<infer F, infer H> ? BlockValues<F, H> : never

/** The value of the keyword where it is not written. With it the read block never holds undefined. */
interface Default<T> {
  readonly default: T
}
/** The value of the keyword where it is written without one. */
interface Bare<T> {
  readonly bare?: T
}

function keyword<T, V>(
  name: string,
  kind: Kind<T>,
  meta: Meta & { readonly default?: T | undefined } & Bare<T>,
): Keyword<V> {
  return { ...meta, form: 'value', name, kind } as unknown as Keyword<V>
}

/** A keyword of any kind of value: for what has no function of its own below. */
export function value<T>(name: string, kind: Kind<T>, meta: Meta & Bare<T> & Default<T>): Keyword<T>
export function value<T>(name: string, kind: Kind<T>, meta: Meta & Bare<T>): Keyword<T | undefined>
export function value<T>(name: string, kind: Kind<T>, meta: Meta & Bare<T>): Keyword<T | undefined> {
  return keyword(name, kind, meta)
}

/** A keyword that may stand many times: each line is an entry. */
export function each<T>(name: string, kind: Kind<T>, meta: Meta): Keyword<readonly T[]> {
  return keyword(name, kind as unknown as Kind<readonly T[]>, { ...meta, repeated: 'each' })
}

/** A whole decimal number within `min` and `max`; `clamp` takes the nearest instead of refusing. */
export function integer(name: string, options: Meta & Bare<number> & IntegerLimits & Default<number>): Keyword<number>
export function integer(name: string, options: Meta & Bare<number> & IntegerLimits): Keyword<number | undefined>
export function integer(name: string, options: Meta & Bare<number> & IntegerLimits): Keyword<number | undefined> {
  const { min, max, clamp, orZero, ...meta } = options
  return keyword(name, integerKind(defined({ min, max, clamp, orZero })), meta)
}

/** A time: written in seconds (`min` and `max` too), held in milliseconds; `default` and `bare` are Millis. */
export function duration(name: string, options: Meta & Bare<Millis> & DurationLimits & Default<Millis>): Keyword<Millis>
export function duration(name: string, options: Meta & Bare<Millis> & DurationLimits): Keyword<Millis | undefined>
export function duration(name: string, options: Meta & Bare<Millis> & DurationLimits): Keyword<Millis | undefined> {
  const { min, max, decimals, orZero, ...meta } = options
  return keyword(name, durationKind(defined({ min, max, decimals, orZero })), meta)
}

/** One word (quote it to have blanks in it). */
export function text(name: string, options: Meta & Bare<string> & TextLimits & Default<string>): Keyword<string>
export function text(name: string, options: Meta & Bare<string> & TextLimits): Keyword<string | undefined>
export function text(name: string, options: Meta & Bare<string> & TextLimits): Keyword<string | undefined> {
  const { maxLength, pattern, what, syntax, ...meta } = options
  return keyword(name, textKind(defined({ maxLength, pattern, what, syntax })), meta)
}

/** One word read again with shell-like quotes and escapes (keepalived does so for `regex`). */
export function quoted(name: string, meta: Meta): Keyword<string | undefined> {
  return keyword(name, quotedKind, meta)
}

/** A keyword that is there or not, and takes no value. */
export function flag(name: string, meta: Meta): Keyword<boolean> {
  return keyword(name, flagKind, { ...meta, default: false, bare: true })
}

/** keepalived's BOOL: on, true, yes, off, false, no; without a word: on. Undefined when not written and no default. */
export function boolean(name: string, options: Meta & Bare<boolean> & Default<boolean>): Keyword<boolean>
export function boolean(name: string, options: Meta & Bare<boolean>): Keyword<boolean | undefined>
export function boolean(name: string, options: Meta & Bare<boolean>): Keyword<boolean | undefined> {
  return keyword(name, booleanKind, { bare: true, ...options })
}

/** One of a few words. */
export function oneOf<const C extends string>(
  name: string,
  choices: readonly C[],
  options: Meta & Bare<C> & CaseRule & Default<C>,
): Keyword<C>
export function oneOf<const C extends string>(
  name: string,
  choices: readonly C[],
  options: Meta & Bare<C> & CaseRule,
): Keyword<C | undefined>
export function oneOf<const C extends string>(
  name: string,
  choices: readonly C[],
  options: Meta & Bare<C> & CaseRule,
): Keyword<C | undefined> {
  const { ignoreCase, ...meta } = options
  return keyword(name, choiceKind(choices, defined({ ignoreCase })), meta)
}

/** A numeric address; `family` allows only one. */
export function address(name: string, options: Meta & { readonly family?: Family }): Keyword<Address | undefined> {
  const { family, ...meta } = options
  return keyword(name, addressKind(defined({ family })), meta)
}

/** `ADDR [PORT]`. */
export function endpoint(name: string, meta: Meta): Keyword<EndpointText | undefined> {
  return keyword(name, endpointKind, meta)
}

/** `"CMD ARGS" [USER [GROUP]]`: a command line, read again with shell-like quoting, and who runs it. */
export function script(name: string, meta: Meta): Keyword<Script | undefined> {
  return keyword(name, scriptKind, { repeated: 'first', ...meta })
}

/** `"CMD ARGS"`: a command line without user and group (`misc_path`, vrrp_script's `script`). */
export function command(name: string, meta: Meta): Keyword<Script | undefined> {
  return keyword(name, commandKind, meta)
}

/** All words of the line. */
export function words(
  name: string,
  options: Meta & { readonly min?: number; readonly max?: number; readonly what?: string },
): Keyword<readonly string[] | undefined> {
  const { min, max, what, ...meta } = options
  return keyword(name, wordsKind(defined({ min, max, what })), meta)
}

/** `name { … }` with one entry for each line, or for each word. */
export function list<E>(name: string, entry: Kind<E>, meta: Meta & { readonly layout?: 'words' | 'lines' }): List<E> {
  return { layout: 'lines', ...meta, form: 'list', name, entry }
}

/** What a block may have beside its keywords. */
export type BlockOptions<H> = Omit<Meta, 'doc'> & { readonly header?: Kind<H>; readonly open?: boolean }

/**
 * The lines of a block that are no keywords but entries of one kind (virtual_server_group); a field without a name.
 */
export function entries<E>(entry: Kind<E>, meta: Meta): List<E> {
  return { ...meta, form: 'list', name: '', entry, layout: 'lines' }
}

/**
 * A keyword with braces. It may stand once; `blocks` is the same for one that may stand many times.
 * `header` reads the words before the brace.
 */
export function block<F extends Fields, H = unknown>(
  name: string,
  doc: string,
  fields: F,
  options: BlockOptions<H> = {},
): Block<F, H> & { readonly many: false } {
  return { ...options, doc, form: 'block', name, fields, many: false }
}

/** A block that may stand many times: its value is an array. */
export function blocks<F extends Fields, H = unknown>(
  name: string,
  doc: string,
  fields: F,
  options: BlockOptions<H> = {},
): Block<F, H> & { readonly many: true } {
  return { ...options, doc, form: 'block', name, fields, many: true }
}

/** Flags take no word; the reader uses `bare`. In JSON a flag is true or false. */
export const flagKind: Kind<boolean> = {
  syntax: '',
  range: '',
  read: () => true,
  toJson: (on) => on,
  words: () => [],
  schema: { type: 'boolean' },
}

/** The same object without the properties that are undefined (exactOptionalPropertyTypes tells the two apart). */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
