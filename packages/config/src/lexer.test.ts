import { describe, expect, test, vi } from 'vitest'
import { fc, test as property } from '@fast-check/vitest'
import { parseText, type Shape, type Texts } from './testing/load-text.ts'

// Many runs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

type Row = readonly [name: string, text: Texts, tree: readonly Shape[], remarks?: readonly string[]]

const trees = (rows: readonly Row[]): void => {
  test.for(rows)('%s', ([, text, tree, remarks = []]) => {
    const parsed = parseText(text)
    expect(parsed.tree).toEqual(tree)
    expect(parsed.remarks).toEqual(remarks)
  })
}

describe('comments', () => {
  trees([
    ['# and ! begin one anywhere, even inside a word', 'a b#c\na x!y\n! all\n# all', ['a·b', 'a·x']],
    ['not inside double quotes', 'auth_pass "ab#cd!e"', ['auth_pass·ab#cd!e']],
    ['not after a backslash, which goes away', 'auth_pass ab\\#cd\\!e # end', ['auth_pass·ab#cd!e']],
    ['a quote that a comment holds opens nothing', 'a b # "c\nd', ['a·b', 'd']],
    ['// is taken as one, with a warning', 'weight 3 // note {\nb', ['weight·3', 'b'], ['W004 1:10']],
    ['// at the start of a line, too', '// nothing\nb', ['b'], ['W004 1:1']],
    ['but a path may begin with //', 'path //x\npath //x y', ['path·//x', 'path·//x·y']],
    ['--- is taken as one', 'state MASTER --- the first\n--------', ['state·MASTER'], ['W004 1:14', 'W004 2:1']],
  ])
})

describe('words and quotes', () => {
  trees([
    ['blanks separate', ' \ta \t b  c ', ['a·b·c']],
    ['a quoted word keeps blanks and braces', 'a "b { c } d" e', ['a·b { c } d·e']],
    ['a script may have escaped quotes', 'script "a \\"b\\" c" d', ['script·a \\"b\\" c·d']],
    ['an empty word is a word', 'a "" b', ['a··b']],
    ['a quote ends an unquoted word', 'a b"c d"e', ['a·b·c d·e']],
    ['single quotes are ordinary', "a 'b c'", ["a·'b·c'"]],
    ['an open quote takes the rest of its line', 'a "b c\nd', ['a·b c', 'd'], ['E002 1:3']],
    ['typographic quotes are told and left out', 'a “b” c', ['a·b·c'], ['E003 1:3']],
    ['also inside plain quotes', 'a "“b”" c', ['a·“b”·c'], ['W009 1:4']],
    ['a no-break space is a blank', 'a\u00a0b', ['a·b'], ['W008 1:2']],
    ['a backslash at the end continues nothing', 'router_id \\\nb', ['router_id·\\', 'b'], ['E014 1:11']],
    ['CR LF', 'a b\r\nc {\r\nd\r\n}\r\n', ['a·b', ['c', 'd']], ['N001 1:1']],
    ['a byte order mark', '\ufeffa b', ['a·b'], ['N002 1:1']],
    ['NUL ends the line', 'a b\0c', ['a·b'], ['E004 1:4']],
    ['bytes that are no UTF-8', Buffer.from('a \xe9', 'latin1'), ['a·é'], ['N003 1:1']],
    ['UTF-16', Buffer.from('\ufeffa b', 'utf16le'), [], ['E006 1:1']],
    ['a line keepalived would not read', `a ${'b'.repeat(1100)}`, [`a·${'b'.repeat(1100)}`], ['W003 1:1']],
  ])
})

describe('braces', () => {
  trees([
    ['anywhere', 'a{b c{d}}e{ f } g', [['a', ['b·c', 'd']], ['e', 'f'], 'g']],
    ['on the next line', 'a b\n\n  # note\n{\nc\n}', [['a·b', 'c']]],
    ['only braces separate statements', 'a { b 1 c 2 }', [['a', 'b·1·c·2']]],
    ['in quotes they are text', 'a "{"', ['a·{']],
    ['one without a keyword', '{\na\n}\nb', ['a', 'b'], ['E010 1:1']],
    ['one too many', 'a {\n}\n}\nb', [['a'], 'b'], ['E013 3:1']],
  ])
})

