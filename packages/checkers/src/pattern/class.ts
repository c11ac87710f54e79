import { PatternError, type Cursor } from './cursor.ts'
import { readEscapedSet, type Options } from './escaped.ts'
import { complement, inClass, point, posixClasses, type Ranges } from './ranges.ts'

/** A class whose `[` is taken already, as JavaScript has it. */
export function readClass(cursor: Cursor, options: Options): string {
  const negated = cursor.takes('^')
  let inside = ''
  // A ] that comes first is a character.
  if (!options.has('allow_empty_class') && cursor.takes(']')) inside = range(cursor, [[0x5d, 0x5d]], options)
  while (!cursor.takes(']')) {
    if (cursor.ended) throw new PatternError('a [ is never closed')
    const item = readItem(cursor, options)
    inside += typeof item === 'string' ? item : range(cursor, item, options)
  }
  return `[${negated ? '^' : ''}${inside}]`
}

/** One item: characters, or what is to stand in JavaScript's class as it is. */
function readItem(cursor: Cursor, options: Options): Ranges | string {
  const posix = cursor.match(/^\[:(\^?)([a-z]+):\]/)
  if (posix !== undefined) {
    const ranges = posixClasses[posix[2] ?? '']
    if (ranges === undefined) throw new PatternError(`[:${posix[2] ?? ''}:] is not known`)
    return inClass(posix[1] === '^' ? complement(ranges) : ranges)
  }
  if (!cursor.takes('\\')) {
    const code = cursor.take().codePointAt(0) ?? 0
    return [[code, code]]
  }
  if (cursor.takes('b')) return [[8, 8]]
  if (cursor.match(/^[QE]/) !== undefined) throw new PatternError('\\Q…\\E within [ ] is not supported')
  if (cursor.match(/^[89]/) !== undefined) throw new PatternError('a \\8 or \\9 within [ ] has no meaning')
  return readEscapedSet(cursor, options)
}

/** After a single character a hyphen may make a range; after a set, or before one, it is a hyphen. */
function range(cursor: Cursor, from: Ranges, options: Options): string {
  const first = single(from)
  const before = cursor.at
  if (first === undefined || !/^-[^\]]/.test(cursor.rest)) return inClass(from)
  cursor.at++
  const to = readItem(cursor, options)
  const last = typeof to === 'string' ? undefined : single(to)
  if (last === undefined) {
    cursor.at = before
    return `${point(first)}${cursor.takes('-') ? point(0x2d) : ''}`
  }
  if (last < first) throw new PatternError('a range within [ ] is out of order')
  return `${point(first)}-${point(last)}`
}

/** The one character of a set of one. */
export function single(ranges: Ranges): number | undefined {
  const [only] = ranges
  return ranges.length === 1 && only !== undefined && only[0] === only[1] ? only[0] : undefined
}
