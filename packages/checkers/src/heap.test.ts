import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { Heap } from './heap.ts'

const moves = fc.array(fc.tuple(fc.constantFrom('put', 'remove', 'pop'), fc.nat(15), fc.nat(50)), { maxLength: 200 })

test.prop([moves])('always the one due first, whatever was put, moved and taken out', (steps) => {
  const heap = new Heap<{ due: number; slot: number }>()
  const items = Array.from({ length: 16 }, () => ({ due: 0, slot: -1 }))
  const inside = new Set<(typeof items)[number]>()
  for (const [what, which, due] of steps) {
    const item = what === 'pop' ? heap.first() : items[which]
    if (item === undefined) continue
    if (what === 'put') {
      item.due = due
      heap.put(item)
      inside.add(item)
    } else {
      heap.remove(item)
      inside.delete(item)
    }
    expect(heap.size).toBe(inside.size)
    expect(heap.first()?.due).toBe(inside.size === 0 ? undefined : Math.min(...[...inside].map((one) => one.due)))
  }
})
