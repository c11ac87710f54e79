import type { Place } from './place.ts'
import { type Code, codes, type KeepalivedClass } from './codes.ts'

/** error: cannot run, or the meaning is lost; warning: runs, as the text says; note: worth knowing. */
export type Severity = 'error' | 'warning' | 'note'

/** A remark about the configuration. */
export interface Diagnostic {
  readonly code: string
  readonly severity: Severity
  readonly keepalived: KeepalivedClass
  readonly text: string
  readonly place: Place
  /** The line it is about, as it stands in the file. */
  readonly excerpt?: string
  /** What was probably meant, as it would be written. */
  readonly suggestion?: string
  /** Other places that belong to it: where a block was opened, where the first of two stands. */
  readonly related?: readonly { readonly place: Place; readonly text: string }[]
}

/** More than these are not kept: a file of noise should not fill the memory with remarks about it. */
const mostKept = 10_000

/** Collects remarks: the same remark at the same place once (a line repeated by ~SEQ), and not without end. */
export class Remarks {
  readonly all: Diagnostic[] = []
  errors = 0
  /** Everything that was to be said, also what was not kept. */
  said = 0
  readonly #seen = new Set<string>()
  readonly #strict: boolean

  /** `strict`: warnings are errors. */
  constructor(strict = false) {
    this.#strict = strict
  }

  add(
    code: Code,
    place: Place,
    text: string,
    more: Pick<Diagnostic, 'suggestion' | 'related'> & { readonly keepalived?: KeepalivedClass } = {},
  ): void {
    this.said++
    const usual = severityOf(code)
    const severity = this.#strict && usual === 'warning' ? 'error' : usual
    if (severity === 'error') this.errors++
    if (this.all.length >= mostKept) return
    const key = `${code} ${place.file}:${place.line}:${place.column} ${text}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.all.push({ code, severity, keepalived: codes[code].keepalived, text, place, ...more })
  }

  /**
   * Whether it was already said that a name in this word is not replaced; that is then an error, because the word is of
   * no use, and nothing more needs to be said of it.
   */
  unreplaced({ file, line, column, length = 1 }: Place): boolean {
    const at = this.all.findLastIndex(
      ({ code, place }) =>
        unreplacedCodes.has(code) &&
        place.file === file &&
        place.line === line &&
        place.column >= column &&
        place.column < column + length,
    )
    const found = this.all[at]
    if (found === undefined) return false
    if (found.severity !== 'error') {
      this.errors++
      this.all[at] = {
        ...found,
        text: found.text.replace(/; it is taken.*/, ''),
        code: 'E005',
        severity: 'error',
        keepalived: 'error',
      }
    }
    return true
  }
}

/** Remarks about names that are not replaced; see {@link Remarks.unreplaced}. */
const unreplacedCodes: ReadonlySet<string> = new Set(['E005', 'W007', 'W010'])

/** The first letter of a code says how severe it is. */
export function severityOf(code: string): Severity {
  return code.startsWith('E') ? 'error' : code.startsWith('W') ? 'warning' : 'note'
}

/**
 * The exit status of `keepalived -t` for such remarks: 4 it cannot run, 6 a script security warning (which hides 5, as
 * in keepalived), 5 errors in spite of which it runs, 0. Notes never count: they say where this program is milder.
 */
export function testStatus(diagnostics: readonly Diagnostic[], canRun = true): 0 | 4 | 5 | 6 {
  if (!canRun) return 4
  if (diagnostics.some((each) => each.keepalived === 'security')) return 6
  const counts = (each: Diagnostic): boolean =>
    each.severity === 'error' || (each.severity === 'warning' && each.keepalived !== 'ok')
  return diagnostics.some(counts) ? 5 : 0
}