describe('braces that are missing or too many are found by keywords and indentation', () => {
  const vs = (inside: string): string => `virtual_server 192.0.2.1 80 {\n${inside}}\nglobal_defs {\n}\n`
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['{ after a block', 'virtual_server 192.0.2.1 80\n  delay_loop 6\n}\nglobal_defs {\n}\n', ['E011 1:1']],
    [
      '} of a checker',
      vs('  real_server 10.0.0.1 80 {\n    TCP_CHECK {\n      retry 3\n  }\n  real_server 10.0.0.2 80 {\n  }\n'),
      ['E012 3:5'],
    ],
    [
      '} of a real server',
      vs('  real_server 10.0.0.1 80 {\n    weight 1\n  real_server 10.0.0.2 80 {\n  }\n'),
      ['E012 2:3'],
    ],
    [
      '} of a virtual server',
      'virtual_server 192.0.2.1 80 {\n  delay_loop 6\nvirtual_server 192.0.2.2 80 {\n}\n',
      ['E012 1:1'],
    ],
    [
      '} of the last block',
      'global_defs {\n}\nvirtual_server 192.0.2.1 80 {\n  real_server 10.0.0.1 80 {\n  }\n',
      ['E012 3:1'],
    ],
    [
      '} of a block without any indentation',
      'global_defs {\nrouter_id a\nvirtual_server 192.0.2.2 80 {\n}\n',
      ['E012 1:1'],
    ],
    [
      'a } too many after a checker',
      vs('  real_server 10.0.0.1 80 {\n    TCP_CHECK {\n    }\n  }\n  }\n  real_server 10.0.0.2 80 {\n  }\n'),
      ['E013 6:3'],
    ],
  ]
  test.each(cases)('%s', (_, text, remarks) => {
    expect(parseText(text).remarks).toEqual(remarks)
  })

  test('what follows is read as it was meant', () => {
    const { tree } = parseText(vs('  real_server 10.0.0.1 80 {\n    weight 1\n  real_server 10.0.0.2 80 {\n  }\n'))
    expect(tree).toEqual([
      ['virtual_server·192.0.2.1·80', ['real_server·10.0.0.1·80', 'weight·1'], ['real_server·10.0.0.2·80']],
      ['global_defs'],
    ])
  })
})

describe('definitions', () => {
  trees([
    ['$NAME and ${NAME}', '$A=1 2\na $A\nb x${A}y', ['a·1·2', 'b·x1·2y']],
    ['$NAME only before a blank, a comma, a parenthesis or the end', '$A=1\na $A.b', ['a·$A.b'], ['W010 2:3']],
    ['redefined', '$A=1\na $A\n$A=2\na $A', ['a·1', 'a·2']],
    ['within each other', '$A=1\n$B=${A}2\na $B', ['a·12']],
    ['a value without its comment', '$A=1 # one\na $A', ['a·1']],
    ['a blank before = is told', '$A =1\na', ['a'], ['E006 1:1']],
    ['an undefined ${NAME} makes no braces', 'a ${X} {\nb\n}', [['a·${X}', 'b']], ['E005 1:3']],
    ['an undefined $NAME stays', 'a $X', ['a·$X'], ['W007 1:3']],
    ['one that leads to itself', '$A=${B}\n$B=${A}\na ${A}\nb', ['b'], ['E006 3:1']],
    ['several lines', '$A= \\\n  b { \\\n c 1 \\\n }\na {\n $A\n}\nd', [['a', ['b', 'c·1']], 'd']],
    ['several lines end at an empty one', '$A=\\\nb \\\n\nc\n$A', ['c', 'b']],
    ['a comment in several lines keeps its backslash', '$A=\\\na # b \\\n # c \\\nd\n$A', ['a', 'd']],
    ['a comment outside a definition loses it', '#$A=\\\n#b \\\nc # d \\', ['c']],
    ['several lines only at the end of a line', '$A=b \\\nc\nx $A y', ['x·$A·y'], ['E006 3:3']],
    ['what stands before goes to the first line', '$A=b \\\nc\nx $A', ['x·b', 'c']],
    ['_PWD and _INSTANCE', 'a ${_PWD} ${_INSTANCE}', ['a·/etc·lb1']],
    ['_RANDOM', 'a ${_RANDOM} ${_RANDOM 5} ${_RANDOM 5 6}', ['a·0·5·5']],
    ['_HASH in quotes is a character, outside a comment', 'a "${_HASH}b" ${_BANG}c', ['a·#b']],
    ['_ENV', 'a ${_ENV HOME}x', ['a·x']],
  ])
})

