/** What a {@link Heap} holds: when it is due, and where in the heap it is (-1: not in it; only the heap writes it). */
export interface Timed {
  due: number
  slot: number
}

/** A binary heap by due time, whose members know their place, so that any of them can be moved or taken out. */
export class Heap<T extends Timed> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** The one due first. */
  first(): T | undefined {
    return this.#items[0]
  }

  /** Puts it in, or moves it after its `due` changed. */
  put(item: T): void {
    if (item.slot < 0) {
      item.slot = this.#items.length
      this.#items.push(item)
    }
    this.#settle(item)
  }

  /** Takes it out; does nothing when it is not in. */
  remove(item: T): void {
    const { slot } = item
    if (slot < 0) return
    item.slot = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    this.#place(last, slot)
    this.#settle(last)
  }

  #settle(item: T): void {
    const items = this.#items
    let slot = item.slot
    while (slot > 0) {
      const parent = items[(slot - 1) >> 1]
      if (parent === undefined || parent.due <= item.due) break
      this.#place(parent, slot)
      slot = (slot - 1) >> 1
    }
    for (;;) {
      const left = items[2 * slot + 1]
      const right = items[2 * slot + 2]
      const child = right !== undefined && left !== undefined && right.due < left.due ? right : left
      if (child === undefined || child.due >= item.due) break
      const from = child.slot
      this.#place(child, slot)
      slot = from
    }
    this.#place(item, slot)
  }

  #place(item: T, slot: number): void {
    this.#items[slot] = item
    item.slot = slot
  }
}
