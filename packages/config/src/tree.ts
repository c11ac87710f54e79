import { NotAsBefore } from './before.ts'
import type { Place } from './place.ts'
import type { Block, Field, Fields } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import type { Source } from './source.ts'
import { type Kept, placeOf, type Statement, type Written } from './statement.ts'
import type { Steps } from './steps.ts'

/**
 * Where a brace stands. `column` counts characters from 1, `indent` columns on a screen (a tab goes to the next multiple
 * of eight); `first`: nothing but blanks stands before it on its line.
 */
export interface Brace {
  readonly source: Source
  readonly line: number
  readonly column: number
  readonly indent: number
  readonly first: boolean
  /** Its index in the source's text; only where the line is as it stands there. */
  readonly at: number
}

interface Frame {
  readonly statement: Statement | undefined
  readonly body: Statement[]
  /** Keywords of the block; undefined in a list and in an unknown block. */
  readonly fields: ReadonlyMap<string, Field> | undefined
  readonly kind: 'root' | 'block' | 'list' | 'unknown' | 'stray'
  /** Column on a screen of the statement that was opened. */
  readonly indent: number
}

/** Who is told of what was read. */
export interface Taker {
  /**
   * Takes a top-level statement that is whole; `broken`: an error of the text itself was found in it; `next`: the one that
   * follows, undefined at the end.
   */
  take(statement: Statement, broken: boolean, next: Statement | undefined): Steps
  /** A block of the top level, or one in such a block, begins: is it as it was in an earlier load? Then it is not read. */
  keep?(statement: Statement, outer: Statement | undefined): Kept | undefined
}

/** Deeper than any block can be; braces beyond are only counted. */
const deepest = 64

/**
 * Builds the tree of statements from words and braces. It knows the keywords, so that a brace too few or too many is
 * found where it was forgotten and gives one remark: indentation decides which block a statement was meant for.
 */
export class TreeBuilder {
  readonly #frames: Frame[]
  readonly #remarks: Remarks
  readonly #taker: Taker
  /** Stays empty: marks the frames whose statements are top-level ones. */
  readonly #rootBody: Statement[] = []
  /** The top-level statement that is being built, and how many errors there were before it. */
  #current: Statement | undefined
  #errors = 0
  #remarked = 0
  #top: Frame
  /** The statement just read, which a `{` may follow. */
  #pending: Statement | undefined
  #pendingIndent = 0
  /** The block closed last (without a brace where it was not read), and the first brace since that stood at another column than its block. */
  #closed: { readonly frame: Frame; readonly parent: Frame; readonly brace: Brace | undefined } | undefined
  #suspicious: { readonly frame: Frame; readonly brace: Brace } | undefined
  /** The first brace that stands deeper than the block it closed: one too many before it, perhaps. */
  #tooMuch: { readonly frame: Frame; readonly brace: Brace } | undefined
  #tooDeep = 0
  /** Statements that are to be taken. */
  #whole: { readonly statement: Statement; readonly broken: boolean; readonly next: Statement | undefined }[] = []
  /** Blocks that have begun, or were closed, on this line. */
  #begun: Statement | undefined
  #ended: Statement | undefined
  /** Lines that are more than their text (substitutions, conditions, includes). */
  #special = 0
  /** How it was with those and with the remarks when a block of the top level had begun. */
  #mark: { readonly statement: Statement; readonly said: number; readonly special: number } | undefined

  constructor(grammar: Block, remarks: Remarks, taker: Taker) {
    this.#remarks = remarks
    this.#taker = taker
    this.#top = { statement: undefined, body: this.#rootBody, fields: fieldMap(grammar), kind: 'root', indent: -1 }
    this.#frames = [this.#top]
  }

