import type { Place } from './place.ts'
import type { Source } from './source.ts'

/** From index `at` on, the text of a line stands in its file at `column`; `length` 0: character by character, else all
 * of it stands for that many characters there (a substituted `$NAME`). */
interface Segment {
  readonly at: number
  readonly column: number
  readonly length: number
}

/** A line on its way through substitution: its text now, and where each part of it was written. */
export interface Line {
  readonly text: string
  readonly source: Source
  /** From 1. */
  readonly line: number
  /** Index in the source's text at which that line begins. */
  readonly start: number
  readonly segments: readonly Segment[]
}

/** The physical line that begins at index `start`, from index `from` to `to`. */
export function physicalLine(source: Source, line: number, start: number, from: number, to: number): Line {
  return {
    text: source.text.slice(from, to),
    source,
    line,
    start,
    segments: [{ at: 0, column: from - start + 1, length: 0 }],
  }
}

/** Where the characters `from` to `to` of a line were written. */
export function placeIn(line: Line, from: number, to = from + 1): Place {
  const first = segmentAt(line, from)
  const last = segmentAt(line, Math.max(from, to - 1))
  const column = first.length > 0 ? first.column : first.column + from - first.at
  const end = last.length > 0 ? last.column + last.length : last.column + to - last.at
  return { file: line.source.file, line: line.line, column, length: Math.max(1, end - column) }
}

function segmentAt(line: Line, index: number): Segment {
  let low = 0
  let high = line.segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((line.segments[middle]?.at ?? 0) <= index) low = middle
    else high = middle - 1
  }
  return line.segments[low] ?? { at: 0, column: 1, length: 0 }
}

/** The part of a line between two indices. */
export function sliceLine(line: Line, from: number, to = line.text.length): Line {
  const segments: Segment[] = []
  for (const [i, segment] of line.segments.entries()) {
    const end = line.segments[i + 1]?.at ?? line.text.length
    if (end <= from && i < line.segments.length - 1) continue
    if (segment.at >= to && segments.length > 0) break
    const at = Math.max(0, segment.at - from)
    const skipped = segment.length > 0 ? 0 : Math.max(0, from - segment.at)
    segments.push({ at, column: segment.column + skipped, length: segment.length })
  }
  return { ...line, text: line.text.slice(from, to), segments }
}

/** Puts a line together from pieces of another and from substituted texts. */
export class LineBuilder {
  readonly #from: Line
  #text = ''
  readonly #segments: Segment[] = []

  constructor(from: Line) {
    this.#from = from
  }

  get length(): number {
    return this.#text.length
  }

  /** Characters `from` to `to` of the line, as they are. */
  keep(from: number, to: number): void {
    if (from >= to) return
    const part = sliceLine(this.#from, from, to)
    for (const segment of part.segments) this.#segments.push({ ...segment, at: segment.at + this.#text.length })
    this.#text += part.text
  }

  /** A text that stands for characters `from` to `to` of the line. */
  put(text: string, from: number, to: number): void {
    const { column, length = 1 } = placeIn(this.#from, from, to)
    this.#segments.push({ at: this.#text.length, column, length })
    this.#text += text
  }

  build(): Line {
    const segments = this.#segments.length > 0 ? this.#segments : this.#from.segments.slice(0, 1)
    return { ...this.#from, text: this.#text, segments }
  }
}
