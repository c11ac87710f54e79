import { address, millis } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { afterAll, describe, expect, test } from 'vitest'
import { createNodeIo } from './io/node-io.ts'
import { tcpCheck } from './tcp.ts'
import { connectionTo } from './testing/checks.ts'
import { probeOnce } from './testing/probe.ts'
import { testServers } from './testing/servers.ts'

const servers = testServers()
afterAll(() => servers.close())
const hex = (text: string): string => Buffer.from(text).toString('hex')

describe.each([
  ['node:net', false],
  ['kernel sockets', true],
])('over %s', (_, kernelSockets) => {
  const io = createNodeIo({ kernelSockets })
  const usable = !kernelSockets || addonAvailable()

  test.runIf(usable)('an open port is up, and is closed again', async () => {
    let closed: (() => void) | undefined
    const whenClosed = new Promise<void>((resolve) => (closed = resolve))
    const port = await servers.tcp((socket) => {
      socket.resume()
      socket.on('end', () => closed?.())
    })
    const verdict = await probeOnce(tcpCheck, io, connectionTo(port))
    expect(verdict).toMatchObject({ up: true, class: 'ok' })
    expect(verdict.reason).toMatch(new RegExp(`^connected to 127.0.0.1:${port} after [\\d.]+ ms$`))
    await whenClosed
  })

  test.runIf(usable)('IPv6', async () => {
    const port = await servers.tcp((socket) => socket.end(), '::1')
    expect(await probeOnce(tcpCheck, io, connectionTo(port, '::1'))).toMatchObject({
      up: true,
      reason: expect.stringContaining(`[::1]:${port}`) as string,
    })
  })

  test.runIf(usable)('a closed port refuses', async () => {
    const port = await servers.closedPort()
    expect(await probeOnce(tcpCheck, io, connectionTo(port))).toMatchObject({
      up: false,
      class: 'refused',
      reason: `connection refused: 127.0.0.1:${port}`,
    })
  })

  test.runIf(usable)('from the address and port asked for', async () => {
    const seen: string[] = []
    const port = await servers.tcp((socket) => {
      seen.push(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`)
      socket.end()
    })
    const bindPort = await servers.closedPort()
    const bindAddress = address('127.0.0.9')
    expect(await probeOnce(tcpCheck, io, { ...connectionTo(port), bindAddress, bindPort })).toMatchObject({ up: true })
    await expect.poll(() => seen).toEqual([`127.0.0.9:${bindPort}`])
  })

  test.runIf(usable)('an address that is not ours is our own failure', async () => {
    const port = await servers.tcp((socket) => socket.end())
    const at = { ...connectionTo(port), bindAddress: address('198.51.100.77') }
    expect(await probeOnce(tcpCheck, io, at)).toMatchObject({ up: false, class: 'local' })
  })

  test.runIf(usable).for([
    ['PONG\r\n', { kind: 'text', hex: hex('PONG') }, 'ok', 'got what was expected from 127.0.0.1:'],
    ['+OK ready', { kind: 'text', hex: hex('ready') }, 'ok', 'got what was expected'],
    ['-ERR', { kind: 'text', hex: hex('+OK') }, 'mismatch', 'got 4 bytes, not what was expected from'],
    ['', { kind: 'text', hex: hex('+OK') }, 'protocol', 'closed without an answer from'],
    ['J\x00\x0a5.7', { kind: 'bytes', pattern: { bytes: '4a000a', mask: 'ffff0f' } }, 'ok', 'got what'],
    ['x', { kind: 'bytes', pattern: { bytes: '7878', mask: 'ffff' } }, 'mismatch', 'got 1 byte,'],
    ['version 8.1', { kind: 'regex', pattern: { source: '^version 8\\.', options: [] } }, 'ok', 'got what'],
    ['y'.repeat(70_000), { kind: 'text', hex: hex('x') }, 'mismatch', 'not what was expected in them from'],
  ] as const)('told PING it says %j, expected %o: %s', async ([answer, expected, kind, said]) => {
    const heard: string[] = []
    const port = await servers.tcp((socket) => {
      socket.on('data', (data) => {
        heard.push(data.toString())
        socket.end(answer, 'latin1')
      })
    })
    const verdict = await probeOnce(tcpCheck, io, connectionTo(port), { send: hex('PING'), expect: expected })
    expect([verdict.class, verdict.reason]).toEqual([kind, expect.stringContaining(said)])
    expect(heard).toEqual(['PING'])
  })

  test.runIf(usable)('a regex that takes for ever is tried once, not with every byte', async () => {
    const port = await servers.tcp((socket) => {
      socket.write(`${'a'.repeat(40)}!`)
      const timer = setInterval(() => socket.write('b'), 10)
      socket.on('close', () => {
        clearInterval(timer)
      })
    })
    const options = { send: undefined, expect: { kind: 'regex', pattern: { source: '(a+)+$', options: [] } } }
    const verdict = await probeOnce(tcpCheck, io, connectionTo(port), options, { timeout: millis(5000) })
    expect(verdict).toMatchObject({ class: 'mismatch', reason: expect.stringContaining('took too long') as string })
  })

  test.runIf(usable)('expected, and never said', async () => {
    const port = await servers.tcp((socket) => socket.resume())
    const options = { send: undefined, expect: { kind: 'text', hex: hex('220') } }
    const verdict = await probeOnce(tcpCheck, io, connectionTo(port), options, { timeout: millis(200) })
    expect(verdict).toMatchObject({ class: 'timeout', reason: expect.stringContaining('no answer from') as string })
  })

  test.runIf(usable)('a full backlog never answers: timeout', async () => {
    const port = await servers.deaf()
    const verdict = await probeOnce(tcpCheck, io, connectionTo(port), {}, { timeout: millis(300) })
    expect(verdict).toMatchObject({ up: false, class: 'timeout' })
    expect(verdict.reason).toMatch(/^no connection to 127\.0\.0\.1:\d+ after 3\d\d(\.\d)? ms$/)
    expect(verdict.took).toBeGreaterThanOrEqual(300)
  })
})

test.runIf(addonAvailable() && process.getuid?.() === 0)('marks and interfaces', async () => {
  const io = createNodeIo()
  const port = await servers.tcp((socket) => socket.end())
  const at = connectionTo(port)
  expect(await probeOnce(tcpCheck, io, { ...at, fwmark: 7, bindInterface: 'lo' })).toMatchObject({ up: true })
  expect(await probeOnce(tcpCheck, io, { ...at, bindInterface: 'nosuch0' })).toMatchObject({ class: 'local' })
})