  statement(
    keyword: string,
    args: readonly string[],
    source: Source,
    line: number,
    indent: number,
    offset: number,
    end: number,
    written: Written | undefined,
  ): void {
    if (this.#pending !== undefined) this.#settlePending(keyword, indent)
    let field = this.#top.fields?.get(keyword)
    // The declaration's own string, so that a million keywords are not kept a million times.
    const name = field?.name === keyword ? field.name : keyword
    const statement: Statement = {
      keyword: name,
      args,
      source,
      line,
      offset,
      end,
      written,
      field,
      body: undefined,
      closing: undefined,
      kept: undefined,
    }
    if (field === undefined && this.#rescue(statement, indent)) {
      field = this.#top.fields?.get(keyword)
      if (field !== undefined) {
        this.#add({ ...statement, field }, indent)
        return
      }
    }
    this.#add(statement, indent)
  }

  #add(statement: Statement, indent: number): void {
    if (this.#top.body === this.#rootBody) {
      this.#deliver(statement)
      this.#current = statement
    } else this.#top.body.push(statement)
    this.#pending = statement
    this.#pendingIndent = indent
  }

  /** Hands over what is whole, now that the next statement has come. */
  #deliver(next: Statement | undefined): void {
    const { errors, all } = this.#remarks
    let ofNext = 0
    for (let i = this.#remarked; i < all.length; i++) {
      const { severity, place } = all[i] ?? {}
      if (severity === 'error' && next !== undefined && place?.file === next.source.file && place.line >= next.line)
        ofNext++
    }
    const broken = errors - ofNext > this.#errors
    if (this.#current !== undefined) this.#whole.push({ statement: this.#current, broken, next })
    this.#current = undefined
    this.#errors = this.#remarks.errors - ofNext
    this.#remarked = all.length
  }

  /** Something is whole and not taken yet. */
  get hasWork(): boolean {
    return this.#whole.length > 0
  }

  /** Has taken what is whole. What is found wrong with it then is not wrong with the statement that has begun since. */
  *work(): Steps {
    const whole = this.#whole
    this.#whole = []
    for (const { statement, broken, next } of whole) {
      const { errors } = this.#remarks
      yield* this.#taker.take(statement, broken, next)
      this.#errors += this.#remarks.errors - errors
    }
    this.#remarked = this.#remarks.all.length
  }

