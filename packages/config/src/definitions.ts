import { type Line, LineBuilder, placeIn } from './lines.ts'
import type { Remarks } from './diagnostics.ts'

/** What `$NAME` stands for: one line, or several when the value was continued with `\`. */
export interface Definition {
  readonly lines: readonly Line[]
}

/** A text made anew at each use: `${_RANDOM 1 6}`. Undefined: these arguments make no sense. */
export type BuiltIn = (args: string) => string | undefined

/** The names known at a point of the text. */
export interface Names {
  readonly definitions: ReadonlyMap<string, Definition>
  readonly builtIns: ReadonlyMap<string, BuiltIn>
}

/** Stand for `{` and `}` of a `${NAME}` that is not defined, so that they do not become block braces. */
export const guardedOpen = '\ue000'
export const guardedClose = '\ue001'

/** Undoes the guard. */
export const unguard = (text: string): string => text.replaceAll(guardedOpen, '{').replaceAll(guardedClose, '}')

/** Longer lines come only from definitions that multiply. */
export const longestExpansion = 1 << 16

const definitionStart = /^\$([A-Za-z_][A-Za-z0-9_]*)(\s*)=/
const use = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)((?:\s[^}]*)?)\}|([A-Za-z_][A-Za-z0-9_]*))/g

/** The start of `$NAME=VALUE`: the name, where the value begins, and whether a blank before `=` spoils it. */
export function readDefinition(
  text: string,
): { readonly name: string; readonly valueAt: number; readonly blank: boolean } | undefined {
  const match = definitionStart.exec(text)
  if (match === null) return undefined
  const after = /^\s*/.exec(text.slice(match[0].length))?.[0].length ?? 0
  return { name: match[1] ?? '', valueAt: match[0].length + after, blank: match[2] !== '' }
}

/**
 * Replaces each `$NAME` and `${NAME}` once, from left to right. A definition of several lines gives several lines, and
 * only at the end of the line. `changed` tells whether another round may find more.
 */
export function substitute(
  line: Line,
  names: Names,
  remarks: Remarks,
): { readonly lines: readonly Line[]; readonly changed: boolean } {
  const { text } = line
  const builder = new LineBuilder(line)
  let kept = 0
  let changed = false
  use.lastIndex = 0
  for (let match = use.exec(text); match !== null; match = use.exec(text)) {
    const from = match.index
    const to = from + match[0].length
    const braced = match[1] !== undefined
    const name = match[1] ?? match[3] ?? ''
    const definition = names.definitions.get(name)
    const builtIn = definition === undefined ? names.builtIns.get(name) : undefined
    const guard = (): void => {
      if (!braced) return
      builder.keep(kept, from)
      builder.put(`$${guardedOpen}${text.slice(from + 2, to - 1)}${guardedClose}`, from, to)
      kept = to
    }
    if (definition === undefined && builtIn === undefined) {
      // Between quotes its braces do no harm, and keepalived takes it as it stands.
      if (braced && !isQuoted(text, from)) remarks.add('E005', placeIn(line, from, to), `\${${name}} is not defined`)
      else if (braced)
        remarks.add('W007', placeIn(line, from, to), `\${${name}} is not defined; it is taken as it stands`)
      else remarks.add('W007', placeIn(line, from, to), `$${name} is not defined; it is taken as it stands`)
      guard()
      continue
    }
    if (!braced && !/^[\s,)]?$/.test(text[to] ?? '')) {
      remarks.add('W010', placeIn(line, from, to), `$${name} is not replaced here; write \${${name}}`, {
        suggestion: `\${${name}}`,
      })
      continue
    }
    if (builtIn !== undefined) {
      const made = builtIn((match[2] ?? '').trim())
      if (made === undefined) {
        remarks.add('E005', placeIn(line, from, to), `\${${name}${match[2] ?? ''}} makes no sense`)
        guard()
        continue
      }
      builder.keep(kept, from)
      builder.put(made, from, to)
    } else if (definition !== undefined && definition.lines.length > 1) {
      if (text.slice(to).trim() !== '') {
        remarks.add(
          'E006',
          placeIn(line, from, to),
          `$${name} has several lines and must be the last thing on its line`,
        )
        guard()
        continue
      }
      builder.keep(kept, from)
      return { lines: joinBlock(builder, definition.lines, from, to), changed: true }
    } else {
      builder.keep(kept, from)
      builder.put(definition?.lines[0]?.text ?? '', from, to)
    }
    kept = to
    changed = true
    if (builder.length > longestExpansion) {
      remarks.add('E008', placeIn(line, from, to), `the line grows beyond ${longestExpansion} characters`)
      return { lines: [], changed: false }
    }
  }
  if (kept === 0) return { lines: [line], changed: false }
  builder.keep(kept, text.length)
  return { lines: [builder.build()], changed }
}

/** What stands before `$NAME` belongs to the first line of its value. */
function joinBlock(before: LineBuilder, lines: readonly Line[], from: number, to: number): readonly Line[] {
  const [first, ...rest] = lines
  if (first === undefined) return []
  const head = before.build()
  if (head.text.trim() === '' || before.length === 0) return [first, ...rest]
  before.put(first.text, from, to)
  return [before.build(), ...rest]
}

/** The built-in names. `directory` is asked at each use: it is the directory of the file being read. */
export function builtIns(context: {
  readonly directory: () => string
  readonly configId: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly random: () => number
}): ReadonlyMap<string, BuiltIn> {
  return new Map<string, BuiltIn>([
    ['_PWD', () => context.directory()],
    ['_INSTANCE', () => context.configId],
    ['_HASH', () => '#'],
    ['_BANG', () => '!'],
    ['_ENV', (name) => (name === '' ? undefined : (context.env[name] ?? ''))],
    [
      '_RANDOM',
      (args) => {
        const match = /^(?:(\d{1,9})(?:\s+(\d{1,9}))?)?$/.exec(args)
        if (match === null) return undefined
        const min = match[1] === undefined ? 0 : Number(match[1])
        const max = match[2] === undefined ? 32767 : Number(match[2])
        return max < min ? undefined : String(min + Math.floor(context.random() * (max - min + 1)))
      },
    ],
  ])
}

const isQuoted = (text: string, at: number): boolean => (text.slice(0, at).match(/"/g) ?? []).length % 2 === 1
