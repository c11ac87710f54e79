import type { VirtualServer } from '@ipvs-director/config'
import type { SteerAnswer, SteerRequest } from '@ipvs-director/control'
import { seconds, type Address } from '@ipvs-director/core'
import { memoryIpvs, type IpvsClient } from 'ipvs-netlink'
import { anInstance } from '@ipvs-director/vrrp/testing'
import { expect, test } from 'vitest'
import type { Alarm } from './alarms/alarm.ts'
import { config, realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'
import { fakeSources } from './testing/fake-sources.ts'
import { overlayInMemory } from './testing/overlay.ts'
import { world, type World } from './testing/world.ts'
import type { VrrpProcessStatus } from './vrrp-process.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']
const web = (overrides: Partial<VirtualServer> = {}): VirtualServer =>
  virtualServer({ realServers: names.map((name) => realServer(name)), ...overrides })

/** `10.0.0.1:80=1` of the first service, in the order of the addresses. */
async function kernel(ipvs: IpvsClient): Promise<string[]> {
  const [service] = (await ipvs.table()).values()
  return [...(service?.destinations ?? [])].map(([name, { weight }]) => `${name}=${weight}`).sort()
}

const settle = (w: World): Promise<void> => w.clock.advance(seconds(0))

test('start programs the table, a verdict changes it, recovery restores it', async () => {
  const w = world(config([web()]))
  await w.director.start()
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1'])
  w.prober().saw('10.0.0.2:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.3:80=1'])
  w.prober().saw('10.0.0.2:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('the sorry server is there before the last server goes, and the servers before it goes', async () => {
  const w = world(config([web({ sorryServer: sorryServer('10.0.0.9:80') })]))
  await w.director.start()
  w.written.length = 0
  for (const name of names) w.prober().saw(name, false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.9:80=1'])
  expect(w.written.map((command) => command.do)).toEqual([
    'addDestination',
    'deleteDestination',
    'deleteDestination',
    'deleteDestination',
  ])
  w.written.length = 0
  w.prober().saw('10.0.0.1:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1'])
  expect(w.written.map((command) => command.do)).toEqual(['addDestination', 'deleteDestination'])
})

test('a sorry server is told to be removed only where it was there', async () => {
  const gained = 'Gained quorum 1+0=1 <= 3 for VS 192.0.2.1:80/tcp'
  const w = world(config([web({ sorryServer: sorryServer('10.0.0.9:80') })]))
  await w.director.start()
  for (const up of [false, true]) for (const name of names) w.prober().saw(name, up)
  await settle(w)
  const quorums = w.log.lines.filter(({ event }) => event.startsWith('quorum.')).map(({ message }) => message)
  expect(quorums).toEqual([
    gained,
    'Lost quorum 1-0=1 > 0 for VS 192.0.2.1:80/tcp; Adding sorry server 10.0.0.9:80',
    'Gained quorum 1+0=1 <= 1 for VS 192.0.2.1:80/tcp; Removing sorry server 10.0.0.9:80',
  ])
})

test('what was asked for by hand is told before what follows from it', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.log.lines.length = 0
  for (const server of names) await w.director.steer({ action: 'disable', server })
  const told = w.log.lines.map(({ event }) => event).filter((event) => event !== 'ipvs.write')
  expect(told).toEqual(['steer', 'steer', 'steer', 'quorum.down'])
})

test('an equal configuration writes nothing', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.written.length = 0
  const result = await w.director.reload()
  expect(result).toMatchObject({ ok: true, writes: 0, changes: [] })
  expect(w.written).toEqual([])
})

test('a configuration with an error keeps the old one and says why', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.use({ config: config([]), diagnostics: ['test.conf:3:1: no'], errors: 1, warnings: 0, leftOut: [] })
  expect(await w.director.reload()).toEqual({ ok: false, diagnostics: ['test.conf:3:1: no'], changes: [], writes: 0 })
  expect(await kernel(w.ipvs)).toHaveLength(3)
  expect((await w.director.status()).config.refused?.diagnostics).toEqual(['test.conf:3:1: no'])
  w.use(config([web()]))
  await w.director.reload()
  expect((await w.director.status()).config.refused).toBeUndefined()
})

test('what only a restart can change refuses a reload, and a plan', async () => {
  const w = world(config([web()]))
  await w.director.start()
  const moved = config([])
  w.use({ ...moved, process: { ...moved.process, netNamespace: 'elsewhere' } })
  const diagnostics = ['error: net_namespace cannot change while the program runs; it takes a restart']
  expect(await w.director.reload()).toMatchObject({ ok: false, diagnostics })
  expect(await w.director.plan(undefined)).toMatchObject({ ok: false, diagnostics })
  expect(await kernel(w.ipvs)).toHaveLength(3)
})

test('a blank file ends nothing that runs', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.use({ config: config([]), diagnostics: [], errors: 0, warnings: 0, leftOut: [], blank: true })
  const diagnostics = ['error: nothing is in the file: what runs goes on (to end it, stop the director)']
  expect(await w.director.plan(undefined)).toMatchObject({ ok: false, diagnostics })
  expect(await w.director.reload()).toMatchObject({ ok: false, diagnostics })
  expect(await kernel(w.ipvs)).toHaveLength(3)
  w.use(config([]))
  expect(await w.director.reload()).toMatchObject({ ok: true })
  expect(await kernel(w.ipvs)).toEqual([])
  w.use({ config: config([]), diagnostics: [], errors: 0, warnings: 0, leftOut: [], blank: true })
  expect(await w.director.reload()).toMatchObject({ ok: true })
})

