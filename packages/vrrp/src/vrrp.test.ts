import { address, millis, seconds } from '@ipvs-director/core'
import type { VrrpInstance } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import type { VrrpEvent } from './events.ts'
import { identityOf } from './identity.ts'
import { compose } from './compose.ts'
import { createAhCounter } from './sequence.ts'
import { aGroup, anInstance, aPlan, aVip, noTracking, someGlobals } from './testing/configs.ts'
import { createLan, type Lan, type Node } from './testing/lan.ts'

const key = identityOf(anInstance())
const plan = (priority: number, change: Partial<VrrpInstance> = {}) => aPlan([anInstance({ priority, ...change })])
const holders = (lan: Lan, which = key): string[] =>
  lan.nodes.filter((node) => node.holds().includes(which)).map(({ name }) => name)
const status = (node: Node, name = 'VI_1') =>
  node
    .vrrp()!
    .status()
    .instances.find((each) => each.name === name)!
const states = (node: Node): string[] =>
  node.events.flatMap((each) =>
    each.type === 'instance' || each.type === 'group' ? [`${each.name} ${each.state}`] : [],
  )
const alarms = (node: Node): string[] => node.events.flatMap((each) => (each.type === 'alarm' ? [each.kind] : []))

function pair(a: Parameters<Node['start']>[0], b: Parameters<Node['start']>[0], interfaces = ['eth0']) {
  const lan = createLan({ names: ['a', 'b'], interfaces })
  lan.node('a').start(a)
  lan.node('b').start(b)
  lan.run(10_000)
  return { lan, a: lan.node('a'), b: lan.node('b') }
}

test('a master that stood still does not disturb the one that took over', () => {
  const { lan, a, b } = pair(
    plan(150, { preempt: false, vipLease: undefined }),
    plan(100, { preempt: false, vipLease: undefined }),
  )
  a.stall(5000)
  lan.run(4000)
  expect(holders(lan)).toEqual(['a', 'b'])
  lan.run(1010)
  expect(holders(lan)).toEqual(['b'])
  expect(alarms(a)).toEqual(['stall'])
  lan.run(60_000)
  expect(holders(lan)).toEqual(['b'])
  expect(states(b)).toEqual(['VI_1 BACKUP', 'VI_1 MASTER'])
})

test('SIGSTOP: with its lease the address is gone before the backup takes it', () => {
  const { lan, a } = pair(plan(150), plan(100))
  a.stall(60_000)
  const seen: string[] = []
  for (let i = 0; i < 370; i++) {
    lan.run(10)
    const now = holders(lan).join()
    if (seen.at(-1) !== now) seen.push(now)
  }
  expect(seen).toEqual(['a', '', 'b'])
})

test('a master that was suspended for longer than the others wait is backup before it says anything more', () => {
  const { lan, a } = pair(plan(150), plan(100))
  const before = a.sent.length
  a.sleep(10_000)
  lan.run(1000)
  expect(status(a).state).toBe('backup')
  expect(a.sent.length).toBe(before)
  expect(holders(lan)).toEqual([])
  expect(alarms(a)).toEqual(['stall'])
  expect(a.log.some(({ text }) => text.includes('the machine was suspended for 10 s'))).toBe(true)
  lan.run(10_000)
  expect(holders(lan)).toEqual(['a'])
})

test('a short sleep of a master does not matter; a backup that slept waits a whole Master_Down_Interval', () => {
  const { lan, a, b } = pair(plan(150), plan(100))
  a.sleep(500)
  lan.run(3000)
  expect(status(a).state).toBe('master')
  a.kill()
  lan.run(3300)
  b.sleep(60_000)
  lan.run(2000)
  expect(status(b).state).toBe('backup')
  lan.run(3000)
  expect(status(b).state).toBe('master')
})

test('a backup that stood still first reads what waits in its sockets, and stays backup', () => {
  const { lan, b } = pair(plan(150), plan(100))
  b.stall(20_000)
  lan.run(60_000)
  expect(states(b)).toEqual(['VI_1 BACKUP'])
})

