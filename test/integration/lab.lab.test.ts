/**
 * Is the lab itself right? Services made by Debian's ipvsadm, asked by curl, witnessed by tcpdump: nothing of ours but the
 * lab takes part.
 */
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  askUdp,
  capture,
  connectFrom,
  dr,
  nat,
  serveHttp,
  serverNames,
  serveTcp,
  serveUdp,
  startNginx,
  tun,
  upLab,
  witnessTable,
  type Addresses,
  type Lab,
  type StandardHost,
} from '../lab/index.ts'

const methods = [
  { name: 'DR', topology: dr, flag: '-g', forward: 'Route' },
  { name: 'NAT', topology: nat, flag: '-m', forward: 'Masq' },
  { name: 'TUN', topology: tun, flag: '-i', forward: 'Tunnel' },
] as const

const bracket = (address: string): string => (address.includes(':') ? `[${address}]` : address)

describe.for(methods)('$name by ipvsadm alone', ({ topology, flag, forward }) => {
  const addresses: Addresses = topology()
  let lab: Lab<StandardHost>

  beforeAll(async () => {
    lab = await upLab(topology())
    for (const name of serverNames) {
      await serveHttp(lab.hosts[name])
      await serveTcp(lab.hosts[name], { port: 7 })
    }
  })
  afterAll(() => lab.down())

  test.for(['vip', 'vip6'] as const)('spreads TCP over three servers at its %s', async (which) => {
    const { client, director } = lab.hosts
    const vip = `${bracket(addresses[which])}:80`
    const servers = which === 'vip' ? addresses.servers : addresses.servers6
    const lines = servers.map((server) => `-a -t ${vip} -r ${bracket(server)}:80 ${flag} -w 1`)
    await director.output(['ipvsadm', '-R'], { input: [`-A -t ${vip} -s rr`, ...lines].join('\n') })

    const witnessed = (await witnessTable(director)).find((service) => service.address === vip)
    expect(witnessed).toMatchObject({ protocol: 'TCP', scheduler: 'rr' })
    expect(witnessed?.destinations).toHaveLength(3)
    expect(witnessed?.destinations[0]).toMatchObject({ forward, weight: 1 })

    const url = `http://${vip}/`
    const asked = await Promise.all([1, 2, 3].map(() => client.output(['curl', '-sSg', '-m', '5', url])))
    expect(asked.map((text) => text.trim()).sort()).toEqual([...serverNames])
  })

  test('keeps a connection open through the director', async () => {
    const { client, director } = lab.hosts
    const lines = addresses.servers.map((server) => `-a -t ${addresses.vip}:7 -r ${server}:7 ${flag}`)
    await director.output(['ipvsadm', '-R'], { input: [`-A -t ${addresses.vip}:7 -s rr`, ...lines].join('\n') })
    const connection = await connectFrom(client, addresses.vip, 7)
    expect(await connection.exchange('hello')).toBe('hello')
    const listed = await director.output(['ipvsadm', '-Lnc'])
    expect(listed).toContain(`:${connection.localPort}`)
    connection.end()
  })

  test.for(['vip', 'vip6'] as const)('spreads UDP at its %s', async (which) => {
    const { client, director } = lab.hosts
    const vip = addresses[which]
    const servers = which === 'vip' ? addresses.servers : addresses.servers6
    const open = await Promise.all(
      serverNames.map((name, index) => serveUdp(lab.hosts[name], flag === '-m' ? (servers[index] ?? '') : vip, 53)),
    )
    const lines = servers.map((server) => `-a -u ${bracket(vip)}:53 -r ${bracket(server)}:53 ${flag}`)
    await director.output(['ipvsadm', '-R'], { input: [`-A -u ${bracket(vip)}:53 -s rr`, ...lines].join('\n') })
    const answers = [await askUdp(client, vip, 53), await askUdp(client, vip, 53), await askUdp(client, vip, 53)]
    expect(answers.sort()).toEqual([...serverNames])
    for (const server of open) server.close()
  })
})

test('LVS-DR: the answer goes from the real server to the client, past the director', async () => {
  const lab = await upLab(dr())
  try {
    const { client, director, rs1 } = lab.hosts
    await startNginx(rs1)
    const { vip } = dr()
    await director.output(['ipvsadm', '-R'], {
      input: `-A -t ${vip}:80 -s rr\n-a -t ${vip}:80 -r 10.1.0.11:80 -g`,
    })
    const seen = await capture(director, 'tcp port 80')
    expect(await client.output(['curl', '-sS', '-m', '5', `http://${vip}/`])).toBe('rs1\n')
    const lines = await seen.stop()
    expect(lines.filter((line) => line.includes(`> ${vip}.80`)).length).toBeGreaterThan(0)
    expect(lines.filter((line) => line.startsWith(`IP ${vip}.80 >`))).toEqual([])
  } finally {
    await lab.down()
  }
})

test('two labs stand side by side, and going down leaves nothing', async () => {
  const labs = [await upLab(dr()), await upLab(dr())] as const
  const sleeper = labs[0].hosts.rs1.spawn(['sh', '-c', 'sleep 600 & sleep 600'])
  for (const [index, { hosts }] of labs.entries()) {
    const server = await serveHttp(hosts.rs1, { answer: { body: `lab ${index}` } })
    expect(await hosts.client.output(['curl', '-sS', '-m', '5', 'http://10.1.0.11/'])).toBe(`lab ${index}`)
    await server.close()
  }
  for (const lab of labs) await lab.down()
  expect(await sleeper.ended).toBe(137)
  const left = (await readdir('/run/netns')).filter((name) => labs.some((lab) => name.startsWith(lab.prefix)))
  expect(left).toEqual([])
})

test('a real server that hangs, closes, refuses or answers 500 looks like that from the client', async () => {
  const lab = await upLab(dr())
  try {
    const { client, rs1 } = lab.hosts
    const server = await serveHttp(rs1)
    const curl = async (): Promise<{ code: number; stdout: string }> =>
      client.run(['curl', '-s', '-m', '1', '-w', '%{http_code}', '-o', '/dev/null', 'http://10.1.0.11/'])
    expect((await curl()).stdout).toBe('200')
    server.answer = { status: 500 }
    expect((await curl()).stdout).toBe('500')
    server.answer = 'hang'
    expect((await curl()).code).toBe(28) // curl: operation timeout
    server.answer = 'close'
    expect((await curl()).code).toBe(52) // curl: empty reply
    await server.close()
    expect((await curl()).code).toBe(7) // curl: could not connect
    expect(server.requests).toHaveLength(4)
  } finally {
    await lab.down()
  }
})
