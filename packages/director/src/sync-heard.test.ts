import { seconds } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { createSyncHeard } from './sync-heard.ts'
import { config } from './testing/config.ts'

const header = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n'
const local = 'TCP 0A000001 8A3C C0000201 0050 0A000002 0050 ESTABLISHED LOCAL      899\n'
const synced = 'TCP 0A000001 8A3D C0000201 0050 0A000002 0050 ESTABLISHED SYNC       899\n'

const gated = (ipvsSync: boolean) => {
  const { vrrp, ...rest } = config([])
  return { ...rest, vrrp: { ...vrrp, instances: [{ preemptGate: { checkers: false, ipvsSync } }] } } as never
}

test('the first connection of the other director is told once', async () => {
  const clock = fakeClock(0)
  let text = header + local
  let times = 0
  const watch = createSyncHeard(
    clock,
    () => times++,
    () => text,
  )
  watch.use(gated(true))
  await clock.advance(seconds(5))
  expect(times).toBe(0)
  text += synced
  await clock.advance(seconds(2))
  expect(times).toBe(1)
  watch.use(gated(true))
  await clock.advance(seconds(5))
  expect(times).toBe(1)
})

test('nobody waits for it: nothing is read; no such file: it goes on looking', async () => {
  const clock = fakeClock(0)
  let reads = 0
  const watch = createSyncHeard(
    clock,
    () => undefined,
    () => {
      reads++
      throw new Error('ENOENT')
    },
  )
  watch.use(gated(false))
  await clock.advance(seconds(5))
  expect(reads).toBe(0)
  watch.use(gated(true))
  await clock.advance(seconds(3))
  expect(reads).toBe(4)
  watch.stop()
  await clock.advance(seconds(3))
  expect(reads).toBe(4)
})