describe('sequences and lists', () => {
  trees([
    ['to an end', '~SEQ(I, 3) a $I', ['a·1', 'a·2', 'a·3']],
    ['from a start', '~SEQ(I, 2, 3) a ${I}x', ['a·2x', 'a·3x']],
    ['backwards', '~SEQ(I, 3, 2) a $I', ['a·3', 'a·2']],
    ['to a negative end', '~SEQ(I, -2) a $I', ['a·-1', 'a·-2']],
    ['with a step', '~SEQ(I, 1, 2, 6) a $I', ['a·1', 'a·3', 'a·5']],
    ['in hexadecimal, from other bases', '~SEQx(I, 0xe, 020) a $I', ['a·e', 'a·f', 'a·10']],
    ['nested: the leftmost is the slowest', '~SEQ(I, 2) ~SEQ(J, 2) a ${I}.${J}', ['a·1.1', 'a·1.2', 'a·2.1', 'a·2.2']],
    [
      'of blocks',
      '$B=b ${I} { \\\nc $I \\\n}\n~SEQ(I, 2) $B',
      [
        ['b·1', 'c·1'],
        ['b·2', 'c·2'],
      ],
    ],
    ['up to a definition', '$N=2\n~SEQ(I, $N) a $I', ['a·1', 'a·2']],
    ['the step 0', '~SEQ(I, 1, 0, 3) a', [], ['E007 1:1']],
    ['a step that leads away', '~SEQ(I, 1, -1, 3) a', [], ['E007 1:1']],
    ['no parenthesis', '~SEQ(I, 3 a', [], ['E007 1:1']],
    ['no number', '~SEQ(I, x) a', [], ['E007 1:1']],
    ['too many', '~SEQ(I, 1, 99999999) a', [], ['E007 1:1']],
    ['a list', '~LST(I, x, y z) a $I', ['a·x', 'a·y·z']],
    ['a list of tuples', '~LST({A,B}, {1,2}, {3}) a $A b${B} c', ['a·1·b2·c', 'a·3·b·c']],
    ['a tuple too long', '~LST({A,B}, {1,2,3}) a', [], ['E007 1:1']],
    ['the name is free again afterwards', '$I=x\n~SEQ(I, 1) a $I\na $I', ['a·1', 'a·x']],
    ['other sigils', '~FOO(I, 3) a', [], ['E007 1:1']],
  ])
})

describe('conditions', () => {
  trees([
    ['the line counts where the id is that', '@lb1 a\n@lb2 b\n@^lb1 c\n@^lb2 d', ['a', 'd']],
    ['nested', '@lb1 @^lb2 a\n@lb1 @lb2 b', ['a']],
    ['with braces', 'x {\n@lb1 a {\n@lb2 c {\n b\n}\n}', [['x', ['a', 'b']]]],
    ['after a brace', 'x { @lb2 a\n}', [['x']]],
    ['without a name', '@ a', [], ['E015 1:1']],
    ['from a definition', '$A=@lb2\n$B=@lb1\n$A a\n$B b', ['b']],
  ])
})

