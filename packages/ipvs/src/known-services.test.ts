import { expect, test } from 'vitest'
import { KnownServices } from './known-services.ts'
import * as messages from './messages.ts'

function message(port: number, connections: number, scheduler = 'rr', protocol = 6): Buffer {
  const address = Buffer.alloc(16, 10)
  const statistics64 = messages.statistics64.encode({ connections: BigInt(connections) })
  const flags = { flags: 2, mask: 0xffffffff }
  const netmask = Buffer.alloc(4, 255)
  return messages.message.encode({
    service: { family: 2, protocol, address, port, scheduler, flags, timeout: 0, netmask, statistics64 },
  })
}

test('what was read before is the same object, whatever was counted since', async () => {
  const known = new KnownServices()
  const first = await known.read([message(80, 1), message(81, 1)])
  const second = await known.read([message(80, 2), message(81, 3)])
  expect(second[0]).toBe(first[0])
  expect(second[1]).toBe(first[1])
})

test('a change, a service that moved, one that is gone and one of a foreign protocol', async () => {
  const known = new KnownServices()
  await known.read([message(80, 1), message(81, 1), message(82, 1)])
  const now = await known.read([message(80, 1, 'wrr'), message(82, 1), message(83, 1, 'rr', 50), message(84, 1)])
  expect(now.map(({ key, settings }) => ['port' in key ? key.port : undefined, settings.scheduler])).toEqual([
    [80, 'wrr'],
    [82, 'rr'],
    [84, 'rr'],
  ])
})

test('settings that came after the statistics would not be overlooked', async () => {
  const known = new KnownServices()
  const late = (scheduler: string): Buffer => {
    const text = Buffer.from(message(80, 1, scheduler))
    const attribute = Buffer.from([7, 0, 6, 0, ...Buffer.from(`${scheduler}\0`), 0])
    const at = text.indexOf(attribute.subarray(0, 7))
    const moved = Buffer.concat([text.subarray(0, at), text.subarray(at + 8), attribute])
    return moved
  }
  await known.read([late('rr')])
  expect((await known.read([late('lc')]))[0]?.settings.scheduler).toBe('lc')
})
