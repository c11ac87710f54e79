import { fc, test as property } from '@fast-check/vitest'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { knockEnd, Knocks } from './knocks.ts'
import { addonAvailable, openSocket, type KernelSocket } from './native.ts'
import { checksumOf, decodeSegment, encodeSegment, type Segment } from './testing/index.ts'

const able = addonAvailable() && process.getuid?.() === 0
if (!able) console.warn('SYNs are not sent: they need the native addon and CAP_NET_RAW')
const raw = test.skipIf(!able)

/** linux/in.h, linux/in6.h */
const v4 = { domain: 2, type: 3, protocol: 6 }
const v6 = { ...v4, domain: 10 }
const IP_PKTINFO = 8
const IPV6_CHECKSUM = 7

const sockets: KernelSocket[] = []
const servers: Server[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
  for (const server of servers.splice(0)) server.close()
})

function open(options: typeof v4, message?: (data: Buffer) => void): KernelSocket {
  const socket = openSocket(options, { ...(message === undefined ? {} : { message }), error: () => undefined })
  sockets.push(socket)
  return socket
}

const int = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer)
const me = Buffer.of(127, 0, 0, 1)
const six = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
const family = (domain: number): Buffer => Buffer.from(Uint16Array.of(domain).buffer)
const sockaddr = (host: number): Buffer =>
  Buffer.concat([family(2), Buffer.of(0, 0, 127, 0, host >> 8, host & 255), Buffer.alloc(8)])
const sockaddr6 = Buffer.concat([family(10), Buffer.alloc(6), six, Buffer.alloc(4)])

/** A port of this machine that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function serve(host: string): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  servers.push(server)
  await new Promise<void>((resolve) => server.listen({ host, port: 0, backlog: 4096 }, resolve))
  return (server.address() as AddressInfo).port
}

interface Desk {
  readonly knocks: Knocks
  readonly own: number
  /** `slot end`, in the order in which it was told. */
  readonly told: string[]
  /** A server that is asked from 127.0.0.1. */
  readonly slot: (host: number, port: number) => number
  readonly until: (count: number) => Promise<void>
}

async function desk(also: (slot: number) => void = () => undefined, options = v4): Promise<Desk> {
  const own = await freePort()
  const told: string[] = []
  const socket = openSocket(options, { readable: () => { knocks.hear() }, error: () => undefined }) // prettier-ignore
  sockets.push(socket)
  if (options === v6) socket.setsockopt(41, IPV6_CHECKSUM, int(16))
  else socket.bind(sockaddr(1))
  const knocks = new Knocks(socket, { port: own, source: options === v4 ? me : undefined }, (slot, end) => {
    told.push(`${slot} ${end}`)
    also(slot)
  })
  socket.start(true)
  return {
    knocks,
    own,
    told,
    slot: (host, port) => knocks.open(sockaddr(host), port),
    until: (count) =>
      expect
        .poll(() => told.length, { timeout: 5000 })
        .toBe(count)
        .then(() => undefined),
  }
}

const ask = ({ knocks }: Desk, ...slots: number[]): void => {
  for (const slot of slots) knocks.ask(slot)
  knocks.go()
}

raw('golden bytes of a SYN, with its checksum', async () => {
  const port = await freePort()
  const heard: Buffer[] = []
  open(v4, (data) => heard.push(data)).start()
  const at = await desk()
  ask(at, at.slot(5, port))
  await expect.poll(() => heard.filter((data) => data.readUInt16BE(22) === port)).toHaveLength(1)
  const packet = heard.find((data) => data.readUInt16BE(22) === port) ?? Buffer.alloc(0)
  expect(packet.subarray(12, 20)).toEqual(Buffer.of(127, 0, 0, 1, 127, 0, 0, 5))
  const syn = packet.subarray(20)
  const [from, to] = [at.own, port].map((one) => one.toString(16).padStart(4, '0'))
  expect(syn.toString('hex')).toBe(
    `${from}${to}${syn.toString('hex', 4, 8)}000000006002faf0${syn.toString('hex', 16, 18)}0000020405b4`,
  )
  expect(checksumOf(syn, { source: packet.subarray(12, 16), destination: packet.subarray(16, 20) })).toBe(0xffff)
})

