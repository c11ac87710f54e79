/** What happens while the next generation is put together, in many slices, is known to it when it begins. */
import { fc, test } from '@fast-check/vitest'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, vi } from 'vitest'
import { checkIdOf, CheckTable, planChecks } from './checks.ts'
import { nextGeneration } from './generation.ts'
import { emptyOverlay, withSteer } from './overlay.ts'
import { createPool } from './pool.ts'
import { unsteered, type Steer } from './steer.ts'
import { config, realServer, tcpChecker, virtualServer } from './testing/config.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const names = Array.from({ length: 5 }, (_, n) => `10.0.0.${n + 1}:80`)
const steers: readonly Steer[] = [unsteered, { admin: { kind: 'drained', since: 1, host: false } }, { force: 'down' }]

const happening = fc.record({
  server: fc.nat(names.length - 1),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.record({ up: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ steer: fc.constantFrom(...steers) }) },
  ),
})

test.prop([
  fc.record({ quorum: fc.integer({ min: 1, max: 5 }), hysteresis: fc.nat(2), panicThreshold: fc.constantFrom(0, 50) }),
  fc.array(happening, { maxLength: 8 }),
  fc.array(happening, { maxLength: 20 }),
  fc.subarray(names),
])('verdicts and what operators want between the slices', async (rule, before, meanwhile, changed) => {
  let now = 0
  // Each look at the clock finds that others must have their turn.
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000))
  const realServers = names.map((name) => realServer(name, { checkers: [tcpChecker(name)] }))
  const running = virtualServer({ ...rule, realServers })
  const old = createPool(running, { since: 0 })
  old.begin(1)
  const table = new CheckTable()
  table.change(await table.plan([], await planChecks([old], () => true)))
  let overlay = emptyOverlay
  const heard = new Set<string>()
  let at = 1
  const happens = ({ server: n, what }: (typeof meanwhile)[number]): void => {
    const [real, name = ''] = [realServers[n]!, names[n]]
    at++
    if ('steer' in what) {
      overlay = withSteer(overlay, running.name, name, what.steer)
      old.steer(name, what.steer, at)
      return
    }
    heard.add(checkIdOf(real.checkers[0]!))
    const verdict = { up: what.up, class: 'success', reason: '', took: 0 } as never
    old.verdict(name, { checker: 0, up: what.up, first: false, verdict, at })
  }
  for (const each of before) happens(each)
  heard.clear()
  const next = virtualServer({
    ...rule,
    omega: true,
    realServers: realServers.map((real, n) => (changed.includes(names[n]!) ? { ...real, upperThreshold: 9 } : real)),
  })
  const sharing = () => [old]
  const begun = nextGeneration(config([next]), { pools: [old], sharing }, overlay, at, table)
  for (const each of meanwhile) {
    happens(each)
    await nextTurn()
  }
  const generation = await begun
  generation.catchUp(heard, overlay)
  const [pool] = generation.come
  expect([...pool!.servers.values()].map(({ health, steer }) => ({ health, steer }))).toEqual(
    [...old.servers.values()].map(({ health, steer }) => ({ health, steer })),
  )
  const { quorum, since, turns, panic, steered } = pool!
  expect({ quorum, since, turns, panic, steered }).toEqual({
    quorum: old.quorum,
    since: old.since,
    turns: old.turns,
    panic: old.panic,
    steered: old.steered,
  })
  expect(pool!.begin(at)).toEqual([])
})
