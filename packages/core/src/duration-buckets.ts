/** Upper bounds of the buckets into which durations of probes are counted, in milliseconds; beyond them there is one more. */
export const durationBuckets: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

/** The bucket of a duration in milliseconds. */
export function bucketOf(duration: number): number {
  let bucket = 0
  for (const bound of durationBuckets) {
    if (duration <= bound) break
    bucket++
  }
  return bucket
}