raw('IPv6: the kernel makes the checksum', async () => {
  const port = await freePort()
  const heard: Buffer[] = []
  open(v6, (data) => heard.push(data)).start()
  const at = await desk(undefined, v6)
  ask(at, at.knocks.open(sockaddr6, port))
  await at.until(1)
  await expect.poll(() => heard.filter((data) => data.readUInt16BE(2) === port)).toHaveLength(1)
  const syn = heard.find((data) => data.readUInt16BE(2) === port) ?? Buffer.alloc(0)
  expect(decodeSegment(syn)).toMatchObject({ from: at.own, to: port, acknowledged: 0, flags: 0x02 })
  expect(checksumOf(syn, { source: six, destination: six })).toBe(0xffff)
  expect(at.told).toEqual([`0 ${knockEnd.refused}`])
})

raw('hundreds at once: each is told of once', async () => {
  const [port, closed] = [await serve('0.0.0.0'), await freePort()]
  const at = await desk()
  const slots = Array.from({ length: 300 }, (_, n) => at.slot(n + 1, n % 3 === 0 ? closed : port))
  for (let round = 1; round <= 3; round++) {
    ask(at, ...slots)
    await at.until(300 * round)
    const wanted = slots.map((slot) => `${slot} ${slot % 3 === 0 ? knockEnd.refused : knockEnd.answered}`)
    expect(at.told.slice(300 * (round - 1)).sort()).toEqual(wanted.sort())
  }
})

raw('what cannot be sent does not keep the others from it', async () => {
  const at = await desk()
  const port = await serve('0.0.0.0')
  const [good, next, last] = [at.slot(1, port), at.slot(3, port), at.slot(4, port)]
  const nobody = Buffer.concat([family(2), Buffer.of(0, 0, 255, 255, 255, 255), Buffer.alloc(8)])
  const bad = at.knocks.open(nobody, port)
  ask(at, good, bad, next, last)
  await at.until(4)
  const EACCES = 13
  const ends = new Map(at.told.map((said) => said.split(' ').map(Number) as [slot: number, end: number]))
  expect([good, next, last].map((slot) => ends.get(slot))).toEqual([0, 0, 0])
  expect(ends.get(bad)).toBe(EACCES)
})

/** Room as knock.h wants it, for two servers; the second, 127.0.0.`host`, waits for an answer to this number. */
function tables(
  port: number,
  sequence: number,
  host = 9,
): { servers: Int32Array; index: Int32Array; asked: Int32Array; ends: Int32Array } {
  const servers = new Int32Array(20)
  new Uint8Array(servers.buffer).set(sockaddr(host), 40)
  servers.set([port, sequence], 18)
  const index = new Int32Array(8)
  index[sequence & 7] = 1
  return { servers, index, asked: new Int32Array(64), ends: new Int32Array(640) }
}

