import { millis, systemClock } from '@ipvs-director/core'
import { fc, test as propertyTest } from '@fast-check/vitest'
import { once } from 'node:events'
import { createServer, type OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createNodeIo } from '../io/node-io.ts'
import type { Connection } from '../io/port.ts'
import { connectionTo } from '../testing/checks.ts'
import { RunningAttempt } from '../running-attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { requestHttp2 } from './exchange.ts'
import { encodeFrame, FrameReader, type Frame } from './frames.ts'
import { encodeFields, FieldDecoder, type Field } from './hpack.ts'
import type { Http2Request } from './sender.ts'
import { staticTable } from './static-table.ts'

const at = connectionTo(80)
const patience = millis(5000)
const get: Http2Request = { scheme: 'http', method: 'GET', path: '/', host: 'web.test', headers: [], body: undefined }
const settings = encodeFrame(4, 0, 0, Buffer.alloc(0))
const number = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex')
const headers = (flags: number, fields: readonly Field[], type = 1): Buffer =>
  encodeFrame(type, flags, 1, encodeFields(fields))
const ok = headers(4, [[':status', '200']])
const data = (text: string, flags = 0): Buffer => encodeFrame(0, flags, 1, Buffer.from(text))

/** All that a probe was told. */
interface Heard {
  status?: number
  length?: number | undefined
  headers?: Record<string, string>
  body: string
  trailers?: Record<string, string>
}

/** A server that says these pieces, each when what was sent so far was taken; and what was sent to it. */
async function talk(
  pieces: readonly Buffer[],
  request: Http2Request = get,
): Promise<{ readonly heard: Heard; readonly sent: Frame[]; readonly problem: string | undefined }> {
  const written: Buffer[] = []
  const connection: Connection = {
    remark: undefined,
    write: (bytes) => written.push(Buffer.from(bytes)),
    async read(take) {
      await Promise.resolve()
      return pieces.some((piece) => take(piece)) ? 'enough' : 'end'
    },
    close: () => undefined,
  }
  const heard: Heard = { body: '' }
  let problem: string | undefined
  try {
    await requestHttp2(at, connection, request, {
      begin(status, length, all) {
        Object.assign(heard, { status, length, headers: Object.fromEntries(all) })
      },
      takeBody: (chunk) => (heard.body += chunk.toString()),
      takeTrailers: (all) => (heard.trailers = Object.fromEntries(all)),
    })
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error
    expect(error.class).toBe('protocol')
    problem = error.message
  }
  const bytes = Buffer.concat(written)
  expect(bytes.toString('latin1', 0, 24)).toBe('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  return { heard, sent: [...new FrameReader().take(bytes.subarray(24))], problem }
}

const answer = [
  settings,
  headers(4, [[':status', '103'], ['link', 'x']]), // prettier-ignore
  encodeFrame(1, 0x28, 1, Buffer.concat([Buffer.of(2, 0, 0, 0, 0, 9), encodeFields([[':status', '200']]), Buffer.of(0, 0)])), // prettier-ignore
  headers(0, [['a', '1']], 9),
  headers(4, [['a', '2'], ['content-length', '5']], 9), // prettier-ignore
  data('hel'),
  encodeFrame(0, 8, 1, Buffer.from('\u0003lo\0\0\0')),
  encodeFrame(77, 0, 5, Buffer.from('nobody knows')),
  headers(5, [['grpc-status', '0']]),
]
const told = {
  status: 200,
  length: 5,
  headers: { a: '1, 2', 'content-length': '5' },
  body: 'hello',
  trailers: { 'grpc-status': '0' },
}

test('an answer with all that there can be in one', async () => {
  expect(await talk(answer)).toMatchObject({ heard: told, problem: undefined })
})

propertyTest.prop([fc.array(fc.nat(Buffer.concat(answer).length))])('however it is cut', async (cuts) => {
  const bytes = Buffer.concat(answer)
  const ends = [...cuts, bytes.length].sort((a, b) => a - b)
  const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
  expect((await talk(pieces)).heard).toEqual(told)
})

const anyFrame = fc
  .tuple(
    fc.constantFrom(0, 1, 1, 3, 4, 5, 6, 7, 8, 9, 9, 99),
    fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0xff),
    fc.constantFrom(0, 1, 1, 1, 3),
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom(...[ok, data('x'), settings].map((each) => each.subarray(9)), Buffer.alloc(4), Buffer.alloc(8)),
    ),
  )
  .map((parts) => encodeFrame(...parts))
propertyTest.prop([fc.array(anyFrame)])('any frames end in an answer or a failure', async (frames) => {
  await talk([settings, ...frames])
})
propertyTest.prop([fc.array(fc.uint8Array())])('and so do any bytes', async (pieces) => {
  await talk(pieces.map((piece) => Buffer.from(piece)))
})

test('what is sent: settings, the request, and that its settings were taken', async () => {
  const request = { ...get, method: 'POST', headers: ['X-Check: a: b'], body: 'data' }
  const { sent } = await talk([settings, encodeFrame(6, 0, 0, Buffer.from('12345678')), ok, data('', 1)], request)
  expect(sent.map(({ type, flags, stream }) => [type, flags, stream])).toEqual([
    [4, 0, 0],
    [8, 0, 0],
    [1, 4, 1],
    [0, 1, 1],
    [4, 1, 0],
    [6, 1, 0],
  ])
  expect(sent[0]?.body.toString('hex')).toBe('000200000000' + '000404000000')
  expect(new FieldDecoder().decode(sent[2]?.body ?? Buffer.alloc(0))).toEqual([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'web.test'],
    [':path', '/'],
    ['user-agent', 'KeepAliveClient'],
    ['x-check', 'a: b'],
    ['content-length', '4'],
  ])
  expect(sent[3]?.body.toString()).toBe('data')
  expect(sent[5]?.body.toString()).toBe('12345678')
})

