import type { Kind } from '@ipvs-director/config'

/** Status codes from..to, both ends in. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** keepalived's default: 200-299. */
export const defaultStatus: readonly StatusRange[] = [{ from: 200, to: 299 }]

export function accepts(ranges: readonly StatusRange[], status: number): boolean {
  return ranges.some(({ from, to }) => status >= from && status <= to)
}

/** `200, 301-302`. */
export function formatStatus(ranges: readonly StatusRange[]): string {
  return ranges.map(formatRange).join(', ')
}

const formatRange = ({ from, to }: StatusRange): string => (from === to ? String(from) : `${from}-${to}`)

/** `status_code 200 301-302 404`: codes and ranges of codes, 100 to 599. */
export const statusKind: Kind<readonly StatusRange[]> = {
  syntax: 'CODE[-CODE]…',
  range: '100 to 599',
  read(words) {
    if (words.left === 0) {
      words.missing('a status code (100 to 599)')
      return undefined
    }
    const ranges: StatusRange[] = []
    while (words.left > 0) {
      const word = words.take() ?? ''
      const range = readRange(word)
      if (range === undefined) {
        words.bad('E022', `"${word}" is not a status code or range of them (100 to 599)`)
        return undefined
      }
      ranges.push(range)
    }
    return ranges
  },
  toJson: (ranges) => ranges.map(formatRange),
  words: (json) => (json as readonly string[]).map(String),
  schema: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' } },
}

function readRange(word: string): StatusRange | undefined {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(word)
  if (match === null) return undefined
  const from = Number(match[1])
  const to = Number(match[2] ?? match[1])
  return from <= to ? { from, to } : undefined
}
