import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { checkers } from './checkers.ts'

async function optionsOf(blocks: readonly string[]): Promise<readonly unknown[]> {
  const servers = blocks.map((block, i) => `real_server 10.0.0.${i + 1} 80 {\n ${block}\n }`).join('\n')
  const text = `virtual_server 192.0.2.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n ${servers}\n }\n`
  const read = filesInMemory(new Map([['/test.conf', text]]))
  const { config } = await loadConfig('/test.conf', { checkers, read, configId: 'test' })
  return (config?.virtualServers[0]?.realServers ?? []).map((server) => server.checkers[0]?.options)
}

const get = (path: string, code: string): string => `HTTP_GET {\n url {\n path ${path}\n status_code ${code}\n }\n }`

test.for([
  ['TCP_CHECK {\n }'],
  ['TCP_CHECK {\n send "x"\n expect "y"\n }'],
  [get('/', '200 301-302')],
  ['DNS_CHECK {\n name example.org\n }'],
])('equal options are there once: %s', async ([block = '']) => {
  const [one, other] = await optionsOf([block, block])
  expect(one).toBeDefined()
  expect(other).toBe(one)
})

test.for([
  ['TCP_CHECK {\n }', 'TCP_CHECK {\n send "x"\n }'],
  ['TCP_CHECK {\n send "x"\n }', 'TCP_CHECK {\n expect "x"\n }'],
  ['TCP_CHECK {\n half_open\n }', 'TCP_CHECK {\n }'],
  [get('/', '200'), get('/a', '200')],
  [get('/', '200'), get('/', '200 201')],
])('options that differ stay so: %s, %s', async ([first = '', second = '']) => {
  const [alone] = await optionsOf([second])
  const [one, other] = await optionsOf([first, second])
  expect(other).toEqual(alone)
  expect(other).not.toEqual(one)
})

test('what services and their servers have alike is there once', async () => {
  const service = (n: number): string =>
    `virtual_server 192.0.2.${n} 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n delay_loop 7\n` +
    `real_server 10.0.0.${n} 80 {\n TCP_CHECK {\n }\n DNS_CHECK {\n name example.org\n }\n }\n }\n`
  const read = filesInMemory(new Map([['/test.conf', service(1) + service(2)]]))
  const { config } = await loadConfig('/test.conf', { checkers, read, configId: 'test' })
  const [one, other] = config?.virtualServers ?? []
  const [first, second] = [one?.realServers[0], other?.realServers[0]]
  expect(first?.checkers).toHaveLength(2)
  expect(other?.forwarding).toBe(one?.forwarding)
  expect(other?.serverDefaults).toBe(one?.serverDefaults)
  expect(second?.forwarding).toBe(first?.forwarding)
  expect(second?.checkDefaults).toBe(first?.checkDefaults)
  expect(second?.checkers.map(({ timing }) => timing)).toSatisfy((timings: readonly unknown[]) =>
    timings.every((timing, i) => timing === first?.checkers[i]?.timing),
  )
})