test('fifo_write_vrrp_states_on_reload: all states again after a reload that is wanted so', async () => {
  const told: Alarm[] = []
  const status = {
    groups: [{ name: 'G1', state: 'master' }],
    instances: [
      { name: 'VI_1', state: 'master', priority: { effective: 150 } },
      { name: 'VI_2', state: 'fault', priority: { effective: 90 } },
      { name: 'VI_3', state: 'init', priority: { effective: 90 } },
    ],
  } as unknown as VrrpProcessStatus
  const plain = config([web()])
  const w = world(plain, { failover: { status: async () => status }, alarms: { tell: (alarm) => told.push(alarm) } })
  await w.director.start()
  await w.director.reload()
  await settle(w)
  const states = (): Alarm[] => told.filter(({ kind }) => kind === 'vrrp-states')
  expect(states()).toEqual([])
  const globals = { ...plain.vrrp.globals, fifoStatesOnReload: true }
  w.use({ ...plain, vrrp: { ...plain.vrrp, globals } })
  await w.director.reload()
  await settle(w)
  expect(states()).toEqual([
    {
      kind: 'vrrp-states',
      lines: ['GROUP "G1" MASTER 0', 'INSTANCE "VI_1" MASTER 150', 'INSTANCE "VI_2" FAULT 90'],
    },
  ])
})

test('a start with errors is told until a reload brings a file without, and again when that is rolled back', async () => {
  const faulty = { errors: 1, warnings: 1, leftOut: ['virtual_server 192.0.2.9 80'] }
  const w = world(config([]))
  w.use({ config: config([web()]), diagnostics: ['test.conf:3:1: no', 'test.conf:4:1: odd'], ...faulty })
  await w.director.start()
  const told = { ...faulty, diagnostics: ['test.conf:3:1: no'] }
  expect((await w.director.status()).config).toMatchObject(told)
  w.use(config([web()]))
  await w.director.reload({ confirmWithin: 60_000 })
  expect((await w.director.status()).config).toMatchObject({ errors: 0, warnings: 0, diagnostics: [], leftOut: [] })
  await w.clock.advance(seconds(61))
  await until(async () => (await w.director.status()).config.errors > 0)
  expect((await w.director.status()).config).toMatchObject(told)
})

test('a vrrp process that does not answer is not taken for none', async () => {
  const plain = config([web()])
  const instances = [anInstance({ name: 'VI_1' })]
  const w = world({ ...plain, vrrp: { ...plain.vrrp, instances } }, { failover: { status: async () => 'silent' } })
  await w.director.start()
  expect(await w.director.status()).toMatchObject({ vrrp: undefined, vrrpSilent: ['VI_1'] })
})

test('a reload keeps what is known of servers that stay, and their checks', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  const turns = async (): Promise<unknown> =>
    (await w.director.status()).virtualServers.map((each) => [each.turns, each.servers.map((server) => server.turns)])
  expect(await turns()).toEqual([[1, [1, 0, 0]]])
  const before = w.prober().checks
  w.use(config([web({ realServers: [...names, '10.0.0.4:80'].map((name) => realServer(name, { weight: 2 })) })]))
  const { changes } = await w.director.reload()
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.2:80=2', '10.0.0.3:80=2', '10.0.0.4:80=2'])
  expect(changes).toEqual([
    'add 10.0.0.4:80 weight 2 droute to 192.0.2.1:80/tcp',
    'set 10.0.0.2:80 weight 2 droute of 192.0.2.1:80/tcp',
    'set 10.0.0.3:80 weight 2 droute of 192.0.2.1:80/tcp',
    'change weight of 10.0.0.1:80 of 192.0.2.1:80/tcp',
  ])
  expect(await turns()).toEqual([[1, [1, 0, 0, 0]]])
  // The prober is not told of them again: it knows what they have found.
  expect(w.prober().checks.slice(0, 3)).toEqual(before)
  expect(w.prober().checks).toHaveLength(4)
})

test('a server whose only failed checker goes is up again; one with changed timing stays down', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  w.prober().saw('10.0.0.2:80', false)
  await settle(w)
  const slower = realServer('10.0.0.2:80', { checkers: [tcpChecker('10.0.0.2:80', { delayLoop: seconds(9) })] })
  w.use(config([web({ realServers: [realServer('10.0.0.1:80', { checkers: [] }), slower, realServer(names[2]!)] })]))
  await w.director.reload()
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.3:80=1'])
})

test('a virtual server that goes is removed, its scripts run, foreign services stay', async () => {
  const script = { words: ['/bin/down'], place: { file: '', line: 1, column: 1 } }
  const w = world(config([web({ realServers: [realServer(names[0]!, { notifyDown: script })] })]))
  const foreign = { fwmark: 9, family: 'inet' } as const
  await w.ipvs.execute([
    { do: 'addService', key: foreign, settings: { ...[...(await startTable(w)).values()][0]!.settings } },
  ])
  w.use(config([]))
  await w.director.reload()
  expect([...(await w.ipvs.table()).keys()]).toEqual(['fwmark 9/inet'])
  expect(w.scripts).toEqual(['/bin/down'])
  await w.director.audit()
  expect((await w.director.status()).foreign.map(({ name }) => name)).toEqual(['fwmark 9/inet'])
})

