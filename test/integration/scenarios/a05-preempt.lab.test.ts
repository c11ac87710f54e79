/** A5: the higher priority comes back and waits, for good or for ten seconds, while Debian's keepalived is master. */
import { seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { capture, until } from '../../lab/index.ts'
import { pair, patience, scenario } from './scenario.ts'

const vip = '192.168.10.103'
const { host, ours, theirs, held, has, story } = scenario(pair, ['node1', 'node2'])

async function keepalivedIsMaster() {
  const keepalived = theirs('node2', 'preempt/other.conf')
  await held(vip, ['node2'])
  const seen = await capture(host('client'), 'vrrp and src host 192.168.10.12')
  return { keepalived, adverts: () => seen.lines().length }
}

test('A5 nopreempt: it stays backup until the other one is gone', async () => {
  const { keepalived, adverts } = await keepalivedIsMaster()
  const director = await ours('node1', 'preempt/nopreempt.conf')
  const before = adverts()
  // a Master_Down_Interval is 3.6 s
  await until('the other one has gone on for longer than we would wait', patience, () => adverts() >= before + 6, story)
  await held(vip, ['node2'])
  expect((await director.status()).vrrp?.instances[0]).toMatchObject({ state: 'backup', priority: { effective: 100 } })
  await keepalived.stop()
  await held(vip, ['node1'])
})

test('A5 preempt_delay 10: it takes over after ten seconds, and not before', async () => {
  await keepalivedIsMaster()
  const director = await ours('node1', 'preempt/preempt-delay.conf')
  await until('it hears the master', patience, async () => (await director.status()).vrrp?.instances[0]?.master !== undefined) // prettier-ignore
  const heard = performance.now()
  while (performance.now() - heard < seconds(8)) {
    expect(await has('node1', vip)).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  await held(vip, ['node1'])
})