test('a long body waits until the server has room, a long header is cut', async () => {
  const body = 'x'.repeat(100_000)
  const request = { ...get, path: `/${'p'.repeat(20_000)}`, body }
  const small = encodeFrame(4, 0, 0, Buffer.concat([Buffer.from('0004', 'hex'), number(70_000)]))
  const room = (stream: number, more: number): Buffer => encodeFrame(8, 0, stream, number(more))
  const lengths = async (pieces: readonly Buffer[]): Promise<number[]> =>
    (await talk(pieces, request)).sent.filter(({ type }) => type === 0).map(({ body }) => body.length)
  const before = [16_384, 16_384, 16_384, 16_383]
  expect(await lengths([])).toEqual(before)
  expect(await lengths([small])).toEqual(before)
  expect(await lengths([small, room(0, 100_000)])).toEqual([...before, 4465])
  expect(await lengths([small, room(0, 100_000), room(1, 100_000)])).toEqual([...before, 4465, 16_384, 13_616])
  const { sent } = await talk([], request)
  expect(sent.slice(2, 4).map(({ type, flags }) => [type, flags])).toEqual([[1, 0], [9, 4]]) // prettier-ignore
})

test.for([
  ['not HTTP/2', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], 'HTTP/2: a frame of 4740180 bytes'],
  ['no settings first', [ok], 'HTTP/2: the server does not speak it'],
  ['a header left open', [settings, headers(0, [[':status', '200']]), data('x')], 'HTTP/2: an unfinished header'],
  [
    'a header without end',
    [settings, headers(0, []), ...Array.from({ length: 99 }, () => encodeFrame(9, 0, 1, Buffer.alloc(999)))],
    'header longer than 65536 bytes',
  ],
  ['no status', [settings, headers(5, [['a', 'b']])], 'HTTP/2: an answer without a status'],
  ['a body first', [settings, data('x')], 'HTTP/2: a body that was not asked for'],
  ['another stream', [settings, encodeFrame(1, 4, 3, Buffer.alloc(0))], 'HTTP/2: a header that was not asked for'],
  ['a second header', [settings, ok, ok], 'HTTP/2: a second header'],
  ['a push', [settings, encodeFrame(5, 4, 1, number(2))], 'HTTP/2: a push that was not asked for'],
  ['a reset', [settings, encodeFrame(3, 0, 1, number(7))], 'HTTP/2: stream reset with REFUSED_STREAM'],
  ['going away', [settings, encodeFrame(7, 0, 0, Buffer.alloc(8))], 'HTTP/2: the server goes away with NO_ERROR'],
  [
    'an error',
    [settings, encodeFrame(7, 0, 0, Buffer.from('000000010000000b', 'hex'))],
    'HTTP/2: the server goes away with ENHANCE_YOUR_CALM',
  ],
  [
    'a short body',
    [
      settings,
      headers(4, [
        [':status', '200'],
        ['content-length', '9'],
      ]),
      data('x', 1),
    ],
    'HTTP/2: a body of 1 bytes instead of 9',
  ],
  ['padding over all', [settings, ok, encodeFrame(0, 8, 1, Buffer.of(1))], 'HTTP/2: a broken frame'],
  ['a window without end', [settings, encodeFrame(8, 0, 0, number(0x7fffffff))], 'HTTP/2: a window too large'],
  [
    'pings without end',
    [settings, ...Array.from({ length: 1001 }, () => encodeFrame(6, 0, 0, Buffer.alloc(8)))],
    'HTTP/2: a flood of frames',
  ],
  ['nothing', [], 'closed without an answer: 127.0.0.1:80'],
  ['half an answer', [settings, ok, data('x')], 'closed within the answer: 127.0.0.1:80'],
] as const)('%s', async ([, pieces, problem]) => {
  // prettier-ignore
  expect((await talk(pieces)).problem).toBe(problem)
})

test.for([
  ['an answer to HEAD', headers(5, [[':status', '200'], ['content-length', '9']])], // prettier-ignore
  ['one that goes away afterwards', Buffer.concat([encodeFrame(7, 0, 0, Buffer.from('0000000100000000', 'hex')), headers(5, [[':status', '200']])])], // prettier-ignore
] as const)('%s is one', async ([, bytes]) => {
  expect(await talk([settings, bytes])).toMatchObject({ heard: { status: 200 }, problem: undefined })
})

test('every name of the table and every byte of a value, as the HTTP/2 of Node sends them', async () => {
  const names = staticTable
    .map(([name]) => name)
    .filter((name) => !name.startsWith(':') && name !== 'transfer-encoding')
  const all = Array.from({ length: 224 }, (_, i) => String.fromCharCode(i + 32)).filter((text) => text !== '\u007f')
  const wanted: OutgoingHttpHeaders = {}
  for (const name of names) wanted[name] = `of ${name}`
  wanted['x-all'] = all.join('').trim()
  wanted['content-length'] = '5'
  wanted.date = 'today'
  const server = createServer()
  server.on('stream', (stream) => {
    stream.respond(wanted)
    stream.end('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const here = connectionTo((server.address() as AddressInfo).port)
  let heard: ReadonlyMap<string, string> = new Map()
  for (let n = 0; n < 2; n++) {
    const connection = await createNodeIo().connect(here, new RunningAttempt(systemClock, patience, patience))
    await requestHttp2(here, connection, get, {
      begin: (_, __, received) => (heard = received),
      takeBody: () => undefined,
    })
    connection.close()
  }
  server.close()
  expect(Object.fromEntries(heard)).toEqual(wanted)
})
