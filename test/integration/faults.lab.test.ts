/** Faults of what the director leans on: memory of a prober, netlink, an interface, and those it tells things to. */
import { existsSync, readFileSync } from 'node:fs'
import { seconds } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { dr, serverNames, serveTcp, until, upLab, weightsOf, witnessTable, type Lab, type StandardHost, type TcpServer } from '../lab/index.ts' // prettier-ignore
import { startDirector, type RunningDirector } from './director.ts'
import { addressesOf } from './vrrp.ts'

const { vip, servers } = dr()
const all = Object.fromEntries(servers.map((server) => [`${server}:7`, 1]))

const config = (more = '', alert = ''): string => `${more}
virtual_server ${vip} 7 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
    ${alert}
${servers.map((server) => `    real_server ${server} 7 { TCP_CHECK { connect_timeout 2\n retry 1\n delay_before_retry 0.5 } }`).join('\n')}
}
`
const instance = `vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 71
    priority 150
    advert_int 0.5
    virtual_ipaddress {
        10.1.0.150/24
    }
}`

let lab: Lab<StandardHost>
let director: RunningDirector | undefined
const echoes = new Map<string, TcpServer>()

beforeAll(async () => {
  lab = await upLab(dr())
  for (const name of serverNames) echoes.set(name, await serveTcp(lab.hosts[name], { port: 7 }))
})
afterAll(async () => {
  for (const echo of echoes.values()) echo.close('reset')
  await lab.down()
})
afterEach(async () => {
  await director?.process.stop()
  director = undefined
})

const weights = async (): Promise<Record<string, number> | undefined> =>
  weightsOf(await witnessTable(lab.hosts.director), `${vip}:7`)
const tableIs = (what: string, wanted: Record<string, number>): Promise<unknown> =>
  until(what, seconds(60), async () => JSON.stringify(await weights()) === JSON.stringify(wanted))
const holdsVip = async (): Promise<boolean> => (await addressesOf(lab.hosts.director)).includes(' 10.1.0.150/')

test('no memory for a prober: it dies and is started again, and no server turns', { timeout: 240_000 }, async () => {
  director = await startDirector(lab.hosts.director, config())
  await tableIs('all serve', all)
  const [prober] = (await director.status()).probers
  const size = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${prober?.pid}/status`, 'utf8'))?.[1]
  // Not a page more than it has: the next allocation fails, as where the machine has no memory left.
  await lab.hosts.director.output(['prlimit', '--pid', String(prober?.pid), `--as=${Number(size) * 1024}`])
  await until('another one probes', seconds(120), async () => {
    // Answers cost memory, too.
    const [now] = (await director?.status())?.probers ?? []
    return now !== undefined && now.restarts > 0 && now.pid !== undefined && now.pid !== prober?.pid
  })
  expect(await weights()).toEqual(all)
  const down = (await director.ctl('events')).stdout.match(/Removing service/g) ?? []
  expect(down).toEqual([])
  echoes.get('rs1')?.close('reset')
  await tableIs('the new one notices', Object.fromEntries(Object.entries(all).slice(1)))
  echoes.set('rs1', await serveTcp(lab.hosts.rs1, { port: 7 }))
})

test(
  'more of netlink than it can take (ENOBUFS): read again, and nothing is missed',
  { timeout: 240_000 },
  async () => {
    const host = lab.hosts.director
    director = await startDirector(host, config(instance))
    await until('it is master', seconds(30), holdsVip)
    const pid = (await director.status()).vrrp?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    const shown = async (): Promise<string> => (await director?.ctl('status'))?.stdout ?? ''
    expect(await shown()).toContain('VRRP IS SILENT: its process does not answer; nothing is known of VI_1')
    // What is told about these is more than a socket's buffer holds; the VIP's lease ends meanwhile.
    const change = (what: string): string[] =>
      Array.from({ length: 3000 }, (_, i) => `addr ${what} 10.200.${Math.floor(i / 250)}.${(i % 250) + 1}/32 dev lo`)
    await host.output(['ip', '-batch', '-'], {
      input: [...change('add'), ...change('del')].join('\n'),
      timeout: seconds(120),
    })
    process.kill(pid, 'SIGCONT')
    await until('the VIP is back', seconds(60), holdsVip, () => director?.process.stderr.slice(-2000) ?? '')
    expect((await director.status()).vrrp?.pid).toBe(pid)
    expect(await weights()).toEqual(all)
  },
)

test('the interface is gone, and there again', { timeout: 240_000 }, async () => {
  const host = lab.hosts.director
  director = await startDirector(host, config(instance))
  await until('it is master', seconds(30), holdsVip)
  const state = async (): Promise<string | undefined> => (await director?.status())?.vrrp?.instances[0]?.state
  // Renamed and down is as good as pulled out, and can be undone.
  await host.ip('link set eth0 down', 'link set eth0 name gone')
  await until('it is in fault', seconds(30), async () => (await state()) === 'fault')
  // That there is no way from here says nothing of the servers: nobody turns.
  await until('the probes say why', seconds(60), async () => (await director?.ctl('events'))?.stdout.includes('ENETUNREACH') === true) // prettier-ignore
  expect(await weights()).toEqual(all)
  await host.ip('link set gone name eth0', 'link set eth0 up')
  await until('it is master again', seconds(60), async () => (await state()) === 'master' && (await holdsVip()))
  expect(await weights()).toEqual(all)
})

test(
  'mail server that says nothing, names nobody answers, no syslog: failures are acted on all the same',
  {
    timeout: 240_000,
  },
  async () => {
    const mute = await serveTcp(lab.hosts.rs2, { port: 2525, connection: () => undefined })
    const mail = (server: string): string => `global_defs {
    notification_email {
        admin@example.com
    }
    notification_email_from director@example.com
    smtp_server ${server}
    smtp_connect_timeout 30
}`
    try {
      for (const server of [`${servers[1]} 2525`, 'mail.nowhere.invalid 25']) {
        director = await startDirector(lab.hosts.director, config(mail(server), 'smtp_alert'), '-S', '3')
        await tableIs('all serve', all)
        echoes.get('rs1')?.close('reset')
        await tableIs('it is noticed', Object.fromEntries(Object.entries(all).slice(1)))
        echoes.set('rs1', await serveTcp(lab.hosts.rs1, { port: 7 }))
        await tableIs('and its return', all)
        expect((await director.ctl('status')).code).toBe(0)
        expect(await director.process.stop('SIGTERM', seconds(30))).toBe(0)
        director = undefined
      }
      expect(mute.open.size).toBe(0)
    } finally {
      mute.close('reset')
    }
    // A guest has no syslog at all; where there is one it was written to.
    console.log(`syslog: ${existsSync('/dev/log') ? 'there' : 'nobody listens at /dev/log'}`)
  },
)