async function startTable(w: World): Promise<Awaited<ReturnType<IpvsClient['table']>>> {
  await w.director.start()
  return w.ipvs.table()
}

test('a table flushed by hand is repaired within the audit interval and reported as drift', async () => {
  const w = world(config([web()]))
  await w.director.start()
  await w.ipvs.execute([{ do: 'flush' }])
  await w.clock.advance(seconds(29))
  expect(await kernel(w.ipvs)).toEqual([])
  await w.clock.advance(seconds(2))
  expect(await kernel(w.ipvs)).toHaveLength(3)
  const status = await w.director.status()
  expect(status.kernel).toMatchObject({ drifts: 1, audits: 1 })
  expect(w.log.lines.filter(({ event }) => event === 'drift').map(({ message }) => message)).toEqual([
    'drift: service 192.0.2.1:80/tcp was missing, repaired',
  ])
})

test('audits are made however often the file is reloaded', async () => {
  const w = world(config([web()]))
  await w.director.start()
  for (let i = 0; i < 4; i++) {
    await w.clock.advance(seconds(20))
    await w.director.reload()
  }
  expect((await w.director.status()).kernel.audits).toBe(2)
})

test('a verdict about a table that somebody flushed meanwhile is repaired at once', async () => {
  const w = world(config([web()]))
  await w.director.start()
  await w.ipvs.execute([{ do: 'flush' }])
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('a restart adopts: what is there and right is not touched, what was out stays out until proven', async () => {
  const ipvs = memoryIpvs()
  const first = world(config([web()]), { ipvs })
  await first.director.start()
  first.prober().saw('10.0.0.1:80', false)
  await settle(first)
  const second = world(config([web()]), { ipvs })
  await second.director.start()
  expect(second.written).toEqual([])
  expect(await kernel(ipvs)).toEqual(['10.0.0.2:80=1', '10.0.0.3:80=1'])
  expect(second.prober().checks.map(({ initial }) => initial.unproven)).toEqual([false, false, false])
  second.prober().saw('10.0.0.1:80', true)
  await settle(second)
  expect(await kernel(ipvs)).toHaveLength(3)
})

test('services left by an earlier run that the file no longer has are removed, those of others are not', async () => {
  const ipvs = memoryIpvs()
  const owned: string[] = []
  await world(config([web()]), { ipvs, owned }).director.start()
  expect(owned).toEqual(['192.0.2.1:80/tcp'])
  const other = web({ name: 'other', target: { kind: 'fwmark', fwmark: 3, family: 'inet' } })
  await world(config([other]), { ipvs, owned }).director.start()
  expect([...(await ipvs.table()).keys()]).toEqual(['fwmark 3/inet'])
  await ipvs.execute([
    { do: 'addService', key: { fwmark: 9, family: 'inet' }, settings: (await ipvs.services())[0]!.settings },
  ])
  await world(config([]), { ipvs, owned }).director.start()
  expect([...(await ipvs.table()).keys()]).toEqual(['fwmark 9/inet'])
  expect(owned).toEqual([])
})

test('stop removes what is ours, stop --keep leaves it', async () => {
  const kept = world(config([web()]))
  await kept.director.start()
  await kept.director.stop({ keep: true })
  expect(await kernel(kept.ipvs)).toHaveLength(3)
  expect(kept.prober().stopped).toBe(true)
  const removed = world(config([web()]))
  await removed.director.start()
  await removed.director.stop({ keep: false })
  expect((await removed.ipvs.table()).size).toBe(0)
})

test('lvs_timeouts are set at the start and put back at the end', async () => {
  const w = world(config([web()], { lvsTimeouts: { tcp: 10, tcpFin: 0, udp: 20 } }))
  const before = await w.ipvs.timeouts()
  await w.director.start()
  expect(await w.ipvs.timeouts()).toEqual({ ...before, tcp: 10, udp: 20 })
  await w.director.stop({ keep: false })
  expect(await w.ipvs.timeouts()).toEqual(before)
})

test('a reload that names fewer lvs_timeouts puts the others back', async () => {
  const w = world(config([web()], { lvsTimeouts: { tcp: 10, tcpFin: 0, udp: 20 } }))
  const before = await w.ipvs.timeouts()
  await w.director.start()
  w.use(config([web()], { lvsTimeouts: { tcp: 0, tcpFin: 5, udp: 20 } }))
  await w.director.reload()
  expect(await w.ipvs.timeouts()).toEqual({ ...before, tcpFin: 5, udp: 20 })
})

test('equal checks of two pools are probed once and told to both', async () => {
  const second = web({ name: 'second', target: { kind: 'fwmark', fwmark: 2, family: 'inet' } })
  const w = world(config([web(), second]))
  await w.director.start()
  expect(w.prober().checks).toHaveLength(3)
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  const sizes = [...(await w.ipvs.table()).values()].map(({ destinations }) => destinations.size)
  expect(sizes).toEqual([2, 2])
})

test('status tells state, since, reason, wanted and kernel weight, also of a failed server', async () => {
  const w = world(config([web({ sorryServer: sorryServer('10.0.0.9:80') })]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  const [virtual] = (await w.director.status()).virtualServers
  expect(virtual).toMatchObject({ name: '192.0.2.1:80/tcp', state: 'up', aliveWeight: 2, forwarding: 'DR' })
  expect(virtual?.servers[0]).toMatchObject({
    name: '10.0.0.1:80',
    state: 'down',
    since: 1000,
    class: 'refused',
    reason: 'refused',
    wantedWeight: undefined,
    kernelWeight: undefined,
  })
  expect(virtual?.servers[1]).toMatchObject({ state: 'unknown', wantedWeight: 1, kernelWeight: 1 })
  expect(virtual?.sorryServer).toMatchObject({ reason: 'standby', kernelWeight: undefined })
})

test('notify scripts run in the order of the events', async () => {
  const script = (name: string) => ({ words: [name], place: { file: '', line: 1, column: 1 } })
  const only = realServer(names[0]!, { notifyUp: script('rs-up'), notifyDown: script('rs-down') })
  const w = world(
    config([web({ realServers: [only], quorumUp: script('quorum-up'), quorumDown: script('quorum-down') })]),
  )
  await w.director.start()
  w.prober().saw(names[0]!, false)
  w.prober().saw(names[0]!, true)
  await settle(w)
  expect(w.scripts).toEqual(['quorum-up', 'rs-down', 'quorum-down', 'rs-up', 'quorum-up'])
})

/** A kernel in which every entry has so many connections. */
function counted(active: () => number): IpvsClient {
  const ipvs = memoryIpvs()
  return {
    ...ipvs,
    async destinations(key) {
      const found = await ipvs.destinations(key)
      return found.map((each) => ({ ...each, counters: { ...each.counters, activeConnections: active() } }))
    },
  }
}

test('a drained server keeps weight 0 until its connections have ended, and is then taken out', async () => {
  let active = 2
  const w = world(config([web()]), { ipvs: counted(() => active) })
  await w.director.start()
  await settle(w)
  expect(await steer(w, { action: 'drain', server: '10.0.0.2:80' })).toMatchObject({ ok: true })
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=0', '10.0.0.3:80=1'])
  const [virtual] = (await w.director.status()).virtualServers
  expect(virtual?.servers[1]?.steering).toMatchObject({ admin: 'draining', connectionsLeft: 2, host: false })
  expect(virtual?.aliveWeight).toBe(2)
  await w.clock.advance(seconds(5))
  expect(await kernel(w.ipvs)).toHaveLength(3)
  active = 0
  await w.clock.advance(seconds(2))
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.3:80=1'])
  await steer(w, { action: 'enable', server: '10.0.0.2:80' })
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('whoever steers the last server away is told that the quorum goes by that', async () => {
  const other = { kind: 'address', address: '192.0.2.2' as Address, port: 80 } as const
  const sorry = { name: '192.0.2.2:80/tcp', target: other, sorryServer: sorryServer('10.0.0.9:80'), quorum: 2 }
  const w = world(config([web(), web(sorry)]))
  await w.director.start()
  const steered: unknown[] = []
  for (const server of ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']) {
    const answer = await w.director.steer({ action: 'weight', server, weight: 0 })
    steered.push(answer.ok ? answer.changes.slice(2) : answer)
  }
  expect(steered).toEqual([
    [],
    ['192.0.2.2:80/tcp: without quorum by that, a weight of 1 is left: the sorry server 10.0.0.9:80 serves'],
    ['192.0.2.1:80/tcp: without quorum by that, no server is left that takes new connections'],
  ])
})

test('a drain of one of two servers that are one entry cuts nothing, and so ends at once', async () => {
  const entries = [80, 443].map((port) => ({ kind: 'address', address: '192.0.2.1' as Address, port }) as const)
  const realServers = ['10.0.0.1:80', '10.0.0.1:443'].map((name) => realServer(name))
  const shared = web({ target: { kind: 'group', group: 'web', entries }, realServers })
  const w = world(config([shared]), { ipvs: counted(() => 2) })
  await w.director.start()
  await steer(w, { action: 'drain', server: '10.0.0.1:80' })
  await w.clock.advance(seconds(2))
  const states = (await w.director.status()).virtualServers[0]?.servers.map(({ steering }) => steering?.admin)
  expect(states).toEqual(['drained', undefined])
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1'])
  await steer(w, { action: 'drain', server: '10.0.0.1:443' })
  await w.clock.advance(seconds(2))
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=0'])
})

test('a drain ends at its deadline whatever is left', async () => {
  const w = world(config([web()]), { ipvs: counted(() => 9) })
  await w.director.start()
  await steer(w, { action: 'drain', server: '10.0.0.2:80', deadline: 3000 })
  await w.clock.advance(seconds(2))
  expect(await kernel(w.ipvs)).toHaveLength(3)
  await w.clock.advance(seconds(3))
  expect(await kernel(w.ipvs)).toHaveLength(2)
  expect(w.log.lines.map(({ message }) => message)).toContain(
    'Drained 10.0.0.2:80 of VS 192.0.2.1:80/tcp: time is over, 9 connections are cut',
  )
})

test('what was asked for by hand survives reloads and restarts, and a reset ends it', async () => {
  const overlay = overlayInMemory()
  const ipvs = memoryIpvs()
  const w = world(config([web()]), { overlay, ipvs })
  await w.director.start()
  await steer(w, { action: 'weight', server: '10.0.0.1:80', weight: 9 })
  await steer(w, { action: 'disable', server: '10.0.0.2:80' })
  await steer(w, { action: 'remove', server: '10.0.0.3:80' })
  await steer(w, { action: 'add', service: '192.0.2.1:80/tcp', server: '10.0.0.4:80' })
  const wanted = ['10.0.0.1:80=9', '10.0.0.2:80=0', '10.0.0.4:80=1']
  expect(await kernel(ipvs)).toEqual(wanted)
  expect(await w.director.reload()).toMatchObject({ changes: [], writes: 0 })
  await w.director.stop({ keep: true })
  const again = world(config([web()]), { overlay, ipvs })
  await again.director.start()
  expect(again.written).toEqual([])
  expect(await kernel(ipvs)).toEqual(wanted)
  const [virtual] = (await again.director.status()).virtualServers
  expect(virtual?.removed).toEqual(['10.0.0.3:80'])
  expect(virtual?.servers.map(({ steering }) => steering?.added)).toEqual([false, false, true])
  await steer(again, { action: 'reset' })
  expect(await kernel(ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('forced down counts as down, for the quorum too; forced up serves whatever is seen', async () => {
  const w = world(config([web({ quorum: 3, sorryServer: sorryServer('10.0.0.9:80') })]))
  await w.director.start()
  await steer(w, { action: 'force', server: '10.0.0.1:80', force: 'down' })
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.9:80=1'])
  await steer(w, { action: 'force', server: '10.0.0.1:80', force: 'up' })
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toHaveLength(3)
})

test('a server that a reload removes keeps its connections for drain_on_removal, and is checked no more', async () => {
  const ipvs = memoryIpvs()
  let active = 1
  const busy: IpvsClient = {
    ...ipvs,
    async destinations(key) {
      const found = await ipvs.destinations(key)
      return found.map((each) => ({ ...each, counters: { ...each.counters, activeConnections: active } }))
    },
  }
  const drainOnRemoval = seconds(60)
  const w = world(config([web({ drainOnRemoval })]), { ipvs: busy })
  await w.director.start()
  w.use(config([web({ drainOnRemoval, realServers: names.slice(1).map((name) => realServer(name)) })]))
  const plan = await w.director.plan(undefined)
  expect(plan.changes).toEqual([
    'set 10.0.0.1:80 weight 0 droute of 192.0.2.1:80/tcp',
    'change checks of 10.0.0.1:80 of 192.0.2.1:80/tcp',
  ])
  expect((await w.director.reload()).changes).toEqual(plan.changes)
  expect(await kernel(ipvs)).toEqual(['10.0.0.1:80=0', '10.0.0.2:80=1', '10.0.0.3:80=1'])
  expect(w.prober().checks).toHaveLength(2)
  const leaving = (await w.director.status()).virtualServers[0]?.servers.at(-1)
  expect(leaving).toMatchObject({ name: '10.0.0.1:80', steering: { admin: 'draining', leaving: true } })
  expect(await w.director.reload()).toMatchObject({ changes: [], writes: 0 })
  const asked = { server: '10.0.0.1:80', service: '192.0.2.1:80/tcp' }
  expect(await w.director.steer({ action: 'enable', ...asked })).toMatchObject({ ok: false })
  expect(await w.director.steer({ action: 'add', ...asked })).toMatchObject({ ok: true })
  expect(await kernel(ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1'])
  await w.director.steer({ action: 'remove', ...asked })
  expect(await kernel(ipvs)).toEqual(['10.0.0.1:80=0', '10.0.0.2:80=1', '10.0.0.3:80=1'])
  active = 0
  await w.clock.advance(seconds(2))
  await until(async () => (await kernel(ipvs)).length === 2)
  await until(async () => (await w.director.status()).virtualServers[0]?.servers.length === 2)
})

test('the marks of groups follow the configuration, end with it, and their trouble is in the status', async () => {
  const calls: string[] = []
  const trouble = { what: 'groups.unmarked', since: 1, message: 'no nft' }
  const marks = {
    use: async () => void calls.push('use'),
    stop: async () => void calls.push('stop'),
    trouble: () => trouble,
  }
  const w = world(config([web()]), { marks: () => marks })
  await w.director.start()
  expect((await w.director.status()).troubles).toEqual([trouble])
  await w.director.stop({ keep: false })
  expect(calls).toEqual(['use', 'stop'])
})

test('a prober is started anew by hand, and that is told', async () => {
  const w = world(config([web()]))
  await w.director.start()
  await w.director.restartProber('prober 1')
  await expect(w.director.restartProber('prober 7')).rejects.toThrow('there is no prober "prober 7"')
  expect(w.prober().restarted).toEqual(['prober 1', 'prober 7'])
  expect(w.log.lines.filter(({ event }) => event === 'prober.restart')).toHaveLength(1)
})

test('ha_suspend: checked only while the VIP is here, with what was known', async () => {
  const here = new Set<string>()
  const w = world(
    config([
      web({ haSuspend: true }),
      web({
        name: 'other',
        target: { kind: 'fwmark', fwmark: 9, family: 'inet' },
        realServers: [realServer('10.0.0.7:80')],
        haSuspend: true,
      }),
    ]),
    { here },
  )
  await w.director.start()
  expect(w.prober().checks.map(({ connection }) => connection?.address)).toEqual(['10.0.0.7'])
  here.add('192.0.2.1')
  await w.clock.advance(seconds(2))
  expect(w.prober().checks).toHaveLength(4)
  w.prober().saw('10.0.0.2:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toHaveLength(2)
  here.clear()
  await w.clock.advance(seconds(2))
  expect(w.prober().checks).toHaveLength(1)
  here.add('192.0.2.1')
  await w.clock.advance(seconds(2))
  expect(w.prober().checks.find(({ connection }) => connection?.address === '10.0.0.2')?.initial).toEqual({
    up: false,
    unproven: false,
    seen: true,
  })
  expect(await kernel(w.ipvs)).toHaveLength(2)
})

test('what does not exist is refused and changes nothing', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.written.length = 0
  expect(await w.director.steer({ action: 'drain', server: 'x' })).toMatchObject({ ok: false, candidates: names })
  expect(w.written).toEqual([])
})

test('a plan tells what a reload would do, and does nothing', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  w.written.length = 0
  w.use(config([web({ realServers: [...names.slice(1), '10.0.0.4:80'].map((name) => realServer(name)) })]))
  const { ok, changes } = await w.director.plan(undefined)
  expect(ok).toBe(true)
  expect(changes).toEqual([
    'add 10.0.0.4:80 weight 1 droute to 192.0.2.1:80/tcp',
    'remove 10.0.0.1:80 from 192.0.2.1:80/tcp, which had no entry',
  ])
  expect(w.written).toEqual([])
  expect((await w.director.reload()).changes).toEqual(changes)
})

test('a reload on trial is rolled back unless confirmed', async () => {
  const w = world(config([web()]))
  await w.director.start()
  w.use(config([web({ realServers: [realServer(names[0]!)] })]))
  await w.director.reload({ confirmWithin: 60_000 })
  expect(await kernel(w.ipvs)).toHaveLength(1)
  expect((await w.director.status()).config.onTrialUntil).toBe(w.clock.wall() + 60_000)
  await w.clock.advance(seconds(61))
  await until(async () => (await kernel(w.ipvs)).length === 3)
  expect(w.director.confirm()).toBe(false)
  await w.director.reload({ confirmWithin: 60_000 })
  expect(w.director.confirm()).toBe(true)
  await w.clock.advance(seconds(120))
  expect(await kernel(w.ipvs)).toHaveLength(1)
})

test.each([
  { case: 'without the server', trial: [web({ realServers: [realServer(names[1]!)] })] },
  { case: 'without its virtual server', trial: [] },
])('what was down before a trial ($case) is down when that is rolled back', async ({ trial }) => {
  const w = world(config([web()]))
  await w.director.start()
  w.prober().saw(names[0]!, false)
  await until(async () => (await kernel(w.ipvs)).length === 2)
  w.use(config(trial))
  await w.director.reload({ confirmWithin: 60_000 })
  expect(await kernel(w.ipvs)).toHaveLength(trial.length)
  w.written.length = 0
  await w.clock.advance(seconds(61))
  await until(async () => (await kernel(w.ipvs)).length === 2)
  expect(w.written.filter((each) => 'destination' in each && each.destination.address === '10.0.0.1')).toEqual([])
  const [service] = (await w.director.status()).virtualServers
  expect(service?.servers.map(({ state }) => state)).toEqual(['down', 'unknown', 'unknown'])
})

test('a verdict that comes while a big reload is put together is not lost and not told twice', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => `10.1.${i >> 8}.${i & 255}:80`)
  const w = world(config([web({ realServers: many.map((name) => realServer(name)) })]))
  await w.director.start()
  const reloading = w.director.reload()
  await new Promise((resolve) => setImmediate(resolve))
  w.prober().saw(many[0]!, false)
  await reloading
  await settle(w)
  expect(await kernel(w.ipvs)).toHaveLength(2999)
  expect(w.log.lines.filter(({ event }) => event === 'server.down')).toHaveLength(1)
})

/** What is asked for by hand is written at once. */
async function steer(w: World, request: SteerRequest): Promise<SteerAnswer> {
  return w.director.steer(request)
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await what()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it never came to that')
}

test('panic_threshold: when nearly all fail the checks are not believed, until enough are up again', async () => {
  const many = ['1', '2', '3', '4'].map((host) => realServer(`10.0.0.${host}:80`))
  const w = world(config([web({ realServers: many, panicThreshold: 50, sorryServer: sorryServer('10.0.0.9:80') })]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  w.prober().saw('10.0.0.2:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.3:80=1', '10.0.0.4:80=1'])
  w.prober().saw('10.0.0.3:80', false)
  w.prober().saw('10.0.0.4:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toHaveLength(4)
  const [virtual] = (await w.director.status()).virtualServers
  expect(virtual).toMatchObject({ panic: true, state: 'up', aliveWeight: 4 })
  expect(virtual?.servers.map(({ state, wantedWeight }) => [state, wantedWeight])).toEqual(many.map(() => ['down', 1]))
  expect(w.log.lines.map(({ message }) => message)).toContain(
    'PANIC: only 1 of 4 real servers of VS 192.0.2.1:80/tcp are up, less than 50 %: the checks are not believed, all of them serve',
  )
  w.prober().saw('10.0.0.1:80', true)
  w.prober().saw('10.0.0.2:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1'])
})

test('panic believes what is forced down, and leaves alone what was taken out', async () => {
  const w = world(config([web({ panicThreshold: 50 })]))
  await w.director.start()
  await steer(w, { action: 'force', server: '10.0.0.1:80', force: 'down' })
  w.prober().saw('10.0.0.2:80', false)
  w.prober().saw('10.0.0.3:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('degraded_weight: a failed server keeps some weight and counts for nothing', async () => {
  const servers = names.map((name) => realServer(name, { weight: 10, degradedWeight: 1 }))
  const w = world(config([web({ realServers: servers })]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=10', '10.0.0.3:80=10'])
  expect((await w.director.status()).virtualServers[0]?.aliveWeight).toBe(20)
})

test('slow_start: the weight of a recovered server grows, also across a reload; at the start nobody is slow', async () => {
  const servers = names.map((name) => realServer(name, { weight: 100 }))
  const slow = web({ realServers: servers, slowStart: seconds(9) })
  const w = world(config([slow]))
  await w.director.start()
  expect(await kernel(w.ipvs)).toContain('10.0.0.1:80=100')
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  w.prober().saw('10.0.0.1:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toContain('10.0.0.1:80=10')
  expect((await w.director.status()).virtualServers[0]?.aliveWeight).toBe(300)
  await w.clock.advance(seconds(3))
  expect(await kernel(w.ipvs)).toContain('10.0.0.1:80=40')
  expect(await w.director.reload()).toMatchObject({ changes: [], writes: 0 })
  await w.clock.advance(seconds(7))
  expect(await kernel(w.ipvs)).toContain('10.0.0.1:80=100')
})

test('slow_start: a small weight is 1 at least', async () => {
  const servers = names.map((name) => realServer(name, { weight: 3 }))
  const w = world(config([web({ realServers: servers, slowStart: seconds(9) })]))
  await w.director.start()
  w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  w.prober().saw('10.0.0.1:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toContain('10.0.0.1:80=1')
})

test('tier: those of a higher one serve when the lower ones do not make the quorum, else they stand by', async () => {
  const servers = [
    ...names.map((name) => realServer(name)),
    realServer('10.0.1.1:80', { tier: 1 }),
    realServer('10.0.2.1:80', { tier: 2 }),
  ]
  const w = world(config([web({ realServers: servers, quorum: 2 })]))
  await w.director.start()
  const standby = ['10.0.1.1:80=0', '10.0.2.1:80=0']
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1', ...standby])
  w.prober().saw('10.0.0.1:80', false)
  w.prober().saw('10.0.0.2:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.3:80=1', '10.0.1.1:80=1', '10.0.2.1:80=0'])
  w.prober().saw('10.0.1.1:80', false)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.3:80=1', '10.0.2.1:80=1'])
  w.prober().saw('10.0.0.1:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.3:80=1', '10.0.2.1:80=0'])
})

const dynamic = (overrides: Partial<VirtualServer> = {}): VirtualServer =>
  web({
    realServers: [],
    dynamic: {
      sources: [
        { kind: 'dns', name: 'web.example', type: 'A', family: 'inet', minTtl: seconds(5), port: undefined, max: 9 },
      ],
      template: realServer('0.0.0.0:0', { weight: 3 }),
    },
    ...overrides,
  })
const webSource = 'dns A web.example'

test('servers of a source appear and vanish as it tells, checked like their template', async () => {
  const sources = fakeSources({ [webSource]: ['10.0.0.1', '10.0.0.2'] })
  const w = world(config([dynamic({ realServers: [realServer('10.0.0.9:80')] })]), { sources })
  await w.director.start()
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3', '10.0.0.2:80=3', '10.0.0.9:80=1'])
  w.prober().saw('10.0.0.2:80', false)
  await settle(w)
  sources.tell(webSource, ['10.0.0.2', '10.0.0.3'])
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3', '10.0.0.3:80=3', '10.0.0.9:80=1'])
  sources.tell(webSource, ['10.0.0.2', '10.0.0.3'])
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.3:80=3', '10.0.0.9:80=1'])
  w.prober().saw('10.0.0.2:80', true)
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.2:80=3', '10.0.0.3:80=3', '10.0.0.9:80=1'])
  const changed = w.log.lines.filter(({ event }) => event === 'source.changed').map(({ message }) => message)
  expect(changed.at(-1)).toBe('Source dns A web.example: 2 servers, - 10.0.0.1')
})

test('when a source fails its last servers stay, and status says since when and how old they are', async () => {
  const sources = fakeSources({ [webSource]: ['10.0.0.1'] })
  const w = world(config([dynamic()]), { sources })
  await w.director.start()
  await w.clock.advance(seconds(100))
  sources.fail(webSource, 'query ETIMEOUT')
  await w.clock.advance(seconds(100))
  sources.fail(webSource, 'query ESERVFAIL')
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3'])
  expect((await w.director.status()).sources).toEqual([
    {
      name: webSource,
      kind: 'dns',
      virtualServers: ['192.0.2.1:80/tcp'],
      servers: 1,
      answeredAt: 1_000_000,
      failed: { at: 1_100_000, message: 'query ESERVFAIL' },
      remarks: [],
    },
  ])
  expect(w.log.lines.filter(({ event }) => event === 'source.failed')).toHaveLength(1)
  sources.tell(webSource, ['10.0.0.1'])
  expect((await w.director.status()).sources?.[0]).toMatchObject({ answeredAt: 1_200_000, failed: undefined })
})

test('a start after kill -9, while the source is gone, goes on with its last servers', async () => {
  const sources = fakeSources({ [webSource]: ['10.0.0.1', '10.0.0.2'] })
  const first = world(config([dynamic()]), { sources })
  await first.director.start()
  sources.fail(webSource, 'query ECONNREFUSED')
  const second = world(config([dynamic()]), { sources, ipvs: first.ipvs })
  await second.director.start()
  expect(second.written).toEqual([])
  expect(await kernel(second.ipvs)).toEqual(['10.0.0.1:80=3', '10.0.0.2:80=3'])
  expect((await second.director.status()).sources?.[0]).toMatchObject({ answeredAt: 1_000_000, servers: 2 })
})

test('a start waits for the first answer of a source, but not for ever', async () => {
  const sources = fakeSources({})
  const w = world(config([dynamic(), web({ name: 'other', target: { kind: 'fwmark', fwmark: 7, family: 'inet' } })]), {
    sources,
  })
  const started = w.director.start()
  await w.clock.advance(seconds(2))
  expect((await w.ipvs.table()).size).toBe(0)
  await w.clock.advance(seconds(1))
  await started
  expect((await w.ipvs.table()).size).toBe(2)
  sources.tell(webSource, ['10.0.0.1'])
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3'])
})

test('a server that a source has no more keeps its connections for drain_on_removal', async () => {
  const ipvs = memoryIpvs()
  const busy: IpvsClient = {
    ...ipvs,
    destinations: async (key) =>
      (await ipvs.destinations(key)).map((each) => ({ ...each, counters: { ...each.counters, activeConnections: 1 } })),
  }
  const sources = fakeSources({ [webSource]: ['10.0.0.1', '10.0.0.2'] })
  const w = world(config([dynamic({ drainOnRemoval: seconds(60) })]), { sources, ipvs: busy })
  await w.director.start()
  sources.tell(webSource, ['10.0.0.1'])
  sources.tell(webSource, ['10.0.0.1'])
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3', '10.0.0.2:80=0'])
  await w.clock.advance(seconds(61))
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3'])
})

test('the end is the end of its sources, too', async () => {
  const sources = fakeSources({ [webSource]: ['10.0.0.1'] })
  const w = world(config([dynamic()]), { sources })
  await w.director.start()
  sources.tell(webSource, ['10.0.0.2'])
  await w.director.stop({ keep: true })
  expect(sources.followed()).toEqual([])
})

test('a reload brings sources and ends them; what is not asked for is not followed', async () => {
  const sources = fakeSources({ [webSource]: ['10.0.0.1'] })
  const w = world(config([web()]), { sources })
  await w.director.start()
  expect(sources.followed()).toEqual([])
  expect((await w.director.status()).sources).toBeUndefined()
  w.use(config([dynamic()]))
  await w.director.reload()
  await settle(w)
  expect(sources.followed()).toEqual([webSource])
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=3'])
  w.written.length = 0
  expect(await w.director.reload()).toMatchObject({ changes: [], writes: 0 })
  expect(w.written).toEqual([])
  w.use(config([web()]))
  await w.director.reload()
  expect(sources.followed()).toEqual([])
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('what is asked for by hand lies over servers of a source, too', async () => {
  const sources = fakeSources({ [webSource]: ['10.0.0.1', '10.0.0.2'] })
  const w = world(config([dynamic()]), { sources })
  await w.director.start()
  await steer(w, { action: 'weight', server: '10.0.0.1:80', weight: 7 })
  await steer(w, { action: 'disable', server: '10.0.0.2:80' })
  sources.tell(webSource, ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  await settle(w)
  expect(await kernel(w.ipvs)).toEqual(['10.0.0.1:80=7', '10.0.0.2:80=0', '10.0.0.3:80=3'])
})

test('a service that the kernel refuses is not offered, and nobody is told that it is', async () => {
  const ipvs = memoryIpvs()
  ipvs.refuse((command) => (command.do === 'addService' ? 'ENOENT' : undefined))
  const script = (name: string) => ({ words: [name], timeout: undefined, identity: undefined }) as never
  const w = world(config([web({ quorumUp: script('quorum-up'), quorumDown: script('quorum-down') })]), { ipvs })
  const heard: string[] = []
  w.director.subscribe(0, ({ event }) => heard.push(event))
  await w.director.start()
  expect(heard).toEqual(['service.refused', 'start'])
  expect(w.scripts).toEqual([])
  const { virtualServers } = await w.director.status()
  expect(virtualServers[0]).toMatchObject({ state: 'up', refused: expect.stringContaining('ENOENT') as string })
  ipvs.refuse(undefined)
  await w.director.audit()
  expect(heard.slice(2)).toEqual(['service.accepted', 'quorum.up'])
  expect(w.scripts).toEqual(['quorum-up'])
  expect((await w.director.status()).virtualServers[0]?.refused).toBeUndefined()
})

test('a quorum that was never offered is not told to be lost', async () => {
  const ipvs = memoryIpvs()
  ipvs.refuse((command) => (command.do === 'addService' ? 'ENOENT' : undefined))
  const w = world(config([web()]), { ipvs })
  const heard: string[] = []
  w.director.subscribe(0, ({ event }) => heard.push(event))
  await w.director.start()
  for (const name of names) w.prober().saw(name, false)
  await settle(w)
  expect(heard.filter((event) => event.startsWith('quorum'))).toEqual([])
  for (const name of names) w.prober().saw(name, true)
  ipvs.refuse(undefined)
  await settle(w)
  await w.director.audit()
  expect(heard.filter((event) => event.startsWith('quorum'))).toEqual(['quorum.up'])
})
