import { grown } from '@ipvs-director/core'

/** How many children a node has: all of them are in one cache line. */
const branches = 4

/**
 * What is due when: a heap of moments, each of a small number (a place). Numbers side by side instead of objects that point to each
 * other: with tens of thousands of them, what a move touches decides what it costs.
 */
export class DueTimes {
  /** In the order of the heap. */
  #dues = new Float64Array(64)
  #places = new Int32Array(64)
  #size = 0
  /** By place: where in the heap it is, and one more; 0: it is not. */
  #slots = new Int32Array(64)

  get size(): number {
    return this.#size
  }

  /** The place that is due first; -1: there is none. */
  first(): number {
    return this.#size === 0 ? -1 : (this.#places[0] ?? -1)
  }

  /** When that is; Infinity: never. */
  firstDue(): number {
    return this.#size === 0 ? Infinity : (this.#dues[0] ?? Infinity)
  }

  /** Infinity where it is not due. */
  dueOf(place: number): number {
    const slot = (this.#slots[place] ?? 0) - 1
    return slot < 0 ? Infinity : (this.#dues[slot] ?? Infinity)
  }

  /** From now on it is due then. */
  put(place: number, due: number): void {
    let slot = (this.#slots[place] ?? 0) - 1
    if (slot < 0) {
      if (place >= this.#slots.length) this.#slots = grown(this.#slots, 2 * place)
      slot = this.#size++
      if (slot === this.#dues.length) {
        this.#dues = grown(this.#dues, 2 * slot)
        this.#places = grown(this.#places, 2 * slot)
      }
    }
    this.#settle(slot, place, due)
  }

  /** It is not due any more; does nothing when it was not. */
  remove(place: number): void {
    const slot = (this.#slots[place] ?? 0) - 1
    if (slot < 0) return
    this.#slots[place] = 0
    const last = --this.#size
    if (slot !== last) this.#settle(slot, this.#places[last] ?? 0, this.#dues[last] ?? 0)
  }

  /** Up or down from a slot whose own is gone. */
  #settle(from: number, place: number, due: number): void {
    const dues = this.#dues
    let slot = from
    while (slot > 0) {
      const parent = Math.trunc((slot - 1) / branches)
      if ((dues[parent] ?? 0) <= due) break
      this.#move(parent, slot)
      slot = parent
    }
    for (;;) {
      let child = branches * slot + 1
      const end = Math.min(child + branches, this.#size)
      for (let other = child + 1; other < end; other++) if ((dues[other] ?? 0) < (dues[child] ?? 0)) child = other
      if (child >= this.#size || (dues[child] ?? 0) >= due) break
      this.#move(child, slot)
      slot = child
    }
    dues[slot] = due
    this.#places[slot] = place
    this.#slots[place] = slot + 1
  }

  #move(from: number, to: number): void {
    const place = this.#places[from] ?? 0
    this.#dues[to] = this.#dues[from] ?? 0
    this.#places[to] = place
    this.#slots[place] = to + 1
  }
}
