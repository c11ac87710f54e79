/** A6: adverts to one address, with Debian's keepalived at the other end. */
import { expect, test } from 'vitest'
import { capture, until } from '../../lab/index.ts'
import { directorCommand } from '../director.ts'
import { pair, patience, sample, scenario } from './scenario.ts'

const vip = '192.168.10.106'
const { host, ours, theirs, held, story } = scenario(pair, ['node1', 'node2'])

test('A6 there is nothing but unicast between the two', async () => {
  const seen = await capture(host('node2'), 'vrrp')
  const aside = await capture(host('client'), 'vrrp')
  theirs('node2', 'unicast/node2.conf')
  await held(vip, ['node2'])
  await ours('node1', 'unicast/node1.conf')
  await held(vip, ['node1'])
  await until(
    'both have spoken',
    patience,
    () => /prio 80[^]*prio 100[^]*prio 100/.test(seen.lines().join('\n')),
    story,
  )
  for (const line of await seen.stop())
    expect(line).toMatch(/^IP 192\.168\.10\.1(1 > 192\.168\.10\.12|2 > 192\.168\.10\.11): VRRPv2, Advertisement, vrid 66, .*authtype simple/) // prettier-ignore
  expect((await aside.stop()).filter((line) => line.includes('224.0.0.'))).toEqual([])
})

test('A6 unicast_src-ip is answered with the right keyword', async () => {
  const node1 = host('node1')
  const misspelled = sample(node1, 'unicast/node1.conf').replace('unicast_src_ip', 'unicast_src-ip')
  const line = misspelled.split('\n').findIndex((text) => text.includes('unicast_src-ip')) + 1
  const file = node1.writeFile('misspelled.conf', misspelled)
  const { code, stderr } = await node1.run([...directorCommand, '-t', '-f', file])
  expect(code).toBe(5)
  expect(stderr).toMatch(new RegExp(`misspelled\\.conf:${line}:5: .*unicast_src-ip.*[^]*unicast_src_ip`))
})
