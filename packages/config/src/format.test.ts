import { readdirSync, readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { fc, test as property } from '@fast-check/vitest'
import { formatConf } from './format.ts'
import { parseText } from './testing/load-text.ts'

// Many runs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

test.for([
  ['indentation and blanks', 'a   b{\nc\t 1\n}\n', 'a b {\n    c 1\n}\n'],
  ['a brace on the next line', 'a b # why\n{\nc\n}', 'a b { # why\n    c\n}\n'],
  ['one line for each statement', 'a { b { c 1 } }', 'a {\n    b {\n        c 1\n    }\n}\n'],
  ['empty lines', '\n\na {\n\n\nb\n\n\nc\n\n}\n\n\n', 'a {\n    b\n\n    c\n}\n'],
  [
    'comments stay',
    '! top\na { # open\n  ! inside\nb "# no" # yes\n} # end',
    '! top\na { # open\n    ! inside\n    b "# no" # yes\n} # end\n',
  ],
  ['conditions with one brace', '@x a {\n@y b {\nc\n}', '@x a {\n@y b {\n    c\n}\n'],
  [
    'definitions',
    '$A= \\\na { \\\nb ${C} \\\n}\nx {\n$A\n}',
    '$A= \\\n    a { \\\n        b ${C} \\\n    }\nx {\n    $A\n}\n',
  ],
  [
    'repetitions and includes',
    'x {\n~SEQ(I, 2) a $I { b }\ninclude {a,b}.conf\n}',
    'x {\n    ~SEQ(I, 2) a $I { b }\n    include {a,b}.conf\n}\n',
  ],
  ['Windows line ends', 'a {\r\nb\r\n}\r\n', 'a {\n    b\n}\n'],
] as const)('%s', ([, text, formatted]) => {
  expect(formatConf(text)).toBe(formatted)
})

test('the JSON spelling stays JSON; what is none is left alone', () => {
  expect(formatConf('{"global_defs":{"router_id":"a{b"},\n"x":[]}')).toBe(
    '{\n  "global_defs": {\n    "router_id": "a{b"\n  },\n  "x": []\n}\n',
  )
  expect(formatConf('{ "global_defs": {')).toBeUndefined()
})

const directory = new URL('cases/', import.meta.url)
const cases = readdirSync(directory).filter((name) => name.endsWith('.conf') && !name.startsWith('json-'))

test.for(cases)('%s means the same, and is formatted for good', (name) => {
  const text = readFileSync(new URL(name, directory), 'utf8')
  const formatted = formatConf(text)
  if (formatted === undefined) {
    expect(parseText(text).remarks.join()).toMatch(/E01[0123]/)
    return
  }
  expect(parseText(formatted).tree).toEqual(parseText(text).tree)
  expect(formatConf(formatted)).toBe(formatted)
})

const shards = fc.constantFrom(
  '{',
  '}',
  ' { ',
  ' }\n',
  '\n',
  ' ',
  '  # note\n',
  '! x\n',
  'a',
  'b 1',
  '"q {"',
  '$A',
  '${A}',
  '\n$A=',
  ' \\\n',
  '\n@lb1 ',
  '\n~SEQ(I, 2) ',
  '\ninclude x\n',
  '//',
  '\\#',
  "'",
)

property.prop([fc.array(shards, { maxLength: 40 }).map((parts) => parts.join(''))], { numRuns: 1000 })(
  'formatting changes nothing but the looks',
  (text) => {
    const formatted = formatConf(text)
    if (formatted === undefined) return
    expect(formatConf(formatted)).toBe(formatted)
    expect(parseText(formatted).tree, formatted).toEqual(parseText(text).tree)
  },
)
