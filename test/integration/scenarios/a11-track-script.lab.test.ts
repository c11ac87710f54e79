/** A11: scripts that lower the priority: a file that somebody touches, an nginx that dies. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startNginx, until, type LabProcess, type LabSpec } from '../../lab/index.ts'
import { pair, patience, scenario } from './scenario.ts'

const vip = '192.168.10.108'
const sysctls = { 'net.ipv4.ip_nonlocal_bind': 1 }
const spec: LabSpec<'node1' | 'node2' | 'client'> = {
  ...pair,
  hosts: {
    ...pair.hosts,
    node1: { ...pair.hosts.node1, sysctls },
    node2: { ...pair.hosts.node2, sysctls },
  },
}
const { host, ours, held, story } = scenario(spec, ['node1', 'node2'])

/** On the VIP, wherever that is, and on loopback, where it is looked at. */
const nginx = (name: 'node1' | 'node2'): Promise<LabProcess> =>
  startNginx(host(name), { addresses: [vip, '127.0.0.1'] })

test('A11 a touched file or a dead nginx moves the VIP, and back', async () => {
  const first = await nginx('node1')
  await nginx('node2')
  const [director] = await Promise.all([
    ours('node1', 'track-script/node1.conf'),
    ours('node2', 'track-script/node2.conf'),
  ])
  await held(vip, ['node1'])
  const served = (by: string): Promise<unknown> =>
    until(
      `the VIP is served by ${by}`,
      patience,
      async () => (await host('client').run(['curl', '-sS', '-m', '2', `http://${vip}/`])).stdout.trim() === by,
      story,
    )
  await served('node1')

  const down = host('node1').writeFile('down', '')
  await held(vip, ['node2'])
  await served('node2')
  const screen = await director.ctl('vrrp')
  expect(screen.stdout).toMatch(/priority 70[^]*chk_down/)
  rmSync(join(down))
  await held(vip, ['node1'])

  first.kill()
  await first.ended
  await held(vip, ['node2'])
  await served('node2')
  await nginx('node1')
  await held(vip, ['node1'])
  await served('node1')
})
