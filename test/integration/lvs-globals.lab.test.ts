/** What global_defs says of IPVS itself: flushing, timeouts, the synchronisation of connections. ipvsadm is the witness. */
import { seconds } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { until, upLab, witnessTable, type Lab } from '../lab/index.ts'
import { startDirector, type RunningDirector } from './director.ts'

/** What is stopped by hand is missed after ten seconds. */
const patience = seconds(40)

let lab: Lab<'director'>
let director: RunningDirector | undefined
beforeAll(async () => {
  lab = await upLab({ networks: ['lan'], hosts: { director: { links: { lan: ['10.9.0.1/24'] } } } })
})
afterAll(() => lab.down())
afterEach(async () => {
  await director?.process.stop()
  await ipvsadm('-C')
})

const ipvsadm = (...args: string[]): Promise<string> => lab.hosts.director.output(['ipvsadm', ...args])
const services = async (): Promise<string[]> => (await witnessTable(lab.hosts.director)).map(({ address }) => address)
const timeouts = async (): Promise<string> => (await ipvsadm('-Ln', '--timeout')).split(': ')[1]?.trim() ?? ''

const config = (globals: string): string => `global_defs {
    ${globals}
}
virtual_server 192.0.2.1 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.9.0.21 80 {
    }
}
`
async function start(globals: string): Promise<RunningDirector> {
  director = await startDirector(lab.hosts.director, config(globals))
  return director
}

test.for([
  { globals: '', running: ['9', '192.0.2.1:80'], after: ['9'] },
  { globals: 'lvs_flush', running: ['192.0.2.1:80'], after: [] },
  { globals: 'lvs_flush_on_stop VS', running: ['9', '192.0.2.1:80'], after: ['9'] },
  { globals: 'lvs_flush_on_stop', running: ['9', '192.0.2.1:80'], after: [] },
])('with $globals a service of somebody else', async ({ globals, running, after }) => {
  await ipvsadm('-A', '-f', '9', '-s', 'rr')
  const { process } = await start(globals)
  expect((await services()).sort()).toEqual([...running].sort())
  expect(await process.stop()).toBe(0)
  expect(await services()).toEqual(after)
})

test('lvs_timeouts are set, changed and taken back by reloads, and at the end are as they were', async () => {
  await ipvsadm('--set', '800', '90', '210')
  const running = await start('lvs_timeouts tcp 700 udp 77')
  expect(await timeouts()).toBe('700 90 77')
  running.change((text) => text.replace('tcp 700 udp 77', 'tcpfin 33 udp 78'))
  expect(await running.reload()).toMatchObject({ ok: true })
  // What is not named is as it was at the start.
  expect(await timeouts()).toBe('800 33 78')
  running.change((text) => text.replace(/lvs_timeouts.*/, ''))
  await running.reload()
  expect(await timeouts()).toBe('800 90 210')
  running.change((text) => text.replace('global_defs {', 'global_defs {\n lvs_timeouts tcp 1'))
  await running.reload()
  expect(await timeouts()).toBe('1 90 210')
  expect(await running.process.stop()).toBe(0)
  expect(await timeouts()).toBe('800 90 210')
})

test('lvs_sync_daemon without an instance: both roles, again when one is stopped, anew when it changes', async () => {
  const daemons = async (): Promise<string[]> =>
    (await ipvsadm('-Ln', '--daemon')).split('\n').filter((line) => line !== '').sort() // prettier-ignore
  const both = (settings: string): string[] => ['backup', 'master'].map((role) => `${role} sync daemon (mcast=eth0, ${settings})`) // prettier-ignore
  const first = both('syncid=42, maxlen=1400, group=224.0.0.82, port=9000, ttl=3')
  const running = await start('lvs_sync_daemon eth0 id 42 maxlen 1400 port 9000 ttl 3 group 224.0.0.82') // prettier-ignore
  expect(await daemons()).toEqual(first)
  await ipvsadm('--stop-daemon', 'master', '--syncid', '42')
  await until('the master is there again', patience, async () => (await daemons()).join() === first.join())
  await ipvsadm('--stop-daemon', 'backup', '--syncid', '42')
  // Somebody starts another one.
  await ipvsadm('--start-daemon', 'backup', '--mcast-interface', 'eth0', '--syncid', '7')
  await until('the backup is there again', patience, async () => (await daemons()).join() === first.join())
  running.change((text) => text.replace('id 42', 'id 43').replace('ttl 3', 'ttl 5'))
  await running.reload()
  expect(await daemons()).toEqual(both('syncid=43, maxlen=1400, group=224.0.0.82, port=9000, ttl=5'))
  running.change((text) => text.replace(/lvs_sync_daemon.*/, ''))
  await running.reload()
  expect(await daemons()).toEqual([])
  running.change((text) => text.replace('global_defs {', 'global_defs {\n lvs_sync_daemon eth0 id 1'))
  await running.reload()
  expect(await daemons()).toHaveLength(2)
  expect(await running.process.stop()).toBe(0)
  expect(await daemons()).toEqual([])
})

test('nftables_ipvs: a group is one service for each protocol, and a reload that adds one changes no mark', async () => {
  const group = (name: string, lines: string, protocol = 'TCP'): string => `virtual_server_group ${name} {
    ${lines}
}
virtual_server group ${name} {
    lb_algo rr
    lb_kind DR
    protocol ${protocol}
    persistence_timeout 60
    real_server 10.9.0.21 80 {
    }
}
`
  const running = await start(`nftables_ipvs\n nftables_ipvs_start_fwmark 500\n}\n${group('a', '192.0.2.60-80 80\n192.0.2.60-80 443')}\nglobal_defs {`) // prettier-ignore
  const saved = async (): Promise<string[]> => (await ipvsadm('-Sn')).split('\n').map((line) => line.trim()).filter((line) => line.includes('-f ')) // prettier-ignore
  const first = ['-A -f 500 -s rr -p 60', '-a -f 500 -r 10.9.0.21:0 -g -w 1']
  expect(await saved()).toEqual(first)
  running.change((text) => `${group('b', '192.0.2.90 53', 'UDP')}${text}`)
  expect(await running.reload()).toMatchObject({ ok: true })
  expect(await saved()).toEqual([...first, '-A -f 501 -s rr -p 60', '-a -f 501 -r 10.9.0.21:0 -g -w 1'])
  expect(await running.process.stop()).toBe(0)
  expect(await services()).toEqual([])
})
