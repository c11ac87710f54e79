import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatDuration, millis, minutes, type Millis } from '@ipvs-director/core'
import { chooseKernel, describeEnd, runOnKernel } from '../../test/lab/kernel.ts'
import { root } from '../../test/lab/root.ts'
import { median } from '../measure.ts'
import { buildShim } from '../probing/shim.ts'
import { replaceSection } from '../section.ts'
import { configOf, nameOf, type Shape } from '../shapes.ts'
import { Impatience, patience, startDirector, startKeepalived, type Contestant, type Place } from './contestants.ts'

/** What changes: nothing, the weight of the last real server, every address. */
const changes = ['nothing', 'one weight', 'everything'] as const
type Change = (typeof changes)[number]

interface Trial {
  readonly shape: Shape
  readonly rounds: number
  readonly changes: readonly Change[]
}

/** On the machine's own kernel: what the programs themselves cost. */
const native: readonly Trial[] = [
  { shape: { services: 5000, destinations: 2 }, rounds: 3, changes: ['nothing', 'one weight'] },
  { shape: { services: 4000, destinations: 4 }, rounds: 3, changes: ['nothing', 'one weight'] },
  { shape: { services: 2277, destinations: 16 }, rounds: 1, changes: ['nothing', 'one weight'] },
  { shape: { services: 1, destinations: 10_000 }, rounds: 3, changes: ['nothing', 'one weight'] },
]

/** On a kernel with IPVS: with what it costs to have everything replaced there. */
const inKernel: readonly Trial[] = [
  { shape: { services: 5000, destinations: 2 }, rounds: 1, changes },
  { shape: { services: 2277, destinations: 16 }, rounds: 1, changes },
  { shape: { services: 1, destinations: 10_000 }, rounds: 1, changes },
]

/** RELOAD_QUICK=1: one round each, and without the largest. */
const quick = process.env['RELOAD_QUICK'] === '1'
const isQuick = ({ shape }: Trial): boolean => shape.services * shape.destinations < 20_000
const once = (trial: Trial): Trial => ({ ...trial, rounds: 1 })

/** Ours by theirs, at most (GOALS): of Debian's keepalived, and of a newer one. */
const goals = { usual: 0.05, next: 1.5 } as const

/** A build of a newer keepalived to measure beside, too. */
const next = process.env['KEEPALIVED_NEXT']

/**
 * `npm run bench -- reload`: reloads beside keepalived, each server with a TCP_CHECK; first on this machine's own kernel, in
 * a network namespace, as root, with tables in memory; then in the lab's kernel with IPVS. `reload kernel`: only the latter.
 */
export async function reload([word]: readonly string[], self: readonly [string, ...string[]]): Promise<number> {
  if (word === '--native') return show('native', quick ? native.filter(isQuick).map(once) : native, { kernel: false })
  if (word === '--inside') return show('kernel', inKernel, { kernel: true })
  if (word !== 'kernel') {
    const script = 'ip link set lo up && ulimit -n 20000 && exec "$0" "$@"'
    const words = ['-n', 'sh', '-c', script, ...self, 'reload', '--native']
    const { status } = spawnSync('unshare', words, { stdio: 'inherit' })
    if (status !== 0 || word === 'native') return status ?? 1
  }
  const kernel = chooseKernel()
  if (kernel.kind === 'none') {
    console.error(kernel.reason)
    return 3
  }
  const timeout = minutes(30)
  const inside = await runOnKernel(kernel, [...self, 'reload', '--inside'], { timeout, cwd: root, memory: 3072 })
  if (inside.end !== 'exit') console.error(describeEnd(inside, timeout))
  return inside.end === 'exit' ? inside.code : 1
}

type Row = readonly string[]

