import { ProbeFailure } from '../verdict.ts'

/** Bits of the code of each byte, and last of the mark of the end: RFC 7541 appendix B. The codes follow, being canonical. */
const lengths = [
  [13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  [28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  [6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  [5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  [13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  [7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  [15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  [6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  [20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  [24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  [22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  [21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  [26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  [19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  [20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  [26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  [30],
].flat()

const endMark = 256
const longest = 30

/** Bytes in the order of their codes, */
const symbols = lengths.map((_, symbol) => symbol).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b)
/** and by length: the first code that long, how many there are, and where their bytes begin. */
const rows = rowsOf()

function rowsOf(): { readonly first: number; readonly count: number; readonly from: number }[] {
  const made = []
  let code = 0
  let from = 0
  for (let length = 0; length <= longest; length++) {
    const count = lengths.filter((each) => each === length).length
    made.push({ first: code, count, from })
    code = (code + count) * 2
    from += count
  }
  return made
}

/** RFC 7541 §5.2: fewer than eight bits may be left over, all of them ones. */
export function decodeHuffman(bytes: Uint8Array): string {
  const text: number[] = []
  let code = 0
  let length = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      length++
      const symbol = symbolOf(code, length)
      if (symbol === undefined) continue
      text.push(symbol)
      code = 0
      length = 0
    }
  }
  if (length > 7 || code !== 2 ** length - 1) throw new ProbeFailure('protocol', 'HTTP/2: a broken header')
  return Buffer.from(text).toString('latin1')
}

function symbolOf(code: number, length: number): number | undefined {
  const row = rows[length]
  const symbol = row === undefined || code - row.first >= row.count ? undefined : symbols[row.from + code - row.first]
  if (symbol === endMark || length > longest) throw new ProbeFailure('protocol', 'HTTP/2: a broken header')
  return symbol
}
