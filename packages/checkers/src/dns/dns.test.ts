import { fc, test as property } from '@fast-check/vitest'
import { DecodeError, millis } from '@ipvs-director/core'
import { afterAll, expect, test } from 'vitest'
import { createNodeIo } from '../io/node-io.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { testServers } from '../testing/servers.ts'
import { dnsCheck } from './checker.ts'
import { decodeAnswer, encodeQuery, splitName } from './codec.ts'

const servers = testServers()
afterAll(() => servers.close())
const io = createNodeIo()

test('a query as RFC 1035 has it', () => {
  expect(encodeQuery(0x1234, ['www', 'a'], 'AAAA').toString('hex')).toBe(
    '12340100000100000000000003777777016100001c0001',
  )
  expect(encodeQuery(1, [], 'SOA').toString('hex')).toBe('000101000001000000000000' + '00' + '00060001')
})

test.for([
  ['.', []],
  ['example.org', ['example', 'org']],
  ['example.org.', ['example', 'org']],
  ['a..b', undefined],
  ['.a', undefined],
  [`${'x'.repeat(64)}.org`, undefined],
  [Array.from({ length: 130 }, () => 'a').join('.'), undefined],
] as const)('%s as labels: %o', ([name, labels]) => {
  expect(splitName(name)).toEqual(labels)
})

property.prop([fc.uint8Array({ maxLength: 40 })])('any bytes are an answer or a DecodeError', (bytes) => {
  try {
    expect(decodeAnswer(Buffer.from(bytes)).rcode).toBeLessThan(16)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
})

/** The query with QR set and this RCODE. */
const answer = (query: Buffer, rcode: number): Buffer => {
  const bytes = Buffer.from(query)
  bytes.writeUInt16BE(0x8180 | rcode, 2)
  return bytes
}
type Reply = (data: Uint8Array) => void

test.for([
  [
    'NOERROR',
    (query: Buffer, reply: Reply) => {
      reply(answer(query, 0))
    },
    'ok',
    'got NOERROR for SOA example.org. after',
  ],
  [
    'SERVFAIL',
    (query: Buffer, reply: Reply) => {
      reply(answer(query, 2))
    },
    'mismatch',
    'got SERVFAIL for',
  ],
  [
    'NXDOMAIN',
    (query: Buffer, reply: Reply) => {
      reply(answer(query, 3))
    },
    'mismatch',
    'got NXDOMAIN for',
  ],
  [
    'an RCODE without name',
    (query: Buffer, reply: Reply) => {
      reply(answer(query, 11))
    },
    'mismatch',
    'got RCODE 11',
  ],
  [
    'a header alone',
    (query: Buffer, reply: Reply) => {
      reply(answer(query, 0).subarray(0, 12))
    },
    'ok',
    'got NOERROR',
  ],
  ['nothing', () => undefined, 'timeout', 'no answer from 127.0.0.1:'],
  [
    'the query itself',
    (query: Buffer, reply: Reply) => {
      reply(query)
    },
    'timeout',
    'no answer',
  ],
  [
    'another id',
    (query: Buffer, reply: Reply) => {
      reply(Buffer.concat([Buffer.from([query[0]! ^ 1]), answer(query, 0).subarray(1)]))
    },
    'timeout',
    'no answer',
  ],
  [
    'too few bytes',
    (query: Buffer, reply: Reply) => {
      reply(query.subarray(0, 11))
    },
    'timeout',
    'no answer',
  ],
  [
    'rubbish, then the answer',
    (query: Buffer, reply: Reply) => {
      reply(Buffer.from('rubbish'))
      reply(answer(query, 0))
    },
    'ok',
    'got NOERROR',
  ],
] as const)('a server that answers %s: %s', async ([, behave, kind, said]) => {
  const port = await servers.udp(behave)
  const options = { type: 'SOA', labels: ['example', 'org'] }
  const verdict = await probeOnce(dnsCheck, io, connectionTo(port), options, { timeout: millis(250) })
  expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
})

test('no server at all', async () => {
  const other = testServers()
  const port = await other.udp(() => undefined)
  await other.close()
  expect(await probeOnce(dnsCheck, io, connectionTo(port), { type: 'A', labels: [] })).toMatchObject({
    class: 'refused',
  })
})
