type Numbers = Float64Array | Int32Array | Uint8Array | Uint32Array

/** The same numbers in an array of this length, with zeros after them. */
export function grown<A extends Numbers>(from: A, length: number): A {
  const to = new (from.constructor as new (length: number) => A)(length)
  to.set(from)
  return to
}

/** Integers of 32 bits in the order in which they came. It keeps its room: what is filled and emptied all the time makes no garbage. */
export class NumberList {
  #numbers = new Int32Array(64)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** 0 where there is none. */
  at(index: number): number {
    return index < this.#size ? (this.#numbers[index] ?? 0) : 0
  }

  push(number: number): void {
    if (this.#size === this.#numbers.length) this.#numbers = grown(this.#numbers, 2 * this.#size)
    this.#numbers[this.#size++] = number
  }

  /** Without the first so many. */
  drop(count: number): void {
    this.#numbers.copyWithin(0, count, this.#size)
    this.#size = Math.max(0, this.#size - count)
  }
}
