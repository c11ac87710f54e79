/** Two whole directors: the VIP, the services behind it, the connections and their synchronisation move together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  connectFrom,
  serveTcp,
  until,
  upLab,
  weightsOf,
  witnessTable,
  type Host,
  type Lab,
  type LabSpec,
  type LongConnection,
  type TcpServer,
} from '../lab/index.ts'
import { startDirector, type RunningDirector } from './director.ts'
import { addressesOf } from './vrrp.ts'

type Name = 'client' | 'one' | 'two' | 'rs1' | 'rs2'

const vip = '10.5.0.100'
const servers = ['10.5.0.11', '10.5.0.12'] as const
const quiet = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 }
const onLo = [`address add ${vip}/32 dev lo`]
const spec: LabSpec<Name> = {
  networks: ['lan'],
  hosts: {
    client: { links: { lan: ['10.5.0.10/24'] } },
    one: { links: { lan: ['10.5.0.1/24'] } },
    two: { links: { lan: ['10.5.0.2/24'] } },
    rs1: { links: { lan: [`${servers[0]}/24`] }, sysctls: quiet, ip: onLo },
    rs2: { links: { lan: [`${servers[1]}/24`] }, sysctls: quiet, ip: onLo },
  },
}

interface Wish {
  readonly priority: number
  readonly instance?: string
  readonly globals?: string
  /** Where the real servers are checked; by default where they serve. */
  readonly checked?: number
}

const config = ({ priority, instance = '', globals = '', checked = 7 }: Wish): string => `global_defs {
    vrrp_version 3
    ${globals}
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int 0.5
    ${instance}
    virtual_ipaddress {
        ${vip}/24
    }
}
virtual_server ${vip} 7 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
${servers.map((server) => `    real_server ${server} 7 { TCP_CHECK { connect_timeout 1\n connect_port ${checked} } }`).join('\n')}
}
`

let lab: Lab<Name>
const echoes = new Map<'rs1' | 'rs2', TcpServer>()
let running: RunningDirector[] = []

beforeAll(async () => {
  lab = await upLab(spec)
})
afterAll(() => lab.down())
beforeEach(async () => {
  for (const name of ['rs1', 'rs2'] as const) echoes.set(name, await serveTcp(lab.hosts[name], { port: 7 }))
})
afterEach(async () => {
  for (const director of running) await director.process.stop()
  running = []
  for (const server of echoes.values()) server.close('reset')
  for (const host of [lab.hosts.one, lab.hosts.two]) await host.run(['ip', 'addr', 'flush', 'dev', 'eth0', 'to', vip])
})

async function start(host: Host, wish: Wish): Promise<RunningDirector> {
  const director = await startDirector(host, config(wish))
  running.push(director)
  return director
}

const has = async (host: Host): Promise<boolean> => (await addressesOf(host)).includes(` ${vip}/`)
const holder = async (): Promise<string> => {
  const [one, two] = await Promise.all([has(lab.hosts.one), has(lab.hosts.two)])
  return one && two ? 'both' : one ? 'one' : two ? 'two' : 'nobody'
}
/** Everything that was said, for a test that fails. */
const story = (): string => running.map(({ process: { stderr } }) => stderr).join('\n\n')
const heldBy = (who: 'one' | 'two'): Promise<unknown> =>
  until(`${who} alone holds the VIP`, seconds(8), async () => (await holder()) === who, story)
const serves = async (): Promise<boolean> => {
  try {
    const connection = await connectFrom(lab.hosts.client, vip, 7)
    const answer = await connection.exchange('hello')
    connection.end()
    return answer === 'hello'
  } catch {
    return false
  }
}
const clientIsServed = (): Promise<unknown> => until('the client is served', seconds(5), serves)

