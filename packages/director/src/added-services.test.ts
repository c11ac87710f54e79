/** Virtual servers that are added and removed at run time. */
import type { SteerAnswer, SteerRequest } from '@ipvs-director/control'
import { address, seconds } from '@ipvs-director/core'
import { memoryIpvs, type IpvsClient } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { config, realServer, virtualServer } from './testing/config.ts'
import { overlayInMemory } from './testing/overlay.ts'
import { world, type World } from './testing/world.ts'

const web = virtualServer({ realServers: ['10.0.0.1:80', '10.0.0.2:80'].map((name) => realServer(name)) })
const name = '192.0.2.9:80/tcp'
const snippet = (weight = 1, port = 80): string => `virtual_server 192.0.2.9 ${port} {
    protocol TCP
    real_server 10.0.0.9 80 {
        weight ${weight}
        TCP_CHECK {
        }
    }
}
`
/** As a file would bring it. */
const inFile = virtualServer({
  name,
  target: { kind: 'address', address: address('192.0.2.9'), port: 80 },
  realServers: [realServer('10.0.0.7:80')],
})

async function steer(w: World, request: SteerRequest): Promise<SteerAnswer> {
  return w.director.steer(request)
}

async function services(ipvs: IpvsClient): Promise<Record<string, string[]>> {
  const table = await ipvs.table()
  return Object.fromEntries(
    [...table].map(([id, { destinations }]) => [id, [...destinations].map(([to, { weight }]) => `${to}=${weight}`)]),
  )
}

const webOnly = { '192.0.2.1:80/tcp': ['10.0.0.1:80=1', '10.0.0.2:80=1'] }
const both = { ...webOnly, [name]: ['10.0.0.9:80=1'] }

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (await what()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('never')
}

test('a virtual server is added, shown as such, checked, and survives reload and restart until it is reset', async () => {
  const overlay = overlayInMemory()
  const ipvs = memoryIpvs()
  const w = world(config([web]), { overlay, ipvs })
  await w.director.start()
  expect(await steer(w, { action: 'add-service', text: snippet() })).toEqual({
    ok: true,
    changes: [`virtual server ${name}: added`],
  })
  expect(await services(ipvs)).toEqual(both)
  expect((await w.director.plan(undefined)).byHand).toEqual([`virtual server ${name}: added`])
  expect(await w.director.reload()).toMatchObject({ changes: [], writes: 0 })
  w.prober().saw('10.0.0.9:80', false)
  await w.clock.advance(seconds(0))
  expect(await services(ipvs)).toEqual({ ...webOnly, [name]: [] })
  w.prober().saw('10.0.0.9:80', true)
  await w.clock.advance(seconds(0))
  await w.director.stop({ keep: true })

  const again = world(config([web]), { overlay, ipvs })
  await again.director.start()
  expect(again.written).toEqual([])
  expect((await again.director.status()).virtualServers.map((each) => each.added)).toEqual([undefined, true])
  await steer(again, { action: 'weight', server: '10.0.0.9:80', weight: 4 })
  await steer(again, { action: 'add', service: name, server: '10.0.0.8:80' })
  expect((await services(ipvs))[name]).toEqual(['10.0.0.9:80=4', '10.0.0.8:80=1'])
  await steer(again, { action: 'reset', service: name })
  expect(await services(ipvs)).toEqual(webOnly)
})

test('a snippet that cannot be used is refused with the diagnostics of the reader', async () => {
  const w = world(config([web]))
  await w.director.start()
  const typo = await steer(w, { action: 'add-service', text: snippet().replace('weight', 'wieght') })
  expect(typo).toMatchObject({ ok: false, diagnostics: [expect.stringContaining('did you mean "weight"')] })
  const broken = await steer(w, { action: 'add-service', text: snippet().replace('10.0.0.9', '10.0.0.999') })
  expect(broken).toMatchObject({ ok: false, diagnostics: [expect.stringContaining('snippet:3:')] })
  expect(await steer(w, { action: 'add-service', text: '# nothing\n' })).toMatchObject({
    ok: false,
    problem: 'there is no virtual server in it',
  })
  const vrrp = 'vrrp_instance VI_1 {\n interface lo\n virtual_router_id 1\n priority 100\n}\n'
  expect(await steer(w, { action: 'add-service', text: snippet() + vrrp })).toMatchObject({
    ok: false,
    diagnostics: expect.arrayContaining([expect.stringContaining('vrrp_instance VI_1 belongs in the file')]) as never,
  })
  expect(await services(w.ipvs)).toEqual(webOnly)
})

test('what answers already is not added a second time', async () => {
  const w = world(config([web]))
  await w.director.start()
  await steer(w, { action: 'add-service', text: snippet() })
  expect(await steer(w, { action: 'add-service', text: snippet(5) })).toMatchObject({
    ok: false,
    problem: `there is a virtual server ${name} already`,
  })
  const group = `virtual_server_group g {\n 192.0.2.1 80\n}\n${snippet().replace('192.0.2.9 80', 'group g')}`
  expect(await steer(w, { action: 'add-service', text: group })).toMatchObject({
    ok: false,
    problem: '192.0.2.1:80/tcp answers for 192.0.2.1:80/tcp already',
  })
})

