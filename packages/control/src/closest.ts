/**
 * The candidates that `text` may have been meant as: those that contain it, or are few edits away (a third of its
 * length), nearest first, at most three.
 */
export function closest(text: string, candidates: readonly string[]): string[] {
  const wanted = text.toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  return candidates
    .map((candidate) => ({ candidate, far: distance(wanted, candidate.toLowerCase(), limit) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far || a.candidate.length - b.candidate.length)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

/** Insertions, deletions and substitutions between two words; containing counts as 1; above `limit` it gives up. */
function distance(a: string, b: string, limit: number): number {
  if (a.length >= 3 && b.includes(a)) return 1
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const substituted = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? limit + 1
}
