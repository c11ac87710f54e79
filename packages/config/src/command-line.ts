/** What a command line was split into; `problem` when it ends inside a quote. */
export interface Split {
  readonly words: readonly string[]
  readonly problem?: string
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/**
 * Splits as keepalived splits scripts: blanks separate, `'…'` and `"…"` keep blanks and may stand inside a word, and a
 * backslash escapes in and out of quotes: `\a \b \E \f \n \r \t \v`, `\nnn` octal, `\xHH`, `\cX` control, else the character.
 */
export function splitCommand(line: string): Split {
  if (!/['"\\]/.test(line)) return { words: line.split(/[ \t]+/).filter((word) => word !== '') }
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? ''
    if (char === '\\') {
      const escape = readEscape(line, i + 1)
      word = (word ?? '') + escape.text
      i = escape.end - 1
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined
      else word = (word ?? '') + char
    } else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (word !== undefined) words.push(word)
  return quote === undefined
    ? { words }
    : { words, problem: `the ${quote === "'" ? 'single' : 'double'} quote is never closed` }
}

/** The escape whose backslash stands before `at`: its text, and the index after it. */
function readEscape(line: string, at: number): { readonly text: string; readonly end: number } {
  const char = line[at]
  if (char === undefined) return { text: '\\', end: at }
  const simple = simpleEscapes[char]
  if (simple !== undefined) return { text: simple, end: at + 1 }
  const octal = /^[0-7]{1,3}/.exec(line.slice(at, at + 3))?.[0]
  if (octal !== undefined)
    return { text: String.fromCharCode(Number.parseInt(octal, 8) & 0xff), end: at + octal.length }
  const hex = char === 'x' ? /^[0-9a-fA-F]{1,2}/.exec(line.slice(at + 1, at + 3))?.[0] : undefined
  if (hex !== undefined) return { text: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 1 + hex.length }
  const control = line[at + 1]
  if (char === 'c' && control !== undefined)
    return { text: String.fromCharCode(control.charCodeAt(0) & 0x1f), end: at + 2 }
  return { text: char, end: at + 1 }
}

/** The words as one command line that {@link splitCommand} splits into them again; it has no `"` and no line break in it. */
export function joinCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(' ')
}

function quoteWord(word: string): string {
  const safe = word.replace(/[\\'"\x00-\x1f\x7f]/g, (char) =>
    char === '\\' ? '\\\\' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return word === '' || /[ ]/.test(word) ? `'${safe}'` : safe
}
