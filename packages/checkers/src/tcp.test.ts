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
