/** One reading of one figure. */
export interface Reading {
  /** Seconds since the beginning. */
  readonly at: number
  readonly value: number
}

/** How a figure of a process went over the second half of what was read of it. */
export interface Growth {
  readonly first: number
  readonly last: number
  /** By the line that fits best: what was gained from the half to the end. */
  readonly gained: number
}

/** Fewer readings in the second half say nothing. */
const fewest = 5

/** The straight line by least squares through the second half; undefined: too little was read. */
export function growthOf(readings: readonly Reading[]): Growth | undefined {
  const half = readings.slice(Math.floor(readings.length / 2))
  const [first] = half
  const last = half.at(-1)
  if (first === undefined || last === undefined || half.length < fewest) return undefined
  const meanAt = mean(half.map(({ at }) => at))
  const meanValue = mean(half.map(({ value }) => value))
  const covariance = sum(half.map(({ at, value }) => (at - meanAt) * (value - meanValue)))
  const variance = sum(half.map(({ at }) => (at - meanAt) ** 2))
  const slope = variance === 0 ? 0 : covariance / variance
  return { first: first.value, last: last.value, gained: slope * (last.at - first.at) }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]): number => sum(values) / values.length

/** What a figure may gain over the second half: the larger of a share of its first value and an amount. */
export const limits = {
  rss: { share: 0.1, amount: 12 * 2 ** 20 },
  heap: { share: 0.1, amount: 8 * 2 ** 20 },
  descriptors: { share: 0, amount: 3 },
  sockets: { share: 0, amount: 3 },
  processes: { share: 0, amount: 1 },
} as const
export type Figure = keyof typeof limits

export function isLeak(figure: Figure, { first, gained }: Growth): boolean {
  const { share, amount } = limits[figure]
  return gained > Math.max(first * share, amount)
}
