/** A14: two masters at once: seen, told everywhere, resolved; and avoided where the file says how. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mailServer } from '../../../packages/director/src/testing/mail-server.ts'
import { capture, insideNamespace, until, type LabSpec } from '../../lab/index.ts'
import { findProgram } from '../../lab/tools.ts'
import { patience, scenario } from './scenario.ts'
import { startSnmp } from './snmp.ts'

type Node = 'node1' | 'node2'
/** Adverts may go by `beat`, too; the client is the router that is asked who is cut off. */
const spec: LabSpec<Node | 'client'> = {
  networks: ['lan', 'beat'],
  hosts: {
    node1: { links: { lan: ['192.168.10.11/24'], beat: ['192.168.30.11/24'] } },
    node2: { links: { lan: ['192.168.10.12/24'], beat: ['192.168.30.12/24'] } },
    client: { links: { lan: ['192.168.10.10/24', '192.168.10.1/24'] } },
  },
}
const vip = '192.168.10.114'
const { host, ours, theirs, held, story } = scenario(spec, ['node1', 'node2'])

/** A firewall in front of a node: what comes in on a device is dropped, adverts only or everything. */
async function cut(name: Node, what: 'adverts' | 'everything', device = 'eth0'): Promise<void> {
  const match = what === 'adverts' ? ['protocol', 'ip', 'u32', 'match', 'ip', 'protocol', '112', '0xff'] : ['matchall']
  await host(name).output(['tc', 'qdisc', 'add', 'dev', device, 'clsact'])
  await host(name).output(['tc', 'filter', 'add', 'dev', device, 'ingress', ...match, 'action', 'drop'])
}
const heal = (name: Node, device = 'eth0'): Promise<unknown> =>
  host(name).output(['tc', 'qdisc', 'del', 'dev', device, 'clsact'])

const macOf = async (name: Node): Promise<string> =>
  /link\/ether (\S+)/.exec(await host(name).output(['ip', 'link', 'show', 'dev', 'eth0']))?.[1] ?? ''
const metrics = (name: Node): Promise<string> =>
  host(name).output(['curl', '-sS', '--unix-socket', join(host(name).folder, 'state/control.sock'), 'http://director/metrics']) // prettier-ignore

