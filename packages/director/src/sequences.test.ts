/** Changes that come while others are under way, or in an order nobody planned. */
import type { VirtualServer } from '@ipvs-director/config'
import { address, seconds } from '@ipvs-director/core'
import { memoryIpvs, type IpvsClient } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { emptyOverlay } from './overlay.ts'
import { config, realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'
import { world, type World } from './testing/world.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80']
const web = (overrides: Partial<VirtualServer> = {}): VirtualServer =>
  virtualServer({ realServers: names.map((name) => realServer(name)), ...overrides })
const elsewhere = (overrides: Partial<VirtualServer> = {}): VirtualServer =>
  web({
    name: '192.0.2.2:80/tcp',
    target: { kind: 'address', address: address('192.0.2.2'), port: 80 },
    ...overrides,
  })

async function weights(ipvs: IpvsClient): Promise<Record<string, string[]>> {
  const services = [...(await ipvs.table()).values()]
  return Object.fromEntries(
    services.map(({ key, destinations }) => [
      'address' in key ? key.address : `fwm ${key.fwmark}`,
      [...destinations].map(([name, { weight }]) => `${name}=${weight}`).sort(),
    ]),
  )
}

const settle = (w: World): Promise<void> => w.clock.advance(seconds(0))

async function states(w: World, service: string): Promise<string[]> {
  const { virtualServers } = await w.director.status()
  return virtualServers.find(({ name }) => name === service)?.servers.map(({ name, state }) => `${name} ${state}`) ?? []
}

/** The same table, with so many connections to each destination. */
function busy(ipvs: IpvsClient, activeConnections: number): IpvsClient {
  return {
    ...ipvs,
    async destinations(key) {
      const found = await ipvs.destinations(key)
      return found.map((each) => ({ ...each, counters: { ...each.counters, activeConnections } }))
    },
  }
}

test('a virtual server that a reload brings begins by what the checks that it shares have found', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  w.prober().saw('10.0.0.2:80', true)
  await settle(w)
  const down = { words: ['rs-down'], place: { file: '', line: 1, column: 1 } }
  const realServers = names.map((name) => realServer(name, { notifyDown: down }))
  w.use(config([web(), elsewhere({ realServers })]))
  const plan = await w.director.plan(undefined)
  expect((await w.director.reload()).changes).toEqual(plan.changes)
  // The prober tells of turns alone: nothing more will be heard of a server that stays down.
  expect(await states(w, '192.0.2.2:80/tcp')).toEqual(['10.0.0.1:80 down', '10.0.0.2:80 up'])
  expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': ['10.0.0.2:80=1'], '192.0.2.2': ['10.0.0.2:80=1'] })
  expect(w.scripts).toEqual(['rs-down'])
})

test('a virtual server under another address or protocol keeps what is known of its servers', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  w.use(config([elsewhere()]))
  await w.director.reload()
  expect(await weights(w.ipvs)).toEqual({ '192.0.2.2': ['10.0.0.2:80=1'] })
  w.use(config([elsewhere({ name: 'FWM 7', target: { kind: 'fwmark', fwmark: 7, family: 'inet' } })]))
  await w.director.reload()
  expect(await weights(w.ipvs)).toEqual({ 'fwm 7': ['10.0.0.2:0=1'] })
})

test('a checker that a server is given and another one has already begins by what that has found', async () => {
  const shared = tcpChecker('10.0.0.9:9')
  const w = world(config([web({ realServers: [realServer(names[0]!, { checkers: [shared] })] }), elsewhere()]))
  await w.director.start()
  w.prober().saw('10.0.0.9:9', false)
  w.prober().saw('10.0.0.2:80', true)
  const asks = realServer(names[1]!, { checkers: [tcpChecker(names[1]!), shared] })
  w.use(
    config([web({ realServers: [realServer(names[0]!, { checkers: [shared] })] }), elsewhere({ realServers: [asks] })]),
  )
  await w.director.reload()
  expect(await states(w, '192.0.2.2:80/tcp')).toEqual(['10.0.0.2:80 down'])
})

test('a reload that waits while the director stops is not carried out', async () => {
  const stopped: { go?: () => void } = {}
  const failover = { stop: () => new Promise<void>((resolve) => (stopped.go = resolve)) }
  const w = world(config([web()]), { failover })
  await w.director.start()
  const ended = w.director.stop({ keep: false })
  await settle(w)
  const late = w.director.reload()
  stopped.go?.()
  await expect(late).rejects.toThrow('stopping')
  await ended
  await settle(w)
  expect((await w.ipvs.table()).size).toBe(0)
})

