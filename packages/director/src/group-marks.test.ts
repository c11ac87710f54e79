/** The marks of groups: what nft(8) is told, and, in a network namespace of the test's, what it does to packets. */
import { address, seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { noNamespaces, ownNamespace } from '@ipvs-director/linux/testing'
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createGroupMarks, markingScript } from './group-marks.ts'
import { config, realServer, virtualServer } from './testing/config.ts'
import { runProgram } from './vrrp-link/run-program.ts'

const settings = { table: 'groups', priority: -1, first: 1000, counters: true }
const at = (text: string, port: number) => ({ address: address(text), port })
const web = { protocol: 'tcp', mark: 1000, addresses: [at('10.0.0.2', 80), at('10.0.0.1', 80), at('10.0.0.1', 443), at('fd00::1', 80), at('10.0.0.9', 0)] } as const // prettier-ignore
const dns = { protocol: 'udp', mark: 1001, addresses: [at('10.0.0.1', 53)] } as const

test('a map for each protocol and family; neighbours are a range, port 0 is any', () => {
  const script = markingScript(settings, [web, dns])
  expect(script.match(/elements = .*/g)).toEqual([
    'elements = { 10.0.0.9 . 0-65535 : 1000, 10.0.0.1-10.0.0.2 . 80 : 1000, 10.0.0.1 . 443 : 1000 }',
    'elements = { fd00::1 . 80 : 1000 }',
    'elements = { 10.0.0.1 . 53 : 1001 }',
  ])
  expect(script).toContain('    meta l4proto tcp meta mark set ip6 daddr . tcp dport map @tcp6 counter accept\n')
  expect(markingScript({ ...settings, counters: false }, [dns])).toContain('map @udp4 accept\n')
})

const group = (mark: number) =>
  virtualServer({
    realServers: [realServer('10.9.0.1:80')],
    target: {
      kind: 'group',
      group: 'web',
      entries: [{ kind: 'fwmark', fwmark: mark, family: 'inet' }],
      marking: { mark, addresses: [at('10.0.0.1', 80)] },
    },
  })

test('nft is told what changes, and at the end to forget it; what it refuses is said', async () => {
  const scripts: string[] = []
  let works = true
  const logger = arrayLogger()
  const told: string[] = []
  const marks = createGroupMarks({
    run: (script) => {
      scripts.push(script)
      return works ? Promise.resolve() : Promise.reject(new Error('no nft'))
    },
    clock: fakeClock(),
    logger,
    events: { add: (event) => void told.push(event) },
  })
  await marks.use(config([virtualServer({})]))
  await marks.use(config([group(7)], { groupMarks: settings }))
  await marks.use(config([group(7)], { groupMarks: settings }))
  works = false
  await marks.use(config([group(8)], { groupMarks: settings }))
  works = true
  await marks.use(config([group(8)], { groupMarks: settings }))
  await marks.use(config([group(8)], { groupMarks: { ...settings, table: 'other' } }))
  await marks.stop()
  const gist = scripts.map((script) => script.match(/delete table inet \w+|: \d+(?= })/g)?.join(', '))
  const groups = 'delete table inet groups'
  expect(gist).toEqual([
    `${groups}, : 7`,
    `${groups}, : 8`,
    `${groups}, : 8`,
    `${groups}, delete table inet other, : 8`,
    'delete table inet other',
  ])
  expect(logger.lines.map(({ message }) => message)).toEqual([
    'nftables_ipvs: packets to the addresses of groups are not marked, and so not balanced: no nft',
    'nftables_ipvs: packets to the addresses of groups are marked as they should be again',
  ])
  expect(told).toEqual(['groups.unmarked', 'groups.marked'])
})

test('what nft refuses is tried again, with longer and longer waits, until it works or is wanted no more', async () => {
  const clock = fakeClock()
  let tries = 0
  let works = false
  const marks = createGroupMarks({
    run: () => (tries++, works ? Promise.resolve() : Promise.reject(new Error('no nft'))),
    clock,
    logger: arrayLogger(),
    events: { add: () => undefined },
  })
  await marks.use(config([group(7)], { groupMarks: settings }))
  expect([tries, marks.trouble()?.what]).toEqual([1, 'groups.unmarked'])
  await clock.advance(seconds(1 + 2 + 4 + 8 + 16 + 32))
  expect(tries).toBe(7)
  await clock.advance(seconds(600))
  expect(tries).toBe(17)
  works = true
  await clock.advance(seconds(60))
  expect([tries, marks.trouble()]).toEqual([18, undefined])
  await clock.advance(seconds(600))
  expect(tries).toBe(18)
  works = false
  await marks.use(config([group(8)], { groupMarks: settings }))
  await marks.use(config([virtualServer({})]))
  const last = tries
  works = true
  await clock.advance(seconds(600))
  expect(tries).toBeLessThanOrEqual(last + 1)
  await marks.stop()
  await clock.advance(seconds(600))
  expect(marks.trouble()).toBeUndefined()
})

const noNft =
  noNamespaces ??
  (spawnSync('unshare', ['--net', 'nft', 'add table inet x']).status === 0 ? undefined : 'nft cannot be run here')

test('nft takes it, and packets to the addresses have the mark', async ({ skip }) => {
  skip(noNft !== undefined, noNft)
  const space = await ownNamespace()
  try {
    const nft = (script: string) => runProgram(['nsenter', `--net=${space.path}`, 'nft', '-f', '-'], script)
    await space.run('ip link set lo up; ip addr add 10.0.0.1/32 dev lo; ip addr add 10.0.0.9/32 dev lo; ip addr add fd00::1/128 dev lo') // prettier-ignore
    await nft(markingScript(settings, [web, dns]))
    // What has a mark is counted by somebody who comes later.
    const count = [1000, 1001, 0].map((mark) => `meta l4proto { tcp, udp } th dport < 1024 meta mark ${mark} counter comment "m${mark}"`) // prettier-ignore
    await nft(`table inet seen {\n chain in {\n type filter hook input priority 5\n ${count.join('\n ')}\n }\n}\n`)
    const send = (program: string) => space.run(`bash -c '${program}' 2>/dev/null || true`)
    for (const to of ['10.0.0.1/80', '10.0.0.9/7', 'fd00::1/80']) await send(`: < /dev/tcp/${to}`)
    await send('echo > /dev/udp/10.0.0.1/53')
    for (const to of ['10.0.0.1/81', '10.0.0.1/53']) await send(`: < /dev/tcp/${to}`)
    const seen = await space.run('nft list table inet seen')
    const packets = (mark: number): string | undefined => new RegExp(`counter packets (\\d+) bytes \\d+ comment "m${mark}"`).exec(seen)?.[1] // prettier-ignore
    expect([1000, 1001, 0].map(packets)).toEqual(['3', '1', '2'])
  } finally {
    space.close()
  }
})
