import { proberEnvironment, proberFlags } from '@ipvs-director/checkers/probing'
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Share, Told } from './prober.ts'
import { configOf, type Kind } from './servers.ts'

/** What is needed to start who is measured. */
export interface Bench {
  /** The command line of this program. */
  readonly self: readonly string[]
  readonly start: (words: readonly string[], env?: NodeJS.ProcessEnv) => ChildProcess
  /** See shim.ts; undefined: keepalived cannot run here. */
  readonly shim: string | undefined
  readonly folder: string
}

/** Who probes at the moment. */
export interface Contestant {
  /** Milliseconds on a processor so far. */
  time(): number
  /** What is known of its probes so far; of ours, what the probers tell, summed. */
  told(): Promise<Partial<Told> & Pick<Told, 'probes'>>
  end(): Promise<void>
}

/** Ourselves. */
export interface Probers extends Contestant {
  told(): Promise<Told>
}

/** So many prober processes as a fleet starts them, with equal shares of the servers. */
export function ours(
  kind: Kind,
  servers: number,
  { self, start }: Bench,
  { parts = 1, interval = 1, watch = false }: Partial<Omit<Share, 'part'>> = {},
): Probers {
  const [node = '', ...program] = self
  const all = Array.from({ length: parts }, (_, part) =>
    start(
      [
        node,
        ...proberFlags,
        ...program,
        'probing',
        '--probe',
        kind,
        ...[servers, part, parts, interval, Number(watch)].map(String),
      ],
      proberEnvironment({}),
    ),
  )
  const told = async (): Promise<Told> => (await Promise.all(all.map(ask))).reduce(sum)
  return {
    time: () => all.reduce((total, child) => total + timeOf(child.pid), 0),
    told,
    end: async () => {
      await Promise.all(all.map(ended))
    },
  }
}

const sum = (a: Told, b: Told): Told => ({
  probes: a.probes + b.probes,
  failed: a.failed + b.failed,
  late: a.late + b.late,
  stood: Math.max(a.stood, b.stood),
  collected: Math.max(a.collected, b.collected),
  residentBytes: a.residentBytes + b.residentBytes,
  reason: a.reason ?? b.reason,
})

function ask(child: ChildProcess): Promise<Told> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      reject(new Error('a prober ended'))
    }
    child.once('exit', fail)
    child.stdout?.once('data', (text: Buffer) => {
      child.off('exit', fail)
      resolve(JSON.parse(text.toString('utf8')) as Told)
    })
    child.kill('SIGUSR2')
  })
}

/** keepalived's checking process. */
export function keepalived(kind: Kind, servers: number, { start, shim, folder }: Bench): Contestant {
  const file = join(folder, 'keepalived.conf')
  writeFileSync(file, configOf(kind, servers))
  const pids = ['-p', join(folder, 'parent.pid'), '-c', join(folder, 'checker.pid')]
  const parent = start(['keepalived', '-n', '-C', '-G', '-f', file, ...pids], { LD_PRELOAD: shim })
  const before = opened()
  return {
    time: () => timeOf(childOf(parent.pid)),
    told: async () => ({ probes: opened() - before }),
    end: () => ended(parent),
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await Promise.race([gone, sleep(5000).then(() => child.kill('SIGKILL'))])
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
  return nanoseconds.reduce((total, each) => total + each, 0) / 1e6
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
