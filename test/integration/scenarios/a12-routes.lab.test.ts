/** A12: addresses, routes and the connection synchronisation that follow the state; SNMP traps at Debian's snmptrapd. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { capture, until, type LabSpec } from '../../lab/index.ts'
import { findProgram } from '../../lab/tools.ts'
import { patience, scenario } from './scenario.ts'
import { startSnmp } from './snmp.ts'

const spec: LabSpec<'node1' | 'node2' | 'client'> = {
  networks: ['lan', 'side'],
  hosts: {
    node1: { links: { lan: ['192.168.10.11/24'], side: [] } },
    node2: { links: { lan: ['192.168.10.12/24'], side: [] } },
    client: { links: { lan: ['192.168.10.10/24'], side: ['192.168.20.1/24'] } },
  },
}
const vip = '192.168.10.109'
const { host, ours, held, story } = scenario(spec, ['node1', 'node2'])
const addresses = (name: 'node1' | 'node2'): Promise<string> => host(name).output(['ip', '-o', 'addr'])
const routes = (name: 'node1' | 'node2'): Promise<string> => host(name).output(['ip', 'route'])
const daemon = (name: 'node1' | 'node2'): Promise<string> => host(name).output(['ipvsadm', '-l', '--daemon'])

describe('A12', () => {
  test('A12 addresses and routes appear and go with the state, and the sync daemons change roles', async () => {
    const seen = await capture(host('client'), 'vrrp')
    const [node1] = await Promise.all([ours('node1', 'routes/node1.conf'), ours('node2', 'routes/node2.conf')])
    const isMaster = (name: 'node1' | 'node2'): Promise<unknown> =>
      until(`${name} has everything`, patience, async () => {
        const [there, ways, role] = await Promise.all([addresses(name), routes(name), daemon(name)])
        return (
          there.includes(` ${vip}/24`) &&
          there.includes(' 192.168.20.109/24') &&
          /vrrp\.52 +inet 192\.168\.10\.110\/24/.test(there) &&
          ways.includes('10.88.0.0/16 via 192.168.20.1 dev eth1') &&
          /10\.77\.0\.0\/16 via 192\.168\.20\.1 dev eth1 .*src 192\.168\.20\.109/.test(ways) &&
          role.includes('master sync daemon (mcast=eth1, syncid=51')
        )
      }, story) // prettier-ignore
    const isBackup = (name: 'node1' | 'node2'): Promise<unknown> =>
      until(`${name} has nothing of it`, patience, async () => {
        const [there, ways, role] = await Promise.all([addresses(name), routes(name), daemon(name)])
        return (
          !/192\.168\.10\.1(09|10)\/|192\.168\.20\.109\//.test(there) &&
          !/10\.88\.0\.0|10\.77\.0\.0/.test(ways) &&
          role.includes('backup sync daemon (mcast=eth1, syncid=51')
        )
      }, story) // prettier-ignore
    await isMaster('node1')
    await isBackup('node2')
    for (const [name, own] of [
      ['node1', 11],
      ['node2', 12],
    ] as const) {
      // prettier-ignore
      expect(await addresses(name)).toContain(`inet 192.168.20.${own}/24`)
      expect(await routes(name)).toContain('10.99.0.0/16 via 192.168.20.1 dev eth1')
    }
    // Its own interface is not looked at, but eth1 is.
    await host('node1').ip('link set eth1 down')
    await isMaster('node2')
    await held(vip, ['node2'])
    await host('node1').ip('link set eth1 up')
    await isMaster('node1')
    await isBackup('node2')
    expect(await node1.process.stop()).toBe(0)
    await isMaster('node2')
    expect(await addresses('node1')).not.toMatch(/192\.168\.20\.|vrrp\.52|192\.168\.10\.1\d\d\//)
    expect(await daemon('node1')).toBe('')
    const adverts = (await seen.stop()).filter((line) => line.includes('prio 100'))
    expect(adverts).toContainEqual(expect.stringMatching(/^IP 192\.168\.10\.11 > 224\.0\.0\.18: VRRPv2, Advertisement, vrid 51/)) // prettier-ignore
  })

  const missing = ['snmpd', 'snmptrapd'].filter((name) => findProgram(name) === undefined)
  test('A12 traps arrive at snmptrapd', async ({ skip }) => {
    skip(missing.length > 0, `Debian's ${missing.join(' and ')} not there`)
    const snmp = await startSnmp(host('node1'))
    expect(existsSync(join(host('node1').folder, 'master'))).toBe(true)
    await ours('node1', 'routes/node1.conf', { options: ['-A', snmp.agent] })
    // vrrpInstanceStateChange with the name and the state: 2 is master
    await until('the trap is there', patience, () => /9586\.100\.5\.2\.10\.0\.2[^\n]*"VI_1"[^\n]* = INTEGER: 2\b/.test(snmp.traps()), () => `${snmp.traps()}\n${story()}`) // prettier-ignore
    await snmp.stop()
  })
})
