import type { Pattern } from './options.ts'
import { complement, digits, horizontal, inClass, newline, point, posixClasses } from './ranges.ts'
import { spaces, vertical, wordCharacters, type Ranges } from './ranges.ts'

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

/** The pattern cannot be had in JavaScript (or is no pattern at all); the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/**
 * PCRE2 to JavaScript. Everything is spelled out, so that what means different things in the two (`$`, `.`, `\s`,
 * `[]a]`, `{,3}`) means what PCRE2 says. Throws a {@link PatternError}.
 */
export function translate(pattern: Pattern): Translation {
  const options = new Set(pattern.options)
  const start = readStart(pattern.source, options)
  const translator = new Translator(pattern.source.slice(start), options)
  const source = translator.all()
  const flags = `u${options.has('caseless') ? 'i' : ''}`
  try {
    new RegExp(source, flags)
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /, '') : String(error))
  }
  return { source, flags, utf: options.has('utf'), firstLine: options.has('firstline'), remarks: translator.remarks() }
}

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
  readonly #source: string
  readonly #options: ReadonlySet<string>
  readonly #remarks = new Set<string>()
  readonly #names: ReadonlyMap<string, number>
  readonly #groups: number
  #at = 0

  constructor(source: string, options: ReadonlySet<string>) {
    this.#source = source
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
    while (this.#at < this.#source.length) out += this.#item()
    return out
  }

  #item(): string {
    const char = this.#take()
    const extended = this.#options.has('extended')
    if (extended && /[ \t\n\v\f\r]/.test(char)) return ''
    if (extended && char === '#') {
      this.#skipTo('\n')
      return ''
    }
    switch (char) {
      case '\\':
        return this.#escape()
      case '[':
        return this.#class()
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

  #take(): string {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0)
    this.#at += char.length
    return char
  }

  #skipTo(end: string): void {
    const found = this.#source.indexOf(end, this.#at)
    this.#at = found < 0 ? this.#source.length : found + end.length
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    const found = pattern.exec(this.#source.slice(this.#at)) ?? undefined
    if (found !== undefined) this.#at += found[0].length
    return found
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
    const found = this.#match(/^(\d+)(?:(,)(\d*))?\}/)
    if (found === undefined) return '\\{'
    return this.#quantifier(`{${found[1] ?? ''}${found[2] ?? ''}${found[3] ?? ''}}`)
  }

  #quantifier(what: string): string {
    const suffix = this.#match(/^[?+]/)?.[0] ?? ''
    if (suffix === '+') this.#remarks.add('possessive quantifiers (a++) are taken as greedy ones')
    const lazy = (suffix === '?') !== (this.#options.has('ungreedy') && suffix !== '+')
    return lazy ? `${what}?` : what
  }

  #group(): string {
    if (this.#match(/^\*/) !== undefined) throw new PatternError('verbs such as (*SKIP) are not supported here')
    if (this.#match(/^\?/) === undefined) return this.#options.has('no_auto_capture') ? '(?:' : '('
    if (this.#match(/^#/) !== undefined) {
      this.#skipTo(')')
      return '(?:)'
    }
    const look = this.#match(/^(?::|=|!|<=|<!)/)
    if (look !== undefined) return `(?${look[0]}`
    if (this.#match(/^(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/) !== undefined) return '('
    if (this.#match(/^>/) !== undefined) {
      this.#remarks.add('atomic groups (?>…) are taken as ordinary ones')
      return '(?:'
    }
    const reference = this.#match(/^P=([A-Za-z_]\w*)\)/)
    if (reference !== undefined) return this.#backReference(reference[1] ?? '')
    const rest = this.#source.slice(this.#at, this.#at + 6)
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
    if (this.#at >= this.#source.length) throw new PatternError('the pattern ends in a backslash')
    if (this.#match(/^Q/) !== undefined) return this.#quotation()
    const braced = this.#match(/^(?:g\{?(-?\d+|[A-Za-z_]\w*)\}?|k(?:\{(\w+)\}|<(\w+)>|'(\w+)'))/)
    if (braced !== undefined) {
      const name = braced.slice(1).find((one) => one !== undefined) ?? ''
      if (name.startsWith('-')) throw new PatternError('relative references (\\g{-1}) are not supported')
      return this.#backReference(name)
    }
    const octalOrGroup = this.#match(/^[1-9]\d*/)?.[0]
    if (octalOrGroup !== undefined) {
      if (Number(octalOrGroup) < 10 || Number(octalOrGroup) <= this.#groups) return this.#backReference(octalOrGroup)
      this.#at -= octalOrGroup.length
    }
    const simple = this.#source[this.#at] ?? ''
    switch (simple) {
      case 'A':
      case 'z':
      case 'Z':
      case 'b':
      case 'B':
      case 'R':
      case 'N':
        this.#at++
        return anchors[simple]
      case 'E':
        this.#at++
        return ''
      case 'K':
      case 'G':
      case 'C':
      case 'X':
        throw new PatternError(`\\${simple} is not supported`)
      default:
        return set(this.#escapedSet())
    }
  }

  #quotation(): string {
    const end = this.#source.indexOf('\\E', this.#at)
    const quoted = this.#source.slice(this.#at, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#source.length : end + 2
    return [...quoted].map(literal).join('')
  }

  /** What an escape stands for that may be in a class too: a set of characters, or JavaScript's own `\p{…}`. */
  #escapedSet(): Ranges | string {
    const char = this.#take()
    const type = types[char.toLowerCase()]
    if (type !== undefined && /[a-z]/i.test(char)) {
      const wide = this.#options.has('ucp') ? unicodeTypes[char.toLowerCase()] : undefined
      if (wide !== undefined) return char === char.toLowerCase() ? wide : negatedProperty(wide)
      return char === char.toLowerCase() ? type : complement(type)
    }
    if (char === 'p' || char === 'P') return this.#property(char === 'P')
    const code = this.#codeOf(char)
    return [[code, code]]
  }

  #codeOf(char: string): number {
    const control = controls[char]
    if (control !== undefined) return control
    if (char === 'x') {
      const hex = this.#match(/^\{([0-9A-Fa-f]+)\}/)?.[1] ?? this.#match(/^[0-9A-Fa-f]{1,2}/)?.[0] ?? '0'
      return this.#inRange(Number.parseInt(hex, 16))
    }
    if (char === 'u' && this.#options.has('alt_bsux')) {
      const hex = this.#match(/^[0-9A-Fa-f]{4}/)?.[0]
      return hex === undefined ? 0x75 : Number.parseInt(hex, 16)
    }
    if (char === 'o') {
      const octal = this.#match(/^\{([0-7]+)\}/)?.[1]
      if (octal === undefined) throw new PatternError('\\o needs {digits}')
      return this.#inRange(Number.parseInt(octal, 8))
    }
    if (char === 'c') return this.#take().toUpperCase().charCodeAt(0) ^ 0x40
    if (/[0-7]/.test(char)) return Number.parseInt(char + (this.#match(/^[0-7]{1,2}/)?.[0] ?? ''), 8)
    if (/[A-Za-z]/.test(char)) throw new PatternError(`\\${char} has no meaning`)
    return char.codePointAt(0) ?? 0
  }

  #inRange(code: number): number {
    if (code > (this.#options.has('utf') ? 0x10ffff : 0xff)) throw new PatternError('a character code is too large')
    return code
  }

  #property(negated: boolean): string {
    const found = this.#match(/^(?:\{(\^?)([A-Za-z_&]+)\}|([A-Za-z]))/)
    if (found === undefined) throw new PatternError('\\p needs {a property}')
    const name = (found[2] ?? found[3] ?? '').replace('L&', 'LC')
    const letter = negated !== (found[1] === '^') ? 'P' : 'p'
    for (const form of [`\\${letter}{${name}}`, `\\${letter}{Script=${name}}`]) {
      try {
        new RegExp(form, 'u')
        return form
      } catch {
        // Not that kind of property; the next.
      }
    }
    throw new PatternError(`\\p{${name}} is not known`)
  }

  #class(): string {
    const negated = this.#match(/^\^/) !== undefined
    let out = ''
    let first = true
    for (;;) {
      if (this.#at >= this.#source.length) throw new PatternError('a [ is never closed')
      if (this.#match(/^\]/) !== undefined) {
        if (!first || this.#options.has('allow_empty_class')) break
        out += this.#rangeFrom([[0x5d, 0x5d]])
      } else out += this.#classItem()
      first = false
    }
    return `[${negated ? '^' : ''}${out}]`
  }

  #classItem(): string {
    const posix = this.#match(/^\[:(\^?)([a-z]+):\]/)
    if (posix !== undefined) {
      const ranges = posixClasses[posix[2] ?? '']
      if (ranges === undefined) throw new PatternError(`[:${posix[2] ?? ''}:] is not known`)
      return inClass(posix[1] === '^' ? complement(ranges) : ranges)
    }
    const char = this.#take()
    if (char !== '\\') {
      const code = char.codePointAt(0) ?? 0
      return this.#rangeFrom([[code, code]])
    }
    if (this.#match(/^b/) !== undefined) return this.#rangeFrom([[8, 8]])
    if (this.#match(/^[QE]/) !== undefined) throw new PatternError('\\Q…\\E within [ ] is not supported')
    if (this.#match(/^[1-9]/) !== undefined) {
      this.#at--
      const octal = this.#match(/^[0-7]{1,3}/)?.[0]
      if (octal === undefined) throw new PatternError('a \\8 or \\9 within [ ] has no meaning')
      const code = Number.parseInt(octal, 8) & 0xff
      return this.#rangeFrom([[code, code]])
    }
    const escaped = this.#escapedSet()
    return typeof escaped === 'string' ? escaped : this.#rangeFrom(escaped)
  }

  /** A single character may be the start of a range; a set may not. */
  #rangeFrom(ranges: Ranges): string {
    const [only] = ranges
    const single = ranges.length === 1 && only !== undefined && only[0] === only[1] ? only[0] : undefined
    if (single === undefined || !/^-[^\]]/.test(this.#source.slice(this.#at))) return inClass(ranges)
    const before = this.#at
    this.#at++
    const char = this.#take()
    if (char === '[' && this.#source[this.#at] === ':') {
      this.#at = before
      return point(single)
    }
    const end = char === '\\' ? (this.#match(/^b/) === undefined ? this.#escapedSet() : [[8, 8] as const]) : undefined
    const last = end === undefined ? (char.codePointAt(0) ?? 0) : typeof end === 'string' ? undefined : end[0]?.[1]
    if (last === undefined || (Array.isArray(end) && (end.length !== 1 || end[0]?.[0] !== last))) {
      this.#at = before
      return point(single)
    }
    if (last < single) throw new PatternError('a range within [ ] is out of order')
    return `${point(single)}-${point(last)}`
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

const types: Readonly<Record<string, Ranges>> = {
  d: digits,
  w: wordCharacters,
  s: spaces,
  h: horizontal,
  v: vertical,
}

const unicodeTypes: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  w: '\\p{L}\\p{N}_',
  s: '\\p{Z}\\x09-\\x0d\\x85',
}

const controls: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 }

function negatedProperty(inside: string): string {
  if (inside === '\\p{Nd}') return '\\P{Nd}'
  throw new PatternError('\\W and \\S with ucp are not supported; write [^\\w]')
}

function set(ranges: Ranges | string): string {
  if (typeof ranges === 'string') return `[${ranges}]`
  const [only] = ranges
  return ranges.length === 1 && only !== undefined && only[0] === only[1] ? point(only[0]) : `[${inClass(ranges)}]`
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
