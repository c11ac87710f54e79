import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Dialer, type DialFailure } from './dialer.ts'
import { addonAvailable } from './native.ts'

if (!addonAvailable()) console.warn('the dialer is not tested: the native addon is not built')
const dialled = test.skipIf(!addonAvailable())

const servers: Server[] = []
const children: ChildProcess[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

/** The port of a server that accepts nothing while it is stopped, and whose queue is full. */
async function deaf(): Promise<number> {
  const script = "require('net').createServer().listen(0,'127.0.0.1',1,function(){console.log(this.address().port)})"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (line) => resolve(Number(line))))
  child.kill('SIGSTOP')
  await expect.poll(() => /^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'))).toBe(true)
  for (let i = 0; i < 4; i++) sockets.push(connect({ host: '127.0.0.1', port }).on('error', () => undefined))
  await expect.poll(() => sockets.filter((socket) => !socket.connecting).length).toBeGreaterThan(1)
  return port
}

/** A server on all of 127.0.0.0/8, and how often a connection was accepted. */
async function serve(): Promise<{ readonly port: number; readonly accepted: () => number }> {
  let accepted = 0
  const server = createServer((socket) => {
    accepted++
    socket.on('error', () => undefined).destroy()
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 }, resolve))
  return { port: (server.address() as AddressInfo).port, accepted: () => accepted }
}

/** struct sockaddr_in; the kernel connects to no broadcast address. */
const broadcast = Buffer.from([0, 0, 0, 80, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0])
new Uint16Array(broadcast.buffer, broadcast.byteOffset, 1)[0] = 2
function sockaddr(port: number, host = 1): Buffer {
  const address = Buffer.from([0, 0, 0, 0, 127, 0, host >> 8, host & 255, 0, 0, 0, 0, 0, 0, 0, 0])
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = 2
  address.writeUInt16BE(port, 2)
  return address
}

function dial(dialer: Dialer, place: number, address: Uint8Array, itself = false): void {
  dialer.setAddress(place, address, itself)
  dialer.add(place)
}

interface Desk {
  readonly dialer: Dialer
  /** By place: `ok`, or when and how it failed. */
  readonly told: Map<number, string>
  readonly until: (count: number) => Promise<void>
}

function desk(also: (place: number) => void = () => undefined): Desk {
  const told = new Map<number, string>()
  const dialer = new Dialer((place, failure: DialFailure | undefined) => {
    expect(told.has(place)).toBe(false)
    told.set(place, failure === undefined ? 'ok' : `${failure.when} ${failure.error.code}`)
    also(place)
  })
  return {
    dialer,
    told,
    until: (count) =>
      expect
        .poll(() => told.size, { timeout: 5000 })
        .toBe(count)
        .then(() => undefined),
  }
}

dialled('hundreds at once: each is told of once, and accepted', async () => {
  const { port, accepted } = await serve()
  const { dialer, told, until } = desk()
  for (let place = 0; place < 300; place++) dial(dialer, place, sockaddr(port, place + 1))
  dialer.go()
  await until(300)
  expect([...new Set(told.values())]).toEqual(['ok'])
  await expect.poll(accepted).toBe(300)
})

dialled('a refusal, and what the kernel refuses at once', async () => {
  const { port } = await serve()
  await new Promise((resolve) => servers.splice(0)[0]?.close(resolve))
  const { dialer, told, until } = desk()
  dial(dialer, 3, sockaddr(port))
  dial(dialer, 4, broadcast)
  dialer.go()
  await until(2)
  expect(told.get(3)).toBe('there ECONNREFUSED')
  expect(told.get(4)).toMatch(/^here E/)
})

dialled('what is hung up on is not told of, and its place is free for another', async () => {
  const { port } = await serve()
  const silent = await deaf()
  const { dialer, told, until } = desk()
  dial(dialer, 6, sockaddr(silent))
  dialer.go()
  const before = readdirSync('/proc/self/fd').length
  for (let round = 0; round < 100; round++) {
    dial(dialer, 7, sockaddr(silent))
    if (round % 2 === 0) dialer.go()
    dialer.hangUp(7)
  }
  dialer.go()
  expect(readdirSync('/proc/self/fd')).toHaveLength(before)
  dial(dialer, 8, sockaddr(silent))
  dial(dialer, 7, sockaddr(port))
  dialer.go()
  await until(1)
  expect(told.get(7)).toBe('ok')
  const open = readdirSync('/proc/self/fd').length
  dialer.hangUp(8)
  expect(readdirSync('/proc/self/fd')).toHaveLength(open - 1)
})

dialled('one that answers later is told of by a later turn', async () => {
  const silent = await deaf()
  const { dialer, told, until } = desk()
  dial(dialer, 5, sockaddr(silent))
  dialer.go()
  expect(told.size).toBe(0)
  for (const child of children) child.kill('SIGCONT')
  await until(1)
  expect(told.get(5)).toBe('ok')
})

dialled('whoever is told may hang up on those of the same turn, and dial anew', async () => {
  const { port } = await serve()
  const others = Array.from({ length: 40 }, (_, n) => n + 1)
  const { dialer, told, until } = desk((place) => {
    if (place !== 0) return
    for (const other of others) dialer.hangUp(other)
    dial(dialer, 50, sockaddr(port))
    dial(dialer, 1, sockaddr(port))
    dialer.go()
  })
  for (const place of [0, ...others]) dial(dialer, place, sockaddr(port, place + 1))
  dialer.go()
  await until(3)
  expect([...told.keys()].sort((a, b) => a - b)).toEqual([0, 1, 50])
})

dialled('a place is dialled thousands of times, and there are so many places', async () => {
  const { port, accepted } = await serve()
  const places = [0, 2 ** 20 - 1]
  let told = 0
  const dialer = new Dialer((place, failure) => {
    expect([places.includes(place), failure?.error.code]).toEqual([true, undefined])
    told++
  })
  for (const place of places) dialer.setAddress(place, sockaddr(port), false)
  for (let round = 1; round <= 2100; round++) {
    for (const place of places) dialer.add(place)
    dialer.go()
    if (told < 2 * round) await expect.poll(() => told, { interval: 1 }).toBe(2 * round)
    // The server's queue is not without end, and it shares this loop.
    if (round % 200 === 0) await expect.poll(accepted, { interval: 1 }).toBe(told)
  }
  expect(() => {
    dialer.setAddress(2 ** 20, sockaddr(port), false)
  }).toThrow(RangeError)
})
