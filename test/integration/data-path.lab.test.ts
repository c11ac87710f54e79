/** Checks with data_path: a real server that answers at its own address, and does not take what clients send it. */
import { seconds } from '@ipvs-director/core'
import { afterEach, expect, test } from 'vitest'
import { dr, serveHttp, serveUdp, tun, upLab, until, witnessTable, type Lab, type StandardHost } from '../lab/index.ts'
import { startDirector, type RunningDirector } from './director.ts'

let lab: Lab<StandardHost>
afterEach(() => lab.down())

const addresses = { DR: dr(), TUN: tun() } as const

/** Two servers; each has a check of its own address and one through it. */
const configOf = (kind: 'DR' | 'TUN', family: 4 | 6, check?: string): string =>
  `global_defs {\n data_path_marks 7000 7999\n}\n${servicesOf(kind, family, check)}`

function servicesOf(kind: 'DR' | 'TUN', family: 4 | 6, check = 'TCP_CHECK { data_path connect_timeout 0.5 }'): string {
  const { vip, vip6, servers, servers6 } = addresses[kind]
  const line = check.replaceAll(' data_path ', '\n data_path\n ')
  return `
virtual_server ${family === 4 ? vip : vip6} 80 {
    delay_loop 0.5
    warmup 0
    lb_algo rr
    lb_kind ${kind}
    protocol TCP
${(family === 4 ? servers : servers6)
  .slice(0, 2)
  .map(
    (server) => `    real_server ${server} 80 {
        retry 1
        delay_before_retry 0.2
        TCP_CHECK {
            connect_timeout 2
        }
        ${line}
    }`,
  )
  .join('\n')}
}`
}

/** `up/down`: the state of each check of both servers. */
async function states(director: RunningDirector): Promise<string[]> {
  const { virtualServers } = await director.status()
  return virtualServers.flatMap(({ servers }) =>
    servers.map(({ checks }) => checks.map(({ state }) => state).join('/')),
  )
}

const becomes = (director: RunningDirector, ...wanted: string[]): Promise<unknown> =>
  until(`the checks are ${wanted.join(', ')}`, seconds(30), async () => {
    const now = await states(director)
    return now.join() === wanted.join()
  })

async function accept(on: 0 | 1): Promise<void> {
  await lab.hosts.director.sysctl('net.ipv4.conf.eth0.accept_local', on)
}

const marks = async (): Promise<string[]> =>
  (await witnessTable(lab.hosts.director)).filter(({ protocol }) => protocol === 'FWM').map(({ address }) => address)

test.for([
  ['DR', ['lo', 'lo']],
  ['TUN', ['tunl0', 'tun6']],
] as const)(
  '%s: a server without the VIP is down for the data path alone, and up when it has it',
  async ([kind, devices]) => {
    lab = kind === 'DR' ? await upLab(dr()) : await upLab(tun())
    const { rs1, rs2, director: host } = lab.hosts
    const { vip, vip6, servers, servers6 } = addresses[kind]
    const vips = (what: 'add' | 'del'): string[] => [
      `addr ${what} ${vip}/32 dev ${devices[0]}`,
      `addr ${what} ${vip6}/128 dev ${devices[1]}${what === 'add' ? ' nodad' : ''}`,
    ]
    await serveHttp(rs1)
    await serveHttp(rs2)
    await accept(1)
    await rs2.ip(...vips('del'))
    const director = await startDirector(host, configOf(kind, 4) + servicesOf(kind, 6))
    await becomes(director, 'up/up', 'up/down', 'up/up', 'up/down')
    const broken = (await director.status()).virtualServers.map((each) => each.servers[1])
    for (const [i, server] of [servers[1], servers6[1]].entries()) {
      expect(broken[i]).toMatchObject({ state: 'down' })
      expect(broken[i]?.checks[1]?.reason).toContain(`through ${server}`)
    }
    await rs2.ip(...vips('add'))
    await rs1.ip(...vips('del'))
    await becomes(director, 'up/down', 'up/up', 'up/down', 'up/up')
  },
)

test('without accept_local it is said to be our fault, and nobody is taken out', async () => {
  lab = await upLab(dr())
  await serveHttp(lab.hosts.rs1)
  await serveHttp(lab.hosts.rs2)
  await accept(0)
  const director = await startDirector(lab.hosts.director, configOf('DR', 4))
  const reason = 'net.ipv4.conf.eth0.accept_local is 0: answers from 10.1.0.100 would be dropped'
  await until('it is told', seconds(30), async () => {
    const { virtualServers } = await director.status()
    return virtualServers[0]?.servers[0]?.checks[1]?.reason.includes(reason) === true
  })
  await becomes(director, 'up/unknown', 'up/unknown')
  expect(
    (await witnessTable(lab.hosts.director)).find(({ protocol }) => protocol === 'TCP')?.destinations,
  ).toHaveLength(2)
  await accept(1)
  await becomes(director, 'up/up', 'up/up')
})

test('datagrams and web pages go along the data path, too', async () => {
  lab = await upLab(dr())
  const { rs1, rs2, director: host } = lab.hosts
  const { vip } = addresses.DR
  for (const each of [rs1, rs2]) await serveHttp(each)
  await serveUdp(rs1, vip, 53)
  await accept(1)
  const udp = 'UDP_CHECK { data_path connect_port 53\n require_reply\n connect_timeout 0.5\n }'
  const director = await startDirector(host, configOf('DR', 4, udp))
  await becomes(director, 'up/up', 'up/down')
  await rs2.ip(`addr del ${vip}/32 dev lo`)
  director.write(configOf('DR', 4, 'HTTP_GET { data_path connect_timeout 0.5\n url {\n path /\n }\n }'))
  expect(await director.reload()).toMatchObject({ ok: true })
  await becomes(director, 'up/up', 'up/down')
})

test('the services for it are ours, are shown as what they are, and do not outlive us', async () => {
  lab = await upLab(dr())
  const host = lab.hosts.director
  await serveHttp(lab.hosts.rs1)
  await serveHttp(lab.hosts.rs2)
  await accept(1)
  let director = await startDirector(host, configOf('DR', 4))
  const before = await marks()
  expect(before).toHaveLength(2)
  const { virtualServers, dataPaths, foreign } = await director.status()
  expect(virtualServers).toHaveLength(1)
  expect(foreign).toEqual([])
  expect(dataPaths?.map(({ server, forwarding, present }) => ({ server, forwarding, present }))).toEqual(
    addresses.DR.servers.slice(0, 2).map((server) => ({ server, forwarding: 'DR', present: true })),
  )
  // Somebody deletes one: the next audit has it back.
  await host.output(['ipvsadm', '-D', '-f', before[0] ?? ''])
  await director.ctl('drift', '--now')
  expect(await marks()).toEqual(before)
  // A kill leaves them; the next run, which does not want them, removes them.
  await director.kill()
  expect(await marks()).toEqual(before)
  director = await startDirector(host, configOf('DR', 4, ''))
  expect(await marks()).toEqual([])
  director.write(configOf('DR', 4))
  expect(await director.reload()).toMatchObject({ ok: true })
  expect(await marks()).toEqual(before)
  await director.ctl('stop', '--keep')
  await director.process.ended
  const left = await witnessTable(host)
  expect(left.map(({ protocol }) => protocol)).toEqual(['TCP'])
  director = await startDirector(host, configOf('DR', 4))
  expect(await marks()).toEqual(before)
  director.process.signal('SIGTERM')
  await director.process.ended
  expect(await witnessTable(host)).toEqual([])
})
