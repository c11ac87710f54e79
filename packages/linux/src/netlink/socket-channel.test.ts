import { expect, test } from 'vitest'
import { fakeNetlink, type FakeAnswer, type FakeRequest } from '../testing/fake-netlink.ts'
import { channelContract } from '../testing/channel-contract.ts'
import { attributes, list, nested } from './attributes.ts'
import { text, u16, u32 } from './codecs.ts'
import { NETLINK_GENERIC, netlinkChannel, openNetlink } from './socket-channel.ts'
import type { TransportListener } from './transport.ts'

const family = attributes({
  id: [1, u16],
  name: [2, text],
  version: [3, u32],
  groups: [7, list(nested(attributes({ name: [1, text], id: [2, u32] })))],
})
const header = Buffer.of(1, 2, 0, 0)

/** A kernel that knows three families. */
function nlctrl({ payload, dump }: FakeRequest): FakeAnswer {
  const described = (name: string, id: number): { payload: Buffer } => ({
    payload: Buffer.concat([header, family.encode({ id, name, version: 2, groups: [{ name: 'notify', id: 16 }] })]),
  })
  if (payload[0] !== 3) return { errno: 95 }
  if (dump) return [described('nlctrl', 16), described('VFS_DQUOT', 17), described('IPVS', 18)]
  return family.decode(payload.subarray(4)).name === 'nlctrl' ? [described('nlctrl', 16)] : { errno: 2 }
}

channelContract('a function', () => fakeNetlink(nlctrl))
channelContract("the kernel's socket", () => openNetlink(NETLINK_GENERIC))

const message = (value: number): { payload: Buffer } => ({ payload: Buffer.of(value) })
const values = (answer: unknown): unknown => (answer as { payload: Buffer }[]).map(({ payload }) => payload[0])

test('many requests go out in sends of at most 64 KiB', async () => {
  const channel = fakeNetlink(() => undefined)
  const requests = new Array(1000).fill({ type: 20, payload: new Uint8Array(112) })
  expect(await channel.execute(requests)).toEqual(new Array(1000).fill(undefined))
  expect(channel.sends).toBe(2) // 512 × 128 bytes, and the rest
})

test('a send holds no more requests than refusals fit the receive buffer', async () => {
  const channel = fakeNetlink(() => ({ errno: 17, detail: 'there already' }), { receiveBytes: 20_480 })
  const requests = new Array(95).fill({ type: 20, payload: new Uint8Array(8) })
  const refused = { errno: 17, code: 'EEXIST', detail: 'there already' }
  expect(await channel.execute(requests)).toEqual(new Array(95).fill(refused))
  expect(channel.sends).toBe(10)
})

test('a request longer than a send goes alone', async () => {
  const sizes: number[] = []
  const channel = fakeNetlink(({ payload }) => {
    sizes.push(payload.length)
    return undefined
  })
  await channel.execute([8, 70_000, 8].map((size) => ({ type: 20, payload: new Uint8Array(size) })))
  expect(sizes).toEqual([8, 70_000, 8])
  expect(channel.sends).toBe(3)
})

test('an interrupted dump is read again', async () => {
  let reads = 0
  const channel = fakeNetlink(() =>
    ++reads < 3 ? { interrupted: [message(1)] } : [message(2), message(3), message(4)],
  )
  expect(values(await channel.dump({ type: 18, payload: Buffer.alloc(0) }))).toEqual([2, 3, 4])
  expect(reads).toBe(3)
})

test('a dump that is always interrupted is refused in the end', async () => {
  const channel = fakeNetlink(() => ({ interrupted: [message(1)] }))
  expect(await channel.dump({ type: 18, payload: Buffer.alloc(0) })).toMatchObject({ code: 'EINTR' })
})

test('lost answers reject the execution under way, and the channel works on', async () => {
  const channel = fakeNetlink(() => ({ errno: 1 }))
  const request = { type: 20, payload: Buffer.alloc(0) }
  const first = channel.execute([request])
  channel.raise(new Error('poll ENOBUFS')) // its answer comes later, and is nobody's
  await expect(first).rejects.toThrow('poll ENOBUFS')
  expect(await channel.execute([request])).toMatchObject([{ code: 'EPERM' }])
})

test('lost messages during a dump have it read again', async () => {
  let reads = 0
  const channel = fakeNetlink(() => {
    reads++
    return [message(reads)]
  })
  const dump = channel.dump({ type: 18, payload: Buffer.alloc(0) })
  channel.raise(new Error('poll ENOBUFS'))
  expect(values(await dump)).toEqual([2])
})

test('answers to nobody are ignored', async () => {
  const channel = fakeNetlink((request) => (request.type === 18 ? [message(5)] : undefined))
  const dump = channel.dump({ type: 18, payload: Buffer.alloc(0) })
  expect(values(await dump)).toEqual([5])
  expect(await channel.execute([{ type: 20, payload: Buffer.alloc(0) }])).toEqual([undefined])
})

test('what cannot be read closes the channel', async () => {
  let listener: TransportListener | undefined
  let closed = 0
  const channel = netlinkChannel((given) => {
    listener = given
    return {
      receiveBytes: 2 ** 20,
      send: () => undefined,
      port: 1,
      leaveOut: () => undefined,
      setBusy: () => undefined,
      join: () => undefined,
      close: () => closed++,
    }
  })
  const asked = channel.ask({ type: 18, payload: Buffer.alloc(0) })
  listener?.datagram(Buffer.alloc(20))
  await expect(asked).rejects.toThrow('netlink message of type 0: length 0 with 20 bytes left')
  await expect(channel.ask({ type: 18, payload: Buffer.alloc(0) })).rejects.toThrow('closed')
  expect(closed).toBe(1)
})

test('a request that cannot be sent is rejected, the next is sent', async () => {
  let sends = 0
  const fake = fakeNetlink(() => [message(7)])
  const payload = Buffer.alloc(0)
  const broken = fake.executeEach({
    type: 20,
    count: 1,
    write: (writer) => {
      sends++
      writer.u8(256)
    },
  })
  await expect(broken).rejects.toThrow(RangeError)
  expect(values(await fake.ask({ type: 18, payload }))).toEqual([7])
  expect(sends).toBe(1)
})

/** Netlink answers inside sendmsg, so all refusals of a send wait unread at once. */
test.for([2304, 65_536, 2 ** 20])(
  'refusals of thousands never overrun a receive buffer of %i bytes',
  async (receiveBytes) => {
    const channel = openNetlink(NETLINK_GENERIC, { receiveBytes })
    const requests = new Array(3000).fill({ type: NETLINK_GENERIC, payload: Buffer.of(200, 1, 0, 0) })
    const outcomes = await channel.execute(requests)
    expect(outcomes.filter((outcome) => outcome?.code === 'ENOTSUP')).toHaveLength(3000)
    channel.close()
  },
)
