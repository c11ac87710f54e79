/** Sets of characters as ranges of code points, both ends in. */
export type Ranges = readonly (readonly [number, number])[]

const top = 0x10ffff

export const digits: Ranges = [[0x30, 0x39]]
const upper: Ranges = [[0x41, 0x5a]]
const lower: Ranges = [[0x61, 0x7a]]
const alpha: Ranges = [...upper, ...lower]
export const wordCharacters: Ranges = [...digits, ...alpha, [0x5f, 0x5f]]
/** PCRE2's `\s`: blank, tab, LF, VT, FF, CR. JavaScript's has many more. */
export const spaces: Ranges = [
  [0x09, 0x0d],
  [0x20, 0x20],
]
/** `\h` and `\v`, pcre2pattern(3), "Generic character types". */
export const horizontal: Ranges = [
  [0x09, 0x09],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x180e, 0x180e],
  [0x2000, 0x200a],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]
export const vertical: Ranges = [
  [0x0a, 0x0d],
  [0x85, 0x85],
  [0x2028, 0x2029],
]
export const newline: Ranges = [[0x0a, 0x0a]]

/** What stands in `[:name:]`, in the C locale. */
export const posixClasses: Readonly<Record<string, Ranges>> = {
  alnum: [...digits, ...alpha],
  alpha,
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: digits,
  graph: [[0x21, 0x7e]],
  lower,
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: spaces,
  upper,
  word: wordCharacters,
  xdigit: [...digits, [0x41, 0x46], [0x61, 0x66]],
}

/** Everything else. */
export function complement(ranges: Ranges): Ranges {
  const sorted = [...ranges].sort(([a], [b]) => a - b)
  const out: [number, number][] = []
  let next = 0
  for (const [from, to] of sorted) {
    if (from > next) out.push([next, from - 1])
    next = Math.max(next, to + 1)
  }
  if (next <= top) out.push([next, top])
  return out
}

/** What stands between `[` and `]` of a JavaScript class (flag u) for these characters. */
export function inClass(ranges: Ranges): string {
  return ranges.map(([from, to]) => (from === to ? point(from) : `${point(from)}-${point(to)}`)).join('')
}

/** A character as an escape that means the same in and out of classes. */
export function point(code: number): string {
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
