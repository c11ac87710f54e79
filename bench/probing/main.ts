import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../../test/lab/root.ts'
import { replaceSection } from '../section.ts'
import { ceiling } from './ceiling.ts'
import { compare, rounds } from './compare.ts'
import { ours, type Bench } from './contestant.ts'
import { direct } from './direct.ts'
import { failing } from './failing.ts'
import { nginxCommand, places } from './nginx.ts'
import { probe } from './prober.ts'
import { buildServers, kinds, respond, type Kind } from './servers.ts'
import { buildShim } from './shim.ts'

/**
 * `npm run bench -- probing [SECONDS [SERVERS]]`: on this machine's own kernel, in a network namespace, as root. First
 * processor time beside keepalived's for one kind after the other, and how many of each are held a second; then SERVERS
 * (10,000) real servers checked every second by two probers for SECONDS (60). About 15 minutes. `probing cost [KIND …]` and
 * `probing ceiling [KIND …]`: only processor time, or also what is held, printed; `KIND@RATE`: at so many checks a second. `probing hold [SECONDS [SERVERS
 * [INTERVAL]]]`: only the last part, every INTERVAL (1) seconds.
 * `probing failing …`: see failing.ts.
 */
export async function probing(words: readonly string[], self: readonly string[]): Promise<number> {
  const [first, ...rest] = words
  if (first === '--respond') {
    respond(rest)
    return 0
  }
  if (first === '--probe') {
    const [kind, ...numbers] = rest
    const [servers = 0, part = 0, parts = 1, interval = 1, watch = 0] = numbers.map(Number)
    await probe(kind as Kind, servers, { part, parts, interval, watch: watch === 1 })
    return 0
  }
  if (first === '--direct') {
    await direct(Number(rest[0]), Number(rest[1]))
    return 0
  }
  if (first === '--inside') return rest[0] === 'failing' ? failing(rest.slice(1), self) : inside(rest, self)
  const alone = first !== undefined && !/^\d/.test(first)
  const [length = '60', servers = '10000', interval = '1'] = alone ? rest : words
  const script = `ip link set lo up && ulimit -n 20000 && exec "$0" "$@"`
  const wanted = alone && first !== 'hold' ? words : [alone ? first : 'all', length, servers, interval]
  const inner = [...self, 'probing', '--inside', ...wanted]
  return spawnSync('unshare', ['-n', 'sh', '-c', script, ...inner], { stdio: 'inherit' }).status ?? 1
}

async function inside([part, ...words]: readonly string[], self: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const running: ChildProcess[] = []
  const start = (command: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess => {
    const [program = '', ...args] = command
    const options = { stdio: ['ignore', 'pipe', 'inherit'] as const, env: { ...process.env, ...env } }
    const child = spawn(program, args, { ...options, stdio: [...options.stdio] })
    running.push(child)
    return child
  }
  const bench: Bench = { self, start, shim: buildShim(folder), folder }
  try {
    await startServers(bench)
    if (part === 'cost' || part === 'ceiling') {
      for (const word of words.length === 0 ? kinds : words) {
        const [kind, rate] = word.split('@') as [Kind, string?]
        const compared = await compare(kind, bench, rate === undefined ? undefined : Number(rate))
        if (part === 'ceiling') await ceiling(kind, bench, compared)
      }
      return 0
    }
    const rows: (readonly string[])[] = []
    const ceilings: (readonly string[])[] = []
    if (part === 'all') {
      for (const kind of kinds) {
        const compared = await compare(kind, bench)
        rows.push(compared.cells)
        ceilings.push(await ceiling(kind, bench, compared))
      }
    }
    const [length = 60, servers = 10_000, interval = 1] = words.map(Number)
    const held = await hold({ servers, length, interval }, bench)
    if (part === 'all') replaceSection(join(root, 'docs/benchmarks.md'), section(rows, ceilings, held))
    return 0
  } finally {
    for (const child of running) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** In C and nginx, where they are there: they cost least. */
async function startServers({ self, start, folder }: Bench): Promise<void> {
  const cheap = buildServers(folder)
  if (cheap !== undefined) start([cheap])
  const nginx = spawnSync('nginx', ['-v'], { env: { PATH: places } }).status === 0
  if (nginx) start(nginxCommand(folder), { PATH: places })
  const others = kinds.filter((kind) => (kind === 'SSL_GET' ? !nginx : cheap === undefined))
  if (others.length > 0) start([...self, 'probing', '--respond', ...others])
  await sleep(2000)
}

interface Held {
  readonly servers: number
  /** Seconds of measuring, and between two checks of a server. */
  readonly length: number
  readonly interval: number
}

/** A late one starts more than 50 ms late: fewer than one in a hundred, and 50 ms are beyond the 99th percentile. */
async function hold({ servers, length, interval }: Held, bench: Bench): Promise<string> {
  const two = ours('TCP_CHECK', servers, bench, { parts: 2, interval, watch: true })
  await sleep(10_000)
  const from = performance.now()
  const early = await two.told()
  await sleep(length * 1000)
  const passed = (performance.now() - from) / 1000
  const later = await two.told()
  await two.end()
  const probes = later.probes - early.probes
  const late = later.late - early.late
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
  const said =
    `${servers} real servers every ${interval === 1 ? 'second' : `${interval} s`} for ${length} s by two probers: ` +
    `${Math.round(probes / passed)} probes a second, ${later.failed} failed, ${late} started more than 50 ms late ` +
    `(goal: fewer than 1 %, so that the 99th percentile is below that; ${late < probes / 100 ? 'held' : 'MISSED'}); ` +
    `nothing had its turn for ${Math.round(later.stood)} ms at the longest, garbage was collected for ` +
    `${Math.round(later.collected)} ms at the longest; resident ${mebibytes(early.residentBytes)} MiB, then ${mebibytes(later.residentBytes)} MiB`
  console.log(said)
  return said
}

function section(rows: readonly (readonly string[])[], ceilings: readonly (readonly string[])[], held: string): string {
  const costs = ['1,000 checks', 'ours', 'keepalived', 'ratio', 'goal', '']
  const most = [
    'held a second',
    'one prober',
    'two',
    'keepalived',
    'one to keepalived',
    'two to keepalived',
    'goal',
    '',
  ]
  return `## Probing

Written by \`npm run bench -- probing\`: processor time of the probing process on a machine's own kernel, medians of ${rounds}
alternating runs with Node ${process.versions.node}, servers in a process of their own (TLS by nginx, where it is there).
keepalived's calls to IPVS are answered before they reach the kernel, so that it starts where there is none; each server is
checked every second. half-open is beside keepalived's TCP_CHECK.

${tableOf(costs, rows)}

Checks that are held a second before rounds run late, found to 4 %; the servers are on the same two processors.

${tableOf(most, ceilings)}

${held}.
`
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
