import { Script, createContext, type Context } from 'node:vm'
import { latin1, utf8 } from './decode.ts'
import { regexOptions, type Pattern } from './options.ts'
import { PatternError } from './cursor.ts'
import { translate, type Translation } from './translate.ts'

/** Where a match may start, in bytes of the body; both ends in. */
export interface Offsets {
  readonly min: number
  readonly max: number | undefined
}

/** A pattern ready to search bodies. */
export interface Matcher {
  /** `tooSlow`: the search was cut off, as PCRE2's match limit does. */
  search(body: Buffer, offsets: Offsets): 'found' | 'not found' | 'tooSlow'
}

/**
 * What one search may take. The body is chosen by a stranger, and a pattern that backtracks can be made to take for
 * ever on it; meanwhile every other probe of the process would wait.
 */
const searchLimit = 100

const matchers = new Map<string, Matcher>()

/** The matcher of a pattern; equal patterns share one. Throws a {@link PatternError}. */
export function matcherOf(pattern: Pattern): Matcher {
  const key = JSON.stringify([pattern.source, [...pattern.options].sort()])
  let matcher = matchers.get(key)
  if (matcher === undefined) {
    matcher = createMatcher(translate(pattern))
    matchers.set(key, matcher)
  }
  return matcher
}

function createMatcher(translation: Translation): Matcher {
  const regex = new RegExp(translation.source, `${translation.flags}g`)
  return {
    search(body, { min, max }) {
      const text = translation.utf ? utf8(body) : latin1(body)
      regex.lastIndex = min === 0 ? 0 : text.indexOf(min)
      const found = bounded(regex, text.text)
      if (found === 'tooSlow') return found
      if (found < 0) return 'not found'
      if (max !== undefined && found > text.indexOf(max)) return 'not found'
      if (translation.firstLine && found > firstLineEnd(text.text)) return 'not found'
      return 'found'
    },
  }
}

function firstLineEnd(text: string): number {
  const end = text.indexOf('\n')
  return end < 0 ? text.length : end
}

let sandbox: (Context & { regex?: RegExp | undefined; text?: string | undefined; found?: number }) | undefined
let script: Script | undefined

/** Where the regex is found, or -1; cut off by V8 after {@link searchLimit} milliseconds. */
function bounded(regex: RegExp, text: string): number | 'tooSlow' {
  sandbox ??= createContext({})
  script ??= new Script('found = regex.exec(text)?.index ?? -1')
  sandbox.regex = regex
  sandbox.text = text
  try {
    script.runInContext(sandbox, { timeout: searchLimit })
    return sandbox.found ?? -1
  } catch (error) {
    if (isTimeout(error)) return 'tooSlow'
    throw error
  } finally {
    sandbox.regex = sandbox.text = undefined
  }
}

/** The error comes from another context, so it is no instance of ours. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

/** What is to be said about a pattern when the configuration is read. An error: it cannot be used at all. */
export function patternProblems(pattern: Pattern): { readonly error: string | undefined; readonly warnings: string[] } {
  const unknown = pattern.options.filter((name) => !(regexOptions as readonly string[]).includes(name))
  const warnings = unknown.map((name) => `"${name}" is not a regex option; it is ignored`)
  try {
    return { error: undefined, warnings: [...warnings, ...translate(pattern).remarks] }
  } catch (error) {
    if (error instanceof PatternError) return { error: error.message, warnings }
    throw error
  }
}
