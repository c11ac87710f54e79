import { dirname, resolve } from 'node:path'
import { type BuiltIn, builtIns, type Definition, readDefinition, substitute, unguard } from './definitions.ts'
import type { Remarks } from './diagnostics.ts'
import { type Includes, includeKeywords } from './include.ts'
import { type Line, LineBuilder, physicalLine, placeIn, sliceLine } from './lines.ts'
import { isRepetition, readRepetition } from './sequence.ts'
import type { Source } from './source.ts'
import type { Steps } from './steps.ts'
import { commentStart, type Oddity, type Scanned, scanWords } from './tokens.ts'
import { screenColumn, type TreeBuilder } from './tree.ts'

/** keepalived reads lines of at most so many bytes and ignores longer ones. */
const longestLine = 1023
/** Repetitions within repetitions, and substitutions that lead to further ones. */
const deepest = 50
/** Lines and characters that repetitions and definitions may make in all: enough for 300,000 real servers. */
const mostLines = 2_000_000
const mostCharacters = 1 << 28

/** Lines between two rests. */
const linesAtOnce = 64

/** What the text may refer to. */
export interface LexerContext {
  readonly configId: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly random: () => number
}

/** A multi-line definition that is still being read. */
interface OpenDefinition {
  readonly name: string
  readonly lines: Line[]
}

/**
 * Text to statements: comments, conditions, definitions, repetitions, substitution, includes, braces, in the order
 * keepalived applies them to a line. Plain lines take a short way; those with sigils are turned into {@link Line}s.
 */
export class Lexer {
  readonly #builder: TreeBuilder
  readonly #remarks: Remarks
  readonly #includes: Includes
  readonly #definitions = new Map<string, Definition>()
  readonly #builtIns: ReadonlyMap<string, BuiltIn>
  readonly #configId: string
  #open: OpenDefinition | undefined
  #madeLines = 0
  #madeCharacters = 0
  #file = ''

  constructor(builder: TreeBuilder, includes: Includes, remarks: Remarks, context: LexerContext) {
    this.#builder = builder
    this.#includes = includes
    this.#remarks = remarks
    this.#configId = context.configId
    this.#builtIns = builtIns({ ...context, directory: () => resolve(dirname(this.#file)) })
  }

  /** Reads a file; those it includes are read where they are included. Rests after every few lines. */
  *file(source: Source): Steps {
    const outer = this.#file
    this.#file = source.file
    yield* this.#lines(source)
    this.#closeDefinition()
    this.#file = outer
  }

  *#lines(source: Source): Steps {
    const { text } = source
    let [dollar, escape] = [-2, -2]
    let start = 0
    let rounds = 0
    for (let line = 1; start < text.length; line++) {
      let end = text.indexOf('\n', start)
      if (end < 0) end = text.length
      const next = end + 1
      while (end > start && text.charCodeAt(end - 1) === 0x0d) end--
      if (dollar !== -1 && dollar < start) dollar = text.indexOf('$', start)
      if (escape !== -1 && escape < start) escape = text.indexOf('\\', start)
      const sigil = (dollar >= 0 && dollar < end) || (escape >= 0 && escape < end) || this.#open !== undefined
      if (end - start > longestLine / 4) this.#checkLength(source, line, text.slice(start, end))
      const special = sigil ? physicalLine(source, line, start, start, end) : this.#plain(source, line, start, end)
      if (special !== undefined) yield* this.#line(special, 0)
      if (this.#builder.hasWork) yield* this.#builder.work()
      const kept = this.#builder.endOfLine(source, line, special !== undefined)
      if (kept === undefined) start = next
      else {
        start += kept.length
        line += kept.lines - 1
      }
      if (++rounds % linesAtOnce === 0) yield
    }
    if (text.includes('\r\n') || text.endsWith('\r'))
      this.#remarks.add('N001', { file: source.file, line: 1, column: 1 }, 'the file has Windows line ends (CR LF)')
  }

