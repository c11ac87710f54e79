import { address, silentLogger } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import {
  destinationId,
  memoryIpvs,
  serviceId,
  type Destination,
  type IpvsClient,
  type Service,
  type ServiceKey,
} from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { createReconciler, type Reconciler } from './reconcile.ts'

const key = (port: number): ServiceKey => ({ protocol: 'tcp', address: address('192.0.2.1'), port })

function service(port: number, weights: Readonly<Record<string, number>>): Service {
  const destinations = Object.entries(weights).map(([host, weight]): Destination => ({
    address: address(`10.0.0.${host}`),
    port: 80,
    forwarding: 'droute',
    weight,
    upperThreshold: 0,
    lowerThreshold: 0,
    tunnel: undefined,
  }))
  return {
    key: key(port),
    settings: {
      scheduler: 'wrr',
      persistence: 0,
      netmask: 0xffffffff,
      engine: undefined,
      onePacket: false,
      flag1: false,
      flag2: false,
      flag3: false,
    },
    destinations: new Map(destinations.map((each) => [destinationId(each), each])),
  }
}

function reconcilerOn(ipvs: IpvsClient): Reconciler {
  return createReconciler({
    ipvs,
    logger: silentLogger,
    owned: { load: () => [], save: () => undefined },
    wall: () => 0,
  })
}

async function weights(ipvs: IpvsClient): Promise<Record<string, Record<string, number>>> {
  const result: Record<string, Record<string, number>> = {}
  for (const [id, { destinations }] of await ipvs.table()) {
    result[id] = Object.fromEntries([...destinations].map(([name, { weight }]) => [name, weight]))
  }
  return result
}

/** A kernel that takes a while: what is wanted meanwhile must not be taken for written. */
function slow(ipvs: IpvsClient): IpvsClient {
  return {
    ...ipvs,
    async execute(commands) {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
      return ipvs.execute(commands)
    },
    async audit(expected) {
      for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
      const found = await ipvs.audit(expected)
      for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
      return found
    },
  }
}

test('what is wanted while the kernel is being written is written next', async () => {
  const ipvs = memoryIpvs()
  const reconciler = reconcilerOn(slow(ipvs))
  reconciler.want([['192.0.2.1:80/tcp', service(80, { 1: 1, 2: 1 })]])
  const first = reconciler.settled()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  reconciler.want([['192.0.2.1:80/tcp', service(80, { 2: 5 })]])
  await first
  await reconciler.settled()
  expect(await weights(ipvs)).toEqual({ '192.0.2.1:80/tcp': { '10.0.0.2:80': 5 } })
})

test('a refusal is looked into, tried once more, and told when it stays', async () => {
  const ipvs = memoryIpvs()
  const log = arrayLogger()
  const reconciler = createReconciler({
    ipvs,
    logger: log,
    owned: { load: () => [], save: () => undefined },
    wall: () => 7,
  })
  const unknown = service(80, { 1: 1 })
  reconciler.want([['192.0.2.1:80/tcp', { ...unknown, settings: { ...unknown.settings, scheduler: 'nonesuch' } }]])
  await reconciler.settled()
  expect(log.lines.map(({ event }) => event)).toContain('ipvs.refused')
  expect(reconciler.figures.lastError?.message).toContain('192.0.2.1:80/tcp')
  expect(reconciler.figures.refused).toBeGreaterThan(0)
  reconciler.want([['192.0.2.1:80/tcp', unknown]])
  await reconciler.settled()
  expect(await weights(ipvs)).toEqual({ '192.0.2.1:80/tcp': { '10.0.0.1:80': 1 } })
})

test('a kernel that cannot be reached is told, and the next audit repairs', async () => {
  const ipvs = memoryIpvs()
  let broken = true
  const reconciler = reconcilerOn({
    ...ipvs,
    execute: (commands) => (broken ? Promise.reject(new Error('socket closed')) : ipvs.execute(commands)),
  })
  reconciler.want([['192.0.2.1:80/tcp', service(80, { 1: 1 })]])
  await reconciler.settled()
  expect(reconciler.figures.lastError?.message).toContain('socket closed')
  broken = false
  await reconciler.audit()
  expect(await weights(ipvs)).toEqual({ '192.0.2.1:80/tcp': { '10.0.0.1:80': 1 } })
})

test.each(['audit', 'execute'] as const)(
  'what waits to be written is not lost when %s fails in an audit',
  async (does) => {
    const ipvs = memoryIpvs()
    let failures = 1
    const reconciler = reconcilerOn({
      ...ipvs,
      [does]: (...given: never[]) => {
        if (failures-- > 0) return Promise.reject(new Error('no buffer space'))
        return (ipvs[does] as (...given: never[]) => Promise<unknown>)(...given)
      },
    })
    reconciler.want([['192.0.2.1:80/tcp', service(80, { 1: 1 })]])
    await expect(reconciler.audit()).rejects.toThrow('no buffer space')
    await reconciler.settled()
    expect(await weights(ipvs)).toEqual({ '192.0.2.1:80/tcp': { '10.0.0.1:80': 1 } })
  },
)

const wish = fc.option(fc.dictionary(fc.integer({ min: 1, max: 4 }).map(String), fc.nat(3), { maxKeys: 4 }), {
  nil: undefined,
})
const port = fc.integer({ min: 80, max: 82 })
const host = fc.integer({ min: 1, max: 4 })
const ours = [
  fc.record({ do: fc.constant('want' as const), port, wish }),
  fc.record({ do: fc.constant('amend' as const), port, host, weight: fc.option(fc.nat(3), { nil: undefined }) }),
  fc.constant({ do: 'audit' as const }),
  fc.constant({ do: 'wait' as const }),
] as const
const others = [
  fc.record({ do: fc.constant('hand' as const), port, host }),
  fc.constant({ do: 'flush' as const }),
] as const
type Step = typeof ours extends readonly fc.Arbitrary<infer S>[] ? S : never
type Foreign = typeof others extends readonly fc.Arbitrary<infer S>[] ? S : never