test('a reload that is asked for while the director starts comes after it', async () => {
  const used: number[] = []
  const w = world(config([web()]), { failover: { use: ({ virtualServers }) => void used.push(virtualServers.length) } })
  const started = w.director.start()
  await Promise.resolve().then(() => undefined)
  w.use(config([web(), elsewhere()]))
  const reloaded = w.director.reload()
  await started
  expect((await reloaded).ok).toBe(true)
  expect(used).toEqual([1, 2])
  expect(w.prober().checks).toHaveLength(2)
  expect(w.log.lines.filter(({ level }) => level === 'warn')).toEqual([])
})

test('many requests to reload during one become one more', async () => {
  const w = world(config([web()]))
  await w.director.start()
  const storm = Array.from({ length: 50 }, () => w.director.reload())
  w.use(config([elsewhere()]))
  const last = w.director.reload()
  await Promise.all([...storm, last])
  expect((await w.director.status()).config.reloads).toBeLessThanOrEqual(2)
  expect(Object.keys(await weights(w.ipvs))).toEqual(['192.0.2.2'])
})

test('a change that hangs does not hold up the end', async () => {
  const w = world(config([web()]), { readSnippet: () => new Promise(() => undefined) })
  await w.director.start()
  void w.director.steer({ action: 'add-service', text: '' })
  let ended = false
  void w.director.stop({ keep: false }).then(() => (ended = true))
  await w.clock.advance(seconds(10))
  expect(ended).toBe(true)
})

test('the time of a trial that runs out during the next reload does not roll that back', async () => {
  const ipvs = memoryIpvs()
  let written = Promise.resolve()
  const w = world(config([web()]), {
    ipvs: { ...ipvs, execute: (commands) => written.then(() => ipvs.execute(commands)) },
  })
  await w.director.start()
  w.use(config([web({ realServers: [realServer(names[0]!)] })]))
  await w.director.reload({ confirmWithin: 60_000 })
  await w.clock.advance(seconds(59))
  w.use(config([web({ realServers: [realServer(names[1]!)] })]))
  const kernel: { goOn?: () => void } = {}
  written = new Promise((resolve) => (kernel.goOn = resolve))
  const second = w.director.reload({ confirmWithin: 60_000 })
  await w.clock.advance(seconds(1))
  kernel.goOn?.()
  expect((await second).confirmWithin).toBe(60_000)
  await settle(w)
  expect(await weights(ipvs)).toEqual({ '192.0.2.1': ['10.0.0.2:80=1'] })
  await w.clock.advance(seconds(61))
  await settle(w)
  expect(await weights(ipvs)).toEqual({ '192.0.2.1': ['10.0.0.1:80=1', '10.0.0.2:80=1'] })
})

test('a reload that fails halfway leaves everything at work, and the next one does what is missing', async () => {
  let full = false
  const tell = (): void => {
    if (full) throw new Error('disk full')
  }
  const w = world(config([web(), elsewhere()]), { alarms: { tell } })
  await w.director.start()
  w.use(config([web({ realServers: [realServer(names[1]!), realServer('10.0.0.9:80')] })]))
  full = true
  await expect(w.director.reload()).rejects.toThrow('disk full')
  full = false
  w.prober().saw(names[1]!, false)
  await settle(w)
  expect(Object.values(await weights(w.ipvs)).flat()).not.toContain('10.0.0.2:80=1')
  await w.director.reload()
  expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': ['10.0.0.9:80=1'] })
  expect(w.prober().checks).toHaveLength(2)
})

test('a reload that fails while it tells of a virtual server that goes leaves that at work, too', async () => {
  let full = false
  const tell = (): void => {
    if (full) throw new Error('disk full')
  }
  const there = { realServers: [realServer('10.0.0.7:80'), realServer('10.0.0.8:80')] }
  const w = world(config([web(), elsewhere(there)]), { alarms: { tell } })
  await w.director.start()
  w.use(config([web()]))
  full = true
  await expect(w.director.reload()).rejects.toThrow('disk full')
  full = false
  w.prober().saw('10.0.0.8:80', false)
  await settle(w)
  expect(await weights(w.ipvs)).toMatchObject({ '192.0.2.2': ['10.0.0.7:80=1'] })
  expect(w.prober().checks).toHaveLength(4)
  await w.director.reload()
  expect(Object.keys(await weights(w.ipvs))).toEqual(['192.0.2.1'])
  expect(w.prober().checks).toHaveLength(2)
  w.prober().saw('10.0.0.7:80', false)
  await settle(w)
  expect(Object.keys(await weights(w.ipvs))).toEqual(['192.0.2.1'])
})

test('a virtual server of which all servers are drained is removed as soon as that is asked for', async () => {
  const w = world(config([web(), elsewhere({ realServers: [realServer('10.0.0.7:80')] })]))
  await w.director.start()
  await w.director.steer({ action: 'drain', service: '192.0.2.2:80/tcp', server: '10.0.0.7:80' })
  await w.clock.advance(seconds(3))
  await w.director.steer({ action: 'remove-service', service: '192.0.2.2:80/tcp', drain: true })
  await w.clock.advance(seconds(3))
  expect((await w.director.status()).virtualServers.map(({ name }) => name)).toEqual(['192.0.2.1:80/tcp'])
})

