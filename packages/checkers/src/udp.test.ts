import { millis } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { createSocket } from 'node:dgram'
import { afterAll, describe, expect, test } from 'vitest'
import { createNodeIo } from './io/node-io.ts'
import { readHex } from './hex.ts'
import { connectionTo } from './testing/checks.ts'
import { probeOnce } from './testing/probe.ts'
import { testServers } from './testing/servers.ts'
import { udpCheck, type UdpOptions } from './udp.ts'

const servers = testServers()
afterAll(() => servers.close())

const timeout = millis(250)
const ask = (reply?: string, min = 0, max = 255): Readonly<Record<string, unknown>> => {
  const pattern = reply === undefined || reply === '' ? undefined : readHex(reply, true)
  const options: UdpOptions = { payload: '70696e67', reply: reply === undefined ? undefined : { pattern, min, max } }
  return { ...options }
}

describe.each([
  ['node:dgram', false],
  ['kernel sockets', true],
])('UDP_CHECK over %s', (_, kernelSockets) => {
  const io = createNodeIo({ kernelSockets })
  const skip = kernelSockets && !addonAvailable()
  const echo = (data: Buffer, reply: (data: Uint8Array) => void): void => {
    reply(Buffer.concat([data, Buffer.from('!')]))
  }
  const silent = (): void => undefined

  test.skipIf(skip).for([
    [echo, ask(), 'ok', 'got 5 bytes', 'any answer'],
    [silent, ask(), 'ok', 'not refused by', 'silence'],
    [echo, ask(''), 'ok', 'got 5 bytes', 'an answer is required, and comes'],
    [silent, ask(''), 'timeout', 'no answer from', 'an answer is required, and does not'],
    [echo, ask('7069'), 'ok', 'got 5 bytes', 'its beginning'],
    [echo, ask('70xx6e'), 'ok', 'got 5 bytes', 'wild'],
    [echo, ask('7168'), 'mismatch', 'that do not begin with 7168', 'another beginning'],
    [echo, ask('70', 6), 'mismatch', 'got 5 bytes, wanted 6 to 255', 'too short'],
    [echo, ask('70', 0, 4), 'mismatch', 'got 5 bytes, wanted 0 to 4', 'too long'],
    [echo, ask('70', 5, 5), 'ok', 'got 5 bytes', 'as long as it may be and must be'],
    [echo, ask('', 6), 'ok', 'got 5 bytes', 'lengths count only with data'],
    [echo, ask('70696e672122'), 'ok', 'got 5 bytes', 'shorter than what is wanted'],
  ] as const)('%o, %o: %s, %s: %s', async ([behave, options, kind, said]) => {
    const port = await servers.udp(behave)
    const verdict = await probeOnce(udpCheck, io, connectionTo(port), options, { timeout })
    expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
  })

  test.skipIf(skip)('an ICMP port unreachable is a refusal, whether an answer is required or not', async () => {
    const port = await servers.udp(silent)
    const other = testServers()
    const closed = await other.udp(silent)
    await other.close()
    expect(closed).not.toBe(port)
    for (const options of [ask(), ask('')]) {
      const verdict = await probeOnce(udpCheck, io, connectionTo(closed), options, { timeout })
      expect(verdict).toMatchObject({ up: false, class: 'refused' })
    }
  })

  test.skipIf(skip)('IPv6', async () => {
    const port = await servers.udp(echo, '::1')
    expect(await probeOnce(udpCheck, io, connectionTo(port, '::1'), ask(''), { timeout })).toMatchObject({ up: true })
  })

  test.skipIf(skip)('a datagram from a stranger is not an answer', async () => {
    const stranger = createSocket('udp4')
    const bindPort = await servers.closedPort()
    const port = await servers.udp(() => stranger.send('intruder', bindPort, '127.0.0.1'))
    const at = { ...connectionTo(port), bindPort }
    const verdict = await probeOnce(udpCheck, io, at, ask(''), { timeout })
    stranger.close()
    expect(verdict.class).toBe('timeout')
  })
})
