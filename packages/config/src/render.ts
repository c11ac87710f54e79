import type { Place } from './place.ts'
import type { Diagnostic } from './diagnostics.ts'

/** Longer lines are shown around the place. */
const widest = 110

/**
 * A remark for people: `file:line:column: text`, then the line and carets under the place, then related places.
 * `source` gives the line where the remark has no excerpt.
 */
export function renderDiagnostic(diagnostic: Diagnostic, source?: (place: Place) => string | undefined): string {
  const { place, severity, text, suggestion, code, related = [] } = diagnostic
  const level = severity === 'error' ? '' : `${severity}: `
  const hint = suggestion === undefined ? '' : `; did you mean ${quote(suggestion)}?`
  const head = `${where(place)}: ${level}${text}${hint} [${code}]`
  const excerpt = diagnostic.excerpt ?? source?.(place)
  const shown = excerpt === undefined || excerpt.trim() === '' ? [] : frame(excerpt, place)
  const others = related.map((each) => `${where(each.place)}: ${each.text}`)
  return [head, ...shown, ...others].join('\n')
}

/** All remarks, one after the other, with an empty line between those that have an excerpt. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  source?: (place: Place) => string | undefined,
): string {
  return diagnostics.map((each) => `${renderDiagnostic(each, source)}\n`).join('')
}

const where = ({ file, line, column }: Place): string => `${file}:${line}:${column}`

const quote = (text: string): string => (text.includes('"') ? `'${text}'` : `"${text}"`)

function frame(excerpt: string, { line, column, length = 1 }: Place): string[] {
  const number = String(line).padStart(5)
  let from = Math.min(column - 1, excerpt.length)
  let text = excerpt
  if (excerpt.length > widest) {
    const start = Math.max(0, Math.min(from - 30, excerpt.length - widest))
    text = `${start > 0 ? '…' : ''}${excerpt.slice(start, start + widest)}${start + widest < excerpt.length ? '…' : ''}`
    from = from - start + (start > 0 ? 1 : 0)
  }
  const before = Array.from(text.slice(0, from), (char) => (char === '\t' ? '\t' : ' '.repeat(width(char)))).join('')
  const under = Array.from(text.slice(from, from + length)).reduce((sum, char) => sum + width(char), 0)
  return [`${number} | ${printable(text)}`, `${' '.repeat(5)} | ${before}${'^'.repeat(Math.max(1, under))}`]
}

/** Columns a character takes in a terminal: East Asian wide ones take two. */
function width(char: string): number {
  const code = char.codePointAt(0) ?? 0
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f300
  return wide ? 2 : 1
}

/** Control characters, but tabs, as `·`: a configuration should not drive a terminal. */

const printable = (text: string): string =>
  text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]/g, '·')
