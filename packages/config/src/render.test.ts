import { expect, test } from 'vitest'
import type { Diagnostic } from './diagnostics.ts'
import { renderDiagnostic } from './render.ts'

const remark = (more: Partial<Diagnostic>): Diagnostic => ({
  code: 'E030',
  severity: 'error',
  keepalived: 'error',
  text: 'unknown keyword "delay_lop" in virtual_server',
  place: { file: 'web.conf', line: 12, column: 5, length: 9 },
  ...more,
})

test('file, line, column, text, suggestion; the line; carets', () => {
  expect(renderDiagnostic(remark({ suggestion: 'delay_loop', excerpt: '    delay_lop 6' }))).toBe(
    `web.conf:12:5: unknown keyword "delay_lop" in virtual_server; did you mean "delay_loop"? [E030]
   12 |     delay_lop 6
      |     ^^^^^^^^^`,
  )
})

test.for([
  [
    'tabs stay tabs',
    { excerpt: '\tdelay_lop 6', place: { file: 'f', line: 1, column: 2, length: 9 } },
    '      | \t^^^^^^^^^',
  ],
  [
    'wide characters are two wide',
    { excerpt: '名 x', place: { file: 'f', line: 1, column: 3, length: 1 } },
    '      |    ^',
  ],
  ['past the end of the line', { excerpt: 'ab', place: { file: 'f', line: 1, column: 9, length: 4 } }, '      |   ^'],
] as const)('%s', ([, more, carets]) => {
  expect(renderDiagnostic(remark(more)).split('\n')[2]).toBe(carets)
})

test('a long line is shown around the place', () => {
  const [, line = '', carets = ''] = renderDiagnostic(
    remark({
      excerpt: `${'x '.repeat(200)}bad ${'y '.repeat(200)}`,
      place: { file: 'f', line: 1, column: 401, length: 3 },
    }),
  ).split('\n')
  expect(line.length).toBeLessThan(130)
  expect(line.slice(carets.indexOf('^'), carets.indexOf('^') + 3)).toBe('bad')
})

test('what drives a terminal is not passed on', () => {
  expect(renderDiagnostic(remark({ excerpt: 'a\x1b[31m\u202e b' }))).not.toMatch(/[\x1b\u202e]/)
})

test('without an excerpt there is one line; the source may give it', () => {
  expect(renderDiagnostic(remark({}))).not.toContain('\n')
  expect(renderDiagnostic(remark({}), () => '    delay_lop 6')).toContain('| ')
})
