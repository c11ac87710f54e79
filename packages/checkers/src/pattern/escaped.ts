import { PatternError, type Cursor } from './cursor.ts'
import { complement, digits, horizontal, spaces, vertical, wordCharacters, type Ranges } from './ranges.ts'

/** PCRE2 options by name. */
export type Options = ReadonlySet<string>

const types: Readonly<Record<string, Ranges>> = {
  d: digits,
  w: wordCharacters,
  s: spaces,
  h: horizontal,
  v: vertical,
}

/** With `ucp`: JavaScript's own properties, as they stand in a class. */
const unicodeTypes: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  w: '\\p{L}\\p{N}_',
  s: '\\p{Z}\\x09-\\x0d\\x85',
}

const controls: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 }

/**
 * What an escape stands for that may be in a class too (the backslash is taken already): a set of characters, or
 * JavaScript's own `\\p{…}`.
 */
export function readEscapedSet(cursor: Cursor, options: Options): Ranges | string {
  const char = cursor.take()
  const letter = char.toLowerCase()
  const type = types[letter]
  if (type !== undefined) {
    const unicode = options.has('ucp') ? unicodeTypes[letter] : undefined
    if (char === letter) return unicode ?? type
    if (unicode === undefined) return complement(type)
    if (letter === 'd') return '\\P{Nd}'
    throw new PatternError(`\\${char} with ucp is not supported; write [^\\${letter}]`)
  }
  if (letter === 'p') return readProperty(cursor, char === 'P')
  const code = readCode(cursor, char, options)
  return [[code, code]]
}

function readCode(cursor: Cursor, char: string, options: Options): number {
  const control = controls[char]
  if (control !== undefined) return control
  if (char === 'x') {
    const hex = cursor.match(/^\{([0-9A-Fa-f]+)\}/)?.[1] ?? cursor.match(/^[0-9A-Fa-f]{1,2}/)?.[0] ?? '0'
    return inRange(Number.parseInt(hex, 16), options)
  }
  if (char === 'u' && options.has('alt_bsux')) {
    const hex = cursor.match(/^[0-9A-Fa-f]{4}/)?.[0]
    return hex === undefined ? 0x75 : Number.parseInt(hex, 16)
  }
  if (char === 'o') {
    const octal = cursor.match(/^\{([0-7]+)\}/)?.[1]
    if (octal === undefined) throw new PatternError('\\o needs {digits}')
    return inRange(Number.parseInt(octal, 8), options)
  }
  if (char === 'c') return cursor.take().toUpperCase().charCodeAt(0) ^ 0x40
  if (/[0-7]/.test(char)) return Number.parseInt(char + (cursor.match(/^[0-7]{1,2}/)?.[0] ?? ''), 8)
  if (/[A-Za-z]/.test(char)) throw new PatternError(`\\${char} has no meaning`)
  return char.codePointAt(0) ?? 0
}

function inRange(code: number, options: Options): number {
  if (code > (options.has('utf') ? 0x10ffff : 0xff)) throw new PatternError('a character code is too large')
  return code
}

function readProperty(cursor: Cursor, negated: boolean): string {
  const found = cursor.match(/^(?:\{(\^?)([A-Za-z_&]+)\}|([A-Za-z]))/)
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
