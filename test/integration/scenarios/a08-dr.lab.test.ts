/** A8, A9: LVS-DR with two directors in front of nginx, Apache httpd and MariaDB. */
import { seconds } from '@ipvs-director/core'
import { describe, expect, test } from 'vitest'
import { askServerId, startApache, startMariadb, startNginx, until, weightsOf, witnessTable, type LabSpec } from '../../lab/index.ts' // prettier-ignore
import { findProgram } from '../../lab/tools.ts'
import { pair, patience, scenario } from './scenario.ts'

const web = '192.168.10.111'
const webOfTwo = '192.168.10.112'
const database = '192.168.10.113'
const servers = ['192.168.10.21', '192.168.10.22'] as const
const quiet = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 }
const onLo = [web, webOfTwo, database].map((vip) => `address add ${vip}/32 dev lo`)
const spec: LabSpec<'node1' | 'node2' | 'client' | 'rs1' | 'rs2'> = {
  ...pair,
  hosts: {
    ...pair.hosts,
    rs1: { links: { lan: [`${servers[0]}/24`] }, sysctls: quiet, ip: onLo },
    rs2: { links: { lan: [`${servers[1]}/24`] }, sysctls: quiet, ip: onLo },
  },
}
const { host, ours, held, story } = scenario(spec, ['node1', 'node2'])

const curl = async (vip: string): Promise<string> =>
  (await host('client').run(['curl', '-sS', '-m', '2', `http://${vip}/`])).stdout.trim()
/** What two requests in a row were answered by. */
const twice = async <T>(ask: () => Promise<T>): Promise<T[]> => [await ask(), await ask()]
const answeredBy = <T>(ask: () => Promise<T>, wanted: readonly T[]): Promise<unknown> =>
  until(`answers come from ${wanted.join(' and ')}`, patience, async () => {
    const [first, second] = (await twice(ask)).sort()
    return first === wanted[0] && second === wanted[1]
  }, story) // prettier-ignore
const inTable = async (name: 'node1' | 'node2', service: string): Promise<string[]> =>
  Object.keys(weightsOf(await witnessTable(host(name)), service) ?? {}).sort()

const without = (...programs: string[]): string | undefined => {
  const missing = programs.filter((name) => findProgram(name) === undefined)
  return missing.length === 0 ? undefined : `Debian's ${missing.join(' and ')} not there`
}

describe('LVS-DR with two directors', () => {
  test('A8 clients are served in turn; a stopped server leaves in time and returns; a stop of the director moves everything', async ({
    skip,
  }) => {
    const reason = without('apache2')
    skip(reason !== undefined, reason)
    const nginx = await startNginx(host('rs1'))
    let apache = await startApache(host('rs2'))
    const [node1] = await Promise.all([ours('node1', 'dr-pair/node1.conf'), ours('node2', 'dr-pair/node2.conf')])
    await held(web, ['node1'])
    await answeredBy(() => curl(web), ['rs1', 'rs2'])
    const [service] = await witnessTable(host('node1'))
    expect(service).toMatchObject({ protocol: 'TCP', address: `${web}:80`, scheduler: 'wrr' })
    for (const each of service?.destinations ?? []) expect(each).toMatchObject({ forward: 'Route', weight: 1 })
    expect(service?.destinations).toHaveLength(2)

    await until('Apache was looked at', patience, async () => (await node1.server(`${servers[1]}:80`))?.state === 'up') // prettier-ignore
    await apache.stop()
    // delay_loop 2, connect_timeout 1, delay_before_retry 1, connect_timeout 1; and a busy machine
    await until('Apache is out', seconds(5 + 10), async () => (await inTable('node1', `${web}:80`)).join() === `${servers[0]}:80`, story) // prettier-ignore
    expect(await twice(() => curl(web))).toEqual(['rs1', 'rs1'])
    apache = await startApache(host('rs2'))
    await until('Apache is in again', seconds(3 + 12), async () => (await inTable('node1', `${web}:80`)).length === 2)
    await answeredBy(() => curl(web), ['rs1', 'rs2'])

    expect(await node1.process.stop()).toBe(0)
    await held(web, ['node2'])
    await answeredBy(() => curl(web), ['rs1', 'rs2'])
    expect(await witnessTable(host('node1'))).toEqual([])
    await Promise.all([apache.stop(), nginx.stop()])
  })

  test('A9 the web on one VIP, MariaDB on the other: a director or a database is killed, and both are served', async ({
    skip,
  }) => {
    const reason = without('mariadbd', 'mariadb')
    skip(reason !== undefined, reason)
    await Promise.all([startNginx(host('rs1')), startNginx(host('rs2'))])
    const [first] = await Promise.all([startMariadb(host('rs1'), 1), startMariadb(host('rs2'), 2)])
    const [node1] = await Promise.all([ours('node1', 'dual-master-services/node1.conf'), ours('node2', 'dual-master-services/node2.conf')]) // prettier-ignore
    await held(webOfTwo, ['node1'])
    await held(database, ['node2'])
    const id = (): Promise<number | undefined> => askServerId(host('client'), database)
    await answeredBy(() => curl(webOfTwo), ['rs1', 'rs2'])
    await answeredBy(id, [1, 2])
    const table = await witnessTable(host('node2'))
    expect(table.map(({ address, scheduler }) => `${address} ${scheduler}`).sort()).toEqual([`${webOfTwo}:80 rr`, `${database}:3306 rr`]) // prettier-ignore

    first.kill()
    await answeredBy(id, [2, 2])
    await node1.kill()
    await until('node2 has both VIPs', patience, async () => (await host('node2').output(['ip', 'addr'])).includes(webOfTwo)) // prettier-ignore
    await held(webOfTwo, ['node2'])
    await answeredBy(() => curl(webOfTwo), ['rs1', 'rs2'])
    await answeredBy(id, [2, 2])
    await startMariadb(host('rs1'), 1)
    await answeredBy(id, [1, 2])
  })
})
