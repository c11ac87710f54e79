import { readFileSync, writeFileSync } from 'node:fs'
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
