import { filesInMemory, loadConfig, type Config } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { checkers } from './checkers.ts'
import { limitsOf, meansHere, type Means } from './limits.ts'

const means: Means = { probers: 2, descriptors: 1024, ports: 28_232 }

/** A virtual server with so many real servers, each with this checker; `N` in it becomes the server's number. */
async function pool(servers: number, checker: string, vs = 'delay_loop 1'): Promise<Config> {
  const real = Array.from(
    { length: servers },
    (_, i) =>
      `real_server 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255} 80 {\n ${checker.replaceAll('#', String(i))}\n }\n`,
  )
  const text = `virtual_server 192.0.2.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n ${vs}\n ${real.join('')}\n }`
  const read = filesInMemory(new Map([['/test.conf', text]]))
  const { config } = await loadConfig('/test.conf', { checkers, read, configId: 'test' })
  if (config === undefined) throw new Error('no configuration')
  return config
}

test.for([
  [100, 'TCP_CHECK {\n }', 'delay_loop 1', [], 'a small pool fits'],
  [0, 'TCP_CHECK {\n }', 'delay_loop 1', [], 'nothing fits'],
  [
    3000,
    'TCP_CHECK {\n connect_timeout 3\n }',
    'delay_loop 1',
    [
      '2250 probes may be under way at once, and 2 probers have descriptors for 1920: the others would wait. Raise the limit of open files to 1189 (LimitNOFILE=1189)',
    ],
    'descriptors',
  ],
  [
    2000,
    'SSL_GET {\n connect_timeout 0.5\n url {\n path /\n }\n }',
    'delay_loop 1',
    [
      '2000 probes a second are 100 % of what 2 probers can do: rounds will run late. Use 3 probers on as many processors, or a longer delay_loop',
    ],
    'processors',
  ],
  [
    1000,
    'TCP_CHECK {\n connect_timeout 0.5\n connect_ip 10.255.0.1\n send "#"\n }',
    'delay_loop 1',
    [
      '1000 connections a second to 10.255.0.1 port 80 hold 60000 local ports, and there are 28232: widen net.ipv4.ip_local_port_range or use a longer delay_loop',
    ],
    'ports',
  ],
  [
    1,
    'TCP_CHECK {\n bind_port 4000\n }',
    'delay_loop 6',
    [
      'TCP_CHECK of 10.0.0.0 port 80 connects from port 4000 every 6 s, and a port rests for 1 min after each connection: leave out bind_port',
    ],
    'one local port',
  ],
  [5000, 'PING_CHECK {\n connect_ip 10.255.0.1\n }', 'delay_loop 1', [], 'equal checks count once'],
] as const)('%i × %s, %s: %o: %s', async ([servers, checker, vs, remarks]) => {
  expect(limitsOf(await pool(servers, checker, vs), means).remarks).toEqual(remarks)
})

test('what is counted', async () => {
  const limits = limitsOf(await pool(10, 'TCP_CHECK {\n connect_timeout 2\n }', 'delay_loop 2'), means)
  expect(limits).toMatchObject({ checks: 10, rate: 5, open: 5, remarks: [] })
  expect(limits.load).toBeCloseTo(5 / 12_000 / 2)
})

test('what this machine has', () => {
  const { probers, descriptors, ports } = meansHere(3)
  expect(probers).toBe(3)
  expect(descriptors).toBeGreaterThan(100)
  expect(ports).toBeGreaterThan(100)
})