test('a virtual server of the file is removed, replaced, and is back after a reset', async () => {
  const overlay = overlayInMemory()
  const ipvs = memoryIpvs()
  const file = config([web, inFile])
  const w = world(file, { overlay, ipvs })
  await w.director.start()
  expect(await steer(w, { action: 'remove-service', service: name })).toEqual({
    ok: true,
    changes: [`virtual server ${name}: removed`],
  })
  expect(await services(ipvs)).toEqual(webOnly)
  expect((await w.director.status()).removedServices).toEqual([name])
  await w.director.reload()
  expect(await services(ipvs)).toEqual(webOnly)
  await steer(w, { action: 'add-service', text: snippet() })
  expect(await services(ipvs)).toEqual(both)
  await w.director.reload()
  expect(await services(ipvs)).toEqual(both)
  await w.director.stop({ keep: true })

  const again = world(file, { overlay, ipvs })
  await again.director.start()
  expect(again.written).toEqual([])
  await steer(again, { action: 'remove-service', service: name })
  expect(await services(ipvs)).toEqual(webOnly)
  await steer(again, { action: 'reset', service: name })
  expect(await services(ipvs)).toEqual({ ...webOnly, [name]: ['10.0.0.7:80=1'] })
  expect(await steer(again, { action: 'remove-service', service: 'x' })).toMatchObject({
    ok: false,
    candidates: ['192.0.2.1:80/tcp', name],
  })
})

test('a removal can wait until the connections have ended; it goes on after a restart', async () => {
  let connections = 3
  const table = memoryIpvs()
  const ipvs: IpvsClient = {
    ...table,
    async destinations(key) {
      const found = await table.destinations(key)
      return found.map((each) => ({ ...each, counters: { ...each.counters, activeConnections: connections } }))
    },
  }
  const overlay = overlayInMemory()
  const w = world(config([web, inFile]), { ipvs, overlay })
  await w.director.start()
  expect(await steer(w, { action: 'remove-service', service: name, drain: true })).toMatchObject({
    changes: [`virtual server ${name}: draining`],
  })
  await w.clock.advance(seconds(3))
  expect(await services(table)).toEqual({ ...webOnly, [name]: ['10.0.0.7:80=0'] })
  const status = await w.director.status()
  expect(status.virtualServers[1]).toMatchObject({ leaving: { deadline: undefined } })
  await w.director.stop({ keep: true })

  const again = world(config([web, inFile]), { ipvs, overlay })
  await again.director.start()
  expect(await services(table)).toEqual({ ...webOnly, [name]: ['10.0.0.7:80=0'] })
  connections = 0
  await again.clock.advance(seconds(2))
  await until(async () => Object.keys(await services(table)).length === 1)
  expect((await again.director.status()).removedServices).toEqual([name])
  expect(again.log.lines.map(({ message }) => message)).toContain(`Drained VS ${name}: it is removed`)
})

test('a removal that waits is over at its deadline, and a reset before it keeps the virtual server', async () => {
  const w = world(config([web, inFile]))
  await w.director.start()
  await steer(w, { action: 'remove-service', service: name, deadline: 60_000 })
  await steer(w, { action: 'reset', service: name })
  await w.clock.advance(seconds(70))
  expect(await services(w.ipvs)).toEqual({ ...webOnly, [name]: ['10.0.0.7:80=1'] })
  await steer(w, { action: 'remove-service', service: name, deadline: 60_000 })
  await w.clock.advance(seconds(70))
  await until(async () => Object.keys(await services(w.ipvs)).length === 1)
})

test('when a reload brings the same virtual server the file counts, and it is told', async () => {
  const w = world(config([web]))
  await w.director.start()
  await steer(w, { action: 'add-service', text: snippet() })
  w.use(config([web, inFile]))
  const { changes } = await w.director.reload()
  expect(changes).toEqual([
    `change service ${name} (wrr)`,
    `add 10.0.0.7:80 weight 1 droute to ${name}`,
    `remove 10.0.0.9:80 from ${name}`,
  ])
  expect(w.log.lines.map(({ message }) => message)).toContain(
    `VS ${name} was added by hand and is in the file now: the file counts`,
  )
  expect((await w.director.status()).virtualServers[1]?.added).toBeUndefined()
  // It is the file's now: gone from there, it is gone.
  w.use(config([web]))
  await w.director.reload()
  expect(await services(w.ipvs)).toEqual(webOnly)
})

test('a reload on trial that is rolled back gives back what it had taken over', async () => {
  const w = world(config([web]))
  await w.director.start()
  await steer(w, { action: 'add-service', text: snippet() })
  w.use(config([web, inFile]))
  await w.director.reload({ confirmWithin: 60_000 })
  expect((await services(w.ipvs))[name]).toEqual(['10.0.0.7:80=1'])
  await w.clock.advance(seconds(61))
  await until(async () => (await services(w.ipvs))[name]?.[0] === '10.0.0.9:80=1')
})

test('what cannot be read any more is left out, kept, and told', async () => {
  const overlay = overlayInMemory()
  const w = world(config([web]), { overlay })
  await w.director.start()
  await steer(w, { action: 'add-service', text: snippet() })
  await w.director.stop({ keep: false })
  const later = world(config([web]), { overlay, readSnippet: async () => ({ virtualServers: [], diagnostics: ['snippet:1:1: no'], errors: 1 }) }) // prettier-ignore
  await later.director.start()
  expect(await services(later.ipvs)).toEqual(webOnly)
  expect(later.log.lines.map(({ message }) => message)).toContain(
    `a virtual server that was added by hand is left out: ${name}: snippet:1:1: no`,
  )
  await later.director.stop({ keep: false })
  const back = world(config([web]), { overlay })
  await back.director.start()
  expect(await services(back.ipvs)).toEqual(both)
})

test('a removal that waits for servers that a reload takes away does not wait for ever', async () => {
  const w = world(config([web, inFile]))
  await w.director.start()
  await steer(w, { action: 'remove-service', service: name, drain: true })
  w.use(config([web, { ...inFile, realServers: [] }]))
  await w.director.reload()
  await until(async () => Object.keys(await services(w.ipvs)).length === 1)
  expect((await w.director.status()).removedServices).toEqual([name])
})
