import type { Pattern } from './options.ts'
import { readClass, single } from './class.ts'
import { Cursor, PatternError } from './cursor.ts'
import { readEscapedSet, type Options } from './escaped.ts'
import { complement, inClass, newline, point, vertical, type Ranges } from './ranges.ts'

/** A PCRE2 pattern as JavaScript understands it. */
export interface Translation {
  /** For `new RegExp(source, flags)`. */
  readonly source: string
  readonly flags: string
  /** The body is UTF-8; otherwise each byte is a character of its own, as PCRE2 has it without `utf`. */
  readonly utf: boolean
  /** The match must start in the first line. */
  readonly firstLine: boolean
  /** What is taken to mean something slightly different than in PCRE2, for the operator to know. */
  readonly remarks: readonly string[]
}

/**
 * PCRE2 to JavaScript. Everything is spelled out, so that what means different things in the two (`$`, `.`, `\s`,
 * `[]a]`, `{,3}`) means what PCRE2 says. Throws a {@link PatternError}.
 */
export function translate(pattern: Pattern): Translation {
  const options = new Set(pattern.options)
  const start = readStart(pattern.source, options)
  const text = pattern.source.slice(start)
  const translator = new Translator(options.has('utf') ? text : asBytes(text), options)
  const source = translator.all()
  const flags = `u${options.has('caseless') ? 'i' : ''}`
  try {
    new RegExp(source, flags)
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /, '') : String(error))
  }
  return { source, flags, utf: options.has('utf'), firstLine: options.has('firstline'), remarks: translator.remarks() }
}

/** Without `utf` each byte of the pattern is a character, as each of the body is. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1')

const inlineOptions: Readonly<Record<string, string>> = {
  i: 'caseless',
  m: 'multiline',
  s: 'dotall',
  x: 'extended',
  U: 'ungreedy',
  J: 'dupnames',
  n: 'no_auto_capture',
}

/** `(*UTF)` and `(?i)` at the very start are options; answers how many characters they take. */
function readStart(source: string, options: Set<string>): number {
  let at = 0
  for (;;) {
    const verb = /^\(\*(UTF8?|UCP|NO_START_OPT|NO_AUTO_POSSESS)\)/.exec(source.slice(at))
    const inline = /^\(\?([imsxUJn]+)\)/.exec(source.slice(at))
    if (verb?.[1]?.startsWith('UTF') === true) options.add('utf')
    if (verb?.[1] === 'UCP') options.add('ucp')
    for (const letter of inline?.[1] ?? '') options.add(inlineOptions[letter] ?? '')
    if (verb === null && inline === null) return at
    at += (verb ?? inline)?.[0].length ?? 0
  }
}

class Translator {
  readonly #cursor: Cursor
  readonly #options: Options
  readonly #remarks = new Set<string>()
  readonly #names: ReadonlyMap<string, number>
  readonly #groups: number

  constructor(source: string, options: Options) {
    this.#cursor = new Cursor(source)
    this.#options = options
    const { names, groups } = countGroups(source, options)
    this.#names = names
    this.#groups = groups
  }

