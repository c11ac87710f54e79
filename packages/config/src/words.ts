import type { Place } from './place.ts'
import type { Code } from './codes.ts'
import { splitCommand } from './command-line.ts'
import type { Remarks } from './diagnostics.ts'
import type { WordReader } from './kind.ts'
import { placeOf, rawText, type Statement } from './statement.ts'

/** The words of a statement from one of them on; one object is used for statement after statement. */
export class Words implements WordReader {
  readonly #remarks: Remarks
  #statement: Statement | undefined
  /** Index in the statement, where the keyword is 0, of the next word and of the end. */
  #next = 1
  #first = 1
  #end = 1
  /** The words where they are not the statement's: read again with escapes. */
  #split: readonly string[] | undefined
  /** What went wrong, kept back so that the reader can say something better. */
  problem:
    { readonly code: Code; readonly text: string; readonly suggestion?: string; readonly word: number } | undefined

  constructor(remarks: Remarks) {
    this.#remarks = remarks
  }

  /** Begins with word `first` of a statement (0: the keyword), and ends before word `end`. */
  begin(statement: Statement, first = 1, end = statement.args.length + 1): this {
    this.#statement = statement
    this.#next = this.#first = first
    this.#end = end
    this.problem = undefined
    this.#split = undefined
    return this
  }

  /** Begins with the words after the keyword, read with shell-like quotes and escapes; false when a quote is open. */
  beginEscaped(statement: Statement): boolean {
    this.begin(statement)
    const raw = rawText(statement)
    if (raw === undefined || !/['"\\]/.test(raw)) return true
    const { words, problem } = splitCommand(raw)
    if (problem !== undefined) this.problem = { code: 'E027', text: problem, word: 1 }
    this.#split = words
    this.#end = words.length + 1
    return problem === undefined
  }

  get left(): number {
    return this.#end - this.#next
  }

  /** Index of the next word in its statement. */
  get position(): number {
    return this.#next
  }

  #at(index: number): string | undefined {
    return index === 0 ? this.#statement?.keyword : (this.#split ?? this.#statement?.args)?.[index - 1]
  }

  peek(): string | undefined {
    return this.#next < this.#end ? this.#at(this.#next) : undefined
  }

  take(): string | undefined {
    return this.#next < this.#end ? this.#at(this.#next++) : undefined
  }

  bad<T>(code: Code, text: string, suggestion?: string): T | undefined {
    this.problem ??= { code, text, word: this.#last(), ...(suggestion === undefined ? {} : { suggestion }) }
    return undefined
  }

  warn(code: Code, text: string, suggestion?: string): void {
    this.#remarks.add(code, this.place(), text, suggestion === undefined ? {} : { suggestion })
  }

  missing<T>(what: string): T | undefined {
    const name = this.#first === 0 ? 'the entry' : (this.#statement?.keyword ?? '')
    const before = this.#next > this.#first && this.#first > 0 ? ` after ${this.#at(this.#next - 1) ?? ''}` : ''
    this.problem ??= { code: 'E028', text: `${name} needs ${what}${before}`, word: this.#last() }
    return undefined
  }

  #last(): number {
    return Math.max(this.#next - 1, this.#first === 0 ? 0 : Math.min(this.#first - 1, this.#end - 1))
  }

  place(): Place {
    return this.placeOf(this.#last())
  }

  /** Where word `index` of the statement stands. */
  placeOf(index: number): Place {
    if (this.#statement === undefined) return { file: '', line: 1, column: 1 }
    return placeOf(this.#statement, index)
  }
}
