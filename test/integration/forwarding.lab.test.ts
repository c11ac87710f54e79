/** The director balances real traffic: DR, NAT and TUN, IPv4 and IPv6, TCP and UDP, as ipvsadm, curl and tcpdump see it. */
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  askUdp,
  capture,
  dr,
  nat,
  serveHttp,
  serverNames,
  serveUdp,
  tun,
  upLab,
  witnessTable,
  until,
  type Addresses,
  type Host,
  type Lab,
  type StandardHost,
} from '../lab/index.ts'
import { startDirector, type RunningDirector } from './director.ts'

const methods = [
  { kind: 'DR', topology: dr, forward: 'Route' },
  { kind: 'NAT', topology: nat, forward: 'Masq' },
  { kind: 'TUN', topology: tun, forward: 'Tunnel' },
] as const

const bracket = (address: string): string => (address.includes(':') ? `[${address}]` : address)

function configOf(kind: string, addresses: Addresses): string {
  const service = (vip: string, servers: readonly string[], port: number, protocol: string, check: string): string => `
virtual_server ${vip} ${port} {
    delay_loop 1
    lb_algo rr
    lb_kind ${kind}
    protocol ${protocol}
    warmup 0
${servers.map((server) => `    real_server ${server} ${port} {\n        weight 1\n        ${check}\n    }`).join('\n')}
}`
  return [
    service(
      addresses.vip,
      addresses.servers,
      80,
      'TCP',
      'HTTP_GET { url { path / \n status_code 200 } connect_timeout 2 }',
    ),
    service(addresses.vip6, addresses.servers6, 80, 'TCP', 'TCP_CHECK { connect_timeout 2 }'),
    service(addresses.vip, addresses.servers, 53, 'UDP', 'TCP_CHECK { connect_port 80 }'),
    service(addresses.vip6, addresses.servers6, 53, 'UDP', 'TCP_CHECK { connect_port 80 }'),
  ].join('\n')
}

describe.for(methods)('$kind', ({ kind, topology, forward }) => {
  const addresses: Addresses = topology()
  let lab: Lab<StandardHost>
  let director: RunningDirector

  beforeAll(async () => {
    lab = await upLab(topology())
    for (const [index, name] of serverNames.entries()) {
      await serveHttp(lab.hosts[name])
      for (const [vip, servers] of [
        [addresses.vip, addresses.servers],
        [addresses.vip6, addresses.servers6],
      ] as const) {
        await serveUdp(lab.hosts[name], kind === 'NAT' ? (servers[index] ?? '') : vip, 53)
      }
    }
    director = await startDirector(lab.hosts.director, configOf(kind, addresses))
  })
  afterAll(() => lab.down())

  test('ipvsadm shows the services with their forwarding method', async () => {
    const table = await witnessTable(lab.hosts.director)
    expect(table.map(({ protocol, address }) => `${protocol} ${address}`).sort()).toEqual(
      [addresses.vip, addresses.vip6].flatMap((vip) => [`TCP ${bracket(vip)}:80`, `UDP ${bracket(vip)}:53`]).sort(),
    )
    for (const service of table) {
      expect(service.destinations).toHaveLength(3)
      for (const each of service.destinations) expect(each).toMatchObject({ forward, weight: 1 })
    }
  })

  test.for(['vip', 'vip6'] as const)('curl at its %s reaches each server in turn', async (which) => {
    const url = `http://${bracket(addresses[which])}/`
    const answers = await askThrice(lab.hosts.client, url)
    expect(answers.sort()).toEqual([...serverNames])
  })

  test.for(['vip', 'vip6'] as const)('UDP at its %s reaches each server in turn', async (which) => {
    const answers: (string | undefined)[] = []
    for (let i = 0; i < 3; i++) answers.push(await askUdp(lab.hosts.client, addresses[which], 53))
    expect(answers.sort()).toEqual([...serverNames])
  })

  test('tcpdump on a real server sees what the method says', async () => {
    const filter = { DR: 'tcp port 80', NAT: 'tcp port 80', TUN: 'ip proto 4' }[kind]
    const seen = await capture(lab.hosts.rs1, filter)
    const url = `http://${addresses.vip}/`
    await askThrice(lab.hosts.client, url)
    const lines = (await seen.stop()).join('\n')
    const target = kind === 'NAT' ? addresses.servers[0] : addresses.vip
    expect(lines).toContain(`> ${target}.80: Flags [S]`)
  })

  test('status knows every server up, with the weight the kernel has', async () => {
    // the first checks are made at random within the delay loop
    await until('every server has been checked', seconds(15), async () =>
      (await director.status()).virtualServers.every(({ servers }) =>
        servers.every(({ state }) => state !== 'unknown'),
      ),
    )
    const { virtualServers, kernel } = await director.status()
    expect(kernel).toMatchObject({ reachable: true, refused: 0 })
    expect(virtualServers).toHaveLength(4)
    for (const { servers, forwarding } of virtualServers) {
      expect(forwarding).toBe(kind)
      for (const server of servers) expect(server).toMatchObject({ wantedWeight: 1, kernelWeight: 1, state: 'up' })
    }
  })
})

/** Three requests, each by a connection of its own: curl would keep one open for all. */
async function askThrice(client: Host, url: string): Promise<string[]> {
  const answers: string[] = []
  for (let i = 0; i < 3; i++) answers.push((await client.output(['curl', '-sSg', '-m', '5', url])).trim())
  return answers
}