raw('only the server asked, with the number that it got, ends the waiting', async () => {
  const [port, own] = [await freePort(), await freePort()]
  const out = open(v4)
  const ear = open(v4)
  const sequence = 0x7fffffff
  const forge = (host: number, changes: Partial<Segment>): void => {
    const source = Buffer.of(127, 0, 0, host)
    const control = Buffer.concat([int(28), int(0), int(0), int(IP_PKTINFO), int(0), source, Buffer.alloc(8)])
    const fields = { from: port, to: own, sequence: 1, acknowledged: sequence + 1, flags: 0x12, ...changes }
    out.send(encodeSegment(fields, { source, destination: me }), sockaddr(1), control)
  }
  const { servers, index, asked, ends } = tables(port, sequence)
  const hear = (): number[] => [...ends.subarray(0, 2 * ear.knock(own, servers, index, asked, 0, ends))]
  const strangers: readonly (readonly [host: number, changes: Partial<Segment>])[] = [
    [9, { acknowledged: sequence }],
    [9, { acknowledged: sequence + 9 }],
    [9, { from: port ^ 1 }],
    [9, { to: own ^ 1 }],
    [9, { flags: 0x02 }],
    [9, { flags: 0x10 }],
    [9, { flags: 0x04 }],
    [8, {}],
  ]
  for (const [host, changes] of strangers) {
    forge(host, changes)
    expect([changes, hear()]).toEqual([changes, []])
  }
  forge(9, {})
  forge(9, {})
  expect(hear()).toEqual([1, knockEnd.answered])
  expect([servers[19], index[sequence & 7]]).toEqual([0, -1])
  servers[19] = sequence
  index[sequence & 7] = 1
  forge(9, { flags: 0x14 })
  expect(hear()).toEqual([1, knockEnd.refused])
  // Nobody waits: 0 is no number.
  forge(9, { acknowledged: 1 })
  index[0] = 1
  expect(hear()).toEqual([])
})

raw('a segment that is cut short, and an index that leads nowhere', async () => {
  const [port, own] = [await freePort(), await freePort()]
  const out = open(v4)
  const ear = open(v4)
  const { servers, index, asked, ends } = tables(port, 5, 1)
  const whole = encodeSegment(
    { from: port, to: own, sequence: 1, acknowledged: 6, flags: 0x12 },
    { source: me, destination: me },
  )
  const hear = (): number => ear.knock(own, servers, index, asked, 0, ends)
  for (const slot of [2, -1, 0x7fffffff]) {
    index[5] = slot
    for (let n = 0; n < 20; n++) out.send(whole, sockaddr(1))
    expect(hear()).toBe(0)
  }
  // What is missing is still where the whole ones were read.
  index[5] = 1
  for (let length = 0; length < whole.length; length++) out.send(whole.subarray(0, length), sockaddr(1))
  expect(hear()).toBe(0)
  out.send(whole, sockaddr(1))
  expect(hear()).toBe(1)
})

raw('arguments that do not fit are refused', () => {
  const socket = open(v4)
  const { servers, index, asked, ends } = tables(1, 1)
  const knock =
    (...given: Parameters<KernelSocket['knock']>) =>
    () =>
      socket.knock(...given)
  expect(knock(1, servers, new Int32Array(6), asked, 0, ends)).toThrow('an index of a power of two')
  expect(knock(1, servers, new Int32Array(0), asked, 0, ends)).toThrow('an index of a power of two')
  expect(knock(1, servers, index, new Int32Array(100), 65, ends)).toThrow('at most 64 servers')
  expect(knock(1, servers, index, new Int32Array(3), 4, ends)).toThrow('at most 64 servers')
  expect(knock(1, servers, index, asked, -1, ends)).toThrow('at most 64 servers')
  expect(knock(1, servers, index, asked, 0, new Int32Array(639))).toThrow('room for 320 ends')
  expect(knock(1, servers, index, Int32Array.of(2), 1, ends)).toThrow('servers of the table')
  expect(knock(1, servers, index, Int32Array.of(-1), 1, ends)).toThrow('servers of the table')
  expect(knock(1, servers.subarray(1), index, Int32Array.of(1), 1, ends)).toThrow('servers of the table')
  expect(knock(1, new Uint8Array(80) as never, index, asked, 0, ends)).toThrow('an Int32Array was expected')
  socket.close()
  expect(knock(1, servers, index, asked, 0, ends)).toThrow(expect.objectContaining({ code: 'EBADF' }))
})