describe('includes', () => {
  const main = (text: string, more: Readonly<Record<string, string>>): Texts => ({ '/etc/test.conf': text, ...more })
  trees([
    [
      'relative to the file, in order',
      main('a\ninclude conf.d/*.conf\nd', { '/etc/conf.d/2.conf': 'c', '/etc/conf.d/1.conf': 'b' }),
      ['a', 'b', 'c', 'd'],
    ],
    ['from within', main('include x/a', { '/etc/x/a': 'include b', '/etc/x/b': 'c' }), ['c']],
    ['in a block', main('x {\n include b\n}', { '/etc/b': 'c 1' }), [['x', 'c·1']]],
    ['csh braces', main('include {a,b}.conf', { '/etc/a.conf': 'a', '/etc/b.conf': 'b' }), ['a', 'b']],
    ['hidden files need their dot', main('include d/*', { '/etc/d/.x': 'x', '/etc/d/y': 'y' }), ['y']],
    ['definitions go in and out', main('$A=1\ninclude b\na $B', { '/etc/b': 'b $A\n$B=2' }), ['b·1', 'a·2']],
    [
      'no match is told',
      main('include none\nincludem none\nincludem *.none\nincludew *.none\nincludeb {a,none}', { '/etc/a': 'a' }),
      ['a'],
      ['W005 1:9', 'E016 2:10', 'W005 3:10', 'E016 4:10', 'E016 5:10'],
    ],
    ['a loop', main('include b\na', { '/etc/b': 'b\ninclude test.conf' }), ['b', 'a'], ['E009 2:9']],
    ['a directory', main('include d', { '/etc/d/x': 'x' }), [], ['W006 1:9']],
    ['no name', main('include\na', {}), ['a'], ['E028 1:1']],
    ['a keyword that only begins so', 'include_check match', ['include_check·match']],
  ])

  test('including twice at each level ends with an error, not with the memory', () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`/etc/f${i}`, `include f${i + 1}\ninclude f${i + 1}\n`]),
    )
    const { remarks } = parseText({ '/etc/test.conf': 'include f0', ...files, '/etc/f40': '' })
    expect(new Set(remarks.map((each) => each.slice(0, 4)))).toEqual(new Set(['E009']))
  })
})

test('definitions that double at each step end with an error, not with the memory', () => {
  const lines = Array.from({ length: 60 }, (_, i) => `$A${i + 1}=\${A${i}}\${A${i}}`).join('\n')
  expect(parseText(`$A0=xx\n${lines}\na \${A60}`).remarks).toEqual(['E008 62:3'])
  const blocks = Array.from({ length: 40 }, (_, i) => `$B${i + 1}=\\\n$B${i} \\\n$B${i}`).join('\n')
  expect(parseText(`$B0=x\n${blocks}\n$B40`, {}).remarks.length).toBeGreaterThan(0)
})

test('places survive substitution', () => {
  const { statements } = parseText('$A=80\n  ~SEQ(I, 2) a "x ${A}" $I # c')
  expect(statements.map((each) => each.written)).toEqual([
    { columns: [14, 16, 25], lengths: [1, 8, 2], indent: 2, raw: 'a "x 80" 1' },
    { columns: [14, 16, 25], lengths: [1, 8, 2], indent: 2, raw: 'a "x 80" 2' },
  ])
})

const word = fc.constantFrom('a', 'b1', '"x y"', 'c.d', '"#"', '10.0.0.1')
const noise = fc.constantFrom('\n', ' \n', '\t# note {\n', ' ! x\n', '\n\n#\n')
const line = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '))

property.prop([fc.array(fc.tuple(line, fc.constantFrom('', ' {\n y\n}'), noise), { maxLength: 12 })])(
  'a comment or blank line between statements changes nothing',
  (rows) => {
    const plain = rows.map(([text, block]) => `${text}${block}\n`).join('')
    const noisy = rows.map(
      ([text, block, extra]) => `${text.replaceAll(' ', '  ')}${block.replaceAll('\n', extra)}${extra}`,
    )
    expect(parseText(noisy.join('').replaceAll('"x  y"', '"x y"')).tree).toEqual(parseText(plain).tree)
  },
)

const shards = fc.constantFrom(
  '{',
  '}',
  '"',
  '\n',
  ' ',
  '$A',
  '${',
  '}',
  '$A=',
  '~SEQ(',
  'I,',
  '2)',
  '~LST(',
  '@lb1 ',
  '@^',
  '\\',
  '#',
  'include ',
  'a',
  'weight',
  'virtual_server',
  'real_server ',
  '10.0.0.1',
  '\0',
  '\r',
  '“',
  '//',
)

property.prop([fc.array(shards, { maxLength: 60 }).map((parts) => parts.join(''))])(
  'any shards of the language give a tree',
  (text) => {
    expect(parseText(text).tree).toBeInstanceOf(Array)
  },
)

property.prop([fc.uint8Array({ maxLength: 200 })])('any bytes give a tree', (bytes) => {
  expect(parseText(bytes).tree).toBeInstanceOf(Array)
})
