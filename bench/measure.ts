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
 * Runs every contestant once per round, in turn, so that what the machine does meanwhile falls on all of them. Resolves
 * with each one's median.
 */
export async function contest<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Promise<Millis>>>,
): Promise<Record<Name, Millis>> {
  const names = Object.keys(contestants) as Name[]
  const taken = new Map<Name, Millis[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) taken.get(name)?.push(await contestants[name]())
  }
  return Object.fromEntries(names.map((name) => [name, median(taken.get(name) ?? [])])) as Record<Name, Millis>
}