describe('two directors', () => {
  test('the VIP and its service move by hand, by a stop, and after kill -9 of everything by the lease', async () => {
    const said = join(lab.hosts.one.folder, 'said')
    const script = lab.hosts.one.writeFile('notify.sh', `#!/bin/sh\necho "$@" >> ${said}\n`, 0o755)
    const one = await start(lab.hosts.one, { priority: 150, instance: `notify ${script}` })
    await heldBy('one')
    const two = await start(lab.hosts.two, { priority: 100 })
    await clientIsServed()
    await until('the backup hears the master', seconds(5), async () => {
      const instance = (await two.status()).vrrp?.instances[0]
      return instance?.state === 'backup' && instance.master?.address === '10.5.0.1'
    })
    const screen = await one.ctl('vrrp')
    expect(screen.stdout).toContain('vrrp VI_1: MASTER')
    expect(screen.stdout).toContain('VRID 51 on eth0, VRRPv3')
    expect((await one.ctl('vrrp', 'move', 'VI_1')).code).toBe(0)
    await heldBy('two')
    await clientIsServed()
    expect((await one.ctl('vrrp', 'release', 'VI_1')).code).toBe(0)
    await heldBy('one')
    expect(await one.process.stop()).toBe(0)
    expect(readFileSync(said, 'utf8').trim().split('\n')).toEqual(
      ['BACKUP', 'MASTER', 'BACKUP', 'MASTER', 'STOP'].map((state) => `INSTANCE VI_1 ${state} 150`),
    )
    await heldBy('two')
    await clientIsServed()
    running = running.filter((each) => each !== one)
    const again = await start(lab.hosts.one, { priority: 150 })
    await heldBy('one')
    const { vrrp, probers } = await again.status()
    // All stand still before the first one dies: whoever outlived the director would clean up after it.
    const everything = [again.process.pid, vrrp?.pid, ...probers.map(({ pid }) => pid)].filter(
      (pid) => pid !== undefined,
    )
    for (const pid of everything) process.kill(pid, 'SIGSTOP')
    for (const pid of everything) killIfThere(pid)
    running = running.filter((each) => each !== again)
    await until('the other one has it, too', seconds(5), () => has(lab.hosts.two))
    await heldBy('two')
    await clientIsServed()
    await lab.hosts.one.run(['ipvsadm', '-C'])
  })

  test('a service without quorum gives the VIP away', async () => {
    const follow = `track_virtual_server {\n ${vip} 7\n }`
    const side = [await serveTcp(lab.hosts.rs1, { port: 8 }), await serveTcp(lab.hosts.rs2, { port: 8 })]
    const one = await start(lab.hosts.one, { priority: 150, instance: follow, checked: 8 })
    await start(lab.hosts.two, { priority: 100 })
    await heldBy('one')
    for (const each of side) each.close('reset')
    await heldBy('two')
    await clientIsServed()
    expect((await one.ctl('vrrp')).stdout).toContain(`virtual server ${vip}:7/tcp: no quorum`)
    side.push(await serveTcp(lab.hosts.rs1, { port: 8 }))
    await heldBy('one')
    side.at(-1)?.close('reset')
  })

  test('the connection synchronisation follows the instance', async () => {
    const globals = 'lvs_sync_daemon eth0 VI_1 id 51'
    const roles = async (host: Host): Promise<string> => (await host.output(['ipvsadm', '-l', '--daemon'])).trim()
    const one = await start(lab.hosts.one, { priority: 150, globals })
    await start(lab.hosts.two, { priority: 100, globals })
    await heldBy('one')
    await until(
      'roles are right',
      seconds(5),
      async () => /^master/.test(await roles(lab.hosts.one)) && /^backup/.test(await roles(lab.hosts.two)),
    )
    const connection = await connectFrom(lab.hosts.client, vip, 7)
    await until('the backup has heard of the connection', seconds(10), async () => {
      await connection.exchange('one more packet')
      return / SYNC +\d+$/m.test(await lab.hosts.two.output(['cat', '/proc/net/ip_vs_conn_sync']))
    })
    connection.end()
    await lab.hosts.two.run(['ipvsadm', '--stop-daemon', 'backup'])
    await until('it is started again', seconds(15), async () => /^backup/.test(await roles(lab.hosts.two)))
    expect(await one.ctl('vrrp', 'hold', 'VI_1')).toMatchObject({ code: 0 })
    await until(
      'roles have changed',
      seconds(8),
      async () => /^backup/.test(await roles(lab.hosts.one)) && /^master/.test(await roles(lab.hosts.two)),
      story,
    )
    expect(await one.process.stop()).toBe(0)
    expect(await roles(lab.hosts.one)).toBe('')
  })
})

