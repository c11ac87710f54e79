import { address, formatEndpoint, type Endpoint } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { workPerTurn } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { sortedByEndpoint } from './sorted.ts'

const endpoint = (n: number): Endpoint => ({ address: address(`10.0.${(n >> 8) & 255}.${n & 255}`), port: 80 })

property.prop([fc.array(fc.nat(65_535), { maxLength: 2000, size: 'max' })])(
  'however many there are',
  async (numbers) => {
    const sorted = await sortedByEndpoint(numbers, endpoint)
    expect(sorted).toEqual([...numbers].sort((a, b) => a - b))
  },
)

test('by family, address and port', async () => {
  const all = [['2001:db8::1', 1], ['10.0.0.10', 80], ['10.0.0.9', 443], ['10.0.0.9', 80], ['9.9.9.9', 9]] as const // prettier-ignore
  const sorted = await sortedByEndpoint(all, ([text, port]) => ({ address: address(text), port }))
  const shown = sorted.map(([text, port]) => formatEndpoint({ address: address(text), port }))
  expect(shown).toEqual(['9.9.9.9:9', '10.0.0.9:80', '10.0.0.9:443', '10.0.0.10:80', '[2001:db8::1]:1'])
})

test('of very many, few are looked at in one turn', async () => {
  const work = workPerTurn()
  const numbers = Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_000)
  await sortedByEndpoint(numbers, (n) => (work.count(), endpoint(n)))
  work.stop()
  expect(work.most()).toBeLessThanOrEqual(512)
  expect(work.turns()).toBeGreaterThan(100)
})
