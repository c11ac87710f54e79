import { proberEnvironment, proberFlags } from '@ipvs-director/checkers/probing'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../../test/lab/root.ts'
import { median } from '../measure.ts'
import { replaceSection } from '../section.ts'
import { direct } from './direct.ts'
import { failing } from './failing.ts'
import { probe, type Told } from './prober.ts'
import { buildServers, configOf, kinds, respond, type Kind } from './servers.ts'
import { buildShim } from './shim.ts'

/**
 * `npm run bench -- probing [SECONDS [SERVERS]]`: on this machine's own kernel, in a network namespace, as root. First
 * processor time beside keepalived's for one kind after the other, then SERVERS (10,000) real servers checked every second
 * by two probers for SECONDS (60). `probing hold [SECONDS [SERVERS [INTERVAL]]]`: only the latter, every INTERVAL (1) seconds.
 * `probing failing …`: see failing.ts.
 */
export async function probing(words: readonly string[], self: readonly string[]): Promise<number> {
  const [first, ...rest] = words
  if (first === '--respond') {
    respond(rest)
    return 0
  }
  if (first === '--probe') {
    const [kind, servers = 0, part = 0, parts = 1, interval = 1] = rest
    await probe(kind as Kind, Number(servers), { part: Number(part), parts: Number(parts), interval: Number(interval) })
    return 0
  }
  if (first === '--direct') {
    await direct(Number(rest[0]), Number(rest[1]))
    return 0
  }
  if (first === '--inside') return rest[0] === 'failing' ? failing(rest.slice(1), self) : inside(rest, self)
  const alone = first === 'hold' || first === 'failing'
  const [length = '60', servers = '10000', interval = '1'] = alone ? rest : words
  const script = `ip link set lo up && ulimit -n 20000 && exec "$0" "$@"`
  const wanted = first === 'failing' ? words : [length, servers, interval, ...(alone ? ['hold'] : [])]
  const inner = [...self, 'probing', '--inside', ...wanted]
  return spawnSync('unshare', ['-n', 'sh', '-c', script, ...inner], { stdio: 'inherit' }).status ?? 1
}

async function inside([length, servers, interval, alone]: readonly string[], self: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const running: ChildProcess[] = []
  const start = (words: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess => {
    const [program = '', ...args] = words
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    running.push(child)
    return child
  }
  try {
    const cheap = buildServers(folder)
    if (cheap !== undefined) start([cheap])
    const others = cheap === undefined ? kinds : kinds.slice(-1)
    const responder = start([...self, 'probing', '--respond', ...others])
    await new Promise((resolve) => responder.stdout?.once('data', resolve))
    const shim = buildShim(folder)
    const rows: (readonly string[])[] = []
    if (alone === undefined) for (const kind of kinds) rows.push(await compare(kind, { self, start, shim, folder }))
    const held = await hold(
      { servers: Number(servers), length: Number(length), interval: Number(interval) },
      self,
      start,
    )
    if (rows.length > 0) replaceSection(join(root, 'docs/benchmarks.md'), section(rows, held))
    return 0
  } finally {
    for (const child of running) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

interface Bench {
  readonly self: readonly string[]
  readonly start: (words: readonly string[], env?: NodeJS.ProcessEnv) => ChildProcess
  readonly shim: string | undefined
  readonly folder: string
}

/** As a fleet starts its probers. */
const asProber = { ...proberEnvironment({}), NODE_OPTIONS: proberFlags.join(' ') }

const window = 8000
const settling = 4000

/** One after the other, again and again: together they would spare each other wake-ups. */
async function compare(kind: Kind, bench: Bench): Promise<readonly string[]> {
  const rate = kind === 'SSL_GET' ? 300 : 2000
  const own: number[] = []
  const peer: number[] = []
  let remark = ''
  for (let round = 0; round < rounds; round++) {
    const ours = bench.start([...bench.self, 'probing', '--probe', kind, String(rate), '0', '1'], asProber)
    const told = listen(ours)
    own.push(await spent(() => ours.pid))
    const { failed = 0, reason = '' } = told() ?? {}
    if (failed > 0) remark = ` (${failed} failed: ${reason})`
    await ended(ours)
    if (bench.shim === undefined) continue
    const theirs = startKeepalived(configOf(kind, rate), bench)
    peer.push(await spent(() => childOf(theirs.pid)))
    await ended(theirs)
  }
  const [ours, theirs] = [median(own), median(peer)]
  const goal = goals[kind]
  const cells = [
    `${kind}, ${rate} a second${remark}`,
    `${ours.toFixed(1)} ms`,
    bench.shim === undefined ? 'no C compiler' : `${theirs.toFixed(1)} ms`,
    (ours / theirs).toFixed(2),
    `≤ ${goal}`,
    ours / theirs <= goal ? 'held' : 'MISSED',
  ]
  console.log(cells.join('  '))
  return cells
}

const rounds = 3
const goals: Readonly<Record<Kind, number>> = { TCP_CHECK: 0.7, HTTP_GET: 0.8, SSL_GET: 1.05 }

/** Milliseconds of processor time for a thousand checks, once it has settled. */
async function spent(pid: () => number | undefined): Promise<number> {
  await sleep(settling)
  const [time, connections] = [timeOf(pid()), opened()]
  await sleep(window)
  return (1000 * (timeOf(pid()) - time)) / (opened() - connections)
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await Promise.race([gone, sleep(5000).then(() => child.kill('SIGKILL'))])
}

function startKeepalived(config: string, { start, shim, folder }: Bench): ChildProcess {
  const file = join(folder, 'keepalived.conf')
  writeFileSync(file, config)
  const pids = ['-p', join(folder, 'parent.pid'), '-c', join(folder, 'checker.pid')]
  return start(['keepalived', '-n', '-C', '-G', '-f', file, ...pids], { LD_PRELOAD: shim })
}

/**
 * Milliseconds on a processor of all its threads, as the scheduler counts them: the ticks of /proc/PID/stat miss what
 * wakes up with a timer and is done before the next tick.
 */
function timeOf(pid: number | undefined): number {
  const tasks = `/proc/${pid ?? 0}/task`
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6
}

/** Connections opened in this namespace since it was made. */
function opened(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'utf8').match(/^Tcp:.*$/gm) ?? []
  return Number(values.split(' ')[names.split(' ').indexOf('ActiveOpens')])
}

function childOf(pid: number | undefined): number {
  return Number(
    readFileSync(`/proc/${pid ?? 0}/task/${pid ?? 0}/children`, 'utf8')
      .trim()
      .split(' ')[0],
  )
}

function listen(child: ChildProcess): () => Told | undefined {
  let last: Told | undefined
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const line = text.trim().split('\n').at(-1)
    if (line?.startsWith('{') === true) last = JSON.parse(line) as Told
  })
  return () => last
}

