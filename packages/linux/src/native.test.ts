/** The addon as its users see it, in this process; what ends a process or needs its own is in native-process.test.ts. */
import { once } from 'node:events'
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openSocket, prctl, type KernelSocket, type SocketListener, type SocketOptions } from './native.ts'

const AF_UNIX = 1
const AF_INET = 2
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const udp = { domain: AF_INET, type: SOCK_DGRAM, protocol: 0 }
const nothing: SocketListener = { error: () => undefined }
const on = Buffer.of(1, 0, 0, 0)

let opened: KernelSocket[] = []
afterEach(() => {
  for (const socket of opened) socket.close()
  opened = []
})

function open(options: SocketOptions = udp, listener: SocketListener = nothing): KernelSocket {
  const socket = openSocket(options, listener)
  opened.push(socket)
  return socket
}

const loopback = (port = 0): Buffer =>
  Buffer.concat([Buffer.of(AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1), Buffer.alloc(8)])

function bound(listener: SocketListener = nothing, options: SocketOptions = udp): KernelSocket {
  const socket = open(options, listener)
  socket.bind(loopback())
  return socket
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Waits, turn by turn of the event loop, until `done`; a test that waits for ever is ended by its own time limit. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('a message, its sender and its control messages', async () => {
  const got: [Buffer, Buffer | undefined, Buffer | undefined, number][] = []
  const to = bound({ ...nothing, message: (...event) => got.push(event) }, { ...udp, controlBytes: 64 })
  to.setsockopt(0, 12, on) // IP_RECVTTL
  to.start()
  const from = bound()
  expect(from.send(Buffer.from('hello'), to.getsockname())).toBe(5)
  await until(() => got.length > 0)
  const ttl = Buffer.from('1400000000000000 00000000 02000000 40000000'.replaceAll(' ', ''), 'hex')
  expect(got).toEqual([[Buffer.from('hello'), from.getsockname(), expect.anything(), 0]])
  expect(got[0]?.[2]?.subarray(0, 20)).toEqual(ttl)
})

test('ioctl works in place, follows a pointer, and says what was wrong', () => {
  const socket = open()
  const request = (name: string): Buffer => Buffer.concat([Buffer.from(name), Buffer.alloc(40 - name.length)])
  const lo = request('lo')
  socket.ioctl(0x8933, lo) // SIOCGIFINDEX
  expect(lo.readInt32LE(16)).toBe(1)
  const driver = Buffer.alloc(196)
  driver.writeUInt32LE(3) // ETHTOOL_GDRVINFO
  try {
    socket.ioctl(0x8946, request('lo'), driver, 16) // SIOCETHTOOL
    expect(driver.readUInt32LE(0)).toBe(3)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOTSUP' }) // lo has no driver to ask
  }
  expect(() => { socket.ioctl(0x8933, request('nosuch0')) }).toThrow(expect.objectContaining({ code: 'ENODEV', syscall: 'ioctl' })) // prettier-ignore
  expect(() => { socket.ioctl(0x8933, Buffer.alloc(39)) }).toThrow('40 bytes were expected') // prettier-ignore
  expect(() => { socket.ioctl(0x8946, request('lo'), driver, 33) }).toThrow('an offset within the data') // prettier-ignore
})

test('every message has a Buffer of its own', async () => {
  const got: Buffer[] = []
  const to = bound({ ...nothing, message: (data) => got.push(data) })
  to.start()
  for (const text of ['first', 'other']) bound().send(Buffer.from(text), to.getsockname())
  await until(() => got.length === 2)
  expect(got.map(String)).toEqual(['first', 'other'])
})

test('a message longer than the buffer is cut, and says so', async () => {
  const got: [number, number][] = []
  const to = bound({ ...nothing, message: (data, _from, _control, flags) => got.push([data.length, flags]) }, { ...udp, bufferBytes: 3 }) // prettier-ignore
  to.start()
  bound().send(Buffer.from('12345'), to.getsockname())
  await until(() => got.length > 0)
  expect(got).toEqual([[3, 0x20]])
})

test('others have their turn after at most 64 messages, and microtasks at the end of each turn', async () => {
  const log: string[] = []
  const to = bound({ ...nothing, message: () => { log.push('message'); queueMicrotask(() => log.push('microtask')) } }) // prettier-ignore
  const from = bound()
  for (let i = 0; i < 150; i++) from.send(Buffer.of(i), to.getsockname())
  to.start()
  await until(() => log.length === 300)
  const runs = log.join(' ').match(/(?:message ?)+/g) ?? []
  expect(runs.map((run) => run.trim().split(' ').length)).toEqual([64, 64, 22])
})

test('nothing is reported before start, and nothing after stop until the next start', async () => {
  let got = 0
  const to = bound({ ...nothing, message: () => got++ })
  const send = (): number => bound().send(Buffer.of(1), to.getsockname())
  send()
  await turn()
  await turn()
  expect(got).toBe(0)
  to.start()
  await until(() => got === 1)
  to.stop()
  send()
  await turn()
  await turn()
  expect(got).toBe(1)
  to.start()
  await until(() => got === 2)
})

test('the listener may close: the other messages of the turn are not reported', async () => {
  let got = 0
  const to = bound({ ...nothing, message: () => { got++; to.close() } }) // prettier-ignore
  for (let i = 0; i < 5; i++) bound().send(Buffer.of(i), to.getsockname())
  to.start()
  await until(() => to.fd === -1)
  await turn()
  await turn()
  expect(got).toBe(1)
})

test('one socket closes another whose messages wait in the same turn, and its descriptor is used again at once', async () => {
  const log: string[] = []
  const sockets: KernelSocket[] = []
  const reused: KernelSocket[] = []
  for (const name of ['a', 'b', 'c']) {
    sockets.push(
      bound({
        ...nothing,
        message: () => {
          log.push(name)
          for (const socket of sockets) socket.close()
          const successor = open(udp, { ...nothing, message: () => log.push('successor') })
          successor.start()
          reused.push(successor)
        },
      }),
    )
  }
  for (const socket of sockets) bound().send(Buffer.of(1), socket.getsockname())
  for (const socket of sockets) socket.start()
  await until(() => log.length > 0)
  await turn()
  await turn()
  expect(log).toHaveLength(1)
  expect(reused[0]?.fd).toBeGreaterThanOrEqual(0)
})

test('after close every call is EBADF, closing again does nothing', () => {
  const socket = bound()
  socket.close()
  socket.close()
  expect(socket.fd).toBe(-1)
  const bytes = Buffer.alloc(16)
  const calls: (() => unknown)[] = [
    () => { socket.bind(bytes) }, // prettier-ignore
    () => socket.connect(bytes),
    () => { socket.setsockopt(1, 2, on) }, // prettier-ignore
    () => socket.getsockopt(1, 4, 4),
    () => socket.getsockname(),
    () => socket.send(bytes),
    () => { socket.start() }, // prettier-ignore
    () => { socket.stop() }, // prettier-ignore
    () => { socket.awaitWritable() }, // prettier-ignore
    () => { socket.ref() }, // prettier-ignore
    () => { socket.unref() }, // prettier-ignore
    () => socket.detach(),
  ]
  for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: 'EBADF', errno: -9 }))
})

