import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSocket, type KernelSocket } from './native.ts'
import { openUnixDatagrams, unixAddress, type UnixDatagrams } from './unix-datagram.ts'

let folder: string
let open: { close(): void }[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dgram-'))
})
afterEach(() => {
  for (const each of open) each.close()
  open = []
  rmSync(folder, { recursive: true })
})

function reader(path: string): { socket: KernelSocket; got: string[] } {
  const got: string[] = []
  const socket = openSocket(
    { domain: 1, type: 2, protocol: 0 },
    { message: (data) => void got.push(data.toString()), error: () => undefined },
  )
  socket.bind(unixAddress(path))
  open.push(socket)
  return { socket, got }
}

function sender(path: string, options: { keep?: number } = {}): UnixDatagrams {
  const made = openUnixDatagrams({ path, retryAfter: 5, ...options })
  open.push(made)
  return made
}

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('the address: family, path, NUL; an abstract name has its NUL before', () => {
  expect(unixAddress('/a').toString('hex')).toBe('01002f6100')
  expect(unixAddress('@a').toString('hex')).toBe('01000061')
  expect(() => unixAddress('/'.repeat(108))).toThrow(RangeError)
})

test('a slow reader is waited for: all arrive, in order', async () => {
  const path = join(folder, 's')
  const { socket, got } = reader(path)
  const to = sender(path)
  const sent = Array.from({ length: 500 }, (_, i) => `line ${i}`)
  for (const line of sent) to.send(Buffer.from(line))
  expect(to.waiting).toBeGreaterThan(0)
  socket.start()
  await to.drain(5000)
  await until(() => got.length === sent.length)
  expect(got).toEqual(sent)
  expect(to.lost).toBe(0)
})

test('a reader that is not there yet, and one that comes back', async () => {
  const path = join(folder, 's')
  const to = sender(path)
  to.send(Buffer.from('early'))
  expect(to.trouble).toBe('connect ENOENT')
  const first = reader(path)
  first.socket.start()
  await until(() => first.got.length === 1)
  expect(to.trouble).toBeUndefined()
  first.socket.close()
  rmSync(path)
  to.send(Buffer.from('while it is gone'))
  expect(to.waiting).toBe(1)
  const second = reader(path)
  second.socket.start()
  await until(() => second.got.length === 1)
  expect(second.got).toEqual(['while it is gone'])
})

test('a reader that hangs costs its room and no time; what waits arrives when it reads again', async () => {
  const path = join(folder, 's')
  const { socket, got } = reader(path)
  const to = sender(path, { keep: 100 })
  const sent = Array.from({ length: 5000 }, (_, i) => `line ${i}`)
  let turns = 0
  const turning = setInterval(() => turns++, 1)
  for (const line of sent) {
    to.send(Buffer.from(line))
    if (to.waiting === 100) await new Promise((resolve) => setImmediate(resolve))
  }
  await to.drain(20)
  clearInterval(turning)
  const taken = sent.length - to.lost
  expect([to.waiting, turns > 0, taken < 1000]).toEqual([100, true, true])
  socket.start()
  await to.drain(5000)
  await until(() => got.length === taken)
  expect([got, to.waiting]).toEqual([sent.slice(0, taken), 0])
})

test('beyond its room lines are lost and counted; draining ends in time', async () => {
  const to = sender(join(folder, 'nobody'), { keep: 3 })
  for (let i = 0; i < 5; i++) to.send(Buffer.from('x'))
  expect([to.waiting, to.lost]).toEqual([3, 2])
  await to.drain(10)
  expect(to.waiting).toBe(3)
})
