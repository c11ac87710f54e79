import { fc, test as property } from '@fast-check/vitest'
import { millis } from '@ipvs-director/core'
import type { Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { createNodeIo } from '../io/node-io.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { testServers } from '../testing/servers.ts'
import { ProbeFailure } from '../verdict.ts'
import { smtpCheck } from './checker.ts'
import { SmtpReplyReader } from './reply.ts'

const servers = testServers()
afterAll(() => servers.close())
const io = createNodeIo()
const options = { heloName: 'checker.test' }

/** A server that says these, one for each thing it is told (the first unasked). `heard` gets what it was told. */
function saying(replies: readonly string[], heard: string[] = []): (socket: Socket) => void {
  return (socket) => {
    const left = [...replies]
    const next = (): void => {
      const reply = left.shift()
      if (reply === undefined) socket.end()
      else socket.write(reply)
    }
    socket.on('data', (data) => {
      heard.push(data.toString())
      next()
    })
    next()
  }
}

test.for([
  [['220 mx ready\r\n', '250 hello\r\n', '221 bye\r\n'], 'ok', 'greeted and took HELO after'],
  [['220\r\n', '250\r\n', '500 what\r\n'], 'ok', 'greeted'],
  [['220-one\r\n220-two\r\n220 three\r\n', '250-a\r\n250 b\r\n', '221 x\r\n'], 'ok', 'greeted'],
  [['220 lf only\n', '250 x\n', '221\n'], 'ok', 'greeted'],
  [['554 no\r\n'], 'mismatch', 'got 554, wanted 220 (the greeting) from 127.0.0.1:'],
  [['220 x\r\n', '502 what\r\n'], 'mismatch', 'got 502, wanted 250 (HELO)'],
  [['220 x\r\n'], 'protocol', 'closed instead of answering (HELO)'],
  [['220 x\r\n', '250 x\r\n'], 'protocol', 'closed instead of answering (QUIT)'],
  [[], 'protocol', 'closed instead of answering (the greeting)'],
  [['HTTP/1.1 400 Bad Request\r\n'], 'protocol', 'not an SMTP reply from'],
  [['2200 x\r\n'], 'protocol', 'not an SMTP reply'],
  [[`220 ${'x'.repeat(2000)}`], 'protocol', 'reply line longer than'],
  [['220-x\r\n'.repeat(4000)], 'protocol', 'reply longer than'],
  [['220 x'], 'timeout', 'no end of the answer from'],
] as const)('%o: %s, %s', async ([replies, kind, said]) => {
  const port = await servers.tcp(saying(replies))
  const verdict = await probeOnce(smtpCheck, io, connectionTo(port), options, { timeout: millis(300) })
  expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
})

test('what it says', async () => {
  const heard: string[] = []
  const port = await servers.tcp(saying(['220 x\r\n', '250 x\r\n', '221 x\r\n'], heard))
  await probeOnce(smtpCheck, io, connectionTo(port), options)
  expect(heard).toEqual(['HELO checker.test\r\n', 'QUIT\r\n'])
})

test('a server that never speaks, and one that drips', async () => {
  const timeout = millis(200)
  const mute = await servers.tcp((socket) => socket.resume())
  const verdict = await probeOnce(smtpCheck, io, connectionTo(mute), options, { timeout })
  expect(verdict).toMatchObject({ class: 'timeout', reason: expect.stringContaining('no answer from') as string })
  const dripping = await servers.tcp((socket) => {
    const timer = setInterval(() => socket.write('2'), 50)
    socket.on('close', () => {
      clearInterval(timer)
    })
  })
  const slow = await probeOnce(smtpCheck, io, connectionTo(dripping), options, { timeout })
  expect(slow.class).toBe('timeout')
  expect(slow.took).toBeLessThan(4 * timeout + 1000)
})

property.prop([fc.uint8Array({ maxLength: 200 }), fc.nat(50)])(
  'any bytes are a reply or refused as none',
  (bytes, cut) => {
    const reader = new SmtpReplyReader()
    try {
      if (!reader.take(Buffer.from(bytes.subarray(0, cut)))) reader.take(Buffer.from(bytes.subarray(cut)))
    } catch (error) {
      expect(error).toBeInstanceOf(ProbeFailure)
    }
  },
)