test('two heartbeats: the master counts as down when both are silent', () => {
  const beats = { heartbeatInterfaces: ['eth1'] }
  const { lan, b } = pair(plan(150, beats), plan(100, beats), ['eth0', 'eth1'])
  lan.cut('a', 'b', 'eth0')
  lan.run(60_000)
  expect(holders(lan)).toEqual(['a'])
  expect(status(b).peers.map(({ address: from, path }) => [from, path])).toEqual([
    ['192.0.2.1', 0],
    ['198.51.100.1', 1],
  ])
  lan.cut('a', 'b', 'eth1')
  lan.run(4000)
  expect(holders(lan)).toEqual(['a', 'b'])
  lan.heal()
  lan.run(1100)
  expect(holders(lan)).toEqual(['a'])
})

test('a heartbeat peer by unicast over another network', () => {
  const peer = (to: string) => ({ heartbeatPeers: [{ address: address(to), source: undefined, interface: 'eth1' }] })
  const { lan } = pair(plan(150, peer('198.51.100.2')), plan(100, peer('198.51.100.1')), ['eth0', 'eth1'])
  lan.cut('a', 'b', 'eth0')
  lan.run(60_000)
  expect(holders(lan)).toEqual(['a'])
})

test('equal priorities on two heartbeats with opposite orders: one stays', () => {
  const lan = createLan({ names: ['a', 'b'], interfaces: ['eth0', 'eth1'] })
  lan.node('a').setInterface('eth1', { addresses: [address('198.51.100.9')] })
  for (const name of ['a', 'b']) lan.node(name).start(plan(100, { heartbeatInterfaces: ['eth1'] }))
  lan.run(20_000)
  expect(holders(lan)).toEqual(['b'])
})

test('split brain: seen where it can be seen, and over with the first advert that arrives', () => {
  const { lan, a, b } = pair(plan(150), plan(100))
  lan.cut('a', 'b')
  lan.run(20_000)
  expect(holders(lan)).toEqual(['a', 'b'])
  lan.heal()
  const announced = a.announced.length
  lan.run(1100)
  expect(holders(lan)).toEqual(['a'])
  expect(a.announced.length).toBeGreaterThan(announced)
  expect(alarms(b)).toEqual([])
})

test('a cut in one direction: the master hears its rival, and raises an alarm', () => {
  const { lan, a } = pair(plan(150), plan(100))
  lan.cut('a', 'b', undefined, true)
  lan.run(10_000)
  expect(alarms(a)).toEqual(['rival'])
  expect(status(a).rival).toMatchObject({ address: '192.0.2.2', priority: 100 })
  lan.heal()
  lan.run(10_000)
  expect([holders(lan), status(a).rival]).toEqual([['a'], undefined])
  expect(a.events.some((each) => each.type === 'calm' && each.kind === 'rival')).toBe(true)
})

test.for([
  [
    'auth_pass',
    { auth: { type: 'PASS', password: 'one' } },
    { auth: { type: 'PASS', password: 'two' } },
    'authFailure',
    'invalid passwd',
  ],
  ['advert_int', {}, { advertInterval: seconds(2) }, 'interval', 'advertisement interval mismatch'],
  ['version', {}, { version: 3 }, 'version', 'wrong version'],
] as const)('a peer with another %s: both are master, and both say why', ([, one, two, reason, words]) => {
  const { lan, a, b } = pair(plan(150, one), plan(100, two))
  lan.run(20_000)
  expect(holders(lan)).toEqual(['a', 'b'])
  for (const node of [a, b]) {
    expect(alarms(node)).toContain('mismatch')
    expect(status(node).counters.rejected[reason]).toBeGreaterThan(3)
    expect(node.log.some(({ text }) => text.includes(words))).toBe(true)
  }
})

test('a mismatch that is mended is no alarm any longer', () => {
  const { lan, a, b } = pair(
    plan(150, { auth: { type: 'PASS', password: 'one' } }),
    plan(100, { auth: { type: 'PASS', password: 'two' } }),
  )
  b.vrrp()!.apply(plan(100, { auth: { type: 'PASS', password: 'one' } }))
  lan.run(10_000)
  expect(holders(lan)).toEqual(['a'])
  expect(a.events.some((each) => each.type === 'calm' && each.kind === 'mismatch')).toBe(true)
})

