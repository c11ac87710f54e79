import { setTimeout as sleep } from 'node:timers/promises'
import type { Compared } from './compare.ts'
import { keepalived, ours, type Bench, type Contestant } from './contestant.ts'
import type { Kind } from './servers.ts'

const settling = 3000
const window = 4000
/** How far rates are apart, and how many are tried at most. */
const step = 1.15
const tries = 6
/** As many addresses as a configuration has, and a prober descriptors for. */
const most = 40_000

const goal = 2
const share = Number(process.env['CEILING_SHARE'] ?? 0.97)

/**
 * How many checks a second are held: every server checked each second, as many of them as possible before rounds run late.
 * That is when less than 97 % of what is due is done (both wait for the end of a check before they plan the next), or, of
 * ours, when one in a hundred starts more than 50 ms late. By one process, as keepalived has it, and by two of ours. Much
 * hangs on how much may be missing: CEILING_SHARE (0.97) is another part of what is due.
 */
export async function ceiling(kind: Kind, bench: Bench, { ours: mine, theirs }: Compared): Promise<readonly string[]> {
  const one = await highest(1e6 / mine, (rate) => ours(kind, rate, bench))
  const two = await highest(one * 1.3, (rate) => ours(kind, rate, bench, { parts: 2 }))
  const peer = bench.shim === undefined ? NaN : await highest(1e6 / theirs, (rate) => keepalived(kind, rate, bench))
  const cells = [
    kind,
    ...[one, two, peer].map((rate) => (Number.isNaN(rate) ? 'not measured' : String(rate))),
    (one / peer).toFixed(2),
    (two / peer).toFixed(2),
    `≥ ${goal}`,
    two / peer >= goal ? 'held' : 'MISSED',
  ]
  console.log(`held a second: ${cells.join('  ')}`)
  return cells
}

/** From a guess upwards as long as it is held, else downwards until it is. */
async function highest(guess: number, start: (rate: number) => Contestant): Promise<number> {
  let rate = rounded(Math.min(guess, most))
  const first = await holds(rate, start)
  for (let i = 1; i < tries; i++) {
    const next = rounded(Math.min(first ? rate * step : rate / step, most))
    if (next === rate) return rate
    const held = await holds(next, start)
    if (first && !held) return rate
    rate = next
    if (!first && held) return rate
  }
  return first ? rate : NaN
}

const rounded = (rate: number): number => Math.round(rate / 50) * 50

async function holds(rate: number, start: (rate: number) => Contestant): Promise<boolean> {
  const who = start(rate)
  try {
    await sleep(settling)
    const [early, before] = [await who.told(), await who.probes()]
    const from = performance.now()
    await sleep(window)
    const probes = (await who.probes()) - before
    const passed = (performance.now() - from) / 1000
    const late = ((await who.told())?.late ?? 0) - (early?.late ?? 0)
    return probes >= share * rate * passed && late <= probes / 100
  } finally {
    await who.end()
  }
}
