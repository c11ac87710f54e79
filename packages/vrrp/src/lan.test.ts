import { address, seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { identityOf } from './identity.ts'
import { anInstance, aPlan } from './testing/configs.ts'
import { createLan, type Lan } from './testing/lan.ts'

const key = identityOf(anInstance())
const masters = (lan: Lan): string[] => lan.nodes.filter((node) => node.holds().includes(key)).map(({ name }) => name)
const plan = (priority: number, change = {}) => aPlan([anInstance({ priority, ...change })])

test('the highest priority becomes master after its Master_Down_Interval, and the others stay backup', () => {
  const lan = createLan({ names: ['a', 'b', 'c'] })
  lan.node('a').start(plan(150))
  lan.node('b').start(plan(100))
  lan.node('c').start(plan(90))
  lan.run(3413)
  expect(masters(lan)).toEqual([])
  lan.run(2)
  expect(masters(lan)).toEqual(['a'])
  lan.run(60_000)
  expect(masters(lan)).toEqual(['a'])
})

test('kill -9: silence, then the best backup; the dead one loses its address with its lease', () => {
  const lan = createLan({ names: ['a', 'b', 'c'] })
  lan.node('a').start(plan(150))
  lan.node('b').start(plan(100))
  lan.node('c').start(plan(90))
  lan.run(10_000)
  lan.node('a').kill()
  lan.run(3000)
  expect(masters(lan)).toEqual([])
  lan.run(700)
  expect(masters(lan)).toEqual(['b'])
})

test('a stop says priority 0, and the backup waits only its skew', () => {
  const lan = createLan({ names: ['a', 'b'] })
  lan.node('a').start(plan(150))
  lan.node('b').start(plan(100))
  lan.run(10_000)
  lan.node('a').stop()
  lan.run(605)
  expect(masters(lan)).toEqual([])
  lan.run(10)
  expect(masters(lan)).toEqual(['b'])
})

test('IPv6, v3, hmac, unicast and AH pairs understand each other', () => {
  for (const change of [
    { family: 'inet6' as const },
    { version: 3 as const, advertInterval: seconds(0.1) },
    { auth: { type: 'PASS' as const, password: 'secret' } },
    { auth: { type: 'AH' as const, password: 'secret' } },
    {
      hmac: {
        keys: [{ id: 1, encoding: 'text' as const, secret: 'x'.repeat(32) }],
        activeKey: 1,
        timeWindow: seconds(5),
        antiReplay: 'time' as const,
        mode: 'enforce' as const,
      },
    },
  ]) {
    const lan = createLan({ names: ['a', 'b'] })
    const make = (priority: number) => aPlan([anInstance({ priority, ...change })])
    lan.node('a').start(make(150))
    lan.node('b').start(make(100))
    lan.run(10_000)
    expect(lan.node('a').vrrp()?.status().instances[0]?.state).toBe('master')
    expect(lan.node('b').vrrp()?.status().instances[0]?.state).toBe('backup')
    expect(Object.values(lan.node('b').vrrp()?.status().instances[0]?.counters.rejected ?? {}).some(Boolean)).toBe(
      false,
    )
  }
  const lan = createLan({ names: ['a', 'b'] })
  const peer = (name: string) => [{ address: address(name), minTtl: undefined, maxTtl: undefined }]
  lan.node('a').start(aPlan([anInstance({ priority: 150, version: 3, unicastPeers: peer('192.0.2.2') })]))
  lan.node('b').start(aPlan([anInstance({ unicastPeers: peer('192.0.2.1'), version: 3 })]))
  lan.run(10_000)
  expect(lan.node('b').vrrp()?.status().instances[0]?.master?.address).toBe('192.0.2.1')
})
