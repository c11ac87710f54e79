/** What people met with keepalived, one test each, named by its number there; docs/keepalived-issues.md tells of each. */
import type { VirtualServer } from '@ipvs-director/config'
import { address, seconds } from '@ipvs-director/core'
import { memoryIpvs, type IpvsClient } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { readSnippet } from './snippet.ts'
import { config, realServer, sorryServer, tcpChecker, virtualServer } from './testing/config.ts'
import { overlayInMemory } from './testing/overlay.ts'
import { world, type World } from './testing/world.ts'

const names = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']
const web = (overrides: Partial<VirtualServer> = {}): VirtualServer =>
  virtualServer({ realServers: names.map((name) => realServer(name)), ...overrides })
const settle = (w: World): Promise<void> => w.clock.advance(seconds(0))

/** `10.0.0.1:80=1` of every service, by service. */
async function kernel(ipvs: IpvsClient): Promise<Record<string, string[]>> {
  return Object.fromEntries(
    [...(await ipvs.table())].map(([id, { destinations }]) => [
      id,
      [...destinations].map(([name, { weight }]) => `${name}=${weight}`).sort(),
    ]),
  )
}
const only = async (w: World): Promise<string[] | undefined> => Object.values(await kernel(w.ipvs))[0]

/** Connections that every entry has. */
function busy(connections: () => { active: number; inactive: number }): IpvsClient {
  const table = memoryIpvs()
  return {
    ...table,
    async destinations(key) {
      const { active, inactive } = connections()
      const found = await table.destinations(key)
      return found.map((each) => ({
        ...each,
        counters: { ...each.counters, activeConnections: active, inactiveConnections: inactive },
      }))
    },
  }
}

async function started(first: VirtualServer, options: Parameters<typeof world>[1] = {}): Promise<World> {
  const w = world(config([first]), options)
  await w.director.start()
  await settle(w)
  return w
}

async function reloaded(w: World, next: VirtualServer): Promise<void> {
  w.use(config([next]))
  expect(await w.director.reload()).toMatchObject({ ok: true })
}