test('a mistyped virtual_router_id: our address in adverts of another VRID is an alarm', () => {
  const { a } = pair(plan(150), plan(100, { virtualRouterId: 52 }))
  expect(alarms(a)).toEqual(['vrid'])
})

test('other addresses: taken, and told once', () => {
  const { lan, b } = pair(plan(150, { addresses: [aVip('192.0.2.101')] }), plan(100))
  lan.run(10_000)
  expect(status(b).state).toBe('backup')
  expect(alarms(b)).toEqual(['mismatch'])
})

/** Sync groups, reference §6. */
const two = (priority: number) =>
  aPlan(
    [
      anInstance({ priority }),
      anInstance({
        name: 'VI_2',
        priority,
        interface: 'eth1',
        virtualRouterId: 52,
        addresses: [aVip('198.51.100.100', 'eth1')],
      }),
    ],
    { syncGroups: [aGroup(['VI_1', 'VI_2'])] },
  )
const key2 = identityOf(anInstance({ interface: 'eth1', virtualRouterId: 52 }))

test('a sync group moves as one when one interface fails, and comes back as one', () => {
  const { lan, a, b } = pair(two(150), two(100), ['eth0', 'eth1'])
  expect([holders(lan), holders(lan, key2)]).toEqual([['a'], ['a']])
  a.setInterface('eth1', { up: false })
  lan.run(1000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['b'], ['b']])
  expect(status(a).faults).toEqual(['sync group G1 has a fault'])
  a.setInterface('eth1', { up: true })
  lan.run(10_000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['a'], ['a']])
  expect(states(b).slice(0, 6)).toEqual([
    'G1 BACKUP',
    'VI_1 BACKUP',
    'VI_2 BACKUP',
    'VI_1 MASTER',
    'VI_2 MASTER',
    'G1 MASTER',
  ])
})

test('one member that hears a better master keeps the others backup', () => {
  const { lan, b } = pair(aPlan([anInstance({ priority: 150 })]), two(100), ['eth0', 'eth1'])
  lan.run(20_000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['a'], []])
  lan.node('a').stop()
  lan.run(4000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['b'], ['b']])
  expect(status(b, 'VI_2').state).toBe('master')
})

test('move, hold and release act on a whole group', () => {
  const { lan, a } = pair(two(150), two(100), ['eth0', 'eth1'])
  a.vrrp()!.move('VI_2')
  lan.run(2000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['b'], ['b']])
  lan.run(30_000)
  expect(holders(lan)).toEqual(['b'])
  a.vrrp()!.release('VI_1')
  lan.run(8000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['a'], ['a']])
  expect(() => {
    a.vrrp()!.move('VI_9')
  }).toThrow('there is no vrrp_instance VI_9')
})

/** Reload, reference §10. */
test('a reload keeps mastership by VRID and interface, whatever the name', () => {
  const { lan, a } = pair(plan(150), plan(100))
  const before = states(a).length
  const sent = a.sent.length
  a.vrrp()!.apply(plan(150, { name: 'renamed', addresses: [aVip('192.0.2.100'), aVip('192.0.2.101')] }))
  expect(a.sent.length).toBe(sent + 1)
  expect(status(a, 'renamed')).toMatchObject({ state: 'master', addresses: ['192.0.2.100/32', '192.0.2.101/32'] })
  lan.run(10_000)
  expect([states(a).length, holders(lan)]).toEqual([before, ['a']])
})

test.for([
  ['missing', undefined, 'FAULT'],
  ['alone', true, 'DELETED'],
  ['with a command', { words: ['/x'], place: { file: 'x', line: 1, column: 1 } }, 'DELETED'],
] as const)(
  'an instance that a reload removes says priority 0 and, notify_deleted %s, tells so',
  ([, notifyDeleted, word]) => {
    const { lan, a } = pair(plan(150, { notifyDeleted }), plan(100))
    a.vrrp()!.apply(aPlan([]))
    expect(states(a).at(-1)).toBe(`VI_1 ${word}`)
    expect(a.events.at(-1)).toMatchObject({ why: 'the configuration has it no more' })
    lan.run(700)
    expect(holders(lan)).toEqual(['b'])
  },
)

