/** A `~SEQ`, `~SEQx` or `~LST` at the start of a line, understood. */
export interface Repetition {
  /** The values of the names, once for each repetition. */
  readonly rounds: Iterable<readonly (readonly [name: string, value: string])[]>
  readonly count: number
  /** Index of the text to repeat. */
  readonly textAt: number
}

/** More repetitions are refused: nobody has that many servers, and a slip of the hand should not fill the memory. */
export const mostRepetitions = 1_000_000

const start = /^~(SEQx?|LST)\s*\(/
const nameOf = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Whether a line starts with a sigil of this kind at all. */
export const isRepetition = (text: string): boolean => text.startsWith('~')

/** Reads the head of a repetition; a string says what is wrong with it. */
export function readRepetition(text: string): Repetition | string {
  const match = start.exec(text)
  if (match === null) return 'only ~SEQ(…), ~SEQx(…) and ~LST(…) may start with "~"'
  const close = closing(text, match[0].length)
  if (close < 0) return `the ")" of ~${match[1] ?? ''} is missing`
  const inside = text.slice(match[0].length, close)
  const result = match[1] === 'LST' ? readList(inside) : readSequence(inside, match[1] === 'SEQx')
  return typeof result === 'string' ? result : { ...result, textAt: close + 1 }
}

/** The index of the `)`, outside quotes. */
function closing(text: string, from: number): number {
  let quoted = false
  for (let i = from; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted
    else if (text[i] === ')' && !quoted) return i
  }
  return -1
}

type Rounds = Omit<Repetition, 'textAt'>

function readSequence(inside: string, hex: boolean): Rounds | string {
  const [name = '', ...parts] = inside.split(',').map((part) => part.trim())
  if (!nameOf.test(name)) return `"${name}" is not a name`
  if (parts.length < 1 || parts.length > 3)
    return '~SEQ needs (NAME, END), (NAME, START, END) or (NAME, START, STEP, END)'
  const numbers = parts.map(readNumber)
  if (numbers.some((n) => n === undefined)) return `"${parts[numbers.indexOf(undefined)] ?? ''}" is not a number`
  const given = numbers as number[]
  const last = given[given.length - 1] ?? 0
  const first = given.length === 1 ? (last < 0 ? -1 : 1) : (given[0] ?? 0)
  const step = given.length === 3 ? (given[1] ?? 0) : last < first ? -1 : 1
  if (step === 0) return 'the step is 0'
  if (last !== first && last > first !== step > 0) return 'the step leads away from the end'
  const count = Math.floor((last - first) / step) + 1
  if (count > mostRepetitions) return `${count} repetitions are too many (${mostRepetitions} at most)`
  const show = (n: number): string => (hex ? (n < 0 ? '-' : '') + Math.abs(n).toString(16) : String(n))
  return {
    count,
    rounds: (function* () {
      for (let i = 0; i < count; i++) yield [[name, show(first + i * step)] as const]
    })(),
  }
}

/** Decimal, 0x… or 0…, with a sign. */
function readNumber(text: string): number | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]{1,8})|0([0-7]{1,10})|(\d{1,10}))$/.exec(text)
  if (match === null) return undefined
  const [, sign, hex, octal, decimal = '0'] = match
  const value =
    hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : Number(decimal)
  return sign === '-' ? -value : value
}

function readList(inside: string): Rounds | string {
  const items = splitOutside(inside)
  const [head = '', ...values] = items
  const names = group(head) ?? [head]
  const bad = names.find((name) => !nameOf.test(name))
  if (bad !== undefined) return `"${bad}" is not a name`
  const rounds: (readonly (readonly [string, string])[])[] = []
  for (const item of values) {
    const members = names.length === 1 ? [item] : (group(item) ?? [item])
    if (members.length > names.length) return `"${item}" has more than ${names.length} members`
    rounds.push(names.map((name, i) => [name, members[i] ?? ''] as const))
  }
  return { count: rounds.length, rounds }
}

/** The members of `{a,b}`; undefined when it is no group. */
function group(item: string): string[] | undefined {
  return item.startsWith('{') && item.endsWith('}')
    ? item
        .slice(1, -1)
        .split(',')
        .map((part) => part.trim())
    : undefined
}

/** Splits at commas outside braces and quotes. */
function splitOutside(text: string): string[] {
  const items: string[] = []
  let depth = 0
  let quoted = false
  let from = 0
  for (let i = 0; i <= text.length; i++) {
    const char = text[i]
    if (char === '"') quoted = !quoted
    else if (char === '{' && !quoted) depth++
    else if (char === '}' && !quoted) depth--
    else if (char === undefined || (char === ',' && depth <= 0 && !quoted)) {
      items.push(text.slice(from, i).trim())
      from = i + 1
    }
  }
  return items.map((item) => (/^".*"$/.test(item) ? item.slice(1, -1) : item))
}