test.for([
  ['socket', { code: 'EAFNOSUPPORT', errno: -97 }, () => openSocket({ domain: 99, type: 2, protocol: 0 }, nothing)],
  [
    'bind',
    { code: 'EADDRINUSE', errno: -98 },
    () => {
      open().bind(bound().getsockname())
    },
  ],
  ['sendmsg', { code: 'EDESTADDRREQ', errno: -89 }, () => open().send(on)],
  [
    'setsockopt',
    { code: 'ENOPROTOOPT', errno: -92 },
    () => {
      open().setsockopt(1, 9999, on)
    },
  ],
  ['getsockopt', { code: 'ENOPROTOOPT', errno: -92 }, () => open().getsockopt(1, 9999, 4)],
  ['connect', { code: 'EINVAL', errno: -22 }, () => open().connect(Buffer.of(1))],
] as const)('a refused %s is an error as Node has them', ([syscall, refusal, call]) => {
  // prettier-ignore
  expect(call).toThrow(expect.objectContaining({ ...refusal, syscall, message: `${syscall} ${refusal.code}` }))
})

test('children do not inherit the descriptor', () => {
  const socket = open()
  const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${socket.fd}`, 'latin1'))?.[1] ?? ''
  expect(Number.parseInt(flags, 8) & 0o2_004_000).toBe(0o2_004_000) // O_CLOEXEC, O_NONBLOCK
  const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })
  expect(stdout).not.toContain(`socket:[${fstatSync(socket.fd).ino}]`)
})

test('an error on the socket is told with its true name, and the socket works on', async () => {
  const log: string[] = []
  const socket = bound({ message: (data) => log.push(String(data)), error: (error) => log.push(error.message) })
  socket.start()
  const gone = bound()
  const nobody = gone.getsockname()
  gone.close()
  socket.connect(nobody)
  socket.send(Buffer.of(1))
  await until(() => log.length === 1)
  expect(log).toEqual(['poll ECONNREFUSED'])
  const peer = bound()
  socket.connect(peer.getsockname())
  peer.send(Buffer.from('still there'), socket.getsockname())
  await until(() => log.length === 2)
  expect(log[1]).toBe('still there')
})

test('what waits in the error queue comes as a message', async () => {
  const flags: number[] = []
  const socket = bound({ message: (_data, _from, _control, flag) => flags.push(flag), error: () => undefined }, { ...udp, controlBytes: 128 }) // prettier-ignore
  socket.setsockopt(0, 11, on) // IP_RECVERR
  const gone = bound()
  const nobody = gone.getsockname()
  gone.close()
  socket.start()
  socket.send(Buffer.of(1), nobody)
  await until(() => flags.length > 0)
  expect(flags).toContain(0x2000)
})

test('a full receiver is -1, and writable comes when it has room again', async () => {
  const address = Buffer.concat([Buffer.of(AF_UNIX, 0, 0), Buffer.from(`linux-test-${process.pid}`)])
  const unix = { domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0 }
  let received = 0
  let writable = 0
  const receiver = open(unix, { ...nothing, message: () => received++ })
  receiver.bind(address)
  const sender = open(unix, { ...nothing, writable: () => writable++ })
  sender.connect(address)
  let sent = 0
  while (sender.send(Buffer.of(1)) === 1) sent++
  expect(sent).toBeGreaterThan(0)
  sender.awaitWritable()
  await turn()
  await turn()
  expect(writable).toBe(0)
  receiver.start()
  await until(() => received === sent && writable > 0)
  expect(writable).toBe(1)
  expect(sender.send(Buffer.of(1))).toBe(1)
})

test('a stream: connect under way, then its outcome; the end is an empty message, once', async () => {
  const server = createServer((socket) => socket.end('bye')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const log: string[] = []
  const stream = { domain: AF_INET, type: SOCK_STREAM, protocol: 0 }
  const socket = open(stream, { error: (error) => log.push(error.message), message: (data) => log.push(`<${String(data)}>`), writable: () => log.push('writable') }) // prettier-ignore
  socket.connect(loopback((server.address() as AddressInfo).port))
  socket.awaitWritable()
  await until(() => log.length === 1)
  expect(socket.getsockopt(1, 4, 4)).toEqual(Buffer.alloc(4)) // SO_ERROR
  socket.start()
  await until(() => log.includes('<>'))
  await turn()
  await turn()
  expect(log).toEqual(['writable', '<bye>', '<>'])
  server.close()
})

test('a refused connect is told by writable and SO_ERROR, or by the error', async () => {
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port } = gone.address() as AddressInfo
  gone.close()
  await once(gone, 'close')
  const log: string[] = []
  const stream = { domain: AF_INET, type: SOCK_STREAM, protocol: 0 }
  const socket = open(stream, { error: (error) => log.push(error.code), writable: () => log.push(`SO_ERROR ${socket.getsockopt(1, 4, 4).readInt32LE()}`) }) // prettier-ignore
  socket.connect(loopback(port))
  socket.awaitWritable()
  await until(() => log.length === 1)
  expect(['ECONNREFUSED', 'SO_ERROR 111']).toContain(log[0])
})

test('detach gives the open descriptor away', () => {
  const socket = bound()
  const { fd } = socket
  expect(socket.detach()).toBe(fd)
  expect(socket.fd).toBe(-1)
  socket.close()
  expect(fstatSync(fd).isSocket()).toBe(true)
  closeSync(fd)
})

test('a thousand sockets leave no descriptor behind, also those that could not be made', async () => {
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 1000; i++) {
    const socket = openSocket(udp, nothing)
    if (i % 2 === 0) socket.start()
    socket.close()
    expect(() => openSocket({ ...udp, protocol: 250 }, nothing)).toThrow()
  }
  await turn()
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2)
})

test('prctl takes numbers and bytes, and its refusal is an error', () => {
  const read = Buffer.alloc(16)
  prctl(16, read) // PR_GET_NAME
  prctl(15, Buffer.from('addon test\0'))
  const renamed = Buffer.alloc(16)
  prctl(16, renamed)
  prctl(15, read)
  expect(renamed.toString('latin1', 0, renamed.indexOf(0))).toBe('addon test')
  expect(prctl(7)).toBe(0) // PR_GET_KEEPCAPS
  expect(() => prctl(-1)).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: 'prctl' }))
})
