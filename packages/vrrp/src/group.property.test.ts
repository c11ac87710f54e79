import { fc, test } from '@fast-check/vitest'
import { expect, vi } from 'vitest'
import { identityOf } from './identity.ts'
import { aGroup, anInstance, aPlan, aVip } from './testing/configs.ts'
import { createLan, type Lan } from './testing/lan.ts'

// An hour of virtual time takes seconds on a machine that is busy otherwise.
vi.setConfig({ testTimeout: 60_000 })

const names = ['a', 'b', 'c'] as const
const inside = anInstance()
const outside = anInstance({
  name: 'VI_2',
  interface: 'eth1',
  virtualRouterId: 52,
  addresses: [aVip('198.51.100.100', 'eth1')],
})
const keys = [identityOf(inside), identityOf(outside)]

/** How often anybody became anything. */
const turns = (lan: Lan): number =>
  lan.nodes.reduce((sum, { events }) => sum + events.filter(({ type }) => type === 'instance').length, 0)

const happening = fc.record({
  at: fc.double({ min: 0, max: 60, noNaN: true }),
  kind: fc.constantFrom('flap', 'kill', 'stop', 'start', 'stall', 'cut', 'heal', 'remove', 'move', 'release', 'reload'),
  node: fc.constantFrom(...names),
  other: fc.constantFrom(...names),
  on: fc.constantFrom('eth0', 'eth1'),
  duration: fc.double({ min: 0.01, max: 8, noNaN: true }),
})

test.prop(
  [
    fc.tuple(...names.map(() => fc.record({ priority: fc.integer({ min: 1, max: 254 }), preempt: fc.boolean() }))),
    fc.array(happening, { maxLength: 10 }),
  ],
  { numRuns: 60 },
)(
  'whatever happens to one interface, a group is whole on one machine again within the bound',
  (machines, happenings) => {
    let disturbed = 0
    let settled: number | undefined
    const bound = 20_000
    const lan = createLan({
      names,
      interfaces: ['eth0', 'eth1'],
      observe: () => {
        if (lan.simulation.now() - disturbed <= bound) {
          settled = undefined
          return
        }
        // Nobody moves any more: two machines that push each other away for ever would look right at each moment.
        settled ??= turns(lan)
        expect(turns(lan), 'changes of state').toBe(settled)
        const running = lan.nodes.filter((node) => node.vrrp() !== undefined && !node.isStalled())
        const holding = running.map((node) => keys.map((key) => node.holds().includes(key)))
        for (const [one, two] of holding) expect(one, 'both or none').toBe(two)
        const whole = names.every((a) => names.every((b) => ['eth0', 'eth1'].every((on) => lan.connected(a, b, on))))
        if (!whole || running.length === 0) return
        expect(holding.filter(([one]) => one).length, 'owners').toBe(1)
      },
    })
    const plan = (name: string) => {
      const change = machines[names.indexOf(name as 'a')]!
      const both = [
        { ...inside, ...change },
        { ...outside, ...change },
      ]
      return aPlan(both, { syncGroups: [aGroup(['VI_1', 'VI_2'])] })
    }
    for (const name of names) lan.node(name).start(plan(name))
    for (const { at, kind, node: name, other, on, duration } of happenings) {
      lan.simulation.at(at * 1000, () => {
        const node = lan.node(name)
        const later = (action: () => void): void =>
          void lan.simulation.at(lan.simulation.now() + duration * 1000, () => {
            disturbed = lan.simulation.now()
            action()
          })
        disturbed = lan.simulation.now()
        if (kind === 'flap') {
          node.setInterface(on, { up: false })
          later(() => {
            node.setInterface(on, { up: true })
          })
        } else if (kind === 'kill') node.kill()
        else if (kind === 'stop') node.stop()
        else if (kind === 'start') node.start(plan(name))
        else if (kind === 'stall') {
          node.stall(duration * 1000)
          later(() => undefined)
        } else if (kind === 'cut' && name !== other) lan.cut(name, other, on)
        else if (kind === 'heal') lan.heal()
        else if (kind === 'remove') node.remove(keys[on === 'eth0' ? 0 : 1]!)
        else if (kind === 'move') node.vrrp()?.move('VI_1')
        else if (kind === 'release') node.vrrp()?.release('VI_2')
        else if (kind === 'reload') node.vrrp()?.apply(plan(name))
      })
    }
    lan.run(60_000)
    lan.heal()
    disturbed = lan.simulation.now()
    lan.run(50_000)
  },
)