/** Does it all without waiting for anything, and answers what must come of it. */
async function carryOut(
  steps: readonly (Step | Foreign)[],
  ipvs: IpvsClient,
  reconciler: Reconciler,
): Promise<Record<string, Record<string, number>>> {
  const wanted = new Map<string, Record<string, number>>()
  const audits: Promise<unknown>[] = []
  for (const each of steps) {
    switch (each.do) {
      case 'want': {
        const id = serviceId(key(each.port))
        reconciler.want([[id, each.wish === undefined ? undefined : service(each.port, each.wish)]])
        if (each.wish === undefined) wanted.delete(id)
        else {
          const named = Object.entries(each.wish).map(([name, weight]) => [`10.0.0.${name}:80`, weight])
          wanted.set(id, Object.fromEntries(named) as Record<string, number>)
        }
        break
      }
      case 'amend': {
        const id = serviceId(key(each.port))
        const name = `10.0.0.${each.host}:80`
        const { destinations } = service(each.port, each.weight === undefined ? {} : { [each.host]: each.weight })
        reconciler.amend(id, [[name, destinations.get(name)]])
        const after = new Map(Object.entries(wanted.get(id) ?? {}))
        if (each.weight === undefined) after.delete(name)
        else after.set(name, each.weight)
        if (wanted.has(id)) wanted.set(id, Object.fromEntries(after))
        break
      }
      case 'hand': {
        const destination = { address: address(`10.0.0.${each.host}`), port: 80 }
        await ipvs.execute([{ do: 'deleteDestination', service: key(each.port), destination }])
        break
      }
      case 'flush':
        await ipvs.execute([{ do: 'flush' }])
        break
      case 'audit':
        audits.push(reconciler.audit())
        break
      case 'wait':
        await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(audits)
  await reconciler.settled()
  return Object.fromEntries(wanted)
}

property.prop([fc.array(fc.oneof(...ours, ...others), { maxLength: 25 })])(
  'any course of wishes, hand-made changes and audits ends in the wished table',
  async (steps) => {
    const ipvs = memoryIpvs()
    const reconciler = reconcilerOn(slow(ipvs))
    const wanted = await carryOut(steps, ipvs, reconciler)
    await reconciler.audit()
    expect(await weights(ipvs)).toEqual(wanted)
  },
)

property.prop([fc.array(fc.oneof(...ours), { maxLength: 40 })], { numRuns: 500 })(
  'where nobody else writes, no audit is needed for that, and what is believed is so',
  async (steps) => {
    const ipvs = memoryIpvs()
    const reconciler = reconcilerOn(slow(ipvs))
    const wanted = await carryOut(steps, ipvs, reconciler)
    expect(await weights(ipvs)).toEqual(wanted)
    expect(reconciler.actual).toEqual(reconciler.desired)
    expect((await reconciler.audit()).drifts).toEqual([])
  },
)

test('amending one of many destinations writes that one', async () => {
  const ipvs = memoryIpvs()
  const written: unknown[] = []
  const reconciler = reconcilerOn({
    ...ipvs,
    execute: (commands) => {
      written.push(...commands)
      return ipvs.execute(commands)
    },
  })
  const id = serviceId(key(80))
  const before = service(80, { 1: 1, 2: 1, 3: 1 })
  reconciler.want([[id, before]])
  await reconciler.settled()
  written.length = 0
  const [name, destination] = [...service(80, { 2: 7 }).destinations][0]!
  reconciler.amend(id, [[name, destination]])
  reconciler.amend('192.0.2.9:1/tcp', [[name, destination]])
  await reconciler.settled()
  expect(written).toEqual([{ do: 'setDestination', service: key(80), destination }])
  expect(before.destinations.get(name)?.weight).toBe(1)
})

test('what is amended while its whole service is being written is written next', async () => {
  const ipvs = memoryIpvs()
  const reconciler = reconcilerOn(slow(ipvs))
  const id = serviceId(key(80))
  const amend = (weight: number): void => {
    reconciler.amend(id, service(80, { 1: weight }).destinations)
  }
  reconciler.want([[id, service(80, { 1: 1, 2: 1 })]])
  amend(2)
  const first = reconciler.settled()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  amend(3)
  await first
  await reconciler.settled()
  expect(await weights(ipvs)).toEqual({ [id]: { '10.0.0.1:80': 3, '10.0.0.2:80': 1 } })
})

test('what is amended twice while the kernel is read is written', async () => {
  const ipvs = memoryIpvs()
  const wanted = service(80, { 2: 1 })
  const id = serviceId(wanted.key)
  const [[name, destination]] = [...wanted.destinations] as [[string, Destination]]
  const reconciler: Reconciler = reconcilerOn({
    ...ipvs,
    async audit(expected) {
      // As it is already: what is wanted becomes another object, and the kernel is found to be as that.
      reconciler.amend(id, [[name, destination]])
      const found = await ipvs.audit(expected)
      reconciler.amend(id, [[name, { ...destination, weight: 7 }]])
      return found
    },
  })
  reconciler.want([[id, wanted]])
  await reconciler.settled()
  await reconciler.audit()
  await reconciler.settled()
  expect(await weights(ipvs)).toEqual({ [id]: { [name]: 7 } })
})
