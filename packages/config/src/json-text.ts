import type { Place } from './place.ts'
import type { Json } from './kind.ts'
import type { Source } from './source.ts'

/** A JSON value that remembers where it stands. */
export interface JsonNode {
  readonly value: Json
  /** Index of its first character, and after its last. */
  readonly start: number
  readonly end: number
  /** Of an object: where each key stands, and its value. Of an array: its items under '0', '1', …. */
  readonly members: ReadonlyMap<string, { readonly keyStart: number; readonly keyEnd: number; readonly node: JsonNode }>
}

/** What is wrong with a JSON text, at an index. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const deepest = 64

const aString = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const aScalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y
const noMembers: JsonNode['members'] = new Map()

/** Parses JSON (RFC 8259) with places. Throws a {@link JsonError} at the first mistake; a key that stands twice is one. */
export function parseJson(text: string): JsonNode {
  let at = 0
  const fail = (message: string, where = at): never => {
    throw new JsonError(message, where)
  }
  const skip = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++
  }
  const expect = (char: string): void => {
    if (text[at] !== char) fail(at >= text.length ? `"${char}" is missing at the end` : `"${char}" is expected here`)
    at++
  }
  const string = (): string => {
    const start = at
    aString.lastIndex = at
    const match = aString.exec(text)
    if (match === null) return fail('this string is not closed, or holds a control character or unknown escape', start)
    at += match[0].length
    return JSON.parse(match[0]) as string
  }
  const scalar = (): Json => {
    aScalar.lastIndex = at
    const match = aScalar.exec(text)
    if (match === null) return fail('a value is expected here')
    at += match[0].length
    return JSON.parse(match[0]) as Json
  }
  const members = (
    close: string,
    depth: number,
    keyed: boolean,
  ): Map<string, { keyStart: number; keyEnd: number; node: JsonNode }> => {
    const found = new Map<string, { keyStart: number; keyEnd: number; node: JsonNode }>()
    at++
    skip()
    while (text[at] !== close) {
      if (found.size > 0) {
        expect(',')
        skip()
      }
      const keyStart = at
      const key = keyed ? string() : String(found.size)
      const keyEnd = at
      if (found.has(key)) fail(`"${key}" stands twice in this object`, keyStart)
      if (keyed) {
        skip()
        expect(':')
        skip()
      }
      found.set(key, { keyStart, keyEnd, node: node(depth + 1) })
      skip()
      if (at >= text.length) fail(`"${close}" is missing at the end`)
    }
    at++
    return found
  }
  const node = (depth: number): JsonNode => {
    if (depth > deepest) fail('nested too deep')
    const start = at
    const char = text[at]
    if (char === '{') {
      const found = members('}', depth, true)
      const value = Object.fromEntries([...found].map(([key, member]) => [key, member.node.value]))
      return { value, start, end: at, members: found }
    }
    if (char === '[') {
      const found = members(']', depth, false)
      return { value: [...found.values()].map((member) => member.node.value), start, end: at, members: found }
    }
    const value = char === '"' ? string() : scalar()
    return { value, start, end: at, members: noMembers }
  }
  skip()
  const whole = node(0)
  skip()
  if (at < text.length) fail('nothing may follow the value')
  return whole
}

/** Whether a text is meant as JSON: no keyword begins with a brace. */
export const looksLikeJson = (text: string): boolean => /^\s*\{\s*(?:["}]|$)/.test(text)

const lineStarts = new WeakMap<Source, readonly number[]>()

/** Where the characters `start` to `end` of a source stand; to the end of the line at most. */
export function placeAt(source: Source, start: number, end = start + 1): Place {
  let starts = lineStarts.get(source)
  if (starts === undefined)
    lineStarts.set(source, (starts = [0, ...Array.from(source.text.matchAll(/\n/g), ({ index }) => index + 1)]))
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= start) low = middle + 1
    else high = middle
  }
  const lineStart = starts[low - 1] ?? 0
  const last = Math.min(end, (starts[low] ?? source.text.length + 1) - 1)
  return { file: source.file, line: low, column: start - lineStart + 1, length: Math.max(1, last - start) }
}