  remarks(): string[] {
    return [...this.#remarks]
  }

  all(): string {
    let out = ''
    while (!this.#cursor.ended) out += this.#item()
    return out
  }

  #item(): string {
    const char = this.#cursor.take()
    const extended = this.#options.has('extended')
    if (extended && /[ \t\n\v\f\r]/.test(char)) return ''
    if (extended && char === '#') {
      this.#cursor.skipTo('\n')
      return ''
    }
    switch (char) {
      case '\\':
        return this.#escape()
      case '[':
        return readClass(this.#cursor, this.#options)
      case '(':
        return this.#group()
      case '.':
        return this.#options.has('dotall') ? '[^]' : set(complement(newline))
      case '^':
        return this.#circumflex()
      case '$':
        return this.#dollar()
      case '*':
      case '+':
      case '?':
        return this.#quantifier(char)
      case '{':
        return this.#braces()
      case '|':
      case ')':
        return char
      default:
        return literal(char)
    }
  }

  #circumflex(): string {
    if (!this.#options.has('multiline')) return '^'
    return this.#options.has('alt_circumflex') ? '(?<=^|\\n)' : '(?:^|(?<=\\n)(?!$))'
  }

  #dollar(): string {
    if (this.#options.has('multiline')) return '(?=\\n|$)'
    return this.#options.has('dollar_endonly') ? '$' : '(?=\\n?$)'
  }

  #braces(): string {
    const found = this.#cursor.match(/^(\d+)(?:(,)(\d*))?\}/)
    if (found === undefined) return '\\{'
    return this.#quantifier(`{${found[1] ?? ''}${found[2] ?? ''}${found[3] ?? ''}}`)
  }

  #quantifier(what: string): string {
    const suffix = this.#cursor.match(/^[?+]/)?.[0] ?? ''
    if (suffix === '+') this.#remarks.add('possessive quantifiers (a++) are taken as greedy ones')
    const lazy = (suffix === '?') !== (this.#options.has('ungreedy') && suffix !== '+')
    return lazy ? `${what}?` : what
  }

  #group(): string {
    if (this.#cursor.match(/^\*/) !== undefined) throw new PatternError('verbs such as (*SKIP) are not supported here')
    if (this.#cursor.match(/^\?/) === undefined) return this.#options.has('no_auto_capture') ? '(?:' : '('
    if (this.#cursor.match(/^#/) !== undefined) {
      this.#cursor.skipTo(')')
      return '(?:)'
    }
    const look = this.#cursor.match(/^(?::|=|!|<=|<!)/)
    if (look !== undefined) return `(?${look[0]}`
    if (this.#cursor.match(/^(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/) !== undefined) return '('
    if (this.#cursor.match(/^>/) !== undefined) {
      this.#remarks.add('atomic groups (?>…) are taken as ordinary ones')
      return '(?:'
    }
    const reference = this.#cursor.match(/^P=([A-Za-z_]\w*)\)/)
    if (reference !== undefined) return this.#backReference(reference[1] ?? '')
    const rest = this.#cursor.rest.slice(0, 6)
    if (/^[imsxnUJ-]+[:)]/.test(rest))
      throw new PatternError('options within the pattern, as in a(?i)b, are not supported')
    throw new PatternError(`the group (?${rest.split(')')[0] ?? ''}…) is not supported`)
  }

  #backReference(name: string): string {
    const number = /^\d+$/.test(name) ? Number(name) : this.#names.get(name)
    if (number === undefined || number < 1 || number > this.#groups) {
      throw new PatternError(`there is no group "${name}"`)
    }
    return `(?:\\${number})`
  }

  #escape(): string {
    if (this.#cursor.ended) throw new PatternError('the pattern ends in a backslash')
    if (this.#cursor.match(/^Q/) !== undefined) return Array.from(this.#cursor.skipTo('\\E'), literal).join('')
    const braced = this.#cursor.match(/^(?:g\{?(-?\d+|[A-Za-z_]\w*)\}?|k(?:\{(\w+)\}|<(\w+)>|'(\w+)'))/)
    if (braced !== undefined) {
      const name = braced[1] ?? braced[2] ?? braced[3] ?? braced[4] ?? ''
      if (name.startsWith('-')) throw new PatternError('relative references (\\g{-1}) are not supported')
      return this.#backReference(name)
    }
    const octalOrGroup = this.#cursor.match(/^[1-9]\d*/)?.[0]
    if (octalOrGroup !== undefined) {
      if (Number(octalOrGroup) < 10 || Number(octalOrGroup) <= this.#groups) return this.#backReference(octalOrGroup)
      this.#cursor.at -= octalOrGroup.length
    }
    const simple = this.#cursor.rest.slice(0, 1)
    switch (simple) {
      case 'A':
      case 'z':
      case 'Z':
      case 'b':
      case 'B':
      case 'R':
      case 'N':
        this.#cursor.at++
        return anchors[simple]
      case 'E':
        this.#cursor.at++
        return ''
      case 'K':
      case 'G':
      case 'C':
      case 'X':
        throw new PatternError(`\\${simple} is not supported`)
      default:
        return set(readEscapedSet(this.#cursor, this.#options))
    }
  }
}

const anchors = {
  A: '^',
  z: '$',
  Z: '(?=\\n?$)',
  b: '\\b',
  B: '\\B',
  R: `(?:\\r\\n|[${inClass(vertical)}])`,
  N: set(complement(newline)),
} as const

function set(ranges: Ranges | string): string {
  if (typeof ranges === 'string') return `[${ranges}]`
  const only = single(ranges)
  return only === undefined ? `[${inClass(ranges)}]` : point(only)
}

function literal(char: string): string {
  return /[A-Za-z0-9_ \x80-\u{10ffff}]/u.test(char) ? char : point(char.codePointAt(0) ?? 0)
}

/** The capturing groups in order, with their names. Good enough for references: skips escapes and classes. */
function countGroups(source: string, options: ReadonlySet<string>): { names: Map<string, number>; groups: number } {
  const names = new Map<string, number>()
  let groups = 0
  const tokens =
    /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?:\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'|.)|\*)?/gsu
  for (const token of source.matchAll(tokens)) {
    const name = token[1] ?? token[2]
    const plain = token[0] === '(' && !options.has('no_auto_capture')
    if (!plain && name === undefined) continue
    groups++
    if (name !== undefined) names.set(name, groups)
  }
  return { names, groups }
}