test('an init_file that cannot be written costs nobody the mastership', () => {
  const place = { file: 'x', line: 1, column: 1 }
  const file = { place, name: 'F', path: '/nosuch/F', weight: 1, reverse: false, init: { value: 5, overwrite: false } }
  const track = { ...noTracking, files: [{ name: 'F', weight: 1, reverse: false }] }
  const { lan, a } = pair({ ...plan(150, { track }), trackFiles: [file] }, plan(100))
  expect(holders(lan)).toEqual(['a'])
  expect(a.log).toContainEqual({
    level: 'warn',
    text: "cannot write init_file of F: ENOENT: no such file or directory, open '/nosuch/F'",
  })
})

test('a reload with a lower priority: the other one takes over', () => {
  const { lan, a } = pair(plan(150), plan(100))
  a.vrrp()!.apply(plan(50))
  lan.run(5000)
  expect(holders(lan)).toEqual(['b'])
  expect(a.events.find((each) => each.type === 'priority')).toMatchObject({ from: 150, to: 50 })
})

test('a reload that makes a group of masters keeps them', () => {
  const { lan, a } = pair(aPlan(two(150).vrrp.instances), two(100), ['eth0', 'eth1'])
  a.vrrp()!.apply(two(150))
  lan.run(10_000)
  expect([holders(lan), holders(lan, key2)]).toEqual([['a'], ['a']])
  expect(a.vrrp()!.status().groups).toMatchObject([{ name: 'G1', state: 'master' }])
  a.setInterface('eth1', { up: false })
  lan.run(1000)
  expect(holders(lan)).toEqual(['b'])
})

/** Links and addresses, reference §3. */
test('link down: priority 0 cannot be heard, but the fault is told; up again: a whole wait', () => {
  const { lan, a } = pair(plan(150), plan(100))
  a.setInterface('eth0', { up: false })
  expect(status(a)).toMatchObject({ state: 'fault', why: 'interface eth0 is down' })
  lan.run(5000)
  a.setInterface('eth0', { up: true })
  expect(status(a).state).toBe('backup')
  lan.run(4000)
  expect(holders(lan)).toEqual(['a'])
})

test('dont_track_primary: a link that is down is no fault', () => {
  const { a } = pair(plan(150, { trackPrimary: false }), plan(100))
  a.setInterface('eth0', { up: false })
  expect(status(a).state).toBe('master')
})

test('interface_up_down_delays: a short flap is nothing', () => {
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(aPlan([anInstance()], { linkDelays: [{ interface: 'eth0', down: seconds(2), up: seconds(3) }] }))
  lan.run(10_000)
  a.setInterface('eth0', { up: false })
  lan.run(1500)
  a.setInterface('eth0', { up: true })
  lan.run(10_000)
  expect(status(a).state).toBe('master')
  a.setInterface('eth0', { up: false })
  lan.run(2001)
  expect(status(a).state).toBe('fault')
  a.setInterface('eth0', { up: true })
  lan.run(2900)
  expect(status(a).state).toBe('fault')
  lan.run(200)
  expect(status(a).state).toBe('backup')
})

test('an interface that is deleted and made again is listened on again', () => {
  const { lan, b } = pair(plan(150), plan(100))
  b.setInterface('eth0', undefined)
  lan.run(1000)
  expect(status(b).faults).toEqual(['interface eth0 does not exist'])
  b.setInterface('eth0', { index: 77 })
  lan.run(20_000)
  expect(status(b)).toMatchObject({ state: 'backup', master: { address: '192.0.2.1' } })
})

