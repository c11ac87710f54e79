/**
 * Words of a statement: the lowest layer of the language (reference: blanks, quotes, comments, braces). The scanner
 * stops at a brace, a comment or the end, and notes what is odd on its way; it never fails.
 */

/** What the scanner noticed, at an index of the text. */
export interface Oddity {
  readonly kind: 'unterminated' | 'curly' | 'curlyInside' | 'blank' | 'nul' | 'backslash' | 'prose'
  readonly at: number
}

/**
 * One statement's words, the first `count` of each array. `starts` and `ends` (after the last character, quotes
 * included) are indices of the text. There is one object for all calls: a million statements need not a million of it.
 */
export interface Scanned {
  readonly words: string[]
  readonly starts: number[]
  readonly ends: number[]
  count: number
  /** Index where scanning stopped: of a brace, of a comment's first character, or the end. */
  stop: number
  /** Index after the last word. */
  end: number
  oddities: Oddity[] | undefined
}

const scanned: Scanned = { words: [], starts: [], ends: [], count: 0, stop: 0, end: 0, oddities: undefined }

const ordinary = 0
const blank = 1
const special = 2
const classes = new Uint8Array(128).fill(ordinary)
for (const char of ' \t\r\f\v\n') classes[char.charCodeAt(0)] = blank
for (const char of '"{}#!\\\0') classes[char.charCodeAt(0)] = special

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const hash = 0x23
const bang = 0x21
const slash = 0x2f
const dash = 0x2d

/** Keywords whose first value may well begin with `//`: it is no comment there. */
const slashValues = new Set(['path', 'script', 'misc_path', 'file', 'regex', 'url', 'process', 'include'])

/** Scans words from `from` to `to`. What it answers holds until the next call. */
export function scanWords(text: string, from: number, to: number): Scanned {
  const { words, starts, ends } = scanned
  let count = 0
  scanned.oddities = undefined
  let i = from
  let end = from
  scanning: while (i < to) {
    const code = text.charCodeAt(i)
    const kind = code < 128 ? classes[code] : isBlankBeyondAscii(code) ? special : ordinary
    if (kind === blank) {
      i++
      continue
    }
    if (kind === special) {
      switch (code) {
        case hash:
        case bang:
        case openBrace:
        case closeBrace:
          break scanning
        case quote: {
          let close = text.indexOf('"', i + 1)
          while (close > 0 && close < to && isEscapedQuote(text, i, close, words[0], count))
            close = text.indexOf('"', close + 1)
          if (close < 0 || close >= to) {
            noteOddity('unterminated', i)
            close = to
          }
          const word = text.slice(i + 1, close)
          if (hasCurly(word)) noteOddity('curlyInside', i + 1 + word.search(curly))
          words[count] = word
          starts[count] = i
          i = end = Math.min(close + 1, to)
          ends[count++] = end
          continue
        }
        case backslash:
          break
        case 0:
          noteOddity('nul', i)
          i = to
          break scanning
        default:
          noteOddity('blank', i)
          i++
          continue
      }
    }
    if ((code === slash || code === dash) && isProse(text, i, to, count === 1 ? words[0] : undefined)) {
      noteOddity('prose', i)
      i = to
      break
    }
    const start = i
    let escaped = false
    let beyond = false
    for (; i < to; i++) {
      const c = text.charCodeAt(i)
      if (c >= 128) {
        if (isBlankBeyondAscii(c)) break
        beyond = true
      } else if (classes[c] !== ordinary) {
        if (c !== backslash) break
        const next = i + 1 < to ? text.charCodeAt(i + 1) : -1
        if (next === hash || next === bang) {
          escaped = true
          i++
        } else if (next === -1) noteOddity('backslash', i)
      }
    }
    let word = text.slice(start, i)
    if (escaped) word = word.replace(/\\([#!])/g, '$1')
    if (beyond && hasCurly(word)) {
      noteOddity('curly', start + word.search(curly))
      word = word.replace(curlyAll, '')
    }
    words[count] = word
    starts[count] = start
    ends[count++] = i
    end = i
  }
  scanned.count = count
  scanned.stop = i
  scanned.end = end
  return scanned
}

/** Of the call under way: a function within {@link scanWords} would be made anew for every statement. */
function noteOddity(kind: Oddity['kind'], at: number): void {
  scanned.oddities ??= []
  scanned.oddities.push({ kind, at })
}

/** Keywords whose words are read again with escapes: in their quotes `\\"` is no end. */
const escapedKeywords =
  /^(?:notify(?!_fifo$|_priority|_webhook)\w*|quorum_(?:up|down)|script|misc_path|regex|expect_regex|expect|send|body|(?:startup|shutdown)_script|\w*_fifo_script)$/

/** What a line may begin with before its keyword: conditions and repetitions. */
const lineKeyword = /^\s*(?:@\S+\s+|~\w+\([^)]*\)\s*)*(\S+)/

/** Where the comment of a line begins: its length where there is none. By the same rules as {@link scanWords}. */
export function commentStart(text: string): number {
  if (!/[#!]/.test(text)) return text.length
  const escapes = escapedKeywords.test(lineKeyword.exec(text)?.[1] ?? '')
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === backslash && (!quoted || (escapes && text[i + 1] === '"'))) i++
    else if (code === quote) quoted = !quoted
    else if (!quoted && (code === hash || code === bang)) return i
  }
  return text.length
}

function isEscapedQuote(text: string, open: number, at: number, keyword: string | undefined, count: number): boolean {
  if (count === 0 || text.charCodeAt(at - 1) !== backslash || !escapedKeywords.test(keyword ?? '')) return false
  let backslashes = 0
  while (at - 1 - backslashes > open && text.charCodeAt(at - 1 - backslashes) === backslash) backslashes++
  return backslashes % 2 === 1
}

/** Typographic quotes, which word processors and blogs put for `"` and `'`. */
const curly = /[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02]/
const curlyAll = new RegExp(curly, 'g')
const hasCurly = (word: string): boolean => curly.test(word)

/** Blanks that C does not know as such: no-break space, ideographic space, zero-width space, … */
function isBlankBeyondAscii(code: number): boolean {
  return code === 0xa0 || code === 0x3000 || code === 0xfeff || (code >= 0x2000 && code <= 0x200f) || code === 0x202f
}

/** `// …` or `--- …` after a value: meant as a comment, though keepalived has no such comments. */
function isProse(text: string, i: number, to: number, only: string | undefined): boolean {
  if (text.charCodeAt(i) === slash) {
    if (i + 1 >= to || text.charCodeAt(i + 1) !== slash) return false
    return !(only !== undefined && slashValues.has(only) && i + 2 < to && !/\s/.test(text[i + 2] ?? ' '))
  }
  return /^-{3,}(?:\s|$)/.test(text.slice(i, Math.min(to, i + 80)))
}
