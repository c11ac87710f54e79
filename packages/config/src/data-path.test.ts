import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { Config } from './config.ts'
import { withDataPathMarks } from './data-path.ts'
import { loadConfig } from './load.ts'
import { filesInMemory } from './read-file.ts'
import { testCheckers } from './testing/checkers.ts'

const check = 'TCP_CHECK {\n data_path\n }\n'

async function load(marks: string, ...services: readonly string[]): Promise<Config> {
  const text = `global_defs {\n data_path_marks ${marks}\n }\n${services.join('\n')}\n`
  const read = filesInMemory(new Map([['/test.conf', text]]))
  const { config } = await loadConfig('/test.conf', { checkers: testCheckers, read, configId: 'test' })
  if (config === undefined) throw new Error('no configuration')
  return config
}

const service = (vip: string, servers: readonly string[], { kind = 'DR', inside = check } = {}): string =>
  `virtual_server ${vip} 80 {\n protocol TCP\n lb_algo rr\n lb_kind ${kind}\n ${servers
    .map((each) => `real_server ${each} 80 {\n ${inside} }`)
    .join('\n')}\n }`

function marksOf(config: Config): Map<string, number | undefined> {
  const marks = new Map<string, number | undefined>()
  for (const { name, realServers } of withDataPathMarks(config).virtualServers) {
    for (const { address, checkers } of realServers) {
      marks.set(`${address} of ${name}`, checkers[0]?.connection?.fwmark)
    }
  }
  return marks
}

const servers = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`)

describe('marks', () => {
  test('a configuration without data paths is itself', async () => {
    const config = await load('1 9', service('192.0.2.1', ['10.0.0.1'], { inside: 'TCP_CHECK {\n }\n' }))
    expect(withDataPathMarks(config)).toBe(config)
  })

  test('one for each way to a real server: services share it, methods and families do not', async () => {
    const config = await load(
      '100 199',
      service('192.0.2.1', ['10.0.0.1', '10.0.0.2']),
      service('192.0.2.2', ['10.0.0.1']),
      service('192.0.2.3', ['10.0.0.1'], { kind: 'TUN' }),
      service('2001:db8::1', ['fd00::1']),
    )
    const marks = marksOf(config)
    expect(marks.get('10.0.0.1 of 192.0.2.1:80/tcp')).toBe(marks.get('10.0.0.1 of 192.0.2.2:80/tcp'))
    expect(new Set(marks.values()).size).toBe(4)
  })

  test.prop([fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 40 })])(
    'all different and in range, without those that others have',
    async (count, spare) => {
      const taken = Math.min(spare, 1)
      const fwmark = 'virtual_server fwmark 1000 {\n lb_algo rr\n lb_kind DR\n real_server 10.9.9.9 {\n }\n }'
      const last = 1000 + count + spare - 1
      const config = await load(`1000 ${last}`, ...(taken === 1 ? [fwmark] : []), service('192.0.2.1', servers(count)))
      const marks = [...marksOf(config).values()].filter((mark) => mark !== undefined)
      expect(new Set(marks).size).toBe(count)
      for (const mark of marks) {
        expect(mark).toBeGreaterThanOrEqual(1000 + taken)
        expect(mark).toBeLessThanOrEqual(last)
      }
    },
  )

  test('a server that comes or goes, and the order of the file, change next to none of them', async () => {
    const before = marksOf(await load('1000 9999', service('192.0.2.1', servers(200))))
    const after = marksOf(await load('1000 9999', service('192.0.2.1', [...servers(201)].reverse().slice(0, 200))))
    const changed = [...after].filter(([server, mark]) => before.has(server) && before.get(server) !== mark)
    expect(changed.length).toBeLessThan(10)
    expect(after.size).toBe(200)
  })

  test('where none is left it stays 0', async () => {
    const marks = [...marksOf(await load('7 8', service('192.0.2.1', servers(3)))).values()]
    expect([...marks].sort()).toEqual([0, 7, 8])
  })
})