test('an interface that comes later: fault until then', () => {
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(aPlan([anInstance({ interface: 'eth7' })]))
  lan.run(10_000)
  expect(status(a).state).toBe('fault')
  a.setInterface('eth7', { addresses: [address('10.0.0.1')] })
  lan.run(4000)
  expect(status(a).state).toBe('master')
})

test('without an address there is nothing to send from; the next one is taken', () => {
  const { lan, a } = pair(plan(150), plan(100))
  a.setInterface('eth0', { addresses: [address('192.0.2.100')] })
  expect(status(a)).toMatchObject({ state: 'fault', faults: ['no source address on eth0'] })
  a.setInterface('eth0', { addresses: [address('192.0.2.33')] })
  lan.run(5000)
  expect(holders(lan)).toEqual(['a'])
  expect(String(a.sent.at(-1)?.packet.source)).toBe('192.0.2.33')
})

test('an address removed by hand comes back', () => {
  const { lan, a } = pair(plan(150), plan(100))
  a.remove(key)
  expect(holders(lan)).toEqual([])
  lan.run(700)
  expect(holders(lan)).toEqual(['a'])
})

test('a VMAC: its interface is made first, and adverts and addresses go there', async () => {
  const vmac = {
    name: undefined,
    mac: undefined,
    group: undefined,
    netlinkNotifyMessage: false,
    transmitBase: false,
  }
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(plan(150, { vmac }))
  expect(status(a).state).toBe('init')
  await lan.settle(5000)
  expect(states(a)).toEqual(['VI_1 BACKUP', 'VI_1 MASTER'])
  expect(a.sent.at(-1)).toMatchObject({ on: 'vrrp.51', packet: { source: '192.0.2.1' } })
  expect(a.announced[0]).toEqual({ interface: 'vrrp.51', address: '192.0.2.100' })
})

test('use_vmac_addr: an interface for each other one and family, and their addresses go there', async () => {
  const lan = createLan({ names: ['a'], interfaces: ['eth0', 'eth1'] })
  const a = lan.node('a')
  const on = (name: string) => ({ interface: name, useVmac: true })
  const excluded = [
    { ...aVip('192.0.2.200'), ...on('eth1') },
    { ...aVip('192.0.2.201'), ...on('eth1') },
    { ...aVip('2001:db8::1'), ...on('eth0') },
  ]
  a.start(plan(150, { excluded }))
  await lan.settle(5000)
  expect(states(a)).toEqual(['VI_1 BACKUP', 'VI_1 MASTER'])
  expect(a.sent.at(-1)).toMatchObject({ on: 'eth0' })
  const told = new Set(a.announced.map(({ interface: name, address: vip }) => `${vip} ${name}`))
  expect([...told].sort()).toEqual([
    '192.0.2.100 eth0',
    '192.0.2.200 vrrp.51.eth1',
    '192.0.2.201 vrrp.51.eth1',
    '2001:db8::1 vrrp6.51.eth0',
  ])
  expect(a.interfaces()).toEqual(['eth0', 'eth1', 'vrrp.51.eth1', 'vrrp6.51.eth0'])
  a.vrrp()?.apply(plan(150, { excluded: excluded.slice(2) }))
  await lan.settle(1000)
  expect(a.interfaces()).toEqual(['eth0', 'eth1', 'vrrp6.51.eth0'])
  expect(states(a)).toEqual(['VI_1 BACKUP', 'VI_1 MASTER'])
  a.vrrp()?.stop()
  await lan.settle(1000)
  expect(a.interfaces()).toEqual(['eth0', 'eth1'])
})

/** Trackers, reference §5. */
const script = (change = {}) => ({
  place: { file: 'x', line: 1, column: 1 },
  name: 'chk',
  script: { words: ['/chk'], place: { file: 'x', line: 1, column: 1 } },
  interval: seconds(1),
  timeout: seconds(1),
  weight: 0,
  reverse: false,
  rise: 2,
  fall: 2,
  initFail: false,
  ...change,
})
const tracking = (weight: number) => ({ ...noTracking, scripts: [{ name: 'chk', weight, reverse: false }] })
const fail = { kind: 'exited', status: 1 } as const

