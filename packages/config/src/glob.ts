import { join } from 'node:path'

/** What a pattern is matched against: names in a directory (empty when there is none), and whether a path exists. */
export interface Directory {
  list(directory: string): readonly string[]
  exists(path: string): boolean
}

/** At most so many alternatives of csh braces. */
const mostAlternatives = 1000

/** `conf.d/{a,b}.conf` → both; braces may be nested. Never empty. */
export function expandBraces(pattern: string): readonly string[] {
  const done: string[] = []
  const todo = [pattern]
  while (todo.length > 0 && done.length + todo.length <= mostAlternatives) {
    const next = todo.shift() ?? ''
    const range = firstGroup(next)
    if (range === undefined) done.push(next)
    else todo.unshift(...range.options.map((option) => next.slice(0, range.from) + option + next.slice(range.to)))
  }
  return done.length > 0 ? done : [pattern]
}

function firstGroup(
  text: string,
): { readonly from: number; readonly to: number; readonly options: string[] } | undefined {
  const from = text.indexOf('{')
  if (from < 0) return undefined
  const options: string[] = []
  let depth = 0
  let start = from + 1
  for (let i = from; i < text.length; i++) {
    const char = text[i]
    if (char === '{') depth++
    else if (char === '}' && --depth === 0) {
      options.push(text.slice(start, i))
      return { from, to: i + 1, options }
    } else if (char === ',' && depth === 1) {
      options.push(text.slice(start, i))
      start = i + 1
    }
  }
  return undefined
}

export const hasWildcard = (pattern: string): boolean => /[*?[]/.test(pattern)

/** The paths that a pattern without braces names, sorted; without wildcards: itself if it exists. */
export function glob(pattern: string, directory: Directory): readonly string[] {
  const absolute = pattern.startsWith('/')
  let paths = [absolute ? '/' : '']
  for (const part of pattern.split('/').filter((piece) => piece !== '')) {
    if (!hasWildcard(part)) paths = paths.map((path) => join(path, part))
    else {
      const matches = matcher(part)
      paths = paths.flatMap((path) =>
        directory
          .list(path === '' ? '.' : path)
          .filter((name) => (part.startsWith('.') || !name.startsWith('.')) && matches(name))
          .map((name) => join(path, name)),
      )
    }
  }
  return paths.filter((path) => directory.exists(path)).sort()
}

/** Matches names against `*`, `?` and `[…]` (with `!` or `^` for not) without backtracking more than one star. */
export function matcher(pattern: string): (name: string) => boolean {
  const tokens = pattern.match(/\[[!^]?\]?[^\]]*\]|[\s\S]/g) ?? []
  const accepts = tokens.map((token) => single(token))
  return (name) => {
    let [t, n, star, mark] = [0, 0, -1, 0]
    while (n < name.length) {
      if (tokens[t] === '*') [star, mark, t] = [t, n, t + 1]
      else if (t < tokens.length && accepts[t]?.(name[n] ?? '') === true) [t, n] = [t + 1, n + 1]
      else if (star >= 0) [mark, n, t] = [mark + 1, mark + 1, star + 1]
      else return false
    }
    while (tokens[t] === '*') t++
    return t === tokens.length
  }
}

function single(token: string): (char: string) => boolean {
  if (token === '?') return () => true
  if (token.length < 3) return (char) => char === token
  const negated = token[1] === '!' || token[1] === '^'
  const inside = token.slice(negated ? 2 : 1, -1)
  const ranges = inside.match(/[\s\S]-[\s\S]|[\s\S]/g) ?? []
  return (char) =>
    negated !==
    ranges.some((range) => (range.length === 3 ? (range[0] ?? '') <= char && char <= (range[2] ?? '') : range === char))
}
