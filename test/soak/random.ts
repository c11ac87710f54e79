/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Choices by one source of numbers. */
export interface Choice {
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number
  oneOf<T>(list: readonly [T, ...T[]]): T
  /** By weights. */
  weighted<T extends { readonly weight: number }>(list: readonly [T, ...T[]]): T
}

export function choiceBy(random: () => number): Choice {
  const whole = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  return {
    whole,
    oneOf: (list) => list[whole(0, list.length - 1)] ?? list[0],
    weighted(list) {
      let left = random() * list.reduce((sum, { weight }) => sum + weight, 0)
      return list.find(({ weight }) => (left -= weight) < 0) ?? list[0]
    },
  }
}