test('vrrp_script with a weight moves mastership, and back, after fall and rise', async () => {
  const lan = createLan({ names: ['a', 'b'] })
  const [a, b] = [lan.node('a'), lan.node('b')]
  const tracked = (priority: number) => aPlan([anInstance({ priority, track: tracking(-60) })], { scripts: [script()] })
  a.start(tracked(150))
  b.start(tracked(100))
  await lan.settle(10_000)
  a.scripts.set('chk', fail)
  await lan.settle(1500)
  expect(status(a).priority.effective).toBe(150)
  await lan.settle(1000)
  expect(status(a).priority).toMatchObject({
    effective: 90,
    total: 90,
    shares: [{ what: 'script chk', add: -60, status: 'bad' }],
  })
  await lan.settle(5000)
  expect(holders(lan)).toEqual(['b'])
  expect(a.log.some(({ text }) => text.includes('VRRP_Script(chk) failed (exited with status 1)'))).toBe(true)
  a.scripts.delete('chk')
  await lan.settle(8000)
  expect(holders(lan)).toEqual(['a'])
})

test('weight 0: failure is a fault; nothing is done before the first result', async () => {
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(aPlan([anInstance({ track: tracking(0) })], { scripts: [script()] }))
  expect(status(a)).toMatchObject({ state: 'init', waitingFor: ['script chk'] })
  await lan.settle(5000)
  expect(status(a).state).toBe('master')
  a.scripts.set('chk', { kind: 'timedOut' })
  await lan.settle(3000)
  expect(status(a)).toMatchObject({ state: 'fault', faults: ['script chk: timed out'] })
})

test('virtual servers and BFD sessions are reported by the director', () => {
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  const track = {
    ...noTracking,
    virtualServers: [{ name: '192.0.2.100:80/tcp', weight: 0, reverse: false }],
    bfd: [{ name: 'gw', weight: -30, reverse: false }],
  }
  a.start(aPlan([anInstance({ track })]))
  expect(status(a).state).toBe('init')
  a.vrrp()!.report('virtualServer', '192.0.2.100:80/tcp', { kind: 'good' })
  a.vrrp()!.report('bfd', 'gw', { kind: 'bad', why: 'down' })
  expect(status(a)).toMatchObject({ state: 'backup', priority: { effective: 70 } })
  a.vrrp()!.report('virtualServer', '192.0.2.100:80/tcp', { kind: 'bad', why: 'quorum lost' })
  expect(status(a)).toMatchObject({ state: 'fault', faults: ['virtual server 192.0.2.100:80/tcp: quorum lost'] })
})

test('arbitration: a backup that is cut off stays backup', async () => {
  const lan = createLan({ names: ['a', 'b'] })
  const gateway = address('192.0.2.254')
  const arbitration = {
    require: 'any',
    addresses: [gateway],
    interval: seconds(1),
    timeout: millis(500),
    fall: 3,
    stepDown: false,
  } as const
  for (const [name, priority] of [
    ['a', 150],
    ['b', 100],
  ] as const) {
    lan.node(name).answering.add(gateway)
    lan.node(name).start(plan(priority, { arbitration }))
  }
  await lan.settle(10_000)
  expect(holders(lan)).toEqual(['a'])
  lan.cut('a', 'b')
  lan.node('b').answering.clear()
  await lan.settle(20_000)
  expect(holders(lan)).toEqual(['a'])
  expect(alarms(lan.node('b'))).toContain('arbitration')
  lan.node('b').answering.add(gateway)
  await lan.settle(2000)
  expect(holders(lan)).toEqual(['a', 'b'])
})

test('the preempt gate: mastership is taken back only when everything it waits for has come', () => {
  const lan = createLan({ names: ['a', 'b'] })
  lan.node('b').start(plan(100))
  lan.run(10_000)
  lan.node('a').start(plan(150, { preemptGate: { checkers: true, ipvsSync: true, timeout: undefined } }))
  lan.run(30_000)
  lan.node('a').vrrp()!.gateOpened('checkers')
  lan.run(30_000)
  expect(holders(lan)).toEqual(['b'])
  lan.node('a').vrrp()!.gateOpened('ipvsSync')
  lan.run(4000)
  expect(holders(lan)).toEqual(['a'])
})