  #checkLength(source: Source, line: number, text: string): void {
    const bytes = Buffer.byteLength(text)
    if (bytes <= longestLine || /^\s*(?:[#!]|$)/.test(text)) return
    this.#remarks.add(
      'W003',
      { file: source.file, line, column: 1, length: text.trimEnd().length },
      `the line has ${bytes} bytes; keepalived ignores lines longer than ${longestLine}`,
    )
  }

  /** A line without `$` and `\`: its statements come straight from the file's text. Answers what is no plain line. */
  #plain(source: Source, line: number, lineStart: number, to: number): Line | undefined {
    const { text } = source
    let at = lineStart
    /** Nothing stands before `at` on its line. */
    let first = true
    while (at < to) {
      const code = text.charCodeAt(at)
      if (code === 0x20 || code === 0x09) {
        at++
        continue
      }
      if (code === 0x40 || code === 0x7e || (code === 0x69 && this.#isInclude(text, at))) {
        return physicalLine(source, line, lineStart, at, to)
      }
      const scanned = scanWords(text, at, to)
      const { stop, oddities } = scanned
      if (scanned.count > 0) {
        first = false
        const offset = scanned.starts[0] ?? at
        const args = argumentsOf(scanned)
        const indent = screenColumn(text, lineStart, offset)
        const keyword = scanned.words[0] ?? ''
        if (keyword === 'include_check') this.#includes.check(args)
        this.#builder.statement(keyword, args, source, line, indent, offset, scanned.end, undefined)
      }
      if (oddities !== undefined)
        this.#report(oddities, physicalLine(source, line, lineStart, lineStart, to), lineStart)
      at = stop
      const brace = at < to ? text.charCodeAt(at) : 0
      if (brace !== 0x7b && brace !== 0x7d) return undefined
      this.#brace(brace, {
        source,
        line,
        column: at - lineStart + 1,
        indent: screenColumn(text, lineStart, at),
        first,
        at,
      })
      first = false
      at++
    }
    return undefined
  }

  #brace(code: number, brace: Parameters<TreeBuilder['open']>[0]): void {
    if (code === 0x7b) this.#builder.open(brace)
    else this.#builder.close(brace)
  }

  #isInclude(text: string, at: number): boolean {
    return text.startsWith('include', at) && includeKeywords.has(/^\w+/.exec(text.slice(at, at + 16))?.[0] ?? '')
  }

  /** A line that may hold anything. */
  *#line(whole: Line, depth: number): Steps {
    let line = trim(uncomment(whole, this.#open !== undefined || startsDefinition.test(whole.text)))
    if (this.#open !== undefined) {
      this.#continueDefinition(line)
      return
    }
    for (let round = 0; ; round++) {
      const met = this.#condition(line)
      if (met === undefined) return
      line = met
      if (line.text === '') return
      if (this.#definition(line)) return
      if (isRepetition(line.text)) {
        yield* this.#repeat(line, depth)
        return
      }
      if (!line.text.includes('$')) break
      if (round + depth > deepest) {
        this.#remarks.add('E006', placeIn(line, 0, line.text.length), 'a definition leads back to itself')
        return
      }
      const { lines, changed } = substitute(
        line,
        { definitions: this.#definitions, builtIns: this.#builtIns },
        this.#remarks,
      )
      const [only] = lines
      if (only === undefined || this.#exhausted(only)) return
      if (lines.length > 1) {
        for (const each of lines) {
          if (this.#exhausted(each)) return
          yield* this.#line(each, depth + 1)
        }
        return
      }
      line = trim(uncomment(only, false))
      if (!changed) break
    }
    if (!(yield* this.#include(line))) yield* this.#emit(line)
  }

  /** Counts a line that was made; true, with one error, when there are too many. */
  #exhausted(line: Line): boolean {
    this.#madeLines++
    this.#madeCharacters += line.text.length
    const over = this.#madeLines > mostLines || this.#madeCharacters > mostCharacters
    if (over && !this.#told) {
      this.#told = true
      this.#remarks.add(
        'E008',
        placeIn(line, 0),
        'repetitions and definitions make too many lines; the rest is left out',
      )
    }
    return over
  }
  #told = false

  /** `@ID rest` and `@^ID rest`: the rest where the condition holds, undefined where it does not. */
  #condition(line: Line): Line | undefined {
    let rest = line
    while (rest.text.startsWith('@')) {
      const match = /^@(\^?)(\S*)\s*/.exec(rest.text)
      const id = match?.[2] ?? ''
      if (match === null || id === '') {
        this.#remarks.add('E015', placeIn(rest, 0, 1), 'a name must follow "@" without a blank')
        return undefined
      }
      if ((id === this.#configId) === (match[1] === '^')) return undefined
      rest = sliceLine(rest, match[0].length)
    }
    return rest
  }

  #definition(line: Line): boolean {
    const start = readDefinition(line.text)
    if (start === undefined) return false
    if (start.blank) {
      this.#remarks.add('E006', placeIn(line, 0, start.valueAt), `no blank may stand before the "=" of $${start.name}`)
      return true
    }
    this.#open = { name: start.name, lines: [] }
    this.#continueDefinition(sliceLine(line, start.valueAt))
    return true
  }

  /** Takes one line of a value; the first without `\` at its end is the last. */
  #continueDefinition(line: Line): void {
    const open = this.#open
    if (open === undefined) return
    if (line.text.endsWith('\\')) {
      const text = line.text.slice(0, -1).trimEnd()
      if (text !== '' || open.lines.length > 0) open.lines.push(sliceLine(line, 0, text.length))
      else open.lines.push({ ...line, text: '' })
      return
    }
    if (line.text !== '' || open.lines.length === 0) open.lines.push(line)
    this.#closeDefinition()
  }

  #closeDefinition(): void {
    if (this.#open === undefined) return
    const { name, lines } = this.#open
    this.#open = undefined
    this.#definitions.set(name, { lines })
  }

  *#repeat(line: Line, depth: number): Steps {
    const head = /^~\w*\s*\([^)]*\$/.test(line.text) ? this.#substituteHead(line) : line
    const repetition = readRepetition(head.text)
    if (typeof repetition === 'string') {
      this.#remarks.add('E007', placeIn(head, 0, /^~\w*/.exec(head.text)?.[0].length ?? 1), repetition)
      return
    }
    if (depth > deepest) {
      this.#remarks.add('E008', placeIn(head, 0), 'repetitions are nested too deep')
      return
    }
    const rest = sliceLine(head, repetition.textAt)
    let saved: readonly (readonly [string, Definition | undefined])[] | undefined
    for (const values of repetition.rounds) {
      if (this.#exhausted(head)) break
      saved ??= values.map(([name]) => [name, this.#definitions.get(name)] as const)
      for (const [name, value] of values) this.#definitions.set(name, { lines: [{ ...rest, text: value }] })
      yield* this.#line(rest, depth + 1)
      if (this.#builder.hasWork) yield* this.#builder.work()
      if (this.#madeLines % linesAtOnce === 0) yield
    }
    for (const [name, before] of saved ?? []) {
      if (before === undefined) this.#definitions.delete(name)
      else this.#definitions.set(name, before)
    }
  }

  /** `~SEQ(I, $MAX) …`: what stands in the parentheses is replaced before they are read. */
  #substituteHead(line: Line): Line {
    const close = line.text.indexOf(')')
    if (close < 0) return line
    const names = { definitions: this.#definitions, builtIns: this.#builtIns }
    const [head] = substitute(sliceLine(line, 0, close), names, this.#remarks).lines
    if (head === undefined) return line
    const shift = head.text.length - close
    const tail = sliceLine(line, close)
    const moved = tail.segments.map((segment) => ({ ...segment, at: segment.at + close + shift }))
    return { ...line, text: head.text + tail.text, segments: [...head.segments, ...moved] }
  }

  *#include(line: Line): Steps<boolean> {
    const match = /^(\w+)(?=[\s"]|$)\s*/.exec(line.text)
    const keyword = match?.[1] ?? ''
    if (match === null || !includeKeywords.has(keyword)) return false
    const from = match[0].length
    const place = from < line.text.length ? placeIn(line, from, line.text.length) : placeIn(line, 0, keyword.length)
    yield* this.#includes.include(keyword, line.text.slice(from), place, this.#file, (source) => this.file(source))
    return true
  }

  /** Statements of a line that went through substitution. */
  *#emit(whole: Line): Steps {
    let line = whole
    let at = 0
    while (at < line.text.length) {
      const { text } = line
      const scanned = scanWords(text, at, text.length)
      const { oddities } = scanned
      at = scanned.stop
      if (scanned.count > 0) this.#statement(line, scanned, text.slice(0, scanned.starts[0]).trim() === '')
      if (oddities !== undefined) this.#report(oddities, line, 0)
      const stop = at < text.length ? text.charCodeAt(at) : 0
      if (stop !== 0x7b && stop !== 0x7d) return
      const { column } = placeIn(line, at)
      const first = text.slice(0, at).trim() === ''
      const indent = first ? indentOf(line) : indentIn(line, column)
      this.#brace(stop, {
        source: line.source,
        line: line.line,
        column,
        indent,
        first,
        at: line.start + column - 1,
      })
      at++
      const next = /\S\w*/y
      next.lastIndex = at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0)
      const word = next.exec(text)?.[0] ?? ''
      if (word.startsWith('@')) {
        const rest = this.#condition(trim(sliceLine(line, at)))
        if (rest === undefined) return
        line = rest
        at = 0
      } else if (includeKeywords.has(word)) {
        yield* this.#include(trim(sliceLine(line, at)))
        return
      }
    }
  }

  #statement(line: Line, scanned: Scanned, first: boolean): void {
    const words = [scanned.words[0] ?? '', ...argumentsOf(scanned)].map(unguard)
    const places = words.map((_, i) => placeIn(line, scanned.starts[i] ?? 0, scanned.ends[i] ?? 1))
    const columns = places.map((place) => place.column)
    const lengths = places.map((place) => place.length ?? 1)
    const raw = unguard(line.text.slice(scanned.starts[0] ?? 0, scanned.end))
    const [keyword = '', ...args] = words
    if (keyword === 'include_check') this.#includes.check(args)
    const indent = first ? indentOf(line) : indentIn(line, columns[0] ?? 1)
    const written = { columns, lengths, indent, raw }
    this.#builder.statement(keyword, args, line.source, line.line, indent, 0, 0, written)
  }

  #report(oddities: readonly Oddity[], line: Line, shift: number): void {
    for (const { kind, at } of oddities) {
      const place = placeIn(line, at - shift)
      switch (kind) {
        case 'unterminated':
          this.#remarks.add('E002', place, 'the quote is never closed on this line')
          break
        case 'curly':
          this.#remarks.add('E003', place, 'typographic quote; write a plain "', { suggestion: '"' })
          break
        case 'curlyInside':
          this.#remarks.add('W009', place, 'typographic quote; it becomes part of the value')
          break
        case 'nul':
          this.#remarks.add('E004', place, 'NUL byte; keepalived reads the line only up to here')
          break
        case 'blank':
          this.#remarks.add('W008', place, 'this is no ordinary blank; keepalived takes it as part of the word')
          break
        case 'backslash':
          this.#remarks.add('E014', place, 'a backslash does not continue a line here')
          break
        case 'prose':
          this.#remarks.add('W004', place, 'taken as a comment; keepalived knows only "#" and "!"')
          break
      }
    }
  }
}

/** The column on a screen of a column of the line's file. */
const indentIn = ({ source, start }: Line, column: number): number =>
  screenColumn(source.text, start, start + column - 1)

/** The column on a screen at which the line of the file begins, whatever stood before the statement (`@ID`, `~SEQ`). */
function indentOf({ source, start }: Line): number {
  let at = start
  while (source.text[at] === ' ' || source.text[at] === '\t') at++
  return screenColumn(source.text, start, at)
}

const startsDefinition = /^\s*\$[A-Za-z_][A-Za-z0-9_]*=/

const none: readonly string[] = []

const singles = new Map<string, readonly string[]>()

/** One short word in an array: most values are few (1, 3, on), so the array is made once for each. */
function single(word: string): readonly string[] {
  if (word.length > 8) return [word]
  let array = singles.get(word)
  if (array === undefined) {
    array = [word]
    if (singles.size < 4096) singles.set(word, array)
  }
  return array
}

/** The words after the first, in an array as small as can be. */
function argumentsOf({ words, count }: Scanned): readonly string[] {
  if (count < 2) return none
  if (count === 2) return single(words[1] ?? '')
  return count === 3 ? [words[1] ?? '', words[2] ?? ''] : words.slice(1, count)
}

/**
 * Without the comment: from the first `#` or `!` outside double quotes that has no backslash before it. In a definition
 * (`continued`) a backslash at the end of the line stays even after a comment: the next line belongs to it.
 */
function uncomment(line: Line, continued: boolean): Line {
  const { text } = line
  const at = commentStart(text)
  if (at === text.length) return line
  const end = text.trimEnd()
  if (!continued || !end.endsWith('\\')) return sliceLine(line, 0, at)
  const builder = new LineBuilder(line)
  builder.keep(0, at)
  builder.keep(end.length - 1, end.length)
  return builder.build()
}

function trim(line: Line): Line {
  const { text } = line
  const from = text.length - text.trimStart().length
  const to = text.trimEnd().length
  return from === 0 && to === text.length ? line : sliceLine(line, from, Math.max(from, to))
}
