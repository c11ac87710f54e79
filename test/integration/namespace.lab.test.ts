/** `net_namespace` and `net_namespace_ipvs`: where the program runs, and where its table is. */
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { dr, until, upLab, type Lab, type LabProcess, type StandardHost } from '../lab/index.ts'
import { directorCommand } from './director.ts'

let lab: Lab<StandardHost>
let running: LabProcess | undefined
const inner = `inner-${process.pid}`
const other = `other-${process.pid}`

beforeAll(async () => {
  lab = await upLab(dr())
  for (const name of [inner, other]) {
    await lab.hosts.director.run(['ip', 'netns', 'add', name])
    // Without an interface that is up the kernel takes no address for one that could be reached.
    await lab.hosts.director.run(['ip', '-n', name, 'link', 'set', 'lo', 'up'])
  }
})
afterEach(async () => {
  await running?.stop()
  running = undefined
})
afterAll(async () => {
  for (const name of [inner, other]) await lab.hosts.director.run(['ip', 'netns', 'del', name])
  await lab.down()
})

const config = (top: string): string => `${top}
vrrp_instance VI_1 {
    interface lo
    state MASTER
    virtual_router_id 51
    priority 255
    unicast_src_ip 127.0.0.1
    unicast_peer { 127.0.0.2
    }
    virtual_ipaddress { 10.9.9.9/32
    }
}
virtual_server 10.9.9.9 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.9.9.10 80 { weight 3 }
}
`
const table = (...where: string[]): Promise<string> => lab.hosts.director.output([...where, 'ipvsadm', '-Ln'])
const addresses = (...where: string[]): Promise<string> => lab.hosts.director.output([...where, 'ip', '-o', 'addr'])
const within = (name: string): string[] => ['ip', 'netns', 'exec', name]

async function start(top: string, ...options: string[]): Promise<void> {
  const host = lab.hosts.director
  const file = host.writeFile('namespace.conf', config(top))
  running = host.spawn([...directorCommand, '-f', file, '--state-dir', join(host.folder, 'ns-state'), ...options])
  await running.says(/Startup complete/, seconds(20))
}

test.each([
  ['net_namespace in the file', `net_namespace ${inner}`, []],
  ['-s on the command line', '', ['-s', inner]],
])('%s: table and VIP are there, and nowhere else', async (_, top, options) => {
  await start(top, ...options)
  expect(await table(...within(inner))).toMatch(/10\.9\.9\.10:80 +Route +3 /)
  expect(await table()).not.toContain('10.9.9.9')
  await until('the VIP is there', seconds(20), async () => (await addresses(...within(inner))).includes('10.9.9.9'))
  expect(await addresses()).not.toContain('10.9.9.9')
  expect(await running?.stop()).toBe(0)
  expect(await table(...within(inner))).not.toContain('10.9.9.9')
  expect(await addresses(...within(inner))).not.toContain('10.9.9.9')
})

test.each([
  ['net_namespace_ipvs NAME: in that one', `net_namespace_ipvs ${other}`, within(other), within(inner)],
  ['net_namespace_ipvs alone: where it was started', 'net_namespace_ipvs', [], within(inner)],
])('%s', async (_, line, there, notThere) => {
  await start(`net_namespace ${inner}\n${line}`)
  expect(await table(...there)).toMatch(/10\.9\.9\.10:80 +Route +3 /)
  expect(await table(...notThere)).not.toContain('10.9.9.9')
  await until('the VIP is there', seconds(20), async () => (await addresses(...within(inner))).includes('10.9.9.9'))
})

test('a namespace that does not exist: it ends and says why, and writes nothing', async () => {
  const host = lab.hosts.director
  const file = host.writeFile('namespace.conf', config('net_namespace nowhere-at-all'))
  running = host.spawn([...directorCommand, '-f', file, '--state-dir', join(host.folder, 'ns-state')])
  expect(await running.ended).not.toBe(0)
  expect(running.stderr).toContain('cannot enter network namespace nowhere-at-all')
  expect(await table()).not.toContain('10.9.9.9')
})
