import { setTimeout as sleep } from 'node:timers/promises'
import type { Compared } from './compare.ts'
import { keepalived, ours, type Bench, type Contestant } from './contestant.ts'
import type { Kind } from './servers.ts'

const settling = 6000
const window = 4000
/** How far rates are apart at first and in the end, and how many are tried at most. */
const step = 1.15
const precision = 1.04
const tries = 9
/** As many addresses as a configuration has, and a prober descriptors for. */
const most = 40_000

const goal = 2
const share = Number(process.env['CEILING_SHARE'] ?? 0.97)

/**
 * How many checks a second are held: every server checked each second, as many of them as possible before rounds run late.
 * That is when less than 97 % of what is due is done (keepalived plans the next at the end of a check, and ours makes up for
 * half an interval at most), or, of ours, when one in a hundred starts more than 50 ms late. Twice, as a machine that stands
 * still for 45 ms in those four seconds, which virtual ones do, is enough to miss it. By one process, as keepalived has it,
 * and by two of ours. Much hangs on how much may be missing: CEILING_SHARE (0.97) is another part of what is due.
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

/** From a guess upwards as long as it is held, else downwards until it is; then between what was held and what was not. */
async function highest(guess: number, start: (rate: number) => Contestant): Promise<number> {
  let held = NaN
  let missed = Infinity
  let rate = rounded(Math.min(guess, most))
  for (let i = 0; i < tries && rate !== held; i++) {
    if ((await holds(rate, start)) || (await holds(rate, start))) held = rate
    else missed = rate
    if (Number.isNaN(held)) rate = rounded(missed / step)
    else if (missed === Infinity) rate = rounded(Math.min(held * step, most))
    else if (missed / held > precision) rate = rounded(Math.sqrt(held * missed))
    else return held
  }
  return held
}

const rounded = (rate: number): number => Math.round(rate / 50) * 50

async function holds(rate: number, start: (rate: number) => Contestant): Promise<boolean> {
  const who = start(rate)
  try {
    await sleep(settling)
    const [before, from] = [await who.told(), performance.now()]
    await sleep(window)
    const [after, to] = [await who.told(), performance.now()]
    const probes = after.probes - before.probes
    return probes >= (share * rate * (to - from)) / 1000 && (after.late ?? 0) - (before.late ?? 0) <= probes / 100
  } finally {
    await who.end()
  }
}
