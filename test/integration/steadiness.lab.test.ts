/** What must not happen: a reload, a restart or somebody's hand on the table never costs a connection or a foreign entry. */
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import {
  connectFrom,
  dr,
  serveHttp,
  serverNames,
  serveTcp,
  until,
  upLab,
  weightsOf,
  witnessTable,
  type HttpServer,
  type Lab,
  type LongConnection,
  type StandardHost,
} from '../lab/index.ts'
import { directorCommand, startDirector, type RunningDirector } from './director.ts'

const { vip, servers } = dr()

const config = (members: readonly string[], weight = 1): string => `global_defs {
    reconcile_interval 2
}
virtual_server ${vip} 7 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
${members
  .map(
    (server) => `    real_server ${server} 7 {
        weight ${weight}
        TCP_CHECK { connect_timeout 1\n retry 1\n delay_before_retry 0.5 }
    }`,
  )
  .join('\n')}
}
`

describe('steadiness', () => {
  let lab: Lab<StandardHost>
  let director: RunningDirector
  const web = new Map<string, HttpServer>()

  beforeAll(async () => {
    lab = await upLab(dr())
    for (const name of serverNames) {
      web.set(name, await serveHttp(lab.hosts[name]))
      await serveTcp(lab.hosts[name], { port: 7 })
    }
  })
  afterAll(async () => {
    for (const server of web.values()) await server.close()
    await lab.down()
  })
  beforeEach(async () => {
    await lab.hosts.director.run(['ipvsadm', '-C'])
    director = await startDirector(lab.hosts.director, config(servers))
  })
  afterEach(async () => {
    await director.process.stop()
  })

  const weights = async (): Promise<Record<string, number> | undefined> =>
    weightsOf(await witnessTable(lab.hosts.director), `${vip}:7`)
  const all = (weight = 1): Record<string, number> =>
    Object.fromEntries(servers.map((server) => [`${server}:7`, weight]))

  async function connections(count: number): Promise<LongConnection[]> {
    const open: LongConnection[] = []
    for (let i = 0; i < count; i++) open.push(await connectFrom(lab.hosts.client, vip, 7))
    return open
  }

  async function alive(open: readonly LongConnection[]): Promise<void> {
    for (const [i, each] of open.entries()) expect(await each.exchange(`ping ${i}`)).toBe(`ping ${i}`)
  }

  test('a reload with an equal file writes nothing to the kernel', async () => {
    const before = (await director.status()).kernel.writes
    const result = await director.reload()
    expect(result).toMatchObject({ ok: true, writes: 0, changes: [] })
    director.process.signal('SIGHUP')
    await director.process.says(/Reload complete: 0 changes, 0 writes[\s\S]*Reload complete: 0 changes, 0 writes/)
    expect((await director.status()).kernel.writes).toBe(before)
  })

  test('a broken file keeps the old configuration and says why', async () => {
    director.write(config(servers).replace('lb_algo rr', 'lb_algorithm rr').replace('weight 1', 'weight many'))
    const result = await director.reload()
    expect(result.ok).toBe(false)
    expect(result.diagnostics.join('\n')).toMatch(/keepalived\.conf:\d+:\d+: /)
    expect(await weights()).toEqual(all())
    const { stdout } = await director.ctl('status')
    expect(stdout).toMatch(/refused/i)
    director.write(config(servers, 5))
    expect((await director.reload()).ok).toBe(true)
    expect(await weights()).toEqual(all(5))
  })

  test('long connections survive reloads that change what is around them', async () => {
    const open = await connections(6)
    for (const members of [[servers[0], servers[1], servers[2], '10.1.0.99'], servers]) {
      director.write(config(members, 3))
      expect((await director.reload()).ok).toBe(true)
      await alive(open)
    }
    for (const each of open) each.end()
  })

  test('long connections survive kill -9 and a new start, and nothing is written anew', async () => {
    const open = await connections(6)
    await director.kill()
    expect(await weights()).toEqual(all())
    await alive(open)
    director = await startDirector(lab.hosts.director, config(servers))
    expect((await director.status()).kernel.writes).toBe(0)
    await alive(open)
    await until('every server was proven', seconds(10), async () => {
      const [virtual] = (await director.status()).virtualServers
      return virtual?.servers.every(({ state }) => state === 'up') ?? false
    })
    await alive(open)
    for (const each of open) each.end()
    expect(await weights()).toEqual(all())
  })

  test('stop --keep leaves the table, SIGTERM removes what is ours and nothing else', async () => {
    await lab.hosts.director.output(['ipvsadm', '-R'], {
      input: '-A -t 10.9.9.9:99 -s wlc\n-a -t 10.9.9.9:99 -r 10.9.9.1:99 -g -w 7\n',
    })
    expect((await director.ctl('stop', '--keep')).code).toBe(0)
    await director.process.ended
    expect(await weights()).toEqual(all())
    director = await startDirector(lab.hosts.director, config(servers))
    expect(await director.process.stop()).toBe(0)
    const left = await witnessTable(lab.hosts.director)
    expect(left.map(({ address }) => address)).toEqual(['10.9.9.9:99'])
    expect(left[0]?.destinations).toMatchObject([{ address: '10.9.9.1:99', weight: 7 }])
    director = await startDirector(lab.hosts.director, config(servers))
    const { foreign } = await director.status()
    expect(foreign).toEqual([{ name: '10.9.9.9:99/tcp', scheduler: 'wlc', destinations: ['10.9.9.1:99'] }])
  })

  test('a second director is told that there is one, and writes nothing', async () => {
    const before = (await director.status()).kernel.writes
    const { director: host } = lab.hosts
    const state = join(host.folder, 'state')
    const file = host.writeFile('second.conf', config(servers.slice(0, 1), 9))
    const second = await host.run([...directorCommand, '-f', file, '--state-dir', state])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('another director is running')
    expect(await weights()).toEqual(all())
    expect((await director.status()).kernel.writes).toBe(before)
  })

  test('a flushed table, a changed weight and a removed server are repaired and told as drift', async () => {
    const { director: host } = lab.hosts
    await host.output(['ipvsadm', '-C'])
    await until('the table is whole again', seconds(6), async () => (await weights())?.[`${servers[2]}:7`] === 1)
    await host.output(['ipvsadm', '-e', '-t', `${vip}:7`, '-r', `${servers[0]}:7`, '-g', '-w', '42'])
    await host.output(['ipvsadm', '-d', '-t', `${vip}:7`, '-r', `${servers[1]}:7`])
    await host.output(['ipvsadm', '-a', '-t', `${vip}:7`, '-r', '10.1.0.77:7', '-g'])
    await until('it is repaired', seconds(6), async () => JSON.stringify(await weights()) === JSON.stringify(all()))
    const { kernel } = await director.status()
    expect(kernel.drifts).toBe(4)
    const { stdout } = await director.ctl('drift')
    expect(stdout).toContain(`${vip}:7/tcp was missing`)
    expect(stdout).toContain('had weight 42 instead of 1')
    expect(stdout).toContain('10.1.0.77:7')
  })
})
