import { millis } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { memoryIpvs } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { createKernelReader } from './kernel-view.ts'
import type { Pool } from './pool.ts'

test('one reading serves all who ask within half a second, and is forgotten then', async () => {
  const clock = fakeClock()
  const reader = createKernelReader(memoryIpvs(), clock)
  const pools: readonly Pool[] = []
  const first = reader.read(pools)
  await clock.advance(millis(400))
  expect(reader.read(pools)).toBe(first)
  expect(reader.read([])).not.toBe(first)
  await clock.advance(millis(600))
  const later = reader.read(pools)
  expect(later).not.toBe(first)
  expect((await later).at - (await first).at).toBe(1000)
})

test('a reading that failed serves nobody', async () => {
  const ipvs = memoryIpvs()
  const reader = createKernelReader(ipvs, fakeClock())
  const pools: readonly Pool[] = []
  ipvs.breakDown(new Error('no socket'))
  await expect(reader.read(pools)).rejects.toThrow('no socket')
  ipvs.breakDown(undefined)
  await expect(reader.read(pools)).resolves.toBeDefined()
})
