import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { matcherOf, patternProblems } from './match.ts'
import { translate } from './translate.ts'

const search = (
  source: string,
  body: string | Buffer,
  options: readonly string[] = [],
  min = 0,
  max?: number,
): string => matcherOf({ source, options }).search(Buffer.from(body), { min, max })

test.for([
  ['hello', 'say hello', [], true, 'anywhere'],
  ['Hello', 'say hello', [], false, 'case counts'],
  ['Hello', 'say hello', ['caseless'], true, 'unless not'],
  ['(?i)Hello', 'say hello', [], true, 'inline at the start'],
  ['a.b', 'a\nb', [], false, 'a dot is no newline'],
  ['a.b', 'a\rb', [], true, 'but a carriage return'],
  ['a.b', 'a\nb', ['dotall'], true, 'dotall'],
  ['end$', 'the end\n', [], true, 'a dollar before the last newline'],
  ['end$', 'the end\n', ['dollar_endonly'], false, 'dollar_endonly'],
  ['end$', 'the end\nmore', [], false, 'not in the middle'],
  ['end$', 'the end\nmore', ['multiline'], true, 'multiline'],
  ['^more', 'the end\nmore', [], false, 'circumflex'],
  ['^more', 'the end\nmore', ['multiline'], true, 'circumflex, multiline'],
  ['a\nb', 'a\nb', ['extended'], false, 'extended leaves out blanks'],
  ['a b # c\nd', 'abd', ['extended'], true, 'and comments'],
  ['b', 'a\nb', ['firstline'], false, 'firstline'],
  ['[]a]+$', ']a]', [], true, 'a ] that comes first is a character'],
  ['[^]a]', ']a', [], false, 'after ^ too'],
  ['x{,3}y', 'x{,3}y', [], true, 'not a quantifier'],
  ['x{2}y', 'axxy', [], true, 'a quantifier'],
  ['[[:digit:]]{3}', 'ab123', [], true, 'POSIX classes'],
  ['[[:^digit:]]', '123', [], false, 'negated'],
  ['[a\\-z]', 'm', [], false, 'an escaped hyphen'],
  ['[\\w-]+$', 'a-b', [], true, 'a hyphen after a set'],
  ['[+--]', ',', [], true, 'a range to a hyphen'],
  ['\\Qa.b\\E', 'a.b', [], true, 'quoted'],
  ['\\Qa.b\\E', 'axb', [], false, 'quoted, not a dot'],
  ['\\Aab\\z', 'ab', [], true, '\\A and \\z'],
  ['\\h\\R', 'a \r\n', [], true, '\\h and \\R'],
  ['\\s', '\u00a0', ['utf'], false, "\\s is PCRE2's"],
  ['(a)\\1', 'aa', [], true, 'back reference'],
  ['(?P<x>a)(?P=x)', 'aa', [], true, 'named, Python style'],
  ["(?'x'a)\\k{x}", 'aa', [], true, 'named, Perl style'],
  ['(?<x>a)b\\k<x>', 'aba', [], true, 'named'],
  ['(?#nothing)a', 'a', [], true, 'comment'],
  ['\\x41\\x{42}\\103', 'ABC', [], true, 'character codes'],
  ['<h1>.*</h1>', '<h1>It works!</h1>', [], true, 'what people write'],
  ['"status"\\s*:\\s*"(up|ok)"', '{"status": "ok"}', [], true, 'what people write'],
  ['ä', 'ä', ['utf'], true, 'UTF-8'],
  ['^.$', 'ä', [], false, 'two bytes without utf'],
  ['^.$', 'ä', ['utf'], true, 'one character with it'],
  ['\\p{Lu}', 'Ä', ['utf'], true, 'properties'],
  ['\\p{Greek}', 'α', ['utf'], true, 'scripts'],
  ['a++b', 'aaab', [], true, 'possessive as greedy'],
  ['a.*?b', 'axbxb', ['ungreedy'], true, 'ungreedy'],
  ['(?=a)a', 'a', [], true, 'look ahead'],
  ['(?<!x)a', 'xa', [], false, 'look behind'],
  ['€', '€', ['utf'], true, 'beyond latin1'],
  ['€ 5', 'for € 5', [], true, 'its bytes without utf'],
  ['[€]{3}', '€', [], true, 'each byte a character'],
  ['正常|ü', '服务正常', [], true, 'what people write, where they write so'],
  ['\\Q正常\\E', '服务正常', [], true, 'quoted'],
  ['^正常', '服务正常', ['utf'], false, 'and not just anything'],
  ['}', '}', [], true, 'a lone brace'],
  ['/', '/', [], true, 'a slash'],
] as const)('%s in %j %o: %s: %s', ([source, body, options, found]) => {
  expect(search(source, body, options)).toBe(found ? 'found' : 'not found')
})

test.for([
  ['b', 'abcb', 0, undefined, 'found'],
  ['b', 'abc', 1, undefined, 'found'],
  ['b', 'abc', 2, undefined, 'not found'],
  ['b', 'abcb', 2, undefined, 'found'],
  ['b', 'abc', 0, 1, 'found'],
  ['b', 'aabc', 0, 1, 'not found'],
  ['b', 'abc', 9, undefined, 'not found'],
] as const)('%s in %s from %s to %s: %s', ([source, body, min, max, expected]) => {
  expect(search(source, body, [], min, max)).toBe(expected)
})

test('offsets count bytes in UTF-8 too', () => {
  expect(search('b', 'äb', ['utf'], 2, 2)).toBe('found')
  expect(search('b', 'äb', ['utf'], 3)).toBe('not found')
})

test.for([
  ['a(', 'an open group'],
  ['a\\', 'a backslash at the end'],
  ['[a', 'an open class'],
  ['[z-a]', 'a range the wrong way'],
  ['(?R)', 'recursion'],
  ['a(?i)b', 'options in the middle'],
  ['a\\Kb', '\\K'],
  ['(*SKIP)', 'verbs'],
  ['\\1', 'no such group'],
  ['\\p{Nonsense}', 'no such property'],
  ['*', 'nothing to repeat'],
  ['\\y', 'no such escape'],
] as const)('%s is told to be wrong: %s', ([source]) => {
  expect(patternProblems({ source, options: [] }).error).toEqual(expect.any(String))
})

test('what means something else is remarked on', () => {
  expect(patternProblems({ source: 'a++(?>b)', options: ['caseless', 'case_less'] })).toEqual({
    error: undefined,
    warnings: [
      '"case_less" is not a regex option; it is ignored',
      'possessive quantifiers (a++) are taken as greedy ones',
      'atomic groups (?>…) are taken as ordinary ones',
    ],
  })
})

test('a search that backtracks for ever is cut off', () => {
  expect(search('(a+)+$', `${'a'.repeat(40)}b`)).toBe('tooSlow')
  expect(search('a', 'a')).toBe('found')
})

property.prop([fc.string({ maxLength: 12 })])('any text is a pattern or said not to be one', (source) => {
  const { error } = patternProblems({ source, options: [] })
  if (error === undefined) new RegExp(translate({ source, options: [] }).source, 'u')
  else expect(error.length).toBeGreaterThan(0)
})

property.prop([fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' })])(
  'quoted text is found in itself',
  (text) => {
    const source = Array.from(text, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
    expect(search(source, text)).toBe('found')
    if (!text.includes('\\E')) expect(search(`\\Q${text}\\E`, text)).toBe('found')
  },
)