/** Answers the longest pauses since it was last asked. */
function worstOf(child: ChildProcess): () => Pick<Told, 'stood' | 'collected'> {
  let worst = { stood: 0, collected: 0 }
  child.stdout?.on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (!line.startsWith('{') || !line.endsWith('}')) continue
      const { stood, collected } = JSON.parse(line) as Told
      worst = { stood: Math.max(worst.stood, stood), collected: Math.max(worst.collected, collected) }
    }
  })
  return () => {
    const before = worst
    worst = { stood: 0, collected: 0 }
    return before
  }
}

interface Held {
  readonly servers: number
  /** Seconds of measuring, and between two checks of a server. */
  readonly length: number
  readonly interval: number
}

async function hold(
  { servers, length, interval }: Held,
  self: readonly string[],
  start: Bench['start'],
): Promise<string> {
  const two = [0, 1].map((part) => {
    const words = ['probing', '--probe', 'TCP_CHECK', String(servers), String(part), '2', String(interval)]
    const child = start([...self, ...words], asProber)
    return { told: listen(child), worst: worstOf(child) }
  })
  await sleep(10_000)
  const early = two.map(({ told }) => told())
  for (const { worst } of two) worst()
  await sleep(length * 1000)
  const late = two.map(({ told }) => told())
  const worst = two.map(({ worst }) => worst())
  const longest = (of: 'stood' | 'collected'): number => Math.round(Math.max(...worst.map((each) => each[of])))
  const sum = (of: (told: Told) => number, all: readonly (Told | undefined)[]): number =>
    all.reduce((total, each) => total + (each === undefined ? 0 : of(each)), 0)
  const probes = sum((told) => told.probes, late) - sum((told) => told.probes, early)
  const mebibytes = (all: typeof late): string => (sum((told) => told.residentBytes, all) / 2 ** 20).toFixed(0)
  const said =
    `${servers} real servers every ${interval === 1 ? 'second' : `${interval} s`} for ${length} s by two probers: ${Math.round(probes / length)} probes a second, ` +
    `${sum((told) => told.late, late) - sum((told) => told.late, early)} late, ` +
    `${sum((told) => told.failed, late)} failed; nothing had its turn for ${longest('stood')} ms at the longest, garbage was ` +
    `collected for ${longest('collected')} ms at the longest; resident ${mebibytes(early)} MiB, then ${mebibytes(late)} MiB`
  console.log(said)
  return said
}

function section(rows: readonly (readonly string[])[], held: string): string {
  const head = ['1,000 checks', 'ours', 'keepalived', 'ratio', 'goal', '']
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return `## Probing

Written by \`npm run bench -- probing\`: processor time of the probing process on a machine's own kernel, medians of ${rounds}
alternating runs with Node ${process.versions.node}, servers in a process of their own. keepalived's calls to IPVS are answered before
they reach the kernel, so that it starts where there is none; each server is checked every second.

${table}

${held}.
`
}
