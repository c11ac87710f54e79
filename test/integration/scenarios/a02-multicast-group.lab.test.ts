/** A2: a multicast group of one's own and a VIP of another network, as tcpdump decodes it. */
import { expect, test } from 'vitest'
import { capture, until } from '../../lab/index.ts'
import { pair, patience, scenario } from './scenario.ts'

const vip = '10.10.1.1'
const { host, ours, theirs, held, story } = scenario(pair, ['node1', 'node2'])

/** What goes over the network, each line with the seconds at which it did. */
async function watch() {
  const tcpdump = await capture(host('client'), 'vrrp or arp', 'eth0', ['-tt'])
  const lines = () =>
    tcpdump.lines().flatMap((line) => {
      const [, at, text] = /^(\d+\.\d+) (.*)$/.exec(line) ?? []
      return at === undefined || text === undefined ? [] : [{ at: Number(at), text }]
    })
  const adverts = (node: 1 | 2, priority: number) =>
    lines().filter(
      ({ text }) =>
      text.includes(`192.168.10.1${node} > 224.0.122.22: VRRPv2, Advertisement, vrid 11, prio ${priority}, authtype simple, intvl 1s, length 20`), // prettier-ignore
    )
  const garps = () =>
    lines().filter(({ text }) => text.startsWith('ARP, Request who-has 10.10.1.1 (ff:ff:ff:ff:ff:ff) tell 10.10.1.1'))
  return { lines, adverts, garps, stop: () => tcpdump.stop() }
}

test('A2 the master stops: priority 0 once, the backup within its skew time, five gratuitous ARPs and five more', async () => {
  const seen = await watch()
  const director = await ours('node2', 'multicast-group/backup.conf')
  const keepalived = theirs('node1', 'multicast-group/master.conf')
  await held(vip, ['node1'])
  await until('the master advertises', patience, () => seen.adverts(1, 100).length >= 2, story)
  const before = seen.garps().length
  await keepalived.stop()
  await held(vip, ['node2'])
  expect(await host('node2').output(['ip', '-o', 'addr', 'show', 'dev', 'eth0'])).toContain(`inet ${vip}/16 `)
  await until('there are ten gratuitous ARPs', patience, () => seen.garps().length >= before + 10, story)

  const farewell = seen.adverts(1, 0)
  expect(farewell).toHaveLength(1)
  const stopped = farewell[0]?.at ?? 0
  const next = seen.adverts(2, 98).find(({ at }) => at > stopped)?.at ?? 0
  // (256 - 98) / 256 of a second; without the farewell it would be three seconds more
  expect(next - stopped).toBeGreaterThan(0.6)
  expect(next - stopped).toBeLessThan(3.4)

  const [first = 0, , , , fifth = 0, sixth = 0] = seen.garps().flatMap(({ at }) => (at > stopped ? [at] : []))
  expect(fifth - first).toBeLessThan(4)
  expect(sixth - first).toBeGreaterThan(4.9)
  await director.process.stop()
  await until('it says farewell', patience, () => seen.adverts(2, 0).length > 0)
  expect((await seen.stop()).join('\n')).not.toMatch(/bad|invalid|truncated/i)
  expect(seen.adverts(2, 0)).toHaveLength(1)
  expect(seen.garps()).toHaveLength(before + 10)
})