raw('whoever is told may give up others of the same turn, and ask anew', async () => {
  const port = await serve('0.0.0.0')
  const others: number[] = []
  const at = await desk((slot) => {
    if (slot !== 0 || at.told.length > 1) return
    for (const other of others) at.knocks.giveUp(other)
    ask(at, 0, 1)
  })
  const first = at.slot(1, port)
  for (let n = 0; n < 40; n++) others.push(at.slot(n + 2, port))
  ask(at, first, ...others)
  await at.until(3)
  expect([...at.told].sort()).toEqual(['0 0', '0 0', '1 0'])
})

/** A kernel that keeps what it is asked, and answers what it is told to. */
class FakeSocket {
  /** Slots of the SYNs sent, and their numbers. */
  readonly sent: (readonly [slot: number, sequence: number])[] = []
  answers: number[] = []
  index: Int32Array = new Int32Array()

  knock(_: number, servers: Int32Array, index: Int32Array, asked: Int32Array, count: number, ends: Int32Array): number {
    this.index = index
    for (const slot of asked.subarray(0, count)) this.sent.push([slot, servers[slot * 10 + 9] ?? 0])
    const found = this.answers.splice(0).flatMap((sequence) => {
      const slot = index[sequence & (index.length - 1)] ?? -1
      if (sequence === 0 || servers[slot * 10 + 9] !== sequence) return []
      servers[slot * 10 + 9] = 0
      index[sequence & (index.length - 1)] = -1
      return [slot, knockEnd.answered]
    })
    ends.set(found)
    return found.length / 2
  }
}

type Step = readonly [what: 'ask' | 'answer' | 'giveUp' | 'open', slot: number]
const step = fc.tuple(fc.constantFrom<Step[0]>('ask', 'ask', 'answer', 'giveUp', 'open'), fc.nat(400))

property.prop([fc.array(step, { maxLength: 400 }), fc.integer({ min: 1, max: 200 })])(
  'whatever is asked, given up and answered: each answer is told to who waits for it, and to nobody else',
  (steps, beginning) => {
    const socket = new FakeSocket()
    const told: number[] = []
    const knocks = new Knocks(socket, { port: 1, source: me }, (slot) => told.push(slot))
    let size = 0
    for (; size < beginning; size++) knocks.open(sockaddr(size), 80)
    const waiting = new Map<number, number>()
    for (const [what, wish] of steps) {
      const slot = wish % size
      if (what === 'open') expect(knocks.open(sockaddr(size), 80)).toBe(size++)
      else if (what === 'ask' && !waiting.has(slot)) {
        knocks.ask(slot)
        knocks.go()
        const [to, sequence = 0] = socket.sent.at(-1) ?? []
        expect(to).toBe(slot)
        expect([...waiting.values()]).not.toContain(sequence)
        waiting.set(slot, sequence)
      } else if (what === 'giveUp') {
        knocks.giveUp(slot)
        waiting.delete(slot)
      } else if (what === 'answer') {
        const sequence = waiting.get(slot)
        expect(sequence === undefined || knocks.slotOf(sequence) === slot).toBe(true)
        socket.answers.push(...socket.sent.filter(([to]) => to === slot).map(([, each]) => each))
        knocks.hear()
        expect(told.splice(0)).toEqual(waiting.delete(slot) ? [slot] : [])
      }
      // A place that stayed taken would one day be the last.
      if (socket.index.length > 0) {
        knocks.hear()
        expect([...socket.index].filter((taken) => taken >= 0).sort()).toEqual([...waiting.keys()].sort())
      }
    }
  },
)

test('what is given up before it went out is not sent, and a slot that is closed is used again', () => {
  const socket = new FakeSocket()
  const knocks = new Knocks(socket, { port: 1, source: me }, () => undefined)
  const [first, second] = [knocks.open(sockaddr(1), 80), knocks.open(sockaddr(2), 80)]
  knocks.ask(first)
  knocks.ask(second)
  knocks.giveUp(first)
  knocks.go()
  expect(socket.sent.map(([slot]) => slot)).toEqual([second])
  knocks.close(first)
  expect(knocks.open(sockaddr(3), 80)).toBe(first)
})
