import { fc, test } from '@fast-check/vitest'
import { seconds } from '@ipvs-director/core'
import { expect, vi } from 'vitest'
import { identityOf } from './identity.ts'
import { anInstance, aPlan } from './testing/configs.ts'
import { createLan, type Lan } from './testing/lan.ts'
import { masterDownInterval } from './timing.ts'

// An hour of virtual time takes seconds on a machine that is busy otherwise.
vi.setConfig({ testTimeout: 60_000 })

const names = ['a', 'b', 'c'] as const
const key = identityOf(anInstance())

/** What happens to the machines, and when (seconds). */
const happening = fc.record({
  at: fc.double({ min: 0, max: 60, noNaN: true }),
  kind: fc.constantFrom('stall', 'kill', 'stop', 'start', 'cut', 'oneWay', 'heal', 'storm', 'flap', 'remove'),
  node: fc.constantFrom(...names),
  other: fc.constantFrom(...names),
  duration: fc.double({ min: 0.01, max: 8, noNaN: true }),
  loss: fc.double({ min: 0.1, max: 1, noNaN: true }),
})
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

const machine = fc.record({
  priority: fc.integer({ min: 1, max: 254 }),
  preempt: fc.boolean(),
  lease: fc.boolean(),
})

const pair = fc.record({ version: fc.constantFrom(2, 3), interval: fc.constantFrom(1, 2) })

/** How often anybody became anything. */
const turns = (lan: Lan): number =>
  lan.nodes.reduce((sum, { events }) => sum + events.filter(({ type }) => type === 'instance').length, 0)

/** Small, seeded, good enough to decide which packets are lost. */
function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface World {
  readonly lan: Lan
  readonly start: (name: string) => void
  /** When anything last happened that may disturb the election. */
  disturbed: number
  loss: number
}

function build(
  machines: readonly { priority: number; preempt: boolean; lease: boolean }[],
  rules: { version: number; interval: number },
  seed: number,
  delay: number,
  observe: (world: World) => void,
): World {
  const random = seeded(seed)
  const lan = createLan({
    names,
    weather: () => ({ lost: random() < world.loss, delay: 0.05 + random() * delay }),
    observe: () => {
      observe(world)
    },
  })
  const world: World = {
    lan,
    disturbed: 0,
    loss: 0,
    start(name) {
      const { priority, preempt, lease } = machines[names.indexOf(name as 'a')]!
      const vipLease = lease ? seconds(Math.max(3, 3 * rules.interval)) : undefined
      const version = rules.version as 2 | 3
      const advertInterval = seconds(rules.interval)
      lan.node(name).start(aPlan([anInstance({ priority, preempt, vipLease, version, advertInterval })]))
    },
  }
  return world
}

function perform(world: World, what: Happening): void {
  const { lan } = world
  const node = lan.node(what.node)
  const disturb = (): void => {
    world.disturbed = lan.simulation.now()
  }
  const later = (action: () => void): void =>
    void lan.simulation.at(lan.simulation.now() + what.duration * 1000, () => {
      action()
      disturb()
    })
  disturb()
  switch (what.kind) {
    case 'stall':
      node.stall(what.duration * 1000)
      later(() => undefined)
      return
    case 'kill':
      node.kill()
      return
    case 'stop':
      node.stop()
      return
    case 'start':
      world.start(what.node)
      return
    case 'cut':
    case 'oneWay':
      if (what.node !== what.other) lan.cut(what.node, what.other, undefined, what.kind === 'oneWay')
      return
    case 'heal':
      lan.heal()
      return
    case 'storm':
      world.loss = what.loss
      later(() => {
        world.loss = 0
      })
      return
    case 'flap':
      node.setInterface('eth0', { up: false })
      later(() => {
        node.setInterface('eth0', { up: true })
      })
      return
    case 'remove':
      node.remove(key)
      return
  }
}

const awake = (lan: Lan): string[] =>
  lan.nodes.filter((node) => node.vrrp() !== undefined && !node.isStalled()).map(({ name }) => name)
const holders = (lan: Lan): string[] => lan.nodes.filter((node) => node.holds().includes(key)).map(({ name }) => name)

