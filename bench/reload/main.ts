import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatDuration, millis, minutes } from '@ipvs-director/core'
import { chooseKernel, describeEnd, runOnKernel } from '../../test/lab/kernel.ts'
import { root } from '../../test/lab/root.ts'
import { buildShim } from '../probing/shim.ts'
import { replaceSection } from '../section.ts'
import { nameOf, type Shape } from '../shapes.ts'
import { compete, type Change, type Name, type Outcome, type Trial } from './compete.ts'
import { patience } from './contestants.ts'

const changes: readonly Change[] = ['nothing', 'one weight', 'everything']

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
const chosen = (trials: readonly Trial[]): readonly Trial[] => (quick ? trials.filter(isQuick).map(once) : trials)

/** Beside whom, and ours by theirs at most (GOALS). */
interface Peer {
  readonly name: Name
  readonly title: string
  readonly goal: number | undefined
}

const keepaliveds: readonly Peer[] = [
  { name: 'usual', title: 'keepalived', goal: 0.05 },
  { name: 'next', title: 'newer', goal: 1.5 },
]
const withIpvsadm: readonly Peer[] = [...keepaliveds, { name: 'ipvsadm', title: 'ipvsadm', goal: undefined }]

/**
 * `npm run bench -- reload`: reloads beside keepalived, each server with a TCP_CHECK; first on this machine's own kernel, in
 * a network namespace, as root, with tables in memory; then in the lab's kernel with IPVS. `reload kernel`: only the latter.
 */
export async function reload([word]: readonly string[], self: readonly [string, ...string[]]): Promise<number> {
  if (word === '--native') return show(chosen(native), { kernel: false })
  if (word === '--inside') return show(chosen(inKernel), { kernel: true })
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

async function show(trials: readonly Trial[], { kernel }: { readonly kernel: boolean }): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const shim = kernel ? undefined : buildShim(folder)
    if (!kernel && shim === undefined) throw new Error('no C compiler: keepalived cannot be run here')
    const peers = kernel ? withIpvsadm : keepaliveds
    const rows: Row[] = [columns(peers)]
    const memory: Row[] = [['', 'ours', 'keepalived', 'newer']]
    for (const trial of trials) {
      const outcome = await compete(trial, { folder, shim }, { kernel })
      const lines = trial.changes.map((change) => rowOf(peers, trial.shape, change, outcome))
      const resident = memoryOf(trial.shape, outcome)
      rows.push(...lines)
      memory.push(resident)
      for (const line of [...lines, resident]) console.log(`bench: ${line.join('  ')}`)
    }
    replaceSection(join(root, 'docs/benchmarks.md'), section({ kernel }, rows, memory))
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const columns = (peers: readonly Peer[]): string[] => [
  'what changes',
  'ours',
  ...peers.flatMap(({ title, goal }) => [title, 'ratio', ...(goal === undefined ? [] : [''])]),
  'control socket waits',
]

function rowOf(peers: readonly Peer[], shape: Shape, change: Change, { took, held }: Outcome): Row {
  const ours = took('ours', change)
  return [
    `${nameOf(shape)}, ${change}`,
    time(ours),
    ...peers.flatMap(({ name, goal }) => beside(ours, took(name, change), goal, change !== 'everything')),
    time(held(change)),
  ]
}

/** Their time, the ratio, and, where there is a goal, whether it is held; the goals are of changes, not of another table. */
function beside(ours: number, theirs: number, goal: number | undefined, counts: boolean): string[] {
  const never = theirs === Infinity
  const ratio = ours / (never ? patience : theirs)
  const cells = Number.isNaN(theirs)
    ? ['–', '–']
    : never
      ? [`> ${time(patience)}`, `< ${ratio.toPrecision(2)}`]
      : [time(theirs), ratio.toPrecision(2)]
  if (goal === undefined) return cells
  const verdict = ratio <= goal ? 'held' : never ? 'not known' : 'MISSED'
  return [...cells, counts && !Number.isNaN(theirs) ? `≤ ${goal}: ${verdict}` : '']
}

const time = (value: number): string => (Number.isNaN(value) ? '–' : formatDuration(millis(value)))

const residents: readonly Name[] = ['ours', 'usual', 'next']

function memoryOf(shape: Shape, { resident }: Outcome): Row {
  const servers = shape.services * shape.destinations
  const cells = residents.map((name) => {
    const bytes = resident(name)
    if (Number.isNaN(bytes)) return '–'
    return `${(bytes / 2 ** 20).toFixed(0)} MiB, ${(bytes / servers / 1024).toFixed(1)} KiB`
  })
  return [nameOf(shape), ...cells]
}

/** What stands only beside the table that has IPVS in it. */
const ofIpvsadm = `
_ipvsadm_ is somebody with rules in a file. Nothing: \`ipvsadm -Sn\`, and its lines compared with the file's. One weight: \`ipvsadm -e\` by
somebody who knows which; whether anything else differs is not looked for. Everything: \`ipvsadm -C\` and \`ipvsadm -R\`, without
any service in between. Each program had a network namespace of its own; one that was not done after ${patience / 1000} s was ended.
`

function section({ kernel }: { readonly kernel: boolean }, rows: readonly Row[], memory: readonly Row[]): string {
  const where = kernel
    ? `in one boot of Linux ${release()}, where system calls are about ten times slower`
    : `on a machine's own kernel: our table in memory, keepalived's calls to IPVS answered by a shim`
  const table = ([head = [], ...body]: readonly Row[]): string =>
    [head, head.map(() => '---'), ...body].map((line) => `| ${line.join(' | ')} |`).join('\n')
  return `## Reloads${kernel ? ', the kernel included' : ''}

Written by \`npm run bench -- reload\` with Node ${process.versions.node}, ${where}. From the request to read the file again until all is done,
each real server with a TCP_CHECK. _Newer_ is what KEEPALIVED_NEXT names. The last column is the longest that a question to the
control socket waited in another one like it, when they come one after the other; the goal is 20 ms.
${kernel ? ofIpvsadm : ''}
${table(rows)}

Resident memory after the start, of all processes, and by real server:

${table(memory)}
`
}
