/** A3: two VIPs crossed over two directors. */
import { test } from 'vitest'
import { pair, scenario } from './scenario.ts'

const first = '192.168.10.101'
const second = '192.168.10.102'
const { ours, theirs, held } = scenario(pair, ['node1', 'node2'])

test('A3 both VIPs on the one that starts first, one each, and both on the one that is left', async () => {
  const node1 = await ours('node1', 'dual-master/node1.conf')
  await held(first, ['node1'])
  await held(second, ['node1'])
  const keepalived = theirs('node2', 'dual-master/node2.conf')
  await held(second, ['node2'])
  await held(first, ['node1'])
  await node1.process.stop()
  await held(first, ['node2'])
  await held(second, ['node2'])
  await ours('node1', 'dual-master/node1.conf')
  await held(first, ['node1'])
  await held(second, ['node2'])
  await keepalived.stop()
  await held(second, ['node1'])
  await held(first, ['node1'])
})