describe('one director, steered', () => {
  let director: RunningDirector
  beforeEach(async () => {
    director = await start(lab.hosts.one, { priority: 150 })
    await heldBy('one')
  })

  const weights = async (): Promise<Record<string, number> | undefined> =>
    weightsOf(await witnessTable(lab.hosts.one), `${vip}:7`)

  /** A connection through each real server. */
  async function throughEach(): Promise<Map<'rs1' | 'rs2', LongConnection>> {
    await clientIsServed()
    const found = new Map<'rs1' | 'rs2', LongConnection>()
    while (found.size < 2) {
      const connection = await connectFrom(lab.hosts.client, vip, 7)
      await connection.exchange('x')
      const at = (['rs1', 'rs2'] as const).find((name) =>
        [...(echoes.get(name)?.open ?? [])].some(({ remotePort }) => remotePort === connection.localPort),
      )
      if (at === undefined || found.has(at)) connection.end()
      else found.set(at, connection)
    }
    return found
  }

  test('a drain waits for the connections there are, and for nobody else', async () => {
    const open = await throughEach()
    const drained = `${servers[0]}:7`
    expect((await director.ctl('drain', drained)).stdout).toContain('draining')
    expect(await weights()).toEqual({ [drained]: 0, [`${servers[1]}:7`]: 1 })
    await until('status tells what is left', seconds(5), async () => {
      const server = await director.server(drained)
      return server?.steering?.admin === 'draining' && server.steering.connectionsLeft === 1
    })
    for (const connection of open.values()) expect(await connection.exchange('still')).toBe('still')
    open.get('rs1')?.end()
    await until('it is out', seconds(10), async () => (await director.server(drained))?.steering?.admin === 'drained')
    expect(await weights()).toEqual({ [`${servers[1]}:7`]: 1 })
    expect(await open.get('rs2')?.exchange('well')).toBe('well')
    await director.kill()
    running = []
    director = await start(lab.hosts.one, { priority: 150 })
    expect(await weights()).toEqual({ [`${servers[1]}:7`]: 1 })
    expect(await open.get('rs2')?.exchange('on')).toBe('on')
    await director.ctl('enable', drained)
    expect(await weights()).toEqual({ [drained]: 1, [`${servers[1]}:7`]: 1 })
    open.get('rs2')?.end()
  })

  test('a plan changes nothing; a reload on trial is rolled back with every connection alive', async () => {
    const open = await throughEach()
    director.write(
      config({ priority: 150 }).replaceAll('lb_algo rr', 'lb_algo wrr').replaceAll('{ TCP', '{ weight 5\n TCP'),
    )
    const plan = await director.ctl('plan')
    expect(plan.stdout).toContain('3 changes')
    expect(await weights()).toEqual({ [`${servers[0]}:7`]: 1, [`${servers[1]}:7`]: 1 })
    const reload = await director.ctl('reload', '--confirm', '3s')
    expect(reload.stdout).toContain('on trial')
    expect(await weights()).toEqual({ [`${servers[0]}:7`]: 5, [`${servers[1]}:7`]: 5 })
    await until('it is rolled back', seconds(8), async () => (await weights())?.[`${servers[0]}:7`] === 1)
    for (const connection of open.values()) {
      expect(await connection.exchange('whole')).toBe('whole')
      connection.end()
    }
    expect(await has(lab.hosts.one)).toBe(true)
  })
})

/** Probers end with their director (PR_SET_PDEATHSIG), and may be gone by now. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