test.prop(
  [
    fc.tuple(machine, machine, machine),
    pair,
    fc.array(happening, { maxLength: 12 }),
    fc.integer(),
    fc.double({ min: 0, max: 40, noNaN: true }),
  ],
  { numRuns: 60 },
)(
  'among those that hear each other there is one master, and never none for longer than the bound',
  (machines, rules, happenings, seed, delay) => {
    const slowest = masterDownInterval({ version: 2, downAdverts: 3 }, 1, seconds(rules.interval))
    // A wait, a wait again because the first ended in a stall or a fault, the lease of a dead machine, and the delays.
    const bound = 3 * slowest + 1000
    let settled: number | undefined
    const world = build(machines, rules, seed, delay, ({ lan, disturbed }) => {
      if (lan.simulation.now() - disturbed <= bound) {
        settled = undefined
        return
      }
      settled ??= turns(lan)
      expect(turns(lan), 'changes of state').toBe(settled)
      const running = awake(lan)
      const holding = holders(lan)
      for (const a of running) {
        for (const b of running) {
          if (a < b && lan.connected(a, b))
            expect(holding.includes(a) && holding.includes(b), `${a} and ${b}`).toBe(false)
        }
      }
      if (running.length > 0) expect(holding.length, 'masters').toBeGreaterThan(0)
      expect(holding.filter((name) => !running.includes(name) && machines[names.indexOf(name as 'a')]!.lease)).toEqual(
        [],
      )
    })
    for (const name of names) world.start(name)
    for (const what of happenings)
      world.lan.simulation.at(what.at * 1000, () => {
        perform(world, what)
      })
    world.lan.run(60_000)
    world.lan.heal()
    world.disturbed = world.lan.simulation.now()
    world.lan.run(10_000 + 2 * bound)
  },
)

test.prop(
  [
    fc.tuple(machine, machine, machine),
    fc.array(
      fc.record({
        at: happening.map(({ at }) => at),
        kind: fc.constantFrom('stall', 'kill', 'start'),
        node: fc.constantFrom(...names),
        duration: fc.double({ min: 0.01, max: 10, noNaN: true }),
      }),
      { maxLength: 10 },
    ),
    fc.integer(),
  ],
  { numRuns: 60 },
)(
  'stalls, deaths and returns: with leases never two owners for longer than an advertisement travels',
  (machines, happenings, seed) => {
    const delay = 3
    let both: number | undefined
    const leased = machines.map((each, i) => ({ ...each, lease: true, priority: (each.priority % 80) + i * 80 + 1 }))
    const world = build(leased, { version: 2, interval: 1 }, seed, delay, ({ lan }) => {
      const now = lan.simulation.now()
      if (holders(lan).length < 2) both = undefined
      else both ??= now
      expect(now - (both ?? now), holders(lan).join(' ')).toBeLessThanOrEqual(2 * delay)
    })
    for (const name of names) world.start(name)
    for (const { at, kind, node, duration } of happenings) {
      world.lan.simulation.at(at * 1000, () => {
        perform(world, { at, kind, node, duration, other: node, loss: 0.1 })
      })
    }
    world.lan.run(80_000)
  },
)

test.prop(
  [
    fc.tuple(machine, machine),
    fc.constantFrom(2 as const, 3 as const),
    fc.array(
      fc.tuple(
        fc.double({ min: 5, max: 60, noNaN: true }),
        fc.constantFrom('b', 'c'),
        fc.double({ min: 0.01, max: 20, noNaN: true }),
      ),
      { maxLength: 12 },
    ),
    fc.integer(),
  ],
  { numRuns: 40 },
)('however long backups stand still, the master stays and they stay backup', ([b, c], version, stalls, seed) => {
  const machines = [{ priority: 254, preempt: true, lease: true }, b, c].map((each, i) => ({
    ...each,
    priority: i === 0 ? 254 : Math.min(253, each.priority),
  }))
  const world = build(machines, { version, interval: 1 }, seed, 2, () => undefined)
  for (const name of names) world.start(name)
  for (const [at, name, duration] of stalls) {
    world.lan.simulation.at(at * 1000, () => {
      world.lan.node(name).stall(duration * 1000)
    })
  }
  world.lan.run(100_000)
  const masters = world.lan.nodes.filter((node) =>
    node.events.some((each) => each.type === 'instance' && each.state === 'MASTER'),
  )
  expect(masters.map(({ name }) => name)).toEqual(['a'])
})