async function show(
  title: string,
  trials: readonly Trial[],
  { kernel }: { readonly kernel: boolean },
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const shim = kernel ? undefined : buildShim(folder)
    if (!kernel && shim === undefined) throw new Error('no C compiler: keepalived cannot be run here')
    const place = { folder, kernel, shim }
    const rows: Row[] = []
    const memory: Row[] = []
    for (const trial of trials) {
      const { lines, resident } = await compete(trial, place)
      rows.push(...lines)
      memory.push(resident)
      for (const line of [...lines, resident]) console.log(`bench: ${line.join('  ')}`)
    }
    replaceSection(join(root, 'docs/benchmarks.md'), section(title, rows, memory))
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One program after the other, each for all changes and rounds. */
async function compete(
  { shape, rounds, changes: wanted }: Trial,
  place: Place,
): Promise<{ lines: Row[]; resident: Row }> {
  const programs: Readonly<Record<string, (config: string) => Promise<Contestant>>> = {
    ours: (config) => startDirector(place, config),
    usual: (config) => startKeepalived('keepalived', place, config),
    ...(next === undefined ? {} : { next: (config: string) => startKeepalived(next, place, config) }),
  }
  const took = new Map<string, number[]>()
  const held = new Map<Change, number[]>()
  const memory: Record<string, number> = {}
  const add = (key: string, value: number): void => void took.set(key, [...(took.get(key) ?? []), value])
  for (let round = 0; round < rounds; round++) {
    for (const [name, start] of Object.entries(programs)) {
      let contestant: Contestant | undefined
      let done = 0
      try {
        contestant = await start(configFor(shape, undefined))
        memory[name] = contestant.resident()
        for (const change of wanted) {
          const result = await contestant.reload(configFor(shape, change))
          add(`${name} ${change}`, result.took)
          if (name === 'ours') held.set(change, [...(held.get(change) ?? []), result.held])
          done++
        }
      } catch (error) {
        if (!(error instanceof Impatience) || name === 'ours') throw error
        // What comes after what it has not done by then is not waited for either.
        for (const change of wanted.slice(done)) add(`${name} ${change}`, Infinity)
      } finally {
        await contestant?.stop()
      }
    }
  }
  const of = (name: string, change: Change): Millis => median(took.get(`${name} ${change}`) ?? [])
  const lines = wanted.map((change) => [
    `${nameOf(shape)}, ${change}`,
    time(of('ours', change)),
    ...beside(of('ours', change), of('usual', change), change === 'everything' ? undefined : goals.usual),
    ...beside(of('ours', change), of('next', change), change === 'everything' ? undefined : goals.next),
    time(Math.max(...(held.get(change) ?? []))),
  ])
  const servers = shape.services * shape.destinations
  const each = (name: string): string =>
    memory[name] === undefined ? '–' : `${(memory[name] / 2 ** 20).toFixed(0)} MiB, ${(memory[name] / servers / 1024).toFixed(1)} KiB` // prettier-ignore
  return { lines, resident: [nameOf(shape), each('ours'), each('usual'), each('next')] }
}

function beside(ours: number, theirs: number, goal: number | undefined): string[] {
  if (Number.isNaN(theirs)) return ['–', '–', '']
  if (theirs === Infinity) {
    const most = ours / patience
    const held = goal === undefined ? '' : `≤ ${goal}: ${most <= goal ? 'held' : 'not known'}`
    return [`> ${time(patience)}`, `< ${most.toPrecision(2)}`, held]
  }
  const ratio = ours / theirs
  const verdict = goal === undefined ? '' : `≤ ${goal}: ${ratio <= goal ? 'held' : 'MISSED'}`
  return [time(theirs), ratio.toPrecision(2), verdict]
}

const time = (value: number): string => (Number.isNaN(value) ? '–' : formatDuration(millis(value)))

/** The file: as it is first, or after a change. */
function configFor(shape: Shape, change: Change | undefined): string {
  const text = configOf(shape)
  if (change === 'everything') return text.replaceAll('10.128.', '10.192.').replaceAll('10.64.', '10.96.')
  if (change !== 'one weight') return text
  const at = text.lastIndexOf('weight 1')
  return `${text.slice(0, at)}weight 2${text.slice(at + 'weight 1'.length)}`
}

function section(title: string, rows: readonly Row[], memory: readonly Row[]): string {
  const where =
    title === 'native'
      ? `on a machine's own kernel: our table in memory, keepalived's calls to IPVS answered by a shim`
      : `in one boot of Linux ${release()}, where system calls are about ten times slower`
  const columns = ['what changes', 'ours', 'keepalived', 'ratio', '', 'newer', 'ratio', '', 'control socket waits']
  const table = (head: Row, body: readonly Row[]): string =>
    [head, head.map(() => '---'), ...body].map((line) => `| ${line.join(' | ')} |`).join('\n')
  return `## Reloads${title === 'native' ? '' : ', the kernel included'}

Written by \`npm run bench -- reload\` with Node ${process.versions.node}, ${where}. From the request to read the file again until all is done,
each real server with a TCP_CHECK. _Newer_ is what KEEPALIVED_NEXT names. The last column is the longest that a question to the
control socket waited meanwhile; the goal is 20 ms.

${table(columns, rows)}

Resident memory after the start, of all processes, and by real server:

${table(['', 'ours', 'keepalived', 'newer'], memory)}
`
}