test('keepalived #106: a failed server is not put back by a reload before it is proven', async () => {
  const w = await started(web())
  w.prober().saw(names[0]!, false)
  await settle(w)
  await reloaded(w, web({ quorum: 2 }))
  expect(await only(w)).toEqual(['10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('keepalived #1163: a server that failed before a reload comes back with its next success', async () => {
  const alpha = (name: string) => realServer(name, { checkers: [tcpChecker(name, { alpha: true })] })
  const w = await started(web({ alpha: true, realServers: [alpha(names[0]!)] }))
  expect(await only(w)).toEqual([])
  await reloaded(w, web({ alpha: true, quorum: 1, realServers: [alpha(names[0]!)], scheduler: 'rr' }))
  w.prober().saw(names[0]!, true)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1'])
})

test('keepalived #608: what a checker knows goes with what it probes, whatever its place in the file becomes', async () => {
  const two = (reverse: boolean) => {
    const checkers = [tcpChecker('10.0.0.1:80'), tcpChecker('10.0.0.1:81')]
    return realServer('10.0.0.1:80', { checkers: reverse ? checkers.reverse() : checkers })
  }
  const w = await started(web({ realServers: [two(false)] }))
  w.prober().saw('10.0.0.1:81', false)
  await settle(w)
  await reloaded(w, web({ realServers: [realServer('10.0.0.9:80'), two(true)] }))
  expect(await only(w)).toEqual(['10.0.0.9:80=1'])
  w.prober().saw('10.0.0.1:81', true)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1', '10.0.0.9:80=1'])
})

test('keepalived #1720: a failed check that is replaced by another does not keep its server out', async () => {
  const w = await started(web({ realServers: [realServer(names[0]!, { checkers: [tcpChecker('10.0.0.1:99')] })] }))
  w.prober().saw('10.0.0.1:99', false)
  await settle(w)
  expect(await only(w)).toEqual([])
  await reloaded(w, web({ realServers: [realServer(names[0]!)] }))
  w.prober().saw(names[0]!, true)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1'])
})

test('keepalived #1660: a faulty file is refused, what runs goes on', async () => {
  const text = `virtual_server 192.0.2.9 80 {\n    protocol TCP\n    real_server 10.0.0.9 80 {\n        TCP_CHECK {\n            connect_port\n        }\n    }\n}\n`
  const { errors, diagnostics } = await readSnippet(text)
  expect(errors).toBe(1)
  const w = await started(web())
  w.use({ config: config([]), diagnostics, errors, warnings: 0, leftOut: [] })
  expect(await w.director.reload()).toMatchObject({ ok: false, diagnostics: [expect.stringContaining('snippet:5:')] })
  expect(await only(w)).toHaveLength(3)
  w.prober().saw(names[0]!, false)
  await settle(w)
  expect(await only(w)).toHaveLength(2)
})

test.each([
  ['keepalived #2253: entries of a group come and go with all their real servers', undefined],
  ['keepalived #2362: and with the sorry server, while it serves', sorryServer('10.0.0.99:80')],
])('%s', async (_, sorry) => {
  const group = (...ports: number[]) =>
    web({
      name: 'group web/tcp',
      target: {
        kind: 'group',
        group: 'web',
        entries: ports.map((port) => ({ kind: 'address', address: address('192.0.2.1'), port })),
      } as never,
      sorryServer: sorry,
      realServers: [realServer('10.0.0.1:80')],
    })
  const w = await started(group(80, 443))
  if (sorry !== undefined) w.prober().saw('10.0.0.1:80', false)
  await settle(w)
  await reloaded(w, group(80, 2333))
  const server = sorry === undefined ? '10.0.0.1' : '10.0.0.99'
  expect(await kernel(w.ipvs)).toEqual({
    '192.0.2.1:80/tcp': [`${server}:80=1`],
    '192.0.2.1:2333/tcp': [`${server}:2333=1`],
  })
})

test('keepalived #596: a server that is kept with weight 0 while it is down goes when the file has it no more', async () => {
  const inhibited = names.map((name) => realServer(name, { inhibitOnFailure: true }))
  const w = await started(web({ realServers: inhibited }))
  w.prober().saw(names[0]!, false)
  await settle(w)
  expect(await only(w)).toContain('10.0.0.1:80=0')
  await reloaded(w, web({ realServers: inhibited.slice(1) }))
  expect(await only(w)).toEqual(['10.0.0.2:80=1', '10.0.0.3:80=1'])
})

test('keepalived #187: the weight that a reload brings counts when an inhibited server recovers', async () => {
  const one = (weight: number) => web({ realServers: [realServer(names[0]!, { weight, inhibitOnFailure: true })] })
  const w = await started(one(11))
  w.prober().saw(names[0]!, false)
  await settle(w)
  await reloaded(w, one(9))
  expect(await only(w)).toEqual(['10.0.0.1:80=0'])
  w.prober().saw(names[0]!, true)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=9'])
})

test('keepalived #1354: a changed weight is in the kernel when the reload has ended', async () => {
  const w = await started(web())
  await reloaded(w, web({ realServers: names.map((name) => realServer(name, { weight: 20 })) }))
  expect(await only(w)).toEqual(names.map((name) => `${name}=20`))
})

test('keepalived #1757: weight 0 in the file is weight 0 in the kernel', async () => {
  const text = 'virtual_server 192.0.2.9 80 {\n protocol TCP\n real_server 10.0.0.9 80 {\n weight 0\n }\n}\n'
  const { virtualServers } = await readSnippet(text)
  const w = await started(virtualServers[0]!)
  expect(await only(w)).toEqual(['10.0.0.9:80=0'])
})

test('keepalived #1877: entries deleted by hand are back after the next audit, and a reload puts none off', async () => {
  const w = await started(web())
  await w.ipvs.execute([{ do: 'flush' }])
  await w.director.reload()
  await w.clock.advance(seconds(31))
  expect(await only(w)).toHaveLength(3)
  expect((await w.director.status()).kernel.drifts).toBeGreaterThan(0)
})

test('keepalived #2295: a server of a service that somebody removed does not fail for ever', async () => {
  const w = await started(web())
  w.prober().saw(names[0]!, false)
  await settle(w)
  await w.ipvs.execute([{ do: 'flush' }])
  w.prober().saw(names[0]!, true)
  await settle(w)
  expect(await only(w)).toHaveLength(3)
})

test('keepalived #490: the sorry server serves on over a reload', async () => {
  const sorry = { sorryServer: sorryServer('10.0.0.9:80') }
  const w = await started(web({ ...sorry, realServers: [realServer(names[0]!)] }))
  w.prober().saw(names[0]!, false)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.9:80=1'])
  await reloaded(w, web({ ...sorry, realServers: [realServer(names[0]!)], delayLoop: seconds(9) }))
  expect(await only(w)).toEqual(['10.0.0.9:80=1'])
})

test('keepalived #1370: a sorry server may be one of the real servers', async () => {
  const w = await started(web({ sorryServer: sorryServer('10.0.0.1:80'), realServers: names.slice(0, 2).map((name) => realServer(name)) })) // prettier-ignore
  for (const name of names) w.prober().saw(name, false)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1'])
  w.prober().saw(names[0]!, true)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1'])
  w.prober().saw(names[1]!, true)
  await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1'])
})

test('keepalived #1904: a real server that stands twice is told, and the virtual server is not lost', async () => {
  const real = ' real_server 10.0.0.9 80 {\n weight 1\n }\n'
  const text = `virtual_server 192.0.2.9 80 {\n protocol TCP\n${real}${real}}\n`
  const { virtualServers, diagnostics } = await readSnippet(text)
  expect(diagnostics.join('\n')).toContain('10.0.0.9:80')
  const [virtual] = virtualServers
  if (virtual === undefined) return
  const w = await started(virtual)
  await reloaded(w, { ...virtual, realServers: [realServer('10.0.0.7:80')] })
  expect(await only(w)).toEqual(['10.0.0.7:80=1'])
})

test('keepalived #2318: a reload of ten thousand checked servers writes nothing, and others have their turn', async () => {
  const large = Array.from({ length: 2500 }, (_, i) => {
    const name = `10.64.${i >> 8}.${i & 255}:80`
    const realServers = [0, 1, 2, 3].map((n) => realServer(`10.${100 + n}.${i >> 8}.${i & 255}:80`))
    return virtualServer({ name: `${name}/tcp`, target: { kind: 'address', address: address(name.replace(':80', '')), port: 80 }, realServers }) // prettier-ignore
  })
  const w = world(config(large))
  await w.director.start()
  w.prober().saw('10.100.0.7:80', false)
  await settle(w)
  const checks = w.prober().checks
  let turns = 0
  const count = (): void => {
    turns++
    again = setImmediate(count)
  }
  let again = setImmediate(count)
  // Every virtual server is another object, so that each is looked at.
  w.use(config(large.map((virtual) => ({ ...virtual }))))
  const { changes, writes } = await w.director.reload()
  clearImmediate(again)
  expect({ changes, writes }).toEqual({ changes: [], writes: 0 })
  expect(turns).toBeGreaterThan(2)
  expect(w.prober().checks).toEqual(checks)
  expect((await w.director.status()).virtualServers[7]?.servers[0]).toMatchObject({ state: 'down' })
})

test('keepalived #1228: a server that a reload takes away serves the connections it has', async () => {
  let active = 2
  const w = await started(web({ drainOnRemoval: seconds(600) }), { ipvs: busy(() => ({ active, inactive: 0 })) })
  await reloaded(w, web({ drainOnRemoval: seconds(600), realServers: [realServer(names[0]!)] }))
  expect(await only(w)).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=0', '10.0.0.3:80=0'])
  active = 0
  await w.clock.advance(seconds(3))
  for (let turn = 0; turn < 50 && (await only(w))?.length !== 1; turn++) await settle(w)
  expect(await only(w)).toEqual(['10.0.0.1:80=1'])
})

test('keepalived #2163: a drain of UDP waits for the entries that the kernel has for its clients', async () => {
  let inactive = 2
  const udp = web({ name: '192.0.2.1:53/udp', protocol: 'udp' })
  const w = await started(udp, { ipvs: busy(() => ({ active: 0, inactive })) })
  await w.director.steer({ action: 'drain', server: names[0]! })
  await w.clock.advance(seconds(5))
  expect(await only(w)).toContain('10.0.0.1:80=0')
  inactive = 0
  await w.clock.advance(seconds(2))
  expect(await only(w)).toHaveLength(2)
})

test('keepalived #1238: a weight of 0 by hand survives a restart', async () => {
  const overlay = overlayInMemory()
  const ipvs = memoryIpvs()
  const w = await started(web(), { overlay, ipvs })
  await w.director.steer({ action: 'weight', server: names[0]!, weight: 0 })
  await w.director.stop({ keep: true })
  const again = await started(web(), { overlay, ipvs })
  expect(again.written).toEqual([])
  expect(await only(again)).toContain('10.0.0.1:80=0')
})