  /** A line of a file has come to its end. Answers a block that began on it and is as it was: its lines are to be skipped. */
  endOfLine(source: Source, line: number, special: boolean): Kept | undefined {
    if (special) this.#special++
    const begun = this.#begun
    const ended = this.#ended
    if (begun === undefined && ended === undefined) return undefined
    this.#begun = this.#ended = undefined
    const { said } = this.#remarks
    const mark = this.#mark
    if (mark !== undefined && mark.statement === ended && ended.closing !== undefined)
      ended.closing.plain = mark.said === said && mark.special === this.#special
    const frame = this.#top
    const parent = this.#frames[this.#frames.length - 2]
    if (begun === undefined || frame.statement !== begun || parent === undefined || begun.source !== source)
      return undefined
    if (begun.line !== line || frame.body.length > 0 || this.#pending !== undefined) return undefined
    begun.kept = this.#taker.keep?.(begun, parent.statement)
    if (begun.kept === undefined) {
      if (parent.kind === 'root') this.#mark = { statement: begun, said, special: this.#special }
      return undefined
    }
    this.#frames.pop()
    this.#top = parent
    this.#closed = { frame, parent, brace: undefined }
    return begun.kept
  }

  open(brace: Brace): void {
    const statement = this.#pending
    this.#pending = undefined
    if (this.#frames.length >= deepest) {
      this.#tooDeep++
      if (this.#tooDeep === 1) this.#remarks.add('E010', braceAt(brace), 'blocks are nested too deep')
      return
    }
    if (statement === undefined) {
      this.#remarks.add('E010', braceAt(brace), 'unexpected "{": no keyword stands before it')
      this.#push({ ...this.#top, statement: undefined, kind: 'stray', indent: brace.indent })
      return
    }
    this.#enter(statement, this.#pendingIndent)
    if (this.#frames.length <= 3) this.#begun = statement
  }

  #enter(statement: Statement, indent: number): void {
    const body: Statement[] = (statement.body = [])
    const { field } = statement
    const kind =
      field === undefined ? 'unknown' : field.form === 'block' ? 'block' : field.form === 'list' ? 'list' : 'unknown'
    this.#push({ statement, body, fields: field?.form === 'block' ? fieldMap(field) : undefined, kind, indent })
  }

  close(brace: Brace): void {
    if (this.#pending !== undefined) this.#settlePending(undefined, brace.indent)
    if (this.#tooDeep > 0) {
      this.#tooDeep--
      return
    }
    const frame = this.#top
    const parent = this.#frames[this.#frames.length - 2]
    if (parent === undefined) {
      this.#extra(brace)
      return
    }
    this.#frames.pop()
    this.#top = parent
    if (frame.kind === 'stray') return
    // Arrays that grow have room to spare; most blocks are small, and there may be very many.
    if (frame.statement !== undefined && frame.body.length < 16) frame.statement.body = frame.body.slice()
    this.#closed = { frame, parent, brace }
    if (this.#frames.length <= 2 && frame.statement?.source === brace.source) {
      frame.statement.closing = { line: brace.line, at: brace.at, plain: false }
      if (parent.kind === 'root') this.#ended = frame.statement
    }
    if (brace.first && brace.indent !== frame.indent) {
      if (this.#frames.some((outer) => outer.indent === brace.indent)) this.#suspicious ??= { frame, brace }
      else if (brace.indent > frame.indent) this.#tooMuch ??= { frame, brace }
    }
    if (this.#frames.length === 1 && brace.indent === frame.indent) this.#suspicious = this.#tooMuch = undefined
  }

  /** Closes what is open at the end of the text, with one remark, and hands over the last statement. */
  finish(): void {
    if (this.#pending !== undefined) this.#settlePending(undefined, 0)
    const open = this.#frames.filter((frame) => frame.kind !== 'root')
    const innermost = open[open.length - 1]
    if (innermost !== undefined) this.#unclosed(this.#suspicious?.frame ?? innermost, undefined)
    this.#deliver(undefined)
  }

  #push(frame: Frame): void {
    this.#frames.push(frame)
    this.#top = frame
  }

  #extra(brace: Brace): void {
    const culprit = this.#tooMuch
    this.#suspicious = this.#tooMuch = undefined
    if (culprit === undefined) this.#remarks.add('E013', braceAt(brace), 'extra "}": nothing is open here')
    else this.#tooEarly(culprit.brace, culprit.frame, { place: braceAt(brace), text: 'which leaves nothing open here' })
  }

  #tooEarly(brace: Brace, frame: Frame, noticed: { readonly place: Place; readonly text: string }): void {
    const name = frame.statement === undefined ? 'its block' : describe(frame.statement)
    this.#remarks.add('E013', braceAt(brace), `extra "}": it ends ${name} too early`, { related: [noticed] })
  }

  /** A block's keyword was not followed by `{`: go on as if it had been, where what follows belongs into it. */
  #settlePending(next: string | undefined, indent: number): void {
    const pending = this.#pending
    this.#pending = undefined
    if (pending?.field === undefined || pending.field.form === 'value') return
    this.#remarks.add('E011', placeOf(pending), `"{" is missing after ${describe(pending)}`)
    if (next === undefined) return
    const { field } = pending
    const inside = field.form === 'list' || fieldMap(field).has(next)
    if (inside && (indent > this.#pendingIndent || this.#top.fields?.has(next) !== true))
      this.#enter(pending, this.#pendingIndent)
  }

  /** A keyword that is unknown here: was a brace forgotten, or one too many written? Answers whether that helped. */
  #rescue(statement: Statement, indent: number): boolean {
    if (this.#top.kind === 'list' && indent > this.#top.indent) return false
    return this.#forgotten(statement, indent) || this.#reopen(statement, indent)
  }

  /** The statement belongs into an outer block, and stands no deeper than what is open: that was to be closed. */
  #forgotten(statement: Statement, indent: number): boolean {
    const { keyword, source } = statement
    for (let depth = this.#frames.length - 2; depth >= 0; depth--) {
      const outer = this.#frames[depth]
      const inner = this.#frames[depth + 1]
      const field = outer?.fields?.get(keyword)
      if (outer === undefined || inner?.statement?.source !== source || field === undefined) continue
      const topLevel = depth === 0 && field.form === 'block' && !this.#knownBelow(keyword)
      if (!topLevel && !isIndented(inner) && indent >= inner.indent) continue
      if (indent > inner.indent || indent > this.#top.indent) continue
      const innermost = this.#top
      this.#frames.length = depth + 1
      this.#top = outer
      this.#unclosed(this.#suspicious?.frame ?? innermost, placeOf(statement))
      return true
    }
    return false
  }

  /** The statement belongs into the block that was closed last, and is indented as its content: it was closed too early. */
  #reopen(statement: Statement, indent: number): boolean {
    const closed = this.#closed
    if (
      closed === undefined ||
      closed.parent !== this.#top ||
      closed.frame.fields?.get(statement.keyword) === undefined
    )
      return false
    // How it is indented is not known.
    if (closed.brace === undefined) throw new NotAsBefore()
    if (
      closed.frame.statement?.source !== statement.source ||
      indent <= closed.frame.indent ||
      !isIndented(closed.frame)
    )
      return false
    const noticed = { place: placeOf(statement), text: `"${statement.keyword}" still belongs to it` }
    this.#tooEarly(this.#tooMuch?.brace ?? closed.brace, closed.frame, noticed)
    this.#suspicious = this.#tooMuch = undefined
    this.#push({ ...closed.frame, body: closed.frame.statement.body ?? [] })
    return true
  }

  #knownBelow(keyword: string): boolean {
    return this.#frames.some((frame, depth) => depth > 0 && frame.fields?.has(keyword) === true)
  }

  #unclosed(frame: Frame, noticed: Place | undefined): void {
    this.#suspicious = undefined
    const { statement } = frame
    if (statement === undefined) return
    const related = noticed === undefined ? {} : { related: [{ place: noticed, text: 'noticed here' }] }
    this.#remarks.add('E012', placeOf(statement), `"}" is missing: ${describe(statement)} is never closed`, related)
  }
}

/** `vrrp_instance VI_1`, for messages. */
const describe = ({ keyword, args, field }: Statement): string =>
  field?.secret === true ? keyword : [keyword, ...args.slice(0, 2)].join(' ')

const braceAt = ({ source, line, column }: Brace): Place => ({ file: source.file, line, column, length: 1 })

/** Whether what stands in a block is indented deeper than the block. */
function isIndented(frame: Frame): boolean {
  const [first] = frame.body
  return first !== undefined && indentOf(first) > frame.indent
}

/** The column on a screen at which a statement begins. */
function indentOf({ source, offset, written }: Statement): number {
  if (written !== undefined) return written.indent
  const start = source.text.lastIndexOf('\n', offset - 1) + 1
  return screenColumn(source.text, start, offset)
}

/** The column on a screen (from 0) of a character, when its line begins at `start`: tabs go to multiples of eight. */
export function screenColumn(text: string, start: number, at: number): number {
  let column = 0
  for (let i = start; i < at; i++) column = text.charCodeAt(i) === 0x09 ? (column | 7) + 1 : column + 1
  return column
}

const maps = new WeakMap<Fields, ReadonlyMap<string, Field>>()

/** The keywords of a block by each of their spellings. */
export function fieldMap(block: Block): ReadonlyMap<string, Field> {
  let map = maps.get(block.fields)
  if (map === undefined) {
    const built = new Map<string, Field>()
    for (const field of Object.values(block.fields)) {
      if (field.name === '') continue
      for (const name of [field.name, ...(field.aliases ?? [])]) built.set(name, field)
    }
    maps.set(block.fields, (map = built))
  }
  return map
}
