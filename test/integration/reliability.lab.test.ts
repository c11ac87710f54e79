/** Faults of the machine the director runs on: what happens, and that nothing is lost. docs/reliability.md tells them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { openSocket, unixAddress } from '@ipvs-director/linux'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  connectFrom,
  dr,
  serverNames,
  serveTcp,
  until,
  upLab,
  weightsOf,
  witnessTable,
  type Lab,
  type LabProcess,
  type StandardHost,
  type TcpServer,
} from '../lab/index.ts'
import { directorCommand, startDirector, type RunningDirector } from './director.ts'
import { ownLog } from './own-log.ts'

const { vip, servers } = dr()

const service = (more = '', port = 7): string => `virtual_server ${vip} ${port} {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
    ${more}
${servers.map((server) => `    real_server ${server} 7 { TCP_CHECK { connect_timeout 1\n retry 1\n delay_before_retry 0.5 } }`).join('\n')}
}
`

/** Whether clock and module loader are the guest's own: those of a host are not touched. */
const ownKernel = readFileSync('/proc/cpuinfo', 'latin1').includes('User Mode Linux')

let lab: Lab<StandardHost>
let director: RunningDirector | undefined
let other: LabProcess | undefined
const echoes = new Map<string, TcpServer>()

beforeAll(async () => {
  lab = await upLab(dr())
  for (const name of serverNames) echoes.set(name, await serveTcp(lab.hosts[name], { port: 7 }))
})
afterAll(() => lab.down())
afterEach(async () => {
  await director?.process.stop()
  other?.kill()
  await other?.ended
  if (director !== undefined || other !== undefined) await lab.hosts.director.run(['ipvsadm', '-C'])
  director = other = undefined
})

const weights = async (): Promise<Record<string, number> | undefined> =>
  weightsOf(await witnessTable(lab.hosts.director), `${vip}:7`)
const all = Object.fromEntries(servers.map((server) => [`${server}:7`, 1]))

/** Starts the director where something is prepared for it by a shell, in a mount namespace of its own. */
function start(preparation: string, config: string, ...options: string[]): LabProcess {
  const host = lab.hosts.director
  const file = host.writeFile('keepalived.conf', config)
  const run = [...directorCommand, '-f', file, '--probers', '0', ...options].map((word) => `'${word}'`).join(' ')
  return (other = host.spawn(['unshare', '--mount', 'sh', '-c', `set -e; ${preparation}; exec ${run}`]))
}

test('a state directory on a disk that is full: serves, and says that it cannot remember', async () => {
  const state = join(lab.hosts.director.folder, 'full')
  const process = start(
    `mkdir -p ${state}; mount -t tmpfs -o size=4k none ${state}; cat /dev/zero > ${state}/x 2>/dev/null || true`,
    service(),
    ...['--state-dir', state, '--socket', join(lab.hosts.director.folder, 'full.sock')],
  )
  await process.says(/ENOSPC/, seconds(20))
  await until('the table is right', seconds(10), async () => JSON.stringify(await weights()) === JSON.stringify(all))
  expect(process.code).toBeUndefined()
})

test('syslog hangs, its reader reads nothing: failures are acted on, it answers, and it ends in time', async () => {
  const host = lab.hosts.director
  const [path, state] = ['log.sock', 'hung'].map((name) => join(host.folder, name)) as [string, string]
  const mute = openSocket({ domain: 1, type: 2, protocol: 0 }, { error: () => undefined })
  mute.bind(unixAddress(path))
  const started = start(ownLog(host, { syslog: path }), service(), '-S', '3', '-D', '--state-dir', state)
  const rs1 = [...echoes.values()][0]
  try {
    await until('the table is right', seconds(60), async () => JSON.stringify(await weights()) === JSON.stringify(all))
    // A socket's queue takes ten lines or so.
    for (let i = 0; i < 3; i++) await host.output(['curl', '-sS', '-m', '20', '-X', 'POST', '--unix-socket', `${state}/control.sock`, 'http://director/v1/reload']) // prettier-ignore
    rs1?.close('reset')
    await until(
      'the failure is acted on',
      seconds(60),
      async () => (await weights())?.[`${servers[0]}:7`] === undefined,
    )
    started.signal('SIGTERM')
    expect(await started.ended).toBe(0)
    expect(await witnessTable(host)).toEqual([])
  } finally {
    mute.close()
    echoes.set('rs1', await serveTcp(lab.hosts.rs1, { port: 7 }))
  }
})

test('/run is read-only: no control socket, no service; it ends and says why', async () => {
  const state = join(lab.hosts.director.folder, 'readonly')
  const process = start(`mkdir -p ${state}; mount -t tmpfs -o ro none ${state}`, service(), ...['--state-dir', state])
  expect(await process.ended).not.toBe(0)
  expect(process.stderr).toMatch(/EROFS|read-only/)
  expect(await witnessTable(lab.hosts.director)).toEqual([])
})

test('something else stands at the path of the socket: it ends, says so, and touches nothing', async () => {
  const path = lab.hosts.director.writeFile('taken', 'precious')
  const process = start(':', service(), '--state-dir', lab.hosts.director.folder, '--socket', path)
  expect(await process.ended).toBe(1)
  expect(process.stderr).toContain(path)
  expect(readFileSync(path, 'utf8')).toBe('precious')
  expect(await witnessTable(lab.hosts.director)).toEqual([])
})

