import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { DueTimes } from './due-times.ts'

const places = 300
const moves = fc.array(fc.tuple(fc.constantFrom('put', 'put', 'remove', 'pop'), fc.nat(places - 1), fc.nat(50)), {
  maxLength: 600,
})

test.prop([moves])('always the one due first, whatever was put, moved and taken out', (steps) => {
  const times = new DueTimes()
  const due = new Map<number, number>()
  for (const [what, which, when] of steps) {
    const place = what === 'pop' ? times.first() : which
    if (what === 'put') {
      times.put(place, when)
      due.set(place, when)
    } else {
      times.remove(place)
      due.delete(place)
    }
    expect(times.size).toBe(due.size)
    expect(times.firstDue()).toBe(Math.min(...due.values()))
    expect(due.get(times.first())).toBe(due.size === 0 ? undefined : times.firstDue())
    expect(times.dueOf(which)).toBe(due.get(which) ?? Infinity)
  }
})

test('all come out in order', () => {
  const times = new DueTimes()
  const dues = Array.from({ length: 1000 }, (_, place) => (place * 7919) % 1009)
  dues.forEach((due, place) => {
    times.put(place, due)
  })
  const out: number[] = []
  for (let place = times.first(); place >= 0; place = times.first()) {
    out.push(times.firstDue())
    times.remove(place)
  }
  expect(out).toEqual(dues.sort((a, b) => a - b))
})
