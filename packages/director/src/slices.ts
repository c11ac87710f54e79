import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest stretch of work in milliseconds before others have their turn. */
const longest = 8

/** Does something for each item, and lets the event loop go round in between: a big reload must not hold up a verdict. */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let began = performance.now()
  for (const item of items) {
    work(item)
    if (performance.now() - began < longest) continue
    await nextTurn()
    began = performance.now()
  }
}
