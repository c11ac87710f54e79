import { addressBytes, inSlices, pause, type Endpoint } from '@ipvs-director/core'

/** So many are sorted in one go: some hundred microseconds. */
const runLength = 512

interface Keyed<T> {
  readonly entry: T
  readonly bytes: Uint8Array
  readonly port: number
}

/** In order of family, address and port; fifty thousand are sorted in slices. */
export async function sortedByEndpoint<T>(entries: readonly T[], endpointOf: (entry: T) => Endpoint): Promise<T[]> {
  let runs: Keyed<T>[][] = []
  for (let start = 0; start < entries.length; start += runLength) {
    if (start > 0) await pause()
    const run = entries.slice(start, start + runLength).map((entry) => {
      const { address, port } = endpointOf(entry)
      return { entry, port, bytes: addressBytes(address) }
    })
    runs.push(run.sort(compare))
  }
  while (runs.length > 1) {
    const longer: Keyed<T>[][] = []
    for (let i = 0; i < runs.length; i += 2) longer.push(await merge(runs[i] ?? [], runs[i + 1] ?? []))
    runs = longer
  }
  return (runs[0] ?? []).map(({ entry }) => entry)
}

function compare(a: Keyed<unknown>, b: Keyed<unknown>): number {
  return a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes) || a.port - b.port
}

async function merge<T>(some: readonly Keyed<T>[], others: readonly Keyed<T>[]): Promise<Keyed<T>[]> {
  const all: Keyed<T>[] = []
  await inSlices(inOrder(some, others), (each) => {
    all.push(each)
  })
  return all
}

function* inOrder<T>(some: readonly Keyed<T>[], others: readonly Keyed<T>[]): Generator<Keyed<T>> {
  let next = 0
  for (const each of some) {
    for (let other = others[next]; other !== undefined && compare(other, each) < 0; other = others[next]) {
      yield other
      next++
    }
    yield each
  }
  yield* others.slice(next)
}
