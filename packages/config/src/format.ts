import { includeKeywords } from './include.ts'
import { JsonError, looksLikeJson, parseJson } from './json-text.ts'
import { commentStart, scanWords } from './tokens.ts'

/** Where a line is in the file, as far as its looks depend on it. */
interface State {
  readonly out: string[]
  depth: number
  /** Depth inside a definition of several lines; undefined outside. */
  definition: number | undefined
  /** What the line before did to the depth, when it was conditional: its alternative does not do it again. */
  condition: number | undefined
  /** The last line of output is a statement that a `{` may be put behind. */
  open: boolean
  /** So many lines stay whatever they are: an empty one may be the end of a definition. */
  kept: number
  /** A brace closed nothing. */
  below: boolean
  /** Braces may be in values and conditions, where they cannot be counted. */
  uncounted: boolean
}

const step = '    '

/**
 * A keepalived.conf in its usual looks: four blanks for each level, one statement to a line, one blank between words,
 * `{` behind its keyword, `}` alone, at most one empty line. Comments, definitions, conditions, quotes and order stay,
 * so that it means what it meant; formatting twice is formatting once. Undefined when braces do not match: where one is
 * missing can only be seen by the indentation that is there. The JSON spelling is laid out as JSON, where it is JSON.
 */
export function formatConf(text: string): string | undefined {
  const given = text.replace(/^\ufeff/, '')
  return looksLikeJson(given) ? formatJson(given) : formatStatements(given)
}

function formatJson(text: string): string | undefined {
  try {
    return `${JSON.stringify(parseJson(text).value, undefined, 2)}\n`
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

function formatStatements(text: string): string | undefined {
  const state: State = {
    out: [],
    depth: 0,
    definition: undefined,
    condition: undefined,
    open: false,
    kept: 0,
    below: false,
    uncounted: false,
  }
  for (const line of text.replace(/\n$/, '').split('\n'))
    formatLine(line.replace(/\s+$/, '').replace(/^[ \t\r\f\v]+/, ''), state)
  if (!state.uncounted && (state.below || state.depth !== 0)) return undefined
  dropEmpty(state)
  return state.out.map((line) => `${line}\n`).join('')
}

function formatLine(line: string, state: State): void {
  if (line === '') {
    emptyLine(state)
    return
  }
  const at = commentStart(line)
  const code = line.slice(0, at).trimEnd()
  const comment = line.slice(at)
  if (state.definition !== undefined || /^\$[A-Za-z_]\w*=/.test(code)) definitionLine(line, code, state)
  else if (code === '') write(comment, state)
  else if (/[$\\\0]|^[@~]/.test(code) || isInclude(code) || hasUnclosedQuote(code)) {
    opaqueLine(line, code, state)
  } else plainLine(code, comment, state)
}

function emptyLine(state: State): void {
  const last = state.out.at(-1)
  if (state.definition !== undefined) {
    state.out.push('')
    state.kept = state.out.length
    state.definition = undefined
  } else if (last !== undefined && last !== '' && !/\{(?:\s*[#!].*)?$/.test(last)) state.out.push('')
}

function dropEmpty(state: State): void {
  while (state.out.at(-1) === '' && state.out.length > state.kept) state.out.pop()
}

function write(text: string, state: State): void {
  state.out.push(step.repeat(Math.max(0, state.depth)) + text)
}

/** A line of a value keeps its words; it is indented by the braces of the value alone. */
function definitionLine(line: string, code: string, state: State): void {
  const inside = state.definition
  const { closes, net } = braces(code)
  const depth = inside === undefined ? 0 : Math.max(0, inside - closes)
  state.out.push(inside === undefined ? line : step.repeat(depth + 1) + line)
  state.definition = line.endsWith('\\') ? Math.max(0, (inside ?? 0) + net) : undefined
  state.open = false
}

/** Substitutions, conditions, repetitions and includes stay as they are written; only their indentation is changed. */
function opaqueLine(line: string, code: string, state: State): void {
  const { closes, net } = isInclude(code) ? { closes: 0, net: 0 } : braces(code)
  const conditional = code.startsWith('@')
  const again = conditional && state.condition !== undefined && state.condition === net && net !== 0
  const before = again ? state.depth - Math.max(0, net) : state.depth
  state.out.push(step.repeat(Math.max(0, before - closes)) + line)
  state.uncounted = true
  if (!again) state.depth = Math.max(0, state.depth + net)
  state.condition = conditional ? net : undefined
  state.open = false
}

/** Statements and braces of a line, each in its place; the comment goes behind the last. */
function plainLine(code: string, comment: string, state: State): void {
  state.condition = undefined
  let at = 0
  while (at < code.length) {
    const scanned = scanWords(code, at, code.length)
    const words = scanned.words.slice(0, scanned.count).map((_, i) => code.slice(scanned.starts[i], scanned.ends[i]))
    const prose = scanned.oddities?.find((odd) => odd.kind === 'prose')
    const brace = code[scanned.stop]
    if (prose !== undefined) words.push(code.slice(prose.at))
    if (words.length > 0) {
      write(words.join(' '), state)
      state.open = prose === undefined
    }
    if (prose !== undefined) break
    if (brace === '{') openBrace(state)
    else if (brace === '}') {
      if (state.depth === 0) state.below = true
      state.depth = Math.max(0, state.depth - 1)
      dropEmpty(state)
      write('}', state)
      state.open = false
    }
    at = scanned.stop + 1
  }
  const last = state.out.length - 1
  if (comment !== '') state.out[last] = `${state.out[last] ?? ''} ${comment}`
}

/** Behind the statement before it, even if that stood on an earlier line; alone where there is none. */
function openBrace(state: State): void {
  const last = state.out.length - 1
  const line = state.out[last]
  const at = line === undefined ? 0 : commentStart(line)
  if (state.open && line !== undefined && line.slice(0, at).trim() !== '') {
    const comment = line.slice(at)
    state.out[last] = `${line.slice(0, at).trimEnd()} {${comment === '' ? '' : ` ${comment}`}`
  } else write('{', state)
  state.depth++
  state.open = false
}

const isInclude = (code: string): boolean =>
  /(?:^|[{}]\s*)include/.test(code) && includeKeywords.has(/include\w*/.exec(code)?.[0] ?? '')

const hasUnclosedQuote = (code: string): boolean => (code.match(/"/g) ?? []).length % 2 === 1

/** How many blocks a line closes before it opens any, and what it adds in all; `${NAME}` is none. */
function braces(code: string): { readonly closes: number; readonly net: number } {
  let [net, lowest] = [0, 0]
  for (const [brace] of code.replace(/\$\{[^}]*\}|"[^"]*"|~\w+\([^)]*\)/g, '').matchAll(/[{}]/g)) {
    net += brace === '{' ? 1 : -1
    lowest = Math.min(lowest, net)
  }
  return { closes: -lowest, net }
}