test('a reset of everything does not put a server back that a reload removed', async () => {
  const drainOnRemoval = seconds(60)
  const w = world(config([web({ drainOnRemoval })]), { ipvs: busy(memoryIpvs(), 1) })
  await w.director.start()
  await w.director.steer({ action: 'reset' })
  w.use(config([web({ drainOnRemoval, realServers: [realServer(names[1]!)] })]))
  await w.director.reload()
  await w.clock.advance(seconds(30))
  await w.director.steer({ action: 'reset' })
  expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': ['10.0.0.1:80=0', '10.0.0.2:80=1'] })
  await w.clock.advance(seconds(32))
  await settle(w)
  expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': ['10.0.0.2:80=1'] })
})

test('a wall clock that is set cuts no drain short, nor makes it longer', async () => {
  for (const by of [3_600_000, -3_600_000]) {
    const drainOnRemoval = seconds(60)
    const w = world(config([web({ drainOnRemoval })]), { ipvs: busy(memoryIpvs(), 1) })
    await w.director.start()
    w.use(config([web({ drainOnRemoval, realServers: [realServer(names[1]!)] })]))
    await w.director.reload()
    await w.director.steer({ action: 'drain', server: names[1]!, deadline: 60_000 })
    w.clock.setWall(by)
    await w.clock.advance(seconds(30))
    await w.director.reload()
    await w.clock.advance(seconds(5))
    expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': ['10.0.0.1:80=0', '10.0.0.2:80=0'] })
    await w.clock.advance(seconds(30))
    await settle(w)
    expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': [] })
  }
})

test('a change that could not be written is tried again at once', async () => {
  const ipvs = memoryIpvs()
  let broken = 0
  const w = world(config([web()]), {
    ipvs: {
      ...ipvs,
      execute: async (commands) => {
        if (broken-- > 0) throw new Error('no answer')
        return ipvs.execute(commands)
      },
    },
  })
  await w.director.start()
  broken = 1
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  await settle(w)
  expect(await weights(ipvs)).toEqual({ '192.0.2.1': ['10.0.0.2:80=1'] })
})

test('a sorry server that is one of the real servers: its entry is told to be of whoever is to have it', async () => {
  const w = world(config([web({ realServers: [realServer(names[0]!)], sorryServer: sorryServer(names[0]!) })]))
  await w.director.start()
  const shown = async () => {
    const [virtual] = (await w.director.status()).virtualServers
    return [virtual?.servers[0], virtual?.sorryServer].map((each) => [each?.wantedWeight, each?.kernelWeight])
  }
  w.prober().saw(names[0]!, true)
  await w.clock.advance(seconds(1))
  expect(await shown()).toEqual([[1, 1], [undefined, undefined]]) // prettier-ignore
  w.prober().saw(names[0]!, false)
  await w.clock.advance(seconds(1))
  expect(await shown()).toEqual([[undefined, undefined], [1, 1]]) // prettier-ignore
})

test('a VIP that comes sets the checks once, however many virtual servers are on it', async () => {
  const here = new Set<string>()
  const many = Array.from({ length: 50 }, (_, i) =>
    web({
      name: `VS ${i}`,
      target: { kind: 'address', address: address('192.0.2.1'), port: 1000 + i },
      haSuspend: true,
    }),
  )
  const w = world(config(many), { here })
  await w.director.start()
  let set = 0
  const prober = w.prober()
  const setChecks = prober.setChecks.bind(prober)
  const counted: typeof setChecks = (checks) => {
    set++
    setChecks(checks)
  }
  Object.assign(prober, { setChecks: counted })
  here.add('192.0.2.1')
  await w.clock.advance(seconds(2))
  expect(set).toBe(1)
  expect(w.prober().checks).toHaveLength(2)
  expect(w.log.lines.filter(({ event }) => event === 'service.suspended')).toHaveLength(50)
})

test('what is asked for by hand is done also where it cannot be saved, and that is said', async () => {
  const full = {
    load: () => ({ overlay: emptyOverlay, problem: undefined }),
    save: () => {
      throw new Error('ENOSPC: no space left on device')
    },
  }
  const w = world(config([web()]), { overlay: full })
  await w.director.start()
  const problem = 'what is asked for by hand cannot be saved, a restart will forget it: ENOSPC: no space left on device'
  expect(await w.director.steer({ action: 'drain', server: names[0]! })).toEqual({
    ok: true,
    changes: [expect.stringContaining('draining'), problem],
  })
  expect(w.log.lines).toContainEqual(expect.objectContaining({ level: 'error', event: 'overlay.not-saved' }))
  await w.clock.advance(seconds(2))
  expect(await weights(w.ipvs)).toEqual({ '192.0.2.1': ['10.0.0.2:80=1'] })
})
