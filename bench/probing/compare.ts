import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../measure.ts'
import { keepalived, ours, type Bench, type Contestant } from './contestant.ts'
import type { Kind } from './servers.ts'

/** How often everybody has its turn, how long it is watched, and how long it may settle: V8 still compiles after ten seconds. */
export const rounds = 3
const window = 8000
const settling = 20_000

/** Checks a second: what the goals are set for. */
const rates: Readonly<Record<Kind, number>> = { TCP_CHECK: 2000, 'half-open': 2000, HTTP_GET: 2000, SSL_GET: 1000 }
const goals: Readonly<Record<Kind, number>> = { TCP_CHECK: 0.7, 'half-open': 0.25, HTTP_GET: 0.8, SSL_GET: 1.05 }

/** A row of the table, and what it is about. */
export interface Compared {
  readonly cells: readonly string[]
  /** Milliseconds of processor time for a thousand checks; NaN: not measured. */
  readonly ours: number
  readonly theirs: number
}

/** One after the other, again and again: together they would spare each other wake-ups. */
export async function compare(kind: Kind, bench: Bench, rate = rates[kind]): Promise<Compared> {
  const own: number[] = []
  const peer: number[] = []
  let remark = ''
  for (let round = 0; round < rounds; round++) {
    const mine = ours(kind, rate, bench)
    const { time, made } = await spent(mine)
    own.push(time)
    const { failed, reason = '' } = await mine.told()
    if (failed > 0) remark = ` (${failed} failed: ${reason})`
    else if (made < 0.97 * rate) remark = ` (${Math.round(made)} of ours)`
    await mine.end()
    if (bench.shim === undefined) continue
    const theirs = keepalived(kind, rate, bench)
    peer.push((await spent(theirs)).time)
    await theirs.end()
  }
  const [mine, theirs] = [median(own), median(peer)]
  const goal = goals[kind]
  const cells = [
    `${kind}, ${rate} a second${remark}`,
    `${mine.toFixed(1)} ms`,
    bench.shim === undefined ? 'no C compiler' : `${theirs.toFixed(1)} ms`,
    (mine / theirs).toFixed(2),
    `≤ ${goal}`,
    mine / theirs <= goal ? 'held' : 'MISSED',
  ]
  console.log(cells.join('  '))
  return { cells, ours: mine, theirs }
}

/** Once it has settled: milliseconds of processor time for a thousand checks, and checks a second. */
async function spent(who: Contestant): Promise<{ readonly time: number; readonly made: number }> {
  await sleep(settling)
  const [{ probes }, time, from] = [await who.told(), who.time(), performance.now()]
  await sleep(window)
  const [later, passed] = [who.time(), performance.now() - from]
  const made = (await who.told()).probes - probes
  return { time: (1000 * (later - time)) / made, made: (1000 * made) / passed }
}
