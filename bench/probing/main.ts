import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { probe, type Told } from './prober.ts'
import { configOf, kinds, respond, type Kind } from './servers.ts'
import { buildShim } from './shim.ts'

/**
 * `npm run bench -- probing [SECONDS [SERVERS]]`: on this machine's own kernel, in a network namespace, as root. First
 * processor time beside keepalived's for one kind after the other, then SERVERS (10,000) real servers checked every second
 * by two probers for SECONDS (60). `probing hold …`: only the latter.
 */
export async function probing(words: readonly string[], self: readonly string[]): Promise<number> {
  const [first, ...rest] = words
  if (first === '--respond') {
    respond()
    return 0
  }
  if (first === '--probe') {
    const [kind, servers = 0, part = 0, parts = 1] = rest
    await probe(kind as Kind, Number(servers), Number(part), Number(parts))
    return 0
  }
  if (first === '--inside') return inside(rest, self)
  const alone = first === 'hold'
  const [length = '60', servers = '10000'] = alone ? rest : words
  const script = `ip link set lo up && ulimit -n 20000 && exec "$0" "$@"`
  const inner = [...self, 'probing', '--inside', length, servers, ...(alone ? ['hold'] : [])]
  return spawnSync('unshare', ['-n', 'sh', '-c', script, ...inner], { stdio: 'inherit' }).status ?? 1
}

async function inside([length, servers, alone]: readonly string[], self: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const running: ChildProcess[] = []
  const start = (words: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess => {
    const [program = '', ...args] = words
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    running.push(child)
    return child
  }
  try {
    const responder = start([...self, 'probing', '--respond'])
    await new Promise((resolve) => responder.stdout?.once('data', resolve))
    const shim = buildShim(folder)
    if (alone === undefined) for (const kind of kinds) await compare(kind, { self, start, shim, folder })
    await hold(Number(servers), Number(length), self, start)
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

const window = 10

/** Both at once, so that what else the machine does falls on both. */
async function compare(kind: Kind, { self, start, shim, folder }: Bench): Promise<void> {
  const rate = kind === 'SSL_GET' ? 300 : 2000
  const ours = start([...self, 'probing', '--probe', kind, String(rate), '0', '1'])
  const told = listen(ours)
  const theirs = shim === undefined ? undefined : startKeepalived(configOf(kind, rate), { start, shim, folder })
  await sleep(6000)
  const checker = theirs === undefined ? undefined : childOf(theirs.pid)
  const before = await figuresOf(ours.pid, checker, told)
  await sleep(window * 1000)
  const after = await figuresOf(ours.pid, checker, told)
  const { failed, reason } = told() ?? { failed: NaN, reason: 'it says nothing' }
  ours.kill('SIGKILL')
  const probes = after.probes - before.probes
  const length = after.at - before.at
  const own = (1000 * (after.own - before.own)) / probes
  const remark = failed === 0 ? '' : `; ${failed} failed: ${reason ?? ''}`
  console.log(`${kind}: ours ${own.toFixed(1)} ms of processor time for 1,000 checks, ${each(probes, length)}${remark}`)
  if (theirs === undefined) {
    console.log(`${kind}: keepalived is not measured: there is no C compiler for what stands between it and IPVS`)
    return
  }
  const others = after.opened - before.opened - probes
  const peer = (1000 * (after.peer - before.peer)) / others
  theirs.kill('SIGTERM')
  await sleep(1500)
  console.log(`${kind}: keepalived ${peer.toFixed(1)} ms, ${each(others, length)}; ratio ${(own / peer).toFixed(2)}`)
}

const each = (probes: number, milliseconds: number): string =>
  `at ${Math.round((1000 * probes) / milliseconds)} a second`

function startKeepalived(
  config: string,
  { start, shim, folder }: Pick<Bench, 'start' | 'folder'> & { readonly shim: string },
): ChildProcess {
  const file = join(folder, 'keepalived.conf')
  writeFileSync(file, config)
  const pids = ['-p', join(folder, 'parent.pid'), '-c', join(folder, 'checker.pid')]
  return start(['keepalived', '-n', '-C', '-G', '-f', file, ...pids], { LD_PRELOAD: shim })
}

interface Sofar {
  readonly at: number
  readonly own: number
  readonly peer: number
  readonly opened: number
  readonly probes: number
}

/** Taken when the prober has just told its own. */
async function figuresOf(own: number | undefined, peer: number | undefined, told: Hears): Promise<Sofar> {
  const last = told()
  while (told() === last) await sleep(2)
  return {
    at: performance.now(),
    own: timeOf(own),
    peer: peer === undefined ? 0 : timeOf(peer),
    opened: opened(),
    probes: told()?.probes ?? 0,
  }
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

type Hears = () => Told | undefined

function listen(child: ChildProcess): Hears {
  let last: Told | undefined
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const line = text.trim().split('\n').at(-1)
    if (line?.startsWith('{') === true) last = JSON.parse(line) as Told
  })
  return () => last
}

async function hold(servers: number, length: number, self: readonly string[], start: Bench['start']): Promise<void> {
  const two = [0, 1].map((part) => {
    const child = start([...self, 'probing', '--probe', 'TCP_CHECK', String(servers), String(part), '2'])
    return { child, told: listen(child) }
  })
  await sleep(10_000)
  const early = two.map(({ told }) => told())
  await sleep(length * 1000)
  const late = two.map(({ told }) => told())
  const sum = (of: (told: Told) => number, all: readonly (Told | undefined)[]): number =>
    all.reduce((total, each) => total + (each === undefined ? 0 : of(each)), 0)
  const probes = sum((told) => told.probes, late) - sum((told) => told.probes, early)
  const mebibytes = (all: typeof late): string => (sum((told) => told.residentBytes, all) / 2 ** 20).toFixed(0)
  console.log(
    `${servers} real servers every second for ${length} s by two probers: ${Math.round(probes / length)} probes a second, ` +
      `${sum((told) => told.late, late) - sum((told) => told.late, early)} late, ` +
      `${sum((told) => told.failed, late)} failed; resident ${mebibytes(early)} MiB, then ${mebibytes(late)} MiB`,
  )
}
