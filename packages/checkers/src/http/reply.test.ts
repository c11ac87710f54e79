import { fc, test as property } from '@fast-check/vitest'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ProbeFailure } from '../verdict.ts'
import { ReplyReader } from './reply.ts'

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
const everything = { digest: true, search: true }

function read(bytes: string | Buffer, cuts: readonly number[] = []): ReplyReader {
  const reader = new ReplyReader(everything)
  const whole = Buffer.from(bytes)
  const places = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b)
  let from = 0
  for (const to of places) {
    // The chunk is overwritten afterwards, as the shared receive buffer is.
    const chunk = Buffer.from(whole.subarray(from, to))
    reader.take(chunk)
    chunk.fill(0)
    from = to
  }
  return reader
}

const cases = [
  ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello', md5('hello'), 'the usual'],
  ['HTTP/1.0 301 Moved\r\n\r\n', 301, '', md5(''), 'no body'],
  ['HTTP/1.1 200\r\ncontent-length:3\r\n\r\nhello', 200, 'hello', md5('hel'), 'digest ends at Content-Length'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 200, 'hello', md5('hello'), 'too little'],
  ['HTTP/1.1 200 OK\r\nX-Content-Length: 1\r\n\r\nhi', 200, 'hi', md5('hi'), 'another header'],
  ['HTTP/1.1 200 OK\r\n\r\na\r\n\r\nb', 200, 'a\r\n\r\nb', md5('a\r\n\r\nb'), 'a blank line in the body'],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    200,
    '1\r\na\r\n0\r\n\r\n',
    md5('1\r\na\r\n0\r\n\r\n'),
    'chunks are not decoded',
  ],
] as const

test.for(cases)('%j: %s', ([bytes, status, body, digest]) => {
  const reader = read(bytes)
  expect([reader.complete, reader.status, reader.body().toString(), reader.digest()]).toEqual([
    true,
    status,
    body,
    digest,
  ])
})

property.prop([fc.constantFrom(...cases), fc.array(fc.nat(200), { maxLength: 10 })])(
  'cut into chunks it is the same',
  ([bytes, status, body, digest], cuts) => {
    const reader = read(bytes, cuts)
    expect([reader.status, reader.body().toString(), reader.digest()]).toEqual([status, body, digest])
  },
)

test.for([
  ['SSH-2.0-OpenSSH\r\n\r\n', 'not an HTTP answer'],
  ['HTTP/1.1 2000 OK\r\n\r\n', 'not an HTTP answer'],
  ['HTTP/1.1 OK\r\n\r\n', 'not an HTTP answer'],
] as const)('%j: %s', ([bytes, text]) => {
  expect(() => read(bytes)).toThrow(text)
})

test('a header without end is not complete; one without bound is refused', () => {
  expect(read('HTTP/1.1 200 OK\r\n').complete).toBe(false)
  expect(() => read(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`)).toThrow('header longer than')
})

test('a body without bound is refused, and not kept', () => {
  const reader = new ReplyReader(everything)
  reader.take(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  for (let i = 0; i < 16; i++) reader.take(chunk)
  expect(reader.body()).toHaveLength(1024 * 1024)
  expect(() => {
    reader.take(chunk)
  }).toThrow('body longer than')
})

property.prop([fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400), { maxLength: 5 })])(
  'any bytes are an answer or refused as none',
  (bytes, cuts) => {
    try {
      read(Buffer.from(bytes), cuts)
    } catch (error) {
      expect(error).toBeInstanceOf(ProbeFailure)
    }
  },
)
