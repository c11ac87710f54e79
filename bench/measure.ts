import { millis, type Millis } from '@ipvs-director/core'

/** How long something took. */
export async function timed(work: () => Promise<unknown>): Promise<Millis> {
  const began = performance.now()
  await work()
  return millis(performance.now() - began)
}

export function median(values: readonly number[]): Millis {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? NaN
  return millis(sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2)
}

/**
 * Does one round after the other, in each of which every contestant has its turn, so that what the machine does meanwhile
 * falls on all of them. Resolves with the median of every figure of a round.
 */
export async function mediansOf<Name extends string>(
  rounds: number,
  round: () => Promise<Readonly<Record<Name, Millis>>>,
): Promise<Record<Name, Millis>> {
  const results: Readonly<Record<Name, Millis>>[] = []
  for (let i = 0; i < rounds; i++) results.push(await round())
  const names = Object.keys(results[0] ?? {}) as Name[]
  const middle = (name: Name): Millis => median(results.map((result) => result[name]))
  return Object.fromEntries(names.map((name) => [name, middle(name)])) as Record<Name, Millis>
}
