import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { memoryIpvs, type MemoryIpvs } from './memory.ts'

const opened: MemoryIpvs[] = []
vi.mock('ipvs-netlink', async () => ({
  ...(await vi.importActual<object>('./index.ts')),
  openIpvs: () => {
    const client = memoryIpvs()
    opened.push(client)
    return Promise.resolve(client)
  },
}))

test('the example programs a service with two destinations', async () => {
  await import('../examples/balance.ts')
  expect(opened.flatMap(({ log }) => log.map((command) => command.do))).toEqual([
    'addService',
    'addDestination',
    'addDestination',
  ])
})

test('the README shows the example', () => {
  const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
  expect(read('README.md')).toContain(read('examples/balance.ts'))
})