test('the startup delay is the longer one of the two', () => {
  const lan = createLan({ names: ['a'] })
  lan
    .node('a')
    .start(
      aPlan([anInstance()], { globals: { ...someGlobals, startupDelay: seconds(5), delayAfterBoot: seconds(20) } }),
    )
  lan.run(19_999)
  expect(status(lan.node('a')).state).toBe('init')
  lan.run(3612)
  expect(status(lan.node('a')).state).toBe('master')
})

/** Announcements, reference §4. */
test('a burst is five for each address, spaced by vrrp_garp_interval, and again after five seconds', () => {
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  const instance = anInstance({
    addresses: [aVip('192.0.2.100'), aVip('192.0.2.101')],
    excluded: [aVip('2001:db8::1')],
  })
  a.start(aPlan([instance], { globals: { ...someGlobals, garpInterval: millis(10) } }))
  lan.run(3610)
  expect(a.announced).toHaveLength(1)
  lan.run(1000)
  expect(a.announced.slice(0, 3).map((each) => each.address)).toEqual(['192.0.2.100', '192.0.2.101', '2001:db8::1'])
  expect(a.announced).toHaveLength(15)
  lan.run(6000)
  expect(a.announced).toHaveLength(30)
})

test('messages that still wait are dropped when mastership goes', () => {
  const lan = createLan({ names: ['a', 'b'] })
  lan.node('b').start(aPlan([anInstance({ priority: 100 })], { globals: { ...someGlobals, garpInterval: seconds(2) } }))
  lan.run(4000)
  lan.node('a').start(plan(150))
  lan.run(60_000)
  expect(lan.node('b').announced.length).toBeLessThan(6)
})