describe('A14 split brain', () => {
  test('A14 the heartbeat is cut: both see the other’s claim and say so everywhere; healed, one holds the VIP', async () => {
    const snmp = findProgram('snmptrapd') === undefined ? undefined : await startSnmp(host('node1'))
    if (snmp === undefined) console.warn("Debian's snmptrapd is not there: no traps are looked for")
    const mail = await insideNamespace(host('client'), () =>
      mailServer({ listen: { host: '192.168.10.10', port: 25 } }),
    )
    const options = snmp === undefined ? [] : ['-A', snmp.agent]
    const [node1, node2] = await Promise.all([
      ours('node1', 'split-brain/node1.conf', { options }),
      ours('node2', 'split-brain/node2.conf'),
    ])
    await held(vip, ['node1'])
    await Promise.all([cut('node1', 'adverts'), cut('node2', 'adverts')])
    await held(vip, ['node1', 'node2'])
    for (const [name, director, other] of [
      ['node1', node1, 'node2'],
      ['node2', node2, 'node1'],
    ] as const) {
      // prettier-ignore
      const mac = await macOf(other)
      await until(`${name} has an alarm`, patience, () => director.process.stderr.includes('vrrp.alarm.claim'), story)
      expect(director.process.stderr).toContain(`${mac} says that it has ${vip}, which is ours`)
      expect((await director.status()).vrrp?.instances[0]).toMatchObject({ state: 'master', claim: { address: vip, mac } }) // prettier-ignore
      expect(await metrics(name)).toMatch(/^ipvs_director_vrrp_instance_claimed\{[^}]*VI_1[^}]*\} 1$/m)
      const subject = `Subject: [${name}] VRRP Instance VI_1 - ALARM: claim`
      await until(`${name} has written a mail`, patience, () => mail.mails.some(({ text }) => text.includes(subject)), story) // prettier-ignore
    }
    expect((await node1.ctl('vrrp')).stdout).toMatch(/! 192\.168\.10\.114 IS CLAIMED BY/)
    expect((await node1.ctl('events')).stdout).toMatch(/says\s+that\s+it\s+has\s+192\.168\.10\.114/)
    if (snmp !== undefined) {
      await until('the trap is there', patience, () => /9999\.112\.0\.1\b[^\n]*"claim"/.test(snmp.traps()), () => snmp.traps()) // prettier-ignore
    }

    const seen = await capture(host('client'), 'arp', 'eth0', ['-t', '-e'])
    await Promise.all([heal('node1'), heal('node2')])
    await held(vip, ['node1'])
    const announced = `${await macOf('node1')} > ff:ff:ff:ff:ff:ff`
    await until('node1 announces the VIP again', patience, () =>
      seen.lines().some((line) => line.startsWith(announced) && line.includes(`who-has ${vip}`)),
    )
    await seen.stop()
    expect(await host('client').output(['ip', 'neigh', 'show', vip])).not.toContain(await macOf('node2'))
    await until('the alarm is over', patience, () => /vrrp\.calm\.claim|nobody else claims/.test(node1.process.stderr), story) // prettier-ignore
    expect(await metrics('node1')).toMatch(/^ipvs_director_vrrp_instance_claimed\{[^}]*\} 0$/m)
    await snmp?.stop()
    await mail.close()
  })

  test('A14 a rival that does not hear us, which is keepalived: told as such while it goes on', async () => {
    const director = await ours('node1', 'split-brain/node1.conf')
    await held(vip, ['node1'])
    await cut('node2', 'adverts')
    theirs('node2', 'split-brain/node2.conf')
    await held(vip, ['node1', 'node2'])
    await until('the rival is told', patience, () => director.process.stderr.includes('vrrp.alarm.rival'), story)
    expect((await director.ctl('vrrp')).stdout).toMatch(/! ANOTHER MASTER: 192\.168\.10\.12, priority 80/)
    expect(await metrics('node1')).toMatch(/^ipvs_director_vrrp_instance_rival\{[^}]*\} 1$/m)
    await heal('node2')
    await held(vip, ['node1'])
    await until('the alarm is over', patience, async () => (await director.status()).vrrp?.instances[0]?.rival === undefined, story) // prettier-ignore
  })

  test('A14 another virtual_router_id or another auth_pass: both sides say so', async () => {
    const [node1, node2] = await Promise.all([
      ours('node1', 'split-brain/node1.conf'),
      ours('node2', 'split-brain/node2.conf', { change: (text) => text.replace('router_id 51', 'router_id 52') }),
    ])
    await held(vip, ['node1', 'node2'])
    const both = (what: string, pattern: RegExp): Promise<unknown> =>
      until(what, patience, () => pattern.test(node1.process.stderr) && pattern.test(node2.process.stderr), story)
    await both('both tell of the VRID', /vrrp\.alarm\.vrid: .* advertises our address 192\.168\.10\.114 with VRID 5\d/)
    node2.change((text) => text.replace('router_id 52', 'router_id 51').replace('secret51', 'secret52'))
    await node2.reload()
    await both('both tell of the password', /vrrp\.alarm\.mismatch: .*invalid passwd/)
    node2.change((text) => text.replace('secret52', 'secret51'))
    await node2.reload()
    await held(vip, ['node1'])
  })

  test('A14 avoided: a second way for the adverts; who is cut off does not take over, and gives up what it has', async () => {
    const [node1, node2] = await Promise.all([
      ours('node1', 'split-brain/avoided-node1.conf'),
      ours('node2', 'split-brain/avoided-node2.conf'),
    ])
    const stateOf = async (director: typeof node1): Promise<string | undefined> =>
      (await director.status()).vrrp?.instances[0]?.state
    await held(vip, ['node1'])

    const beats = await capture(host('node2'), 'vrrp and src host 192.168.30.11', 'eth1')
    await Promise.all([cut('node1', 'adverts'), cut('node2', 'adverts')])
    const before = beats.lines().length
    await until('twice the time after which it would take over is over', patience, () => beats.lines().length > before + 8, story) // prettier-ignore
    await held(vip, ['node1'])
    expect(await stateOf(node2)).toBe('backup')
    await beats.stop()
    await Promise.all([heal('node1'), heal('node2')])

    const isolate = (name: Node): Promise<unknown> =>
      Promise.all([cut(name, 'everything'), cut(name, 'everything', 'eth1')])
    const rejoin = (name: Node): Promise<unknown> => Promise.all([heal(name), heal(name, 'eth1')])
    await isolate('node2')
    await until('node2 knows that it is cut off', patience, () => node2.process.stderr.includes('vrrp.alarm.arbitration'), story) // prettier-ignore
    expect(await stateOf(node2)).toBe('backup')
    await held(vip, ['node1'])
    await rejoin('node2')
    await until('node2 hears the master again', patience, async () => ((await node2.status()).vrrp?.instances[0]?.master?.heardAgo ?? Infinity) < 2000, story) // prettier-ignore

    await isolate('node1')
    await held(vip, ['node2'])
    expect(node1.process.stderr).toContain('lost the arbitration addresses')
    await rejoin('node1')
    await held(vip, ['node1'])
  })
})
