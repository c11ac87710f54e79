/** A10: two directors as one LVS-NAT gateway; the outside and the inside VIP are always on the same one. */
import { expect, test } from 'vitest'
import { startNginx, until, weightsOf, witnessTable, type LabSpec } from '../../lab/index.ts'
import { patience, scenario } from './scenario.ts'

type Name = 'client' | 'node1' | 'node2' | 'rs1' | 'rs2'
const forward = { 'net.ipv4.ip_forward': 1 }
const inside = ['route add default via 10.20.0.254']
const spec: LabSpec<Name> = {
  networks: ['out', 'in'],
  hosts: {
    client: { links: { out: ['203.0.113.10/24'] } },
    node1: { links: { out: ['203.0.113.11/24'], in: ['10.20.0.11/24'] }, sysctls: forward },
    node2: { links: { out: ['203.0.113.12/24'], in: ['10.20.0.12/24'] }, sysctls: forward },
    rs1: { links: { in: ['10.20.0.21/24'] }, ip: inside },
    rs2: { links: { in: ['10.20.0.22/24'] }, ip: inside },
  },
}
const vip = '203.0.113.100'
const gateway = '10.20.0.254'
const { host, ours, has, story } = scenario(spec, ['node1', 'node2'])

/** Both VIPs are on one node, and none on the other. */
const moved = (to: 'node1' | 'node2', from: 'node1' | 'node2'): Promise<unknown> =>
  until(
    `both VIPs are on ${to}`,
    patience,
    async () =>
      (await has(to, vip)) &&
      (await has(to, gateway, 'eth1')) &&
      !(await has(from, vip)) &&
      !(await has(from, gateway, 'eth1')),
    story,
  )

const clientReachesBoth = (): Promise<unknown> =>
  until(
    'the client reaches both servers',
    patience,
    async () => {
      const answers: string[] = []
      for (let i = 0; i < 2; i++) {
        answers.push((await host('client').run(['curl', '-sS', '-m', '2', `http://${vip}/`])).stdout.trim())
      }
      return answers.sort().join(' ') === 'rs1 rs2'
    },
    story,
  )

test('A10 the pool is reached through whoever is the gateway; both VIPs move when either interface fails', async () => {
  await Promise.all([startNginx(host('rs1')), startNginx(host('rs2'))])
  await Promise.all([ours('node1', 'nat-gateway/node1.conf'), ours('node2', 'nat-gateway/node2.conf')])
  await moved('node1', 'node2')
  await clientReachesBoth()
  const [service, ...more] = await witnessTable(host('node1'))
  expect(more).toEqual([])
  expect(service?.destinations.map((each) => each.forward)).toEqual(['Masq', 'Masq'])
  for (const device of ['eth1', 'eth0']) {
    await host('node1').ip(`link set ${device} down`)
    await moved('node2', 'node1')
    await clientReachesBoth()
    await host('node1').ip(`link set ${device} up`)
    await moved('node1', 'node2')
  }
  await until('the pool is whole again', patience, async () => {
    const weights = weightsOf(await witnessTable(host('node1')), `${vip}:80`)
    return Object.keys(weights ?? {}).length === 2
  })
  await clientReachesBoth()
})
