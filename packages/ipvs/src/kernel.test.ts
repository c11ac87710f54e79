import { address } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import type { IpvsClient } from './client.ts'
import * as c from './constants.ts'
import { defaultDestination, defaultService, serviceOf, tableOf } from './defaults.ts'
import { diff } from './diff.ts'
import { openIpvs, type OpenIpvsOptions } from './kernel.ts'
import { serviceId, type Destination, type Service, type ServiceKey, type Table } from './table.ts'
import { ipvsContract } from './testing/contract.ts'
import { fakeKernel, type FakeKernel } from './testing/fake-kernel.ts'

ipvsContract('the client of a kernel that is a function', async () => {
  const { channel, openText } = fakeKernel()
  return { client: await openIpvs({ channel, openText }), device: 'eth0' }
})

ipvsContract(
  'the client without a text',
  async () => {
    const { channel } = fakeKernel()
    return { client: await openIpvs({ channel, openText: () => undefined }), device: 'eth0' }
  },
  { runs: 20 },
)

const key = (i: number): ServiceKey => ({ protocol: 'tcp', address: address(`192.0.2.${i}`), port: 80 })

const oneOf = (i: number, more: Partial<Destination> = {}): Service =>
  serviceOf(key(i), {}, [{ address: address('10.0.0.2'), port: 80, ...more }])

async function filled(
  table: Table,
  options: OpenIpvsOptions = {},
): Promise<{ client: IpvsClient; kernel: FakeKernel }> {
  const kernel = fakeKernel()
  const client = await openIpvs({ channel: kernel.channel, openText: kernel.openText, ...options })
  await client.execute(diff(new Map(), table))
  kernel.requests.length = 0
  return { client, kernel }
}

const ten = tableOf(Array.from({ length: 10 }, (_, i) => oneOf(i + 1)))
const dumpsOf = ({ requests }: FakeKernel): number =>
  requests.filter((command) => command === c.IPVS_CMD_GET_DEST).length

test('an audit of an unchanged table reads the text and one dump', async () => {
  const { client, kernel } = await filled(ten)
  expect(await client.audit(ten)).toEqual(ten)
  expect(kernel.requests).toEqual([c.IPVS_CMD_GET_SERVICE])
  expect(kernel.reads).toBe(1)
})

test.for<readonly [what: string, changed: Service]>([
  ['another weight', oneOf(3, { weight: 7 })],
  ['another method', oneOf(3, { forwarding: 'masq' })],
  ['another port', oneOf(3, { port: 81 })],
  ['a threshold', oneOf(3, { upperThreshold: 9 })],
  ['bypass', oneOf(3, { forwarding: 'bypass' })],
  ['tunnel options', oneOf(3, { forwarding: 'tunnel', tunnel: { type: 'gre', port: 0, checksum: 'csum' } })],
])('an audit that expects %s asks for that service alone', async ([, changed]) => {
  const { client, kernel } = await filled(ten)
  expect(await client.audit(new Map([...ten, ...tableOf([changed])]))).toEqual(ten)
  expect(dumpsOf(kernel)).toBe(1)
})

test('an audit sees a setting of a service that the text does not show', async () => {
  const { client, kernel } = await filled(ten)
  const settings = { ...defaultService('inet'), scheduler: 'sh', flag2: true }
  await client.execute([{ do: 'setService', key: key(4), settings }])
  expect((await client.audit(ten)).get('192.0.2.4:80/tcp')?.settings).toEqual(settings)
  expect(dumpsOf(kernel)).toBe(0)
})

test('an audit finds a service that is gone, and one that nobody expects', async () => {
  const { client } = await filled(ten)
  await client.execute([
    { do: 'deleteService', key: key(1) },
    { do: 'addService', key: key(200), settings: defaultService('inet') },
  ])
  const found = await client.audit(ten)
  expect(found.has(serviceId(key(1)))).toBe(false)
  expect(found.get(serviceId(key(200)))).toEqual({ ...oneOf(200), destinations: new Map() })
  expect(found).toEqual(await client.table())
})

test('a threshold set by hand where none is expected is found when its turn comes', async () => {
  const { client, kernel } = await filled(ten, { fullAuditEvery: 5 })
  const changed = { ...defaultDestination, address: address('10.0.0.2'), port: 80, upperThreshold: 9 }
  await client.execute([{ do: 'setDestination', service: key(7), destination: changed }])
  kernel.requests.length = 0
  let found = 0
  for (let i = 0; i < 5; i++) {
    if ((await client.audit(ten)).get('192.0.2.7:80/tcp')?.destinations.get('10.0.0.2:80')?.upperThreshold === 9)
      found++
  }
  expect(found).toBe(1)
  expect(dumpsOf(kernel)).toBe(10) // two services each time, each once
})

test('an audit tells the same where the text makes no sense', async () => {
  const openText = () => ({ read: () => Promise.reject(new Error('EIO')), close: () => undefined })
  const { client } = await filled(ten, { openText })
  expect(await client.audit(ten)).toEqual(ten)
  expect([...(await client.glance()).keys()]).toEqual([...ten.keys()])
})

test('a table that is only looked at costs no netlink request', async () => {
  const { client, kernel } = await filled(ten)
  expect((await client.glance()).size).toBe(10)
  expect(kernel.requests).toEqual([])
})

test('fifteen thousand commands are a few dozen sends', async () => {
  const kernel = fakeKernel()
  const client = await openIpvs({ channel: kernel.channel, openText: kernel.openText })
  const large = tableOf(
    Array.from({ length: 5000 }, (_, i) => {
      const service: ServiceKey = { protocol: 'tcp', address: address(`10.1.${i >> 8}.${i & 255}`), port: 80 }
      const both = ['10.0.0.2', '10.0.0.3'].map((text) => ({ address: address(text), port: 80 }))
      return serviceOf(service, {}, both)
    }),
  )
  const before = kernel.channel.sends
  expect((await client.execute(diff(new Map(), large))).filter((error) => error !== undefined)).toEqual([])
  expect(kernel.channel.sends - before).toBeLessThan(40)
  expect(kernel.requests).toHaveLength(15_000)
})

test('a kernel without IPVS is told by the name of the module', async () => {
  const { channel } = fakeKernel({ missing: true })
  await expect(openIpvs({ channel })).rejects.toMatchObject({
    name: 'KernelError',
    code: 'ENOENT',
    message: expect.stringMatching(/^cannot reach IPVS: ENOENT \(this kernel has no IPVS: its module ip_vs /) as string,
  })
})

test('the stop of a daemon, which the kernel may leave unanswered, is followed by a request that it answers', async () => {
  const { client, kernel } = await filled(ten)
  await client.startDaemon({ state: 'backup', interface: 'eth0', syncId: 1 })
  await client.stopDaemon({ state: 'backup', syncId: 1 })
  expect(kernel.requests.slice(-2)).toEqual([c.IPVS_CMD_DEL_DAEMON, c.IPVS_CMD_SET_CONFIG])
})