test.skipIf(!ownKernel)(
  'a scheduler whose module is missing: that service is not offered and it is said; the others are (only in a guest)',
  async () => {
    const host = lab.hosts.director
    const loader = (await host.output(['cat', '/proc/sys/kernel/modprobe'])).trim()
    await host.run(['modprobe', '-r', '-d', '/run', 'ip_vs_nq'])
    try {
      await host.output(['tee', '/proc/sys/kernel/modprobe'], { input: '/bin/false' })
      director = await startDirector(host, service() + service('', 8).replace('lb_algo rr', 'lb_algo nq'))
      await until(
        'the table is right',
        seconds(10),
        async () => JSON.stringify(await weights()) === JSON.stringify(all),
      )
      expect((await witnessTable(host)).map(({ address }) => address)).toEqual([`${vip}:7`])
      expect(director.process.stderr).toMatch(/8.*(ENOENT|scheduler)/)
    } finally {
      await host.output(['tee', '/proc/sys/kernel/modprobe'], { input: loader })
    }
  },
)

test('files of the state directory damaged: it starts, and keeps the overlay aside', async () => {
  const host = lab.hosts.director
  const state = join(host.folder, 'state')
  director = await startDirector(host, service())
  await director.kill()
  for (const name of ['owned.json', 'overlay.json']) writeFileSync(join(state, name), '{"half')
  director = await startDirector(host, service())
  expect(await weights()).toEqual(all)
  expect(existsSync(join(state, 'overlay.json.damaged'))).toBe(true)
  expect(director.process.stderr).toContain('overlay.json is damaged')
})

test('out of descriptors at the start: it does not start, and touches nothing', async () => {
  const state = join(lab.hosts.director.folder, 'few')
  expect(await start('ulimit -n 24', service(), '--state-dir', state).ended).not.toBe(0)
  expect(other?.stderr).toMatch(/EMFILE: 24 files may be open at once, at least \d+ are needed/)
  expect(await witnessTable(lab.hosts.director)).toEqual([])
})

test('a MISC_CHECK that forks and hangs is ended with all it started, and is a failure', async () => {
  const host = lab.hosts.director
  const script = host.writeFile('hang.sh', '#!/bin/sh\nsleep 4321 &\nsleep 4321\n', 0o755)
  const config = service().replace(
    /TCP_CHECK \{[^}]*\}/,
    `MISC_CHECK { misc_path "${script}"\n misc_timeout 1\n retry 0 }`,
  )
  director = await startDirector(host, config)
  await until('the server is down', seconds(15), async () => {
    const server = await director!.server(`${servers[0]}:7`)
    return server?.state === 'down' && server.class === 'timeout'
  })
  await director.process.stop()
  await until('nothing is left', seconds(10), async () => (await host.run(['pgrep', '-f', 'sleep 4321'])).stdout === '')
})

describe('a director that runs', () => {
  let running: RunningDirector

  beforeAll(async () => {
    running = await startDirector(lab.hosts.director, service())
  })
  afterAll(() => running.process.stop())

  test('kill -9 of a prober: another one takes over, no server turns', async () => {
    const first = (await running.status()).probers[0]?.pid
    await lab.hosts.director.output(['kill', '-9', String(first)])
    await until('there is another prober', seconds(20), async () => {
      const now = (await running.status()).probers[0]?.pid
      return now !== undefined && now !== first
    })
    expect(await weights()).toEqual(all)
    expect(running.process.stderr).not.toMatch(/ down|Removing/)
  })

  test('stopped for 10 seconds: connections go on, and afterwards everything is as before', async () => {
    const connection = await connectFrom(lab.hosts.client, vip, 7)
    running.process.signal('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    expect(await connection.exchange('still')).toBe('still')
    running.process.signal('SIGCONT')
    await until('it answers again', seconds(10), async () => (await running.status()).virtualServers.length === 1)
    expect(await weights()).toEqual(all)
    expect(running.process.stderr).not.toMatch(/ down|Removing/)
    connection.end()
  })

  test('out of descriptors later: it serves and answers again', async () => {
    const pid = String(running.process.pid)
    const open = readdirSync(`/proc/${pid}/fd`).length
    await lab.hosts.director.output(['prlimit', '--pid', pid, `--nofile=${open}:1024`])
    await running.ctl('status')
    await lab.hosts.director.output(['prlimit', '--pid', pid, '--nofile=1024:1024'])
    await until('it answers again', seconds(15), async () => (await running.ctl('status', '--json')).code === 0)
    expect(await weights()).toEqual(all)
  })

  test.skipIf(!ownKernel)('the clock jumps by an hour and back: nothing turns (only in a guest)', async () => {
    for (const step of ['1 hour', '-2 hours', '1 hour']) {
      await lab.hosts.director.output(['date', '-s', step])
      await new Promise((resolve) => setTimeout(resolve, 1500))
    }
    const [server] = (await running.status()).virtualServers[0]?.servers ?? []
    expect(server).toMatchObject({ state: 'up' })
    expect(server?.checks[0]?.nextInMs).toBeLessThan(5000)
    expect(await weights()).toEqual(all)
    expect(running.process.stderr).not.toMatch(/ down|Removing/)
  })
})
