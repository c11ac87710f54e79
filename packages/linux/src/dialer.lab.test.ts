import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { Dialer } from './dialer.ts'

const range = '/proc/sys/net/ipv4/ip_local_port_range'

test.each([
  { case: 'where it may be', port: 40_007, mayBe: true, said: 'itself' },
  { case: 'where nobody looks', port: 40_009, mayBe: false, said: 'opened' },
])('a connection with itself, $case', async ({ port, mayBe, said }) => {
  const before = readFileSync(range)
  try {
    // The kernel has one port to choose from, which is the one that is dialled.
    writeFileSync(range, `${port} ${port}`)
    const told: string[] = []
    const dialer = new Dialer((_, failure) => {
      told.push(failure?.when ?? 'opened')
    })
    const address = Buffer.from([2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    dialer.setAddress(0, address, mayBe)
    dialer.add(0)
    dialer.go()
    await expect.poll(() => told).toEqual([said])
  } finally {
    writeFileSync(range, before)
  }
})

/** Segments of TCP sent on this machine. */
function segments(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'utf8').match(/^Tcp:.*$/gm) ?? []
  return Number(values.split(' ')[names.split(' ').indexOf('OutSegs')])
}

test('the handshake ends with the packet that closes', async () => {
  let closed = 0
  const server = createServer((socket) => {
    socket.on('close', () => closed++).resume()
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const { port } = server.address() as AddressInfo
  const before = segments()
  const dialer = new Dialer(() => undefined)
  for (let place = 0; place < 20; place++) {
    dialer.setAddress(place, Buffer.from([2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), false)
    dialer.add(place)
  }
  dialer.go()
  await expect.poll(() => closed).toBe(20)
  // SYN, SYN and ACK, FIN and ACK; then the other end's ACK and FIN and our ACK.
  expect((segments() - before) / 20).toBeLessThanOrEqual(6)
  expect((segments() - before) / 20).toBeGreaterThanOrEqual(5)
  server.close()
})
