/**
 * Longest stretch of work in milliseconds before others have their turn. A question to the control socket needs three turns:
 * it is taken, read and answered.
 */
const longest = 4

/** So many small steps are done for one look at the clock, which is a system call on some machines. */
export const stepsPerLook = 16

/** Items in a portion. */
const atOnce = 250

/** Of all that work in small steps: a loop of four among thousands of such loops must rest, too. */
let steps = 0

/** When the last turn began that was waited for here. */
let began = -Infinity

/** Whoever rests stands in line: each turn of the event loop is one's alone, so that works side by side do not add up. */
let line: Promise<void> = Promise.resolve()

/** A promise to wait for when others are to have their turn now: for steps of up to a millisecond. Whoever works in slices in this turn shares its time. */
export function pause(): Promise<void> | undefined {
  if (performance.now() - began < longest) return undefined
  line = line.then(nextTurn)
  return line
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  began = performance.now()
}

/** Does work that may rest after each step, and answers what it comes to. */
export async function stepwise<T>(steps: Iterator<unknown, T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    const wait = pause()
    if (wait !== undefined) await wait
  }
}

/**
 * Does something for each item, some microseconds of work, and lets the event loop go round in between: much work must not hold
 * up a verdict.
 */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  for (const item of items) {
    work(item)
    const wait = ++steps % stepsPerLook === 0 ? pause() : undefined
    if (wait !== undefined) await wait
  }
}

/** Does something with a few hundred items at a time, for what is cheaper so; rests after each. */
export async function inPortions<T>(items: Iterable<T>, work: (portion: readonly T[]) => void): Promise<void> {
  let portion: T[] = []
  for (const item of items) {
    portion.push(item)
    if (portion.length < atOnce) continue
    work(portion)
    portion = []
    await pause()
  }
  if (portion.length > 0) work(portion)
}
