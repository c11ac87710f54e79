import { fc, test as property } from '@fast-check/vitest'
import { DecodeError, millis } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { expect, test } from 'vitest'
import type { Verdict } from './checker.ts'
import { checksum, decodeEcho, encodeEcho, skipIpHeader } from './io/icmp.ts'
import { createNodeIo } from './io/node-io.ts'
import { pingCheck } from './ping.ts'
import { connectionTo } from './testing/checks.ts'
import { probeOnce } from './testing/probe.ts'

test('an echo request, byte by byte', () => {
  const bytes = encodeEcho({ type: 8, id: 0x1234, sequence: 7, data: Buffer.from('abc') })
  expect(bytes.toString('hex')).toBe('0800216212340007616263')
  expect(checksum(bytes)).toBe(0)
})

const word = fc.nat(0xffff)
property.prop([fc.nat(255), word, word, fc.uint8Array({ maxLength: 60 })])(
  'echoes survive the wire',
  (type, id, sequence, data) => {
    const echo = { type, id, sequence, data: Buffer.from(data) }
    const bytes = encodeEcho(echo)
    expect(checksum(bytes)).toBe(0)
    expect(decodeEcho(bytes)).toEqual(echo)
  },
)

property.prop([fc.uint8Array({ maxLength: 80 })])('any bytes decode or are a DecodeError', (bytes) => {
  for (const decode of [decodeEcho, skipIpHeader]) {
    try {
      decode(Buffer.from(bytes))
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
    }
  }
})

const able = addonAvailable() && process.getuid?.() === 0

test.runIf(able)('loopback answers, IPv4 and IPv6', async () => {
  const io = createNodeIo()
  for (const host of ['127.0.0.1', '127.3.2.1', '::1']) {
    const verdict = await probeOnce(pingCheck, io, connectionTo(0, host))
    expect(verdict).toMatchObject({ up: true, reason: expect.stringMatching(`^echo from ${host} after`) as string })
  }
})

test.runIf(able)('two thousand over one socket, a hundred at a time', async () => {
  const io = createNodeIo()
  const verdicts: Promise<Verdict>[] = []
  for (let i = 0; i < 2000; i++) {
    const at = connectionTo(0, `127.9.${i >> 8}.${i & 255}`)
    verdicts.push(probeOnce(pingCheck, io, at, {}, { timeout: millis(3000) }))
    if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect((await Promise.all(verdicts)).filter((verdict) => !verdict.up)).toEqual([])
})

test.runIf(able)('from an address, through an interface, with a mark', async () => {
  const io = createNodeIo()
  const at = { ...connectionTo(0), bindAddress: connectionTo(0, '127.0.0.5').address, bindInterface: 'lo', fwmark: 3 }
  expect(await probeOnce(pingCheck, io, at)).toMatchObject({ up: true })
  expect(await probeOnce(pingCheck, io, { ...at, bindInterface: 'nosuch0' })).toMatchObject({ class: 'local' })
})