test('a flood of forged adverts costs no mastership and no memory, and is not logged line by line', () => {
  const auth = { type: 'PASS', password: 'right' } as const
  const { lan, a } = pair(plan(150, { auth }), plan(100, { auth }))
  const forged = anInstance({ priority: 250, auth: { ...auth, password: 'wrong' } })
  const composer = {
    config: forged,
    keys: new Map(),
    freshness: undefined,
    ahCounter: createAhCounter(),
    nextId: () => 1,
    wall: () => 0,
  }
  const mallory = lan.node('b')
  const lines = a.log.length
  mallory.kill()
  for (let i = 0; i < 20_000; i++) {
    lan.simulation.at(lan.simulation.now() + i / 50, () => {
      const source = address(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
      const [packet] = compose(composer, 250, {
        source,
        addresses: [forged.multicastGroup],
        unicast: false,
        oldChecksum: false,
      })
      lan.inject('a', packet!)
    })
  }
  lan.run(5000)
  expect(holders(lan)).toEqual(['a'])
  expect(status(a).counters.rejected.authFailure).toBe(20_000)
  expect(status(a).peers.length).toBeLessThanOrEqual(16)
  expect(a.log.length - lines).toBeLessThan(200)
  expect(alarms(a).length).toBeLessThanOrEqual(64)
})

test('stop says STOP for every instance, then for the group', () => {
  const { a } = pair(two(150), two(100), ['eth0', 'eth1'])
  const events: VrrpEvent[] = a.events
  a.stop()
  expect(states({ ...a, events }).slice(-3)).toEqual(['VI_1 STOP', 'VI_2 STOP', 'G1 STOP'])
})

test('unicast without an interface: two addresses are enough', () => {
  const peerOf = (to: string, from: string) => ({
    interface: undefined,
    sourceAddress: address(from),
    unicastPeers: [{ address: address(to), minTtl: undefined, maxTtl: undefined }],
    addresses: [aVip('192.0.2.100')],
  })
  const lan = createLan({ names: ['a', 'b'] })
  lan.node('a').start(plan(150, peerOf('192.0.2.2', '192.0.2.1')))
  lan.node('b').start(plan(100, peerOf('192.0.2.1', '192.0.2.2')))
  lan.run(10_000)
  expect([status(lan.node('a')).state, status(lan.node('b')).state]).toEqual(['master', 'backup'])
})

test('unicast in a VRF: bound to it, and a fault while it is not there', () => {
  const peerOf = (to: string, from: string) => ({
    interface: undefined,
    vrf: 'blue',
    sourceAddress: address(from),
    unicastPeers: [{ address: address(to), minTtl: undefined, maxTtl: undefined }],
    addresses: [aVip('192.0.2.100')],
  })
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(plan(150, peerOf('192.0.2.2', '192.0.2.1')))
  lan.run(1000)
  expect(status(a).state).toBe('fault')
  a.setInterface('blue', { name: 'blue', index: 9 })
  lan.run(10_000)
  expect(status(a).state).toBe('master')
  expect(a.sent.at(-1)?.on).toBe('blue')
})

test('advertisements that cannot be sent are an alarm, once, until they can', () => {
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(plan(150))
  lan.run(5000)
  a.refuse('sendmsg EPERM')
  lan.run(5000)
  expect(alarms(a)).toEqual(['unsent'])
  expect(status(a).state).toBe('master')
  a.refuse(undefined)
  lan.run(1000)
  expect(a.events.some((each) => each.type === 'calm' && each.kind === 'unsent')).toBe(true)
  a.refuse('sendmsg ENETUNREACH')
  a.setInterface('eth0', { up: false })
  expect(alarms(a)).toEqual(['unsent'])
})

test('a VMAC interface that somebody removes is made again', async () => {
  const vmac = {
    name: undefined,
    mac: undefined,
    group: undefined,
    netlinkNotifyMessage: false,
    transmitBase: false,
  }
  const lan = createLan({ names: ['a'] })
  const a = lan.node('a')
  a.start(plan(150, { vmac }))
  await lan.settle(5000)
  a.setInterface('vrrp.51', undefined)
  expect(status(a)).toMatchObject({ state: 'fault', faults: ['its interface is being made'] })
  await lan.settle(5000)
  expect(status(a).state).toBe('master')
})

test('a claim reaches the instance that holds the address, and only while it is master', () => {
  const { lan, a, b } = pair(plan(150), plan(100))
  for (const node of [a, b]) node.listener()!.claimed('eth0', address('192.0.2.100'), '02:00:00:00:00:99')
  lan.run(2000)
  expect([alarms(a), alarms(b)]).toEqual([['claim'], []])
  expect(status(a).claim).toEqual({ address: '192.0.2.100', mac: '02:00:00:00:00:99' })
})

test('adverts that may have been dropped in a flood are waited for once more; an old flood does not matter', () => {
  const { lan, b } = pair(plan(150), plan(100))
  b.overflow(1000)
  lan.run(3000)
  lan.cut('a', 'b')
  lan.run(3000)
  b.overflow(1)
  lan.run(3000)
  expect(holders(lan)).toEqual(['a'])
  expect(b.log.some(({ text }) => text.includes('receive buffer was full'))).toBe(true)
  lan.run(4000)
  expect(holders(lan)).toEqual(['a', 'b'])
  const quiet = pair(plan(150), plan(100))
  quiet.b.overflow(1000)
  quiet.lan.run(3000)
  quiet.lan.cut('a', 'b')
  quiet.lan.run(3700)
  expect(holders(quiet.lan)).toEqual(['a', 'b'])
})

test('garp_extra_if: one more message for each address on another interface, again and again', () => {
  const announcing = {
    ...anInstance().announcing,
    masterRepeat: 1,
    masterDelay: millis(0),
    extraInterfaces: { all: true, interval: seconds(10) },
  }
  const lan = createLan({ names: ['a'], interfaces: ['eth0', 'eth1'] })
  const a = lan.node('a')
  a.start(plan(150, { announcing, addresses: [aVip('192.0.2.100'), aVip('198.51.100.100', 'eth1')] }))
  lan.run(35_000)
  expect(a.announced.map((each) => each.interface)).toEqual(['eth0', 'eth1', 'eth1', 'eth1', 'eth1'])
})
