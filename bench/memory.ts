import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { diff, memoryIpvs } from 'ipvs-netlink'
import { root } from '../test/lab/root.ts'
import { buildServers, ports, serverAddress } from './probing/servers.ts'
import { startDirector } from './reload/contestants.ts'
import { replaceSection } from './section.ts'
import { nameOf, tableOf, type Shape } from './shapes.ts'

/** At most, in KiB for a real server, beyond the fixed start (GOALS). */
const goal = 6

const shapes: readonly Shape[] = [
  { services: 1, destinations: 10_000 },
  { services: 5000, destinations: 2 },
  { services: 4000, destinations: 4 },
  { services: 1, destinations: 50_000 },
]

/** Seconds between two checks of a server, and from the start to the look: all have been checked twice. */
const interval = 20
const settling = 45

/**
 * `npm run bench -- memory`: resident memory of all processes of a director with its table in memory, in a network namespace, as
 * root; each real server with a TCP_CHECK that succeeds every twenty seconds. Beside it the same with one real server.
 */
export async function memory([word]: readonly string[], self: readonly string[]): Promise<number> {
  if (word !== '--inside') {
    const script = 'ip link set lo up && ulimit -n 20000 && exec "$0" "$@"'
    return (
      spawnSync('unshare', ['-n', 'sh', '-c', script, ...self, 'memory', '--inside'], { stdio: 'inherit' }).status ?? 1
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const servers = buildServers(folder)
  if (servers === undefined) throw new Error('no C compiler: there is nobody to check')
  const responder = spawn(servers, { stdio: 'ignore' })
  try {
    const start = await residentOf({ services: 1, destinations: 1 }, folder)
    const rows: string[] = []
    for (const shape of shapes) {
      const resident = await residentOf(shape, folder)
      const each = (resident - start) / 1024 / (shape.services * shape.destinations)
      const verdict = each <= goal ? 'held' : 'MISSED'
      const table = `${((await tableBytes(shape)) / 1024).toFixed(2)} KiB`
      const told = [nameOf(shape), mebibytes(resident), `${each.toFixed(1)} KiB`, `≤ ${goal} KiB`, verdict, table]
      rows.push(`| ${told.join(' | ')} |`)
      console.log(`bench: ${rows.at(-1) ?? ''}`)
    }
    replaceSection(join(root, 'docs/benchmarks.md'), section(mebibytes(start), rows))
    return 0
  } finally {
    responder.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`

async function residentOf(shape: Shape, folder: string): Promise<number> {
  const director = await startDirector({ folder, host: undefined, shim: undefined }, configOf(shape))
  try {
    await sleep(settling * 1000)
    // With one check there is one prober; the fixed start has two, as there are two with more.
    const [own = 0, ...probers] = director.residents()
    const all = probers.reduce((sum, each) => sum + each, 0)
    return own + (Math.max(2, probers.length) * all) / probers.length
  } finally {
    await director.stop()
  }
}

/** Heap for a real server that the table in memory takes beyond the wanted one, whose entries it shares. */
async function tableBytes(shape: Shape): Promise<number> {
  const [wanted, ipvs] = [tableOf(shape), memoryIpvs({ keepLog: false })]
  const before = heapNow()
  await ipvs.execute(diff(new Map(), wanted))
  const bytes = heapNow() - before
  // Both are used here, or they would be garbage above.
  const services = Math.min(wanted.size, (await ipvs.services()).length)
  return bytes / (services * shape.destinations)
}

function heapNow(): number {
  setFlagsFromString('--expose-gc')
  // What the first leaves to be swept, or to be finalized, goes with the second.
  runInNewContext('gc(); gc()')
  return process.memoryUsage().heapUsed
}

function configOf({ services, destinations }: Shape): string {
  const real = (n: number): string =>
    `  real_server ${serverAddress(n)} ${ports.TCP_CHECK} {\n    TCP_CHECK {\n    }\n  }\n`
  return Array.from({ length: services }, (_, service) => {
    const servers = Array.from({ length: destinations }, (_unused, n) => real(service * destinations + n))
    const head = `virtual_server 10.64.${service >> 8}.${service & 255} 80 {\n  delay_loop ${interval}\n`
    return `${head}  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n${servers.join('')}}\n`
  }).join('')
}

function section(start: string, rows: readonly string[]): string {
  return `## Memory

Written by \`npm run bench -- memory\` with Node ${process.versions.node}: resident memory of all processes (director and two probers, the
table in memory among it), ${settling} s after the start; each real server with a TCP_CHECK every ${interval} s. With one real server it is
${start}, the program of Node counted three times; the third column is what each real server adds to that. The last is what of
it the table in memory takes, which is the kernel's own where that has IPVS.

| real servers | resident | each | goal | | table in memory |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}
