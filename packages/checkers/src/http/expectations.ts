import { first, phraseKind, textKind, value, type Json, type Kind, type Reports } from '@ipvs-director/config'
import { matcherOf, patternProblems } from '../pattern/match.ts'
import type { Pattern } from '../pattern/options.ts'
import { readJsonPath, valueAt, type JsonStep } from './json-path.ts'
import type { ReplyReader } from './reply.ts'

/** What an answer must have beside status, digest and regex: words of our own. */
export interface HttpExpectations {
  /** Headers by name, in lower case; without a pattern they must only be there. */
  readonly expectHeaders?: readonly { readonly name: string; readonly pattern?: Pattern }[]
  /** Values in the body, which must be JSON. `text`: as JSON, or the words of a string. */
  readonly expectJson?: readonly { readonly path: string; readonly steps: readonly JsonStep[]; readonly text: string }[]
}

const expected = phraseKind(
  {
    path: first(textKind({ what: 'a JSON path', syntax: 'PATH' })),
    text: first(textKind({ what: 'the value wanted', syntax: 'VALUE' })),
  },
  'PATH VALUE',
)

/** One of several lines: its value is a list of one, so that repeated lines add up. */
function severally<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    syntax: kind.syntax,
    range: kind.range,
    read: (words) => {
      const read = kind.read(words)
      return read === undefined ? undefined : [read]
    },
    toJson: (values) => values.map((each) => kind.toJson(each)),
    words: (json) => (json as readonly Json[]).flatMap((each) => [...kind.words(each)]),
    schema: { type: 'array', minItems: 1, items: kind.schema },
  }
}

/** The keywords, for each url. */
export const expectationFields = {
  expectHeaders: value(
    'expect_header',
    severally(textKind({ what: 'NAME or "NAME: PATTERN"', syntax: '"NAME: PATTERN"' })),
    {
      extension: true,
      repeated: 'all',
      doc: 'A header that the answer must have, and what it must match (PCRE2); may be given several times.',
    },
  ),
  expectJson: value('expect_json', severally(expected), {
    extension: true,
    repeated: 'all',
    doc: 'A value in the body, which must be JSON: `$.state ready`, `$.nodes[0].load 3`; may be given several times.',
  }),
} as const

interface Written {
  readonly expectHeaders?: readonly string[] | undefined
  readonly expectJson?: readonly { readonly path: string; readonly text: string }[] | undefined
}

/** As the probe gets them; absent where there are none. */
export function completeExpectations(written: Written, reports: Reports): HttpExpectations {
  const headers = written.expectHeaders?.map((text) => headerOf(text, reports))
  const values = written.expectJson?.map(({ path, text }) => {
    const steps = readJsonPath(path)
    if (steps === undefined) reports.error(`"${path}" is not a path such as $.a.b[0]`, 'expect_json')
    return { path, steps: steps ?? [], text }
  })
  return {
    ...(headers === undefined ? {} : { expectHeaders: headers }),
    ...(values === undefined ? {} : { expectJson: values }),
  }
}

function headerOf(text: string, reports: Reports): { readonly name: string; readonly pattern?: Pattern } {
  const [, name = '', source] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?::[ \t]*(.*))?$/s.exec(text) ?? []
  if (name === '') reports.error(`"${text}" is no header: NAME or "NAME: PATTERN"`, 'expect_header')
  if (source === undefined || source === '') return { name: name.toLowerCase() }
  const pattern: Pattern = { source, options: [] }
  const { error } = patternProblems(pattern)
  if (error === undefined) return { name: name.toLowerCase(), pattern }
  reports.error(`expect_header "${text}": ${error}`, 'expect_header')
  return { name: name.toLowerCase() }
}

/** What is not as expected, as the beginning of a sentence; undefined when all is. */
export function unexpected({ expectHeaders, expectJson }: HttpExpectations, reply: ReplyReader): string | undefined {
  for (const { name, pattern } of expectHeaders ?? []) {
    const got = reply.header(name)
    if (got === undefined) return `there is no header ${name}`
    if (pattern === undefined) continue
    const found = matcherOf(pattern).search(Buffer.from(got, 'latin1'), { min: 0, max: undefined })
    if (found !== 'found') return `header ${name} is "${shortened(got)}", wanted ${pattern.source}`
  }
  return expectJson === undefined ? undefined : unexpectedJson(expectJson, reply)
}

function unexpectedJson(wishes: NonNullable<HttpExpectations['expectJson']>, reply: ReplyReader): string | undefined {
  let whole: unknown
  try {
    whole = JSON.parse(reply.decodedBody().toString('utf8'))
  } catch {
    return 'the body is not JSON'
  }
  for (const { path, steps, text } of wishes) {
    const got = valueAt(whole, steps)
    if (got === undefined) return `there is no ${path}`
    if (!isWanted(got, text)) return `${path} is ${shortened(JSON.stringify(got))}, wanted ${text}`
  }
  return undefined
}

function isWanted(got: unknown, text: string): boolean {
  if (got === text) return true
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(got)
  } catch {
    return false
  }
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)
