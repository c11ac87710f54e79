import { fc, test as property } from '@fast-check/vitest'
import { afterAll, expect, test } from 'vitest'
import { createNodeIo } from '../io/node-io.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { readChecker } from '../testing/read.ts'
import { answering, testServers } from '../testing/servers.ts'
import { httpGet } from './checkers.ts'
import { readJsonPath, valueAt } from './json-path.ts'

const value = { a: { 'b c': [1, { d: 'x' }] }, t: true, n: null }

test.for([
  ['$', [], value],
  ['$.a["b c"][0]', ['a', 'b c', 0], 1],
  ["$['a']['b c'][-1].d", ['a', 'b c', -1, 'd'], 'x'],
  ['$.t', ['t'], true],
  ['$.n', ['n'], null],
  ['$.missing.more', ['missing', 'more'], undefined],
  ['$.a[0]', ['a', 0], undefined],
  ['$.toString', ['toString'], undefined],
  ['$.__proto__', ['__proto__'], undefined],
] as const)('%s', ([path, steps, found]) => {
  expect(readJsonPath(path)).toEqual(steps)
  expect(valueAt(value, steps)).toEqual(found)
})

test.for(['', 'a', '$a', '$.', '$..a', '$[', '$[x]', '$.a b', '$[0', '$.*'])('"%s" is no path', (path) => {
  expect(readJsonPath(path)).toBeUndefined()
})

property.prop([fc.jsonValue(), fc.array(fc.oneof(fc.string(), fc.integer({ min: -5, max: 5 })), { maxLength: 5 })])(
  'any path into any value finds something or nothing',
  (json, steps) => {
    expect(() => valueAt(json, steps)).not.toThrow()
  },
)

const servers = testServers()
afterAll(() => servers.close())
const json = '{"state":"ready","nodes":[{"load":3}],"ok":true,"none":null,"list":[1,2]}'
const plain = `HTTP/1.0 200 OK\r\nX-State: ready, set\r\nX-state: go\r\n\r\n${json}`
const chunks = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n${json.slice(0, 5)}\r\n${(json.length - 5).toString(16)}\r\n${json.slice(5)}\r\n0\r\n\r\n`

test.for([
  [plain, 'expect_json $.state ready', 'ok', 'got 200'],
  [plain, 'expect_json $.state up', 'mismatch', '$.state is "ready", wanted up after'],
  [plain, 'expect_json $.nodes[0].load 3', 'ok', 'got 200'],
  [plain, 'expect_json $.nodes[0].load 4', 'mismatch', '$.nodes[0].load is 3, wanted 4'],
  [plain, 'expect_json $.list "[1, 2]"', 'ok', 'got 200'],
  [plain, 'expect_json $.ok true\n expect_json $.none null', 'ok', 'got 200'],
  [plain, 'expect_json $.ok true\n expect_json $.none 1', 'mismatch', '$.none is null, wanted 1'],
  [plain, 'expect_json $.other 1', 'mismatch', 'there is no $.other'],
  [chunks, 'expect_json $.state ready', 'ok', 'got 200'],
  ['HTTP/1.0 200 OK\r\n\r\nready', 'expect_json $.state ready', 'mismatch', 'the body is not JSON'],
  ['HTTP/1.0 200 OK\r\n\r\n', 'expect_json $ ready', 'mismatch', 'the body is not JSON'],
  [plain, 'expect_header X-State', 'ok', 'got 200'],
  [plain, 'expect_header "x-state: ^ready, set, go$"', 'ok', 'got 200'],
  [plain, 'expect_header "X-State: stop"', 'mismatch', 'header x-state is "ready, set, go", wanted stop after'],
  [plain, 'expect_header X-Other', 'mismatch', 'there is no header x-other'],
  [plain, 'expect_header X-State\n expect_header X-Other', 'mismatch', 'there is no header x-other'],
  ['HTTP/1.0 500 No\r\n\r\n', 'expect_header X-State', 'mismatch', 'got 500, wanted 200-299'],
] as const)('%j, %s: %s %s', async ([reply, words, kind, said]) => {
  const { checker, remarks } = await readChecker(`HTTP_GET {\n url {\n path /\n ${words}\n }\n }`)
  expect(remarks).toEqual([])
  const port = await servers.tcp(answering(reply))
  const verdict = await probeOnce(httpGet, createNodeIo(), connectionTo(port), checker?.options)
  expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
})

test.for([
  ['expect_json state ready', 'E063 "state" is not a path such as $.a.b[0]'],
  ['expect_json $.state', 'E'],
  ['expect_header "no header"', 'E063 "no header" is no header: NAME or "NAME: PATTERN"'],
  ['expect_header "X: ("', 'E063 expect_header "X: (": '],
] as const)('%s: %s', async ([words, said]) => {
  const { remarks } = await readChecker(`HTTP_GET {\n url {\n path /\n ${words}\n }\n }`)
  expect(remarks.join('\n')).toContain(said)
})
